package portal

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// shots is where the screenshots are kept, to be looked at.
var shots = flag.String("screenshots", "", "the folder to keep screenshots in; empty: they are not kept")

// A chrome is a real browser that is told what to do by the DevTools protocol,
// over the two pipes that it opens for that.
type chrome struct {
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

type answered struct {
	result json.RawMessage
	err    error
}

// A screen is a device as the browser plays it.
type screen struct {
	name, agent, language string
	width, height         int
	dark                  bool
}

const (
	iPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
	pixel  = "Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0.0.0 Mobile Safari/537.36"
	laptop = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
)

func phone() screen { return screen{"phone-light", iPhone, "en", 390, 844, false} }

// open starts the browser with one page, without JavaScript.
func (s screen) open(t *testing.T) *chrome {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("chromium is missing, so no real browser goes through the portal (Debian: apt-get install chromium)")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{
		"--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-dev-shm-usage",
		"--remote-debugging-pipe", "--user-data-dir=" + profile, "about:blank",
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium's sandbox does not run as root
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = theirIn.Close(), theirOut.Close()
	c := &chrome{ctx: ctx, in: ourOut, events: make(chan event, 4096), waiting: map[int]chan answered{}}
	read := make(chan struct{})
	go func() {
		defer close(read)
		c.listen(ourIn)
	}()
	t.Cleanup(func() {
		_ = ourOut.Close() // which ends it
		cancel()
		_ = cmd.Wait()
		<-read
		_ = ourIn.Close()
		_ = os.RemoveAll(profile)
	})
	c.dress(t, s)
	return c
}

// dress opens the page as the screen has it.
func (c *chrome) dress(t *testing.T, s screen) {
	t.Helper()
	var target struct{ TargetID string }
	c.must(t, "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	c.must(t, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	c.session = attached.SessionID
	c.must(t, "Page.enable", nil, nil)
	c.must(t, "Log.enable", nil, nil)
	c.must(t, "Emulation.setDeviceMetricsOverride", map[string]any{"width": s.width, "height": s.height, "deviceScaleFactor": 1, "mobile": s.width < 600}, nil)
	c.must(t, "Emulation.setUserAgentOverride", map[string]any{"userAgent": s.agent, "acceptLanguage": s.language}, nil)
	c.must(t, "Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	if s.dark {
		c.must(t, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}}}, nil)
	}
}

// listen takes what the browser says: answers to whoever waits, events to the queue.
func (c *chrome) listen(from *os.File) {
	for r := bufio.NewReader(from); ; {
		line, err := r.ReadBytes(0)
		if err != nil {
			close(c.events)
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
			case c.events <- m.event:
			default: // nobody looks at so many
			}
			continue
		}
		a := answered{result: m.Result}
		if m.Error != nil {
			a.err = errors.New(m.Error.Message)
		}
		c.mu.Lock()
		to := c.waiting[m.ID]
		delete(c.waiting, m.ID)
		c.mu.Unlock()
		to <- a
	}
}

// call tells the browser something and waits for its answer.
func (c *chrome) call(method string, params, out any) error {
	c.mu.Lock()
	c.next++
	id, to := c.next, make(chan answered, 1)
	c.waiting[id] = to
	c.mu.Unlock()
	m := map[string]any{"id": id, "method": method}
	if params != nil {
		m["params"] = params
	}
	if c.session != "" {
		m["sessionId"] = c.session
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := c.in.Write(append(b, 0)); err != nil {
		return err
	}
	select {
	case a := <-to:
		if a.err != nil || out == nil {
			return a.err
		}
		return json.Unmarshal(a.result, out)
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

func (c *chrome) must(t *testing.T, method string, params, out any) {
	t.Helper()
	if err := c.call(method, params, out); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// eval returns what an expression of the tests, not of the page, is worth.
func (c *chrome) eval(t *testing.T, expression string) string {
	t.Helper()
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Text string }
	}
	c.must(t, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "userGesture": true}, &out)
	if out.ExceptionDetails != nil {
		t.Fatalf("%s: %s", expression, out.ExceptionDetails.Text)
	}
	return fmt.Sprint(out.Result.Value)
}

// text returns what the page shows. One that goes on by itself may be gone already: "".
func (c *chrome) text() string {
	var out struct{ Result struct{ Value any } }
	if c.call("Runtime.evaluate", map[string]any{"expression": "document.body.innerText", "returnByValue": true}, &out) != nil {
		return ""
	}
	said, _ := out.Result.Value.(string)
	return said
}

// visit opens an address and waits until a page shows text.
func (c *chrome) visit(t *testing.T, address, text string) {
	t.Helper()
	c.must(t, "Page.navigate", map[string]any{"url": address}, nil)
	c.await(t, text)
}

// await waits for the page, perhaps after others, that shows text. What the
// browser complains of on the way fails the test.
func (c *chrome) await(t *testing.T, text string) {
	t.Helper()
	for {
		var e event
		var more bool
		select {
		case e, more = <-c.events:
		case <-c.ctx.Done():
		}
		if !more {
			t.Fatalf("no page shows %q; the last is %s:\n%s", text, c.eval(t, "location.href"), c.eval(t, "document.documentElement.outerHTML"))
		}
		switch e.Method {
		case "Log.entryAdded":
			var said struct {
				Entry struct{ Text, Source, URL string }
			}
			_ = json.Unmarshal(e.Params, &said)
			// A refusal of ours has its status; that is no complaint.
			if !strings.Contains(said.Entry.Text, "the server responded with a status of") {
				t.Errorf("the browser complains: %s %s", said.Entry.Text, said.Entry.URL)
			}
		case "Page.loadEventFired":
			if strings.Contains(c.text(), text) {
				return
			}
		}
	}
}

// fill types into a field, and click presses a button, as a finger does.
func (c *chrome) fill(t *testing.T, selector, value string) {
	t.Helper()
	c.eval(t, fmt.Sprintf("document.querySelector(%q).focus()", selector))
	c.must(t, "Input.insertText", map[string]any{"text": value}, nil)
	if got := c.eval(t, fmt.Sprintf("document.querySelector(%q).value", selector)); got != value {
		t.Fatalf("%s holds %q", selector, got)
	}
}

func (c *chrome) click(t *testing.T, selector string) {
	t.Helper()
	var at struct{ X, Y float64 }
	where := c.eval(t, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return JSON.stringify({x: r.x + r.width/2, y: r.y + r.height/2}) })()`, selector))
	if err := json.Unmarshal([]byte(where), &at); err != nil {
		t.Fatalf("%s: %v: %s", selector, err, where)
	}
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		c.must(t, "Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil)
	}
}

// shoot keeps a picture.
func (c *chrome) shoot(t *testing.T, s screen, name string) {
	t.Helper()
	var out struct{ Data string }
	c.must(t, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true}, &out)
	png, err := base64.StdEncoding.DecodeString(out.Data)
	if err != nil || len(png) < 5000 {
		t.Errorf("%s: no picture, or an empty one: %v, %d octets", name, err, len(png))
	}
	if *shots == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*shots, name+"-"+s.name+".png"), png, 0o600); err != nil {
		t.Error(err)
	}
}
