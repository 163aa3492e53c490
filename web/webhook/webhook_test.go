package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// A world takes pushes as member systems' backends do.
type world struct {
	mu    sync.Mutex
	taken []string
	enter chan struct{} // gets a word for each push that hangs
	free  chan struct{} // lets hanging pushes go
}

var errStore = errors.New("disk is full at /var/lib")

func (w *world) Take(ctx context.Context, backend string, h http.Header, body []byte) error {
	switch backend {
	case "hangs":
		w.enter <- struct{}{}
		<-w.free
		return ctx.Err()
	case "deaf":
		return fmt.Errorf("backend deaf: %w", ErrDeaf)
	case "broken":
		return errStore
	case "nexudus":
	default:
		return ErrUnknown
	}
	if h.Get("X-Signature") != "right" && h.Get("Authorization") != "Bearer right" {
		return fmt.Errorf("backend nexudus: %w", ErrUnsigned)
	}
	if bytes.Equal(body, []byte("[]")) {
		return &Refusal{"the list is empty"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken = append(w.taken, string(body))
	return nil
}

func (w *world) Groups(ctx context.Context, backend string, h http.Header) ([]Group, error) {
	if err := w.Take(ctx, backend, h, nil); err != nil {
		return nil, err
	}
	return []Group{{"hot-desk", "Hot desk"}}, nil
}

func (w *world) Grant(ctx context.Context, backend string, h http.Header, body []byte) error {
	return w.Take(ctx, backend, h, body)
}

func send1(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPushes(t *testing.T) {
	t.Parallel()
	signed, bearer := []string{"X-Signature", "right"}, []string{"Authorization", "Bearer right"}
	tests := []struct {
		name, method, path, body string
		header                   []string
		status                   int
		says                     string
	}{
		{"a signed hook", "POST", "/webhooks/nexudus", `[{"Id":1}]`, signed, 200, "taken"},
		{"octets as they came", "POST", "/webhooks/nexudus", "\x00\xff {]", signed, 200, "taken"},
		{"an unsigned hook", "POST", "/webhooks/nexudus", `[]`, nil, 401, "unauthorized"},
		{"a hook to nobody", "POST", "/webhooks/none", `[]`, signed, 404, "not found"},
		{"a hook to one who is deaf", "POST", "/webhooks/deaf", `[]`, signed, 404, "not found"},
		{"a hook that says nothing", "POST", "/webhooks/nexudus", `[]`, signed, 422, "the list is empty"},
		{"a fault of ours", "POST", "/webhooks/broken", `[]`, signed, 503, "send it again later"},
		{"a hook that is read", "GET", "/webhooks/nexudus", "", signed, 405, ""},
		{"a push of access", "POST", "/acs/nexudus", `{"groups":["1"]}`, bearer, 200, "taken"},
		{"without its bearer", "POST", "/acs/nexudus", `{}`, nil, 401, "unauthorized"},
		{"the groups", "GET", "/acs/nexudus", "", bearer, 200, `[{"id":"hot-desk","name":"Hot desk"}]`},
		{"the groups, without its bearer", "GET", "/acs/nexudus", "", nil, 401, "unauthorized"},
		{"the groups of nobody", "GET", "/acs/none", "", bearer, 404, "not found"},
		{"the groups of one who is deaf", "GET", "/acs/deaf", "", bearer, 404, "not found"},
		{"what fits", "POST", "/webhooks/nexudus", strings.Repeat("x", maxBody), signed, 200, "taken"},
		{"one octet more", "POST", "/webhooks/nexudus", strings.Repeat("x", maxBody+1), signed, 413, "256 KiB"},
	}
	for _, tt := range tests {
		w := &world{}
		got := send1(New(Config{Hooks: w, Access: w}), tt.method, tt.path, tt.body, tt.header...)
		if got.Code != tt.status || !strings.Contains(got.Body.String(), tt.says) {
			t.Errorf("%s: %d %s, want %d %s", tt.name, got.Code, got.Body, tt.status, tt.says)
		}
		if tt.status == 401 && got.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: no WWW-Authenticate", tt.name)
		}
		if tt.status != 405 && (got.Header().Get("Content-Type") != "application/json" || !json.Valid(got.Body.Bytes())) {
			t.Errorf("%s: no JSON: %s", tt.name, got.Body)
		}
		if tt.status == 200 && tt.method == "POST" && (len(w.taken) != 1 || w.taken[0] != tt.body) {
			t.Errorf("%s: taken as %q", tt.name, w.taken)
		}
	}
}

// TestDeafIsUnknown: who asks can't tell a backend without a secret from none.
func TestDeafIsUnknown(t *testing.T) {
	t.Parallel()
	h := New(Config{Hooks: &world{}, Access: &world{}})
	for _, path := range []string{"/webhooks/", "/acs/"} {
		deaf, none := send1(h, "POST", path+"deaf", "x"), send1(h, "POST", path+"none", "x")
		if deaf.Code != none.Code || deaf.Body.String() != none.Body.String() || fmt.Sprint(deaf.Header()) != fmt.Sprint(none.Header()) {
			t.Errorf("%s: %d %v %s and %d %v %s", path, deaf.Code, deaf.Header(), deaf.Body, none.Code, none.Header(), none.Body)
		}
	}
}

func TestPartsThatAreNotThere(t *testing.T) {
	t.Parallel()
	h := New(Config{})
	for _, path := range []string{"/webhooks/nexudus", "/acs/nexudus"} {
		if got := send1(h, "POST", path, ""); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}

// TestTooLongWithoutLength: a body whose length is not said is bounded as well.
func TestTooLongWithoutLength(t *testing.T) {
	t.Parallel()
	w := &world{}
	r := httptest.NewRequest("POST", "/webhooks/nexudus", io.MultiReader(strings.NewReader(strings.Repeat("x", maxBody+1))))
	r.ContentLength = -1
	got := httptest.NewRecorder()
	New(Config{Hooks: w}).ServeHTTP(got, r)
	if got.Code != http.StatusRequestEntityTooLarge || len(w.taken) != 0 {
		t.Errorf("%d, %d taken", got.Code, len(w.taken))
	}
}

func TestPushesAreBounded(t *testing.T) {
	t.Parallel()
	w := &world{enter: make(chan struct{}), free: make(chan struct{})}
	h := New(Config{Hooks: w})
	var hanging sync.WaitGroup
	for range placesEach {
		hanging.Go(func() { send1(h, "POST", "/webhooks/hangs", "x") })
		<-w.enter
	}
	got := send1(h, "POST", "/webhooks/nexudus", "x", "X-Signature", "right")
	if got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
		t.Errorf("beside %d that hang: %d", placesEach, got.Code)
	}
	close(w.free)
	hanging.Wait()
	if got := send1(h, "POST", "/webhooks/nexudus", "x", "X-Signature", "right"); got.Code != http.StatusOK {
		t.Errorf("after they have gone: %d", got.Code)
	}
}

// TestBodyThatBreaksOff: half a push is none.
func TestBodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	w := &world{}
	s := httptest.NewServer(New(Config{Hooks: w}))
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = fmt.Fprintf(conn, "POST /webhooks/nexudus HTTP/1.1\r\nHost: x\r\nX-Signature: right\r\nContent-Length: 100\r\n\r\nhalf")
	_ = conn.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(conn)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 400") {
		t.Errorf("answered %q", answer)
	}
	if len(w.taken) != 0 {
		t.Errorf("taken: %q", w.taken)
	}
}
