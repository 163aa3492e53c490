package chromium

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// life is how long a browser may run: a test that hangs ends before go test's own
// bound, and says where.
const life = 3 * time.Minute

// patience is how long a page may take that a test waits for.
const patience = 30 * time.Second

// queuedEvents bounds what the browser says by itself and nobody has looked at yet.
const queuedEvents = 4096

// A Page is a browser's one page, of one test.
type Page struct {
	tb      testing.TB
	name    string // the screen's
	ctx     context.Context
	in      *os.File
	events  chan event
	session string

	mu      sync.Mutex
	next    int
	waiting map[int]chan answered
}

// An event is what the browser says by itself.
type event struct {
	Method string
	Params json.RawMessage
}

// An answered is what it says to one call.
type answered struct {
	result json.RawMessage
	err    error
}

// Open starts a browser with one page, without JavaScript, that ends with the test.
func (s Screen) Open(tb testing.TB) *Page {
	tb.Helper()
	program := Program(tb)
	ctx, cancel := context.WithTimeout(context.Background(), life)
	// Not tb.TempDir: a child of the browser may still write while it is removed.
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		tb.Fatal(err)
	}
	args := []string{
		"--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-dev-shm-usage",
		"--disable-component-update", "--disable-sync", "--disable-features=AutofillServerCommunication", "--host-resolver-rules=" + s.names(),
		"--remote-debugging-pipe", "--user-data-dir=" + profile,
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium's sandbox does not run as root
	}
	p := &Page{tb: tb, name: s.Name, ctx: ctx, events: make(chan event, queuedEvents), waiting: map[int]chan answered{}}
	//nolint:gosec // G204: a test runs the browser of its PATH, without a shell
	wait, err := p.start(exec.CommandContext(ctx, program, append(args, "about:blank")...))
	if err != nil {
		cancel()
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = p.in.Close() // which ends it
		cancel()
		wait()
		_ = os.RemoveAll(profile)
	})
	p.dress(s)
	return p
}

// start starts the browser with its two pipes; what it returns waits for its end.
func (p *Page) start(cmd *exec.Cmd) (wait func(), err error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirIn.Close(), in.Close())
	}
	p.in, cmd.ExtraFiles = in, []*os.File{theirIn, theirOut}
	err = cmd.Start()
	_, _ = theirIn.Close(), theirOut.Close()
	if err != nil {
		return nil, errors.Join(err, in.Close(), out.Close())
	}
	var read sync.WaitGroup
	read.Go(func() { p.listen(out) })
	return func() {
		_ = cmd.Wait()
		read.Wait()
		_ = out.Close()
	}, nil
}

// dress opens the page as the screen has it.
func (p *Page) dress(s Screen) {
	p.tb.Helper()
	var target struct{ TargetID string }
	p.must("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	p.must("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p.session = attached.SessionID
	p.must("Page.enable", nil, nil)
	p.must("Log.enable", nil, nil)
	p.must("Emulation.setDeviceMetricsOverride", map[string]any{"width": s.Width, "height": s.Height, "deviceScaleFactor": 1, "mobile": s.Width < 600}, nil)
	p.must("Emulation.setUserAgentOverride", map[string]any{"userAgent": s.Agent, "acceptLanguage": s.Language}, nil)
	p.must("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	if s.Dark {
		p.must("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}}}, nil)
	}
}

// listen takes what the browser says: answers to whoever waits, events to the queue.
func (p *Page) listen(from *os.File) {
	for r := bufio.NewReader(from); ; {
		line, err := r.ReadBytes(0)
		if err != nil {
			close(p.events)
			return
		}
		var m struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
			event
		}
		if json.Unmarshal(bytes.TrimSuffix(line, []byte{0}), &m) != nil {
			continue
		}
		if m.ID == 0 {
			select {
			case p.events <- m.event:
			default: // nobody looks at so many
			}
			continue
		}
		a := answered{result: m.Result}
		if m.Error != nil {
			a.err = errors.New(m.Error.Message)
		}
		p.mu.Lock()
		to := p.waiting[m.ID]
		delete(p.waiting, m.ID)
		p.mu.Unlock()
		if to != nil {
			to <- a
		}
	}
}

// call tells the browser something and waits for its answer.
func (p *Page) call(method string, params, out any) error {
	p.mu.Lock()
	p.next++
	id, to := p.next, make(chan answered, 1)
	p.waiting[id] = to
	p.mu.Unlock()
	m := map[string]any{"id": id, "method": method}
	if params != nil {
		m["params"] = params
	}
	if p.session != "" {
		m["sessionId"] = p.session
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(b, 0)); err != nil {
		return err
	}
	select {
	case a := <-to:
		if a.err != nil || out == nil {
			return a.err
		}
		return json.Unmarshal(a.result, out)
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

func (p *Page) must(method string, params, out any) {
	p.tb.Helper()
	if err := p.call(method, params, out); err != nil {
		p.tb.Fatalf("%s: %v", method, err)
	}
}

// Eval returns what an expression of the tests, not of the page, is worth.
func (p *Page) Eval(expression string) string {
	p.tb.Helper()
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Text string }
	}
	p.must("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "userGesture": true}, &out)
	if out.ExceptionDetails != nil {
		p.tb.Fatalf("%s: %s", expression, out.ExceptionDetails.Text)
	}
	return fmt.Sprint(out.Result.Value)
}

// shown returns what the page shows once it is whole: what is clicked before that
// may still move. One that goes on by itself may be gone already: "".
func (p *Page) shown() string {
	var out struct{ Result struct{ Value any } }
	if p.call("Runtime.evaluate", map[string]any{"expression": `document.readyState == "complete" ? document.body.innerText : ""`, "returnByValue": true}, &out) != nil {
		return ""
	}
	said, _ := out.Result.Value.(string)
	return said
}

// Visit opens an address and waits until a page shows text.
func (p *Page) Visit(address, text string) {
	p.tb.Helper()
	p.must("Page.navigate", map[string]any{"url": address}, nil)
	p.Await(text)
}

// Await waits for the page, perhaps after others, that shows text. What the
// browser complains of on the way fails the test.
func (p *Page) Await(text string) {
	p.tb.Helper()
	end := time.After(patience)
	for {
		var e event
		var more bool
		select {
		case e, more = <-p.events:
		case <-end:
		}
		if !more {
			p.tb.Fatalf("no page shows %q; the last is %s:\n%s", text, p.Eval("location.href"), p.Eval("document.documentElement.outerHTML"))
		}
		switch e.Method {
		case "Log.entryAdded":
			var said struct {
				Entry struct{ Text, Source, URL string }
			}
			_ = json.Unmarshal(e.Params, &said)
			// A refusal of ours has its status; that is no complaint.
			if !strings.Contains(said.Entry.Text, "the server responded with a status of") {
				p.tb.Errorf("the browser complains: %s %s", said.Entry.Text, said.Entry.URL)
			}
		case "Page.loadEventFired":
			if strings.Contains(p.shown(), text) {
				return
			}
		}
	}
}

// Fill types into the field that a CSS selector finds, which must be empty.
func (p *Page) Fill(selector, value string) {
	p.tb.Helper()
	p.Eval(fmt.Sprintf("document.querySelector(%q).focus()", selector))
	p.must("Input.insertText", map[string]any{"text": value}, nil)
	if got := p.Eval(fmt.Sprintf("document.querySelector(%q).value", selector)); got != value {
		p.tb.Fatalf("%s holds %q", selector, got)
	}
}

// Click presses what a CSS selector finds, as a finger does.
func (p *Page) Click(selector string) {
	p.tb.Helper()
	var at struct{ X, Y float64 }
	where := p.Eval(fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return JSON.stringify({x: r.x + r.width/2, y: r.y + r.height/2}) })()`, selector))
	if err := json.Unmarshal([]byte(where), &at); err != nil {
		p.tb.Fatalf("%s: %v: %s", selector, err, where)
	}
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		p.must("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil)
	}
}

// Shoot takes a picture of the whole page, and keeps it in a folder as
// NAME-SCREEN.png; "" keeps none.
func (p *Page) Shoot(folder, name string) {
	p.tb.Helper()
	var out struct{ Data string }
	p.must("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true}, &out)
	png, err := base64.StdEncoding.DecodeString(out.Data)
	if err != nil || len(png) < emptyPicture {
		p.tb.Errorf("%s: no picture, or an empty one: %v, %d octets", name, err, len(png))
	}
	if folder == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(folder, name+"-"+p.name+".png"), png, 0o600); err != nil {
		p.tb.Error(err)
	}
}

// emptyPicture is more than a picture of nothing has, in octets.
const emptyPicture = 5000
