package unifi

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
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

const password = "canary-password"

// A controller is a stand-in: the Network application by itself, or inside a
// console (UniFi OS), as far as logins and stamgr go.
type controller struct {
	console bool
	*httptest.Server

	mu       sync.Mutex
	session  string // the one cookie that is good
	csrf     string
	logins   int
	commands []command
	// status and body are what stamgr answers; 0: as it should.
	status int
	body   string
	login  int // what the login answers; 0: as it should
}

func newController(t *testing.T, console bool) *controller {
	t.Helper()
	c := &controller{console: console}
	c.Server = httptest.NewTLSServer(c)
	c.Config.ErrorLog = nil
	t.Cleanup(c.Close)
	return c
}

func (c *controller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	login, api, name := "/api/login", "/api/s/", "unifises"
	if c.console {
		login, api, name = "/api/auth/login", "/proxy/network/api/s/", "TOKEN"
	}
	switch {
	case r.URL.Path == "/" && c.console:
		_, _ = io.WriteString(w, "<html>")
	case r.URL.Path == "/":
		http.Redirect(w, r, "/manage", http.StatusFound)
	case r.URL.Path == login && r.Method == http.MethodPost:
		c.logIn(w, r, name)
	case strings.HasPrefix(r.URL.Path, api+"default/"):
		c.answer(w, r, name)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (c *controller) logIn(w http.ResponseWriter, r *http.Request, name string) {
	c.logins++
	var who struct{ Username, Password string }
	if json.NewDecoder(r.Body).Decode(&who) != nil || who.Username != "portal" || who.Password != password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if c.login != 0 {
		w.WriteHeader(c.login)
		return
	}
	c.session, c.csrf = fmt.Sprint("session-", c.logins), fmt.Sprint("csrf-", c.logins)
	http.SetCookie(w, &http.Cookie{Name: name, Value: c.session, Path: "/"})
	if c.console {
		w.Header().Set("X-Updated-CSRF-Token", c.csrf)
	} else {
		http.SetCookie(w, &http.Cookie{Name: "csrf_token", Value: c.csrf, Path: "/"})
	}
	_, _ = io.WriteString(w, `{"meta":{"rc":"ok"},"data":[]}`)
}

func (c *controller) answer(w http.ResponseWriter, r *http.Request, name string) {
	key := r.Header.Get("X-API-KEY") == "canary-key" && c.console
	if k, err := r.Cookie(name); !key && (err != nil || k.Value != c.session || c.session == "") {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"meta":{"rc":"error","msg":"api.err.LoginRequired"},"data":[]}`)
		return
	}
	if !key && r.Method == http.MethodPost && r.Header.Get("X-CSRF-Token") != c.csrf {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	var done command
	if r.Method == http.MethodPost && json.NewDecoder(r.Body).Decode(&done) == nil {
		c.commands = append(c.commands, done)
	}
	if c.status != 0 {
		w.Header().Set("Location", "https://evil.example/")
		w.WriteHeader(c.status)
		_, _ = io.WriteString(w, c.body)
		return
	}
	_, _ = io.WriteString(w, `{"meta":{"rc":"ok"},"data":[{}]}`)
}

func (c *controller) fingerprint() string {
	sum := sha256.Sum256(c.Certificate().Raw)
	return hex.EncodeToString(sum[:])
}

func (c *controller) client(t *testing.T, change ...func(*Config)) *Client {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(c.Certificate())
	config := Config{URL: c.URL, Username: "portal", Password: password, CA: pool}
	for _, f := range change {
		f(&config)
	}
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

var guest = Guest{MAC: "28:CF:E9:13:47:CB", AccessPoint: "94:2A:6F:D0:30:57", For: 90*time.Minute + time.Second, Up: 2000, Down: 10000, Megabytes: 500}

func TestGuests(t *testing.T) {
	t.Parallel()
	for _, console := range []bool{false, true} {
		c := newController(t, console)
		client := c.client(t)
		ctx := t.Context()
		if err := errors.Join(client.Authorize(ctx, &guest), client.Authorize(ctx, &Guest{MAC: guest.MAC}), client.Withdraw(ctx, guest.MAC), client.Check(ctx)); err != nil {
			t.Fatalf("console %v: %v", console, err)
		}
		const mac = "28:cf:e9:13:47:cb"
		want := []command{
			{Cmd: "authorize-guest", MAC: mac, Minutes: 91, Up: 2000, Down: 10000, Bytes: 500, APMAC: "94:2a:6f:d0:30:57"},
			{Cmd: "authorize-guest", MAC: mac, Minutes: 1}, {Cmd: "unauthorize-guest", MAC: mac},
		}
		if c.logins != 1 || fmt.Sprint(c.commands) != fmt.Sprint(want) {
			t.Errorf("console %v: %d logins, %+v", console, c.logins, c.commands)
		}
	}
}

// TestSessionEnds: a session that has ended, and a CSRF token that has changed,
// cost one login and no guest.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	for _, console := range []bool{false, true} {
		c := newController(t, console)
		client := c.client(t)
		for i, spoil := range []func(){func() {}, func() { c.session = "another" }, func() { c.csrf = "another" }} {
			c.mu.Lock()
			spoil()
			c.mu.Unlock()
			if err := client.Authorize(t.Context(), &guest); err != nil || c.logins != i+1 {
				t.Errorf("console %v, %d: %v, %d logins", console, i, err, c.logins)
			}
		}
	}
}

func TestManyAtOnceLogInOnce(t *testing.T) {
	t.Parallel()
	c := newController(t, true)
	client := c.client(t)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if err := client.Authorize(t.Context(), &guest); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if c.logins != 1 || len(c.commands) != 16 {
		t.Errorf("%d logins, %d commands", c.logins, len(c.commands))
	}
}

func TestAPIKey(t *testing.T) {
	t.Parallel()
	c := newController(t, true)
	if err := c.client(t, func(c *Config) { c.Username, c.Password, c.APIKey = "", "", "canary-key" }).Authorize(t.Context(), &guest); err != nil || c.logins != 0 || len(c.commands) != 1 {
		t.Errorf("%v, %d logins, %d commands", err, c.logins, len(c.commands))
	}
	err := c.client(t, func(c *Config) { c.APIKey = "canary-wrong" }).Authorize(t.Context(), &guest)
	if !errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "canary") {
		t.Errorf("a wrong key: %v", err)
	}
}

// TestRefused: a wrong password is not tried again and again, since consoles
// lock its user out.
func TestRefused(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	c := newController(t, true)
	client := c.client(t, func(c *Config) { c.Password, c.Now = "canary-wrong", func() time.Time { return now } })
	for i, want := range []int{1, 1, 1, 2} {
		if i == 3 {
			now = now.Add(afterRefusal)
		}
		err := client.Authorize(t.Context(), &guest)
		if !errors.Is(err, ErrRefused) || c.logins != want || strings.Contains(fmt.Sprintf("%v %+v", err, err), "canary") {
			t.Errorf("try %d: %v, %d logins", i, err, c.logins)
		}
	}
	c = newController(t, true)
	c.login = 499
	if err := c.client(t).Check(t.Context()); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "second factor") {
		t.Errorf("a second factor: %v", err)
	}
	c.login = http.StatusTooManyRequests
	if err := c.client(t).Check(t.Context()); err == nil || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "429") {
		t.Errorf("too many logins: %v", err)
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	c := newController(t, true)
	sum := c.fingerprint()
	colons := strings.ToUpper(sum[:2])
	for i := 2; i < len(sum); i += 2 {
		colons += ":" + strings.ToUpper(sum[i:i+2])
	}
	for name, tt := range map[string]struct {
		change func(*Config)
		good   bool
	}{
		"its CA":                {func(*Config) {}, true},
		"the system's CAs":      {func(c *Config) { c.CA = nil }, false},
		"another CA":            {func(c *Config) { c.CA = x509.NewCertPool() }, false},
		"its fingerprint":       {func(c *Config) { c.CA, c.Fingerprint = nil, colons }, true},
		"a foreign fingerprint": {func(c *Config) { c.CA, c.Fingerprint = nil, strings.Repeat("0", 64) }, false},
	} {
		if err := c.client(t, tt.change).Check(t.Context()); (err == nil) != tt.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c.logins != 2 {
		t.Errorf("the password went out %d times, want 2", c.logins)
	}
}

// TestAnswersThatAreNone: only HTTP 200 with rc "ok" is a yes.
func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status int
		body   string
		says   string
	}{
		"an error":         {200, `{"meta":{"rc":"error","msg":"api.err.UnknownStation"}}`, "api.err.UnknownStation"},
		"a bad request":    {400, `{"meta":{"rc":"error","msg":"api.err.Invalid"}}`, "api.err.Invalid"},
		"an empty body":    {200, "", "can't be read"},
		"HTML":             {200, "<html>ok</html>", "can't be read"},
		"another JSON":     {200, `{"ok":true}`, "can't be read"},
		"no content":       {204, "", "204"},
		"a fault":          {500, "", "500"},
		"a fault with ok":  {502, `{"meta":{"rc":"ok"}}`, "502"},
		"a redirect":       {302, "", "302"},
		"an endless body":  {200, strings.Repeat("x", 1<<20), "can't be read"},
		"UniFi OS's error": {200, `{"error":{"code":500,"message":"x"}}`, "can't be read"},
	} {
		c := newController(t, true)
		c.status, c.body = tt.status, tt.body
		if err := c.client(t).Authorize(t.Context(), &guest); err == nil || !strings.Contains(err.Error(), tt.says) || !strings.HasPrefix(err.Error(), "unifi: 127.0.0.1:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestControllerThatIsNotThere(t *testing.T) {
	t.Parallel()
	c := newController(t, false)
	c.Close()
	if err := c.client(t).Authorize(t.Context(), &guest); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("%v", err)
	}
	deaf := errors.New("no route to host")
	client := c.client(t, func(c *Config) {
		c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, deaf }
	})
	if err := client.Authorize(t.Context(), &guest); !errors.Is(err, deaf) {
		t.Errorf("%v", err)
	}
	silent := c.client(t, func(c *Config) {
		c.Timeout = 10 * time.Millisecond
		c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	if err := silent.Authorize(t.Context(), &guest); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a controller that says nothing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.client(t).Authorize(ctx, &guest); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who has gone: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := Config{URL: "https://192.168.1.1/", Username: "portal", Password: password}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	for key, spoil := range map[string]func(*Config){
		"url: \"http:": func(c *Config) { c.URL = "http://192.168.1.1" }, "url: \"\"": func(c *Config) { c.URL = "" }, "url: \"https://u": func(c *Config) { c.URL = "https://u@h" },
		"url: \"https://h/x": func(c *Config) { c.URL = "https://h/x" }, "username": func(c *Config) { c.Username = "" }, "password": func(c *Config) { c.Password = "" },
		"site": func(c *Config) { c.Site = "../x" }, "fingerprint": func(c *Config) { c.Fingerprint = "abc" },
	} {
		c := good
		spoil(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v", key, err)
		}
	}
}
