package rest

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"
)

func TestRedirectTakesNoTokenAlong(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(other.Close)
	for _, code := range []int{301, 302, 303, 307, 308} {
		r := serve(t, func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, other.URL, code) }, nil, backends.Deps{})
		if ans, err := r.Ask(t.Context(), pap("user1", "hello")); err == nil || ans.Verdict != member.Unanswered {
			t.Errorf("%d: %s, %v", code, ans.Verdict, err)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests reached the other host", n)
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	long := `{"x":"` + strings.Repeat("a", maxBody) + `"}`
	endless := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat(" ", 4096)); err != nil {
				return
			}
		}
	}
	packed := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "{}")
	}
	for name, h := range map[string]http.HandlerFunc{"long": says(200, "application/json", long), "endless": endless, "gzip": packed} {
		r := serve(t, h, nil, backends.Deps{})
		if ans, err := r.Ask(t.Context(), pap("user1", "hello")); backends.ClassOf(err) != backends.BadAnswer || ans.Verdict != member.Unanswered {
			t.Errorf("%s: %s, %v", name, ans.Verdict, err)
		}
	}
	r := serve(t, says(200, "application/json", `{"x":"`+strings.Repeat("a", maxBody-8)+`"}`), nil, backends.Deps{})
	if ans, err := r.Ask(t.Context(), pap("user1", "hello")); err != nil || ans.Verdict != member.Allow {
		t.Errorf("a body of 64 KiB: %s, %v", ans.Verdict, err)
	}
}

func TestTimeoutAndUnreachable(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	r := serve(t, func(http.ResponseWriter, *http.Request) { <-stop }, func(c *Config) { c.Timeout = 50 * time.Millisecond }, backends.Deps{})
	if _, err := r.Ask(t.Context(), pap("user1", "hello")); backends.ClassOf(err) != backends.Timeout {
		t.Errorf("a system that hangs: %v", err)
	}
	slow := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.(http.Flusher).Flush()
		<-stop
	}, func(c *Config) { c.Timeout = 50 * time.Millisecond }, backends.Deps{})
	if _, err := slow.Ask(t.Context(), pap("user1", "hello")); backends.ClassOf(err) != backends.Timeout {
		t.Errorf("a body that hangs: %v", err)
	}
	close(stop)
	gone := httptest.NewServer(http.NotFoundHandler())
	r = dial(t, gone.URL, nil, backends.Deps{})
	gone.Close()
	if _, err := r.Ask(t.Context(), pap("user1", "hello")); backends.ClassOf(err) != backends.Unreachable {
		t.Errorf("nobody listens: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Ask(ctx, pap("user1", "hello")); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who left: %v", err)
	}
}

// TestOneAskIsOneCall: a connection that the system closes after it has read
// the request must not make the transport send it again.
func TestOneAskIsOneCall(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	r := serve(t, func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		if calls.Add(1) == 1 {
			says(200, "application/json", "{}")(w, req)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}, nil, backends.Deps{})
	if _, err := r.Ask(t.Context(), pap("user1", "hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Ask(t.Context(), pap("user1", "hello")); backends.ClassOf(err) != backends.Unreachable {
		t.Errorf("a connection that was cut: %v", err)
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("%d calls for 2 asks", n)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(says(200, "application/json", "{}"))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	r := dial(t, s.URL, nil, backends.Deps{})
	_, err := r.Ask(t.Context(), pap("user1", "hello"))
	if backends.ClassOf(err) != backends.Unreachable {
		t.Errorf("a certificate that nobody signed: %v", err)
	}
	if found := r.Check(t.Context()); len(found) != 1 || !strings.Contains(found[0].Remedy, "CA") {
		t.Errorf("Check: %v", found)
	}
	r.line.Transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	r.line.Transport.TLSClientConfig.RootCAs.AddCert(s.Certificate())
	if _, err := r.Ask(t.Context(), pap("user1", "hello")); err != nil {
		t.Errorf("a certificate that is trusted: %v", err)
	}
}
