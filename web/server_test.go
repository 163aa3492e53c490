package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// start serves c on free ports and returns the addresses. The end of the test
// ends the server, and waits until every goroutine of it has ended.
func start(t *testing.T, c Config) []net.Addr {
	t.Helper()
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	if c.Ready == nil {
		c.Ready = func() error { return nil }
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s.Addrs()
}

func get(t *testing.T, addr net.Addr, path string) (*http.Response, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + addr.String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestPages(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "memberradius_test_total", Help: "A test."})
	counter.Add(7)
	registry.MustRegister(counter)
	var away, limps atomic.Bool
	addrs := start(t, Config{
		Listen: "127.0.0.1:0", Public: []string{"127.0.0.1:0"}, Metrics: registry,
		Ready: func() error {
			if away.Load() {
				return errors.New("members are not read yet")
			}
			return nil
		},
		Degraded: func() error {
			if limps.Load() {
				return errors.New("no report is kept")
			}
			return nil
		},
	})
	tests := []struct {
		name   string
		addr   net.Addr
		path   string
		away   bool
		status int
		body   string
	}{
		{"metrics", addrs[0], "/metrics", false, 200, "memberradius_test_total 7"},
		{"health", addrs[0], "/healthz", true, 200, "degraded: no report is kept\n"},
		{"good health", addrs[0], "/healthz", false, 200, "ok\n"},
		{"ready", addrs[0], "/readyz", false, 200, "ready"},
		{"not ready", addrs[0], "/readyz", true, 503, "not ready: members are not read yet"},
		{"nothing else", addrs[0], "/", false, 404, ""},
		{"metrics are not public", addrs[1], "/metrics", false, 404, ""},
		{"readiness is not public", addrs[1], "/readyz", false, 404, ""},
		{"nothing is public", addrs[1], "/portal", false, 404, ""},
	}
	for _, tt := range tests {
		away.Store(tt.away)
		limps.Store(tt.away)
		resp, body := get(t, tt.addr, tt.path)
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.body) {
			t.Errorf("%s: %d %q, want %d with %q", tt.name, resp.StatusCode, body, tt.status, tt.body)
		}
		for key, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
			if got := resp.Header.Get(key); got != want {
				t.Errorf("%s: %s is %q, want %q", tt.name, key, got, want)
			}
		}
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	t.Parallel()
	addrs := start(t, Config{Listen: "127.0.0.1:0"})
	resp, err := http.Post("http://"+addrs[0].String()+"/metrics", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /metrics: %d", resp.StatusCode)
	}
}

func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	addrs := start(t, Config{Listen: "127.0.0.1:0"})
	conn, err := net.Dial("tcp", addrs[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	go func() {
		_, _ = fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("a", 40<<10))
	}()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, "431") {
		t.Errorf("40 KiB of header: %q, %v; want 431", line, err)
	}
}

func TestLimitsAreSet(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Listen: "127.0.0.1:0", Metrics: prometheus.NewRegistry(), Ready: func() error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := s.servers[0]
	if h.ReadHeaderTimeout != 5*time.Second || h.ReadTimeout != 10*time.Second || h.IdleTimeout != time.Minute || h.MaxHeaderBytes != 16<<10 {
		t.Errorf("limits: %v %v %v %d", h.ReadHeaderTimeout, h.ReadTimeout, h.IdleTimeout, h.MaxHeaderBytes)
	}
}

func TestAddressInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	s, err := New(Config{Listen: l.Addr().String(), Metrics: prometheus.NewRegistry(), Ready: func() error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("Listen: %v, want an error that names %s", err, l.Addr())
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{}); err == nil {
		t.Error("New took a Config without Metrics and Ready")
	}
	missing := filepath.Join(t.TempDir(), "none.pem")
	_, err := New(Config{Metrics: prometheus.NewRegistry(), Ready: func() error { return nil }, Certificate: missing, Key: missing})
	if err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("New: %v, want an error that names %s", err, missing)
	}
}
