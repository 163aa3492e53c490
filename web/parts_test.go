package web

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/web/api"
	"memberradius/web/me"
	"memberradius/web/webhook"

	"github.com/prometheus/client_golang/prometheus"
)

// A world has every part: one token, no members, and takes any push.
type world struct {
	api.Members
	api.Editor
	api.Access
}

func (world) Backends(context.Context) ([]api.Backend, error) { return nil, nil }

func (world) Start(context.Context, api.Order) (*api.Started, error) { return nil, api.ErrUnknown }

func (world) Runs(context.Context, string, int) ([]api.Run, error) { return nil, nil }

func (world) FindToken(_ context.Context, presented member.Secret) (*api.Token, error) {
	if presented != "mr_canary" {
		return nil, api.ErrNoToken
	}
	return &api.Token{Name: "zapier", Scopes: []string{"plans:read"}}, nil
}

func (world) Plans() []*member.Plan { return []*member.Plan{{Name: "hot-desk"}} }

func (world) Take(context.Context, string, http.Header, []byte) error { return nil }

// A desk has a page that is good for nothing but to be asked for.
type desk struct{}

func (desk) Peek(context.Context, member.Secret) error { return nil }

func (desk) Take(context.Context, member.Secret, time.Duration) (member.Secret, error) {
	panic("the desk broke down")
}

func (desk) Session(context.Context, member.Secret) (me.Who, error) { return me.Who{}, me.ErrNoLink }

func (desk) Sheet(context.Context, me.Who) (*me.Sheet, error) { return nil, member.ErrUnknown }

func (desk) Renew(context.Context, me.Who) error { return nil }

func whole() Config {
	w := world{}
	return Config{
		Listen: "127.0.0.1:0", Public: []string{"127.0.0.1:0"},
		API:     &api.Config{Tokens: w, Members: w, Editor: w, Access: w, Plans: w, Backends: w, Runs: w},
		Webhook: &webhook.Config{Hooks: w},
		Me:      &me.Config{Links: desk{}, Members: desk{}},
	}
}

func ask(t *testing.T, addr net.Addr, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr.String()+path, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return resp, string(body)
}

func TestPartsAndTheirAddresses(t *testing.T) {
	t.Parallel()
	addrs := start(t, whole())
	tests := []struct {
		method, path     string
		operator, public int
	}{
		{"GET", "/api/v1/plans", 200, 404},
		{"GET", "/api/v1/openapi.json", 200, 404},
		{"POST", "/webhooks/nexudus", 200, 200},
		{"GET", "/acs/nexudus", 404, 404}, // no Access was handed in
		{"GET", "/me/some-link", 200, 200},
		{"GET", "/me", 403, 403},
		{"GET", "/metrics", 200, 404},
	}
	for _, tt := range tests {
		for i, want := range []int{tt.operator, tt.public} {
			resp, body := ask(t, addrs[i], tt.method, tt.path, "Authorization", "Bearer mr_canary")
			if resp == nil || resp.StatusCode != want {
				t.Errorf("address %d: %s %s: %v %s, want %d", i, tt.method, tt.path, resp, body, want)
				continue
			}
			for key, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
				if got := resp.Header.Get(key); got != want {
					t.Errorf("%s: %s is %q, want %q", tt.path, key, got, want)
				}
			}
			if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") {
				t.Errorf("%s: policy %q", tt.path, csp)
			}
		}
	}
}

func TestPartsThatAreNotThere(t *testing.T) {
	t.Parallel()
	addr := start(t, Config{Listen: "127.0.0.1:0"})[0]
	for _, path := range []string{"/api/v1/plans", "/webhooks/x", "/acs/x", "/me", "/me/x"} {
		if resp, body := ask(t, addr, "POST", path); resp == nil || resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %v %s", path, resp, body)
		}
	}
}

// TestForwardedCountsFromProxiesAlone: wrong tokens count against whoever sent
// them, and not against the proxy that all come through.
func TestForwardedCountsFromProxiesAlone(t *testing.T) {
	t.Parallel()
	for _, trusted := range []bool{true, false} {
		c := whole()
		if trusted {
			c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		}
		addr := start(t, c)[0]
		for range 25 {
			ask(t, addr, "GET", "/api/v1/plans", "Authorization", "Bearer mr_wrong", "X-Forwarded-For", "192.0.2.66")
		}
		if resp, _ := ask(t, addr, "GET", "/api/v1/plans", "Authorization", "Bearer mr_canary", "X-Forwarded-For", "192.0.2.66"); resp.StatusCode != http.StatusTooManyRequests {
			t.Errorf("trusted %v: the guesser: %d", trusted, resp.StatusCode)
		}
		want := http.StatusTooManyRequests
		if trusted {
			want = http.StatusOK
		}
		if resp, _ := ask(t, addr, "GET", "/api/v1/plans", "Authorization", "Bearer mr_canary", "X-Forwarded-For", "192.0.2.7"); resp.StatusCode != want {
			t.Errorf("trusted %v: another: %d, want %d", trusted, resp.StatusCode, want)
		}
	}
}

// A lines is a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// TestLogHasNoSecret: not even where a page breaks down.
func TestLogHasNoSecret(t *testing.T) {
	t.Parallel()
	var said lines
	c := whole()
	c.ErrorLog = log.New(&said, "", 0)
	addr := start(t, c)[1]
	if resp, _ := ask(t, addr, "POST", "/me/canary-link", "Cookie", "memberradius_me=canary-session"); resp != nil {
		t.Fatalf("a page that breaks down answers %d", resp.StatusCode)
	}
	said.mu.Lock()
	defer said.mu.Unlock()
	if text := said.text.String(); text == "" || strings.Contains(text, "canary") {
		t.Errorf("the log says %s", text)
	}
}

func TestPartsThatAreHalfThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{"an API without members": {API: &api.Config{}}, "pages without links": {Me: &me.Config{}}} {
		c.Metrics, c.Ready = prometheus.NewRegistry(), func() error { return nil }
		if _, err := New(c); err == nil {
			t.Errorf("New takes %s", name)
		}
	}
}
