package main

import (
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A tab is the page that a browser shows.
type tab struct {
	at   *url.URL
	page string
}

// scriptVisit opens a page as a browser does: visit STATUS URL. The page goes to
// standard output; Content-Type, and Location where there is one, to standard error.
// It follows no redirect.
func scriptVisit(ts *testscript.TestScript, _ bool, args []string) {
	at, err := url.Parse(args[1])
	ts.Check(err)
	if t := streetOf(ts).tab; t != nil {
		at = t.at.ResolveReference(at)
	}
	req, err := http.NewRequest(http.MethodGet, at.String(), nil)
	ts.Check(err)
	show(ts, req, args[0])
}

// scriptSubmit sends a form of the page, hidden fields included: submit STATUS
// ACTION [FIELD=VALUE ...]. ACTION is in the form's own, which may be a
// controller's: then nothing is sent, and where it goes is printed.
func scriptSubmit(ts *testscript.TestScript, _ bool, args []string) {
	t := streetOf(ts).tab
	for _, form := range formPattern.FindAllStringSubmatch(t.page, -1) {
		action := html.UnescapeString(form[1])
		if !strings.Contains(action, args[1]) {
			continue
		}
		fields := url.Values{}
		for _, hidden := range hiddenPattern.FindAllStringSubmatch(form[2], -1) {
			fields.Set(hidden[1], html.UnescapeString(hidden[2]))
		}
		for _, field := range args[2:] {
			name, value, _ := strings.Cut(field, "=")
			fields.Set(name, value)
		}
		to, err := t.at.Parse(action)
		ts.Check(err)
		if to.Host != t.at.Host {
			_, _ = fmt.Fprintf(ts.Stdout(), "to %s\n", to)
			for _, name := range slices.Sorted(maps.Keys(fields)) {
				_, _ = fmt.Fprintf(ts.Stdout(), "%s=%s\n", name, fields.Get(name))
			}
			return
		}
		req, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(fields.Encode()))
		ts.Check(err)
		req.Header = http.Header{
			"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {"http://" + t.at.Host}, "Sec-Fetch-Site": {"same-origin"},
		}
		show(ts, req, args[0])
		return
	}
	ts.Fatalf("the page has no form for %s:\n%s", args[1], t.page)
}

var (
	formPattern   = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)">(.*?)</form>`)
	hiddenPattern = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// show sends a browser's request and shows what comes.
func show(ts *testscript.TestScript, req *http.Request, want string) {
	req.Header.Set("Accept-Language", "en")
	resp, err := http.DefaultTransport.RoundTrip(req)
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	streetOf(ts).tab = &tab{at: req.URL, page: string(text)}
	_, _ = ts.Stdout().Write(text)
	for _, name := range []string{"Content-Type", "Cache-Control", "Location"} {
		if value := resp.Header.Get(name); value != "" {
			_, _ = fmt.Fprintf(ts.Stderr(), "%s: %s\n", name, value)
		}
	}
	if got := fmt.Sprint(resp.StatusCode); got != want {
		ts.Fatalf("%s %s: status %s, want %s: %s", req.Method, req.URL, got, want, text)
	}
}

// scriptGate is somebody else's portal login API:
//
//	gate start            serves it, at $GATE
//	gate answers STATUS   what it says next, 201 otherwise
//	gate got              prints the next login that it was sent, and what it answered
func scriptGate(ts *testscript.TestScript, _ bool, args []string) {
	s := streetOf(ts)
	if args[0] == "start" {
		s.gate = &gate{got: make(chan string, 64)}
		web := httptest.NewServer(s.gate)
		ts.Defer(web.Close)
		ts.Setenv("GATE", web.URL)
		return
	}
	switch args[0] {
	case "answers":
		code, err := strconv.Atoi(args[1])
		ts.Check(err)
		s.gate.mu.Lock()
		s.gate.next = append(s.gate.next, code)
		s.gate.mu.Unlock()
	case "got":
		select {
		case text := <-s.gate.got:
			_, _ = fmt.Fprint(ts.Stdout(), text)
		case <-time.After(10 * time.Second):
			ts.Fatalf("the gate got nothing")
		}
	default:
		ts.Fatalf("gate %s is unknown", args[0])
	}
}

// A gate is such an API.
type gate struct {
	got chan string

	mu   sync.Mutex
	next []int
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	g.mu.Lock()
	code := http.StatusCreated
	if len(g.next) > 0 {
		code, g.next = g.next[0], g.next[1:]
	}
	g.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if code == http.StatusCreated {
		_, _ = io.WriteString(w, `{"page_id": 12345}`)
	}
	g.got <- fmt.Sprintf("%s %s\nAuthorization: %s\nIdempotency-Key: %s\n%s\nanswered %d\n",
		r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Idempotency-Key"), body, code)
}
