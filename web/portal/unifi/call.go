package unifi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A session is what a login gives.
type session struct {
	// prefix is before the application's paths: "/proxy/network" on a console.
	prefix  string
	cookies []*http.Cookie
	// csrf is sent along with whatever changes something.
	csrf string
}

// command is what stamgr takes.
type command struct {
	Cmd     string `json:"cmd"`
	MAC     string `json:"mac"`
	Minutes int    `json:"minutes,omitempty"`
	Up      uint32 `json:"up,omitempty"`
	Down    uint32 `json:"down,omitempty"`
	Bytes   uint32 `json:"bytes,omitempty"` // megabytes, whatever the name says
	APMAC   string `json:"ap_mac,omitempty"`
}

// Authorize lets a device in. A device that is in already stays so for the new time.
func (c *Client) Authorize(ctx context.Context, g *Guest) error {
	minutes := int((g.For + time.Minute - 1) / time.Minute)
	return c.command(ctx, &command{
		Cmd: "authorize-guest", MAC: strings.ToLower(g.MAC), Minutes: max(1, minutes),
		Up: g.Up, Down: g.Down, Bytes: g.Megabytes, APMAC: strings.ToLower(g.AccessPoint),
	})
}

// Withdraw takes a device's authorisation back.
func (c *Client) Withdraw(ctx context.Context, mac string) error {
	return c.command(ctx, &command{Cmd: "unauthorize-guest", MAC: strings.ToLower(mac)})
}

// Check says whether the controller can be reached, is who it should be, and
// takes our user for the site.
func (c *Client) Check(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "self", nil)
}

func (c *Client) command(ctx context.Context, what *command) error {
	return c.call(ctx, http.MethodPost, "cmd/stamgr", what)
}

// call makes one call of the site's API, and logs in anew where the session has ended.
func (c *Client) call(ctx context.Context, method, path string, body any) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	for try := 0; ; try++ {
		s, err := c.open(ctx)
		if err != nil {
			return fmt.Errorf("unifi: %s: %w", c.base.Host, err)
		}
		err = c.ask(ctx, s, &request{method: method, path: s.prefix + "/api/s/" + url.PathEscape(c.site) + "/" + path, body: body})
		var ended *endedError
		if !errors.As(err, &ended) {
			if err != nil {
				return fmt.Errorf("unifi: %s: %w", c.base.Host, err)
			}
			return nil
		}
		c.forget(s)
		if try > 0 || c.config.APIKey != "" {
			return fmt.Errorf("unifi: %s: %w", c.base.Host, ErrRefused)
		}
	}
}

// endedError says that the session is not, or no longer, good.
type endedError struct{ status int }

func (e *endedError) Error() string { return fmt.Sprintf("HTTP %d: not logged in", e.status) }

// open returns the session, and logs in where there is none. Who comes meanwhile waits.
func (c *Client) open(ctx context.Context) (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != nil {
		return c.session, nil
	}
	if c.config.APIKey != "" { // keys are known to consoles alone
		c.session = &session{prefix: "/proxy/network"}
		return c.session, nil
	}
	if wait := c.refused.Add(afterRefusal).Sub(c.config.Now()); wait > 0 && !c.refused.IsZero() {
		return nil, fmt.Errorf("%w; it is tried again in %v", ErrRefused, wait.Round(time.Second))
	}
	s, err := c.login(ctx)
	if errors.Is(err, ErrRefused) {
		c.refused = c.config.Now()
	}
	if err != nil {
		return nil, err
	}
	c.session, c.refused = s, time.Time{}
	return s, nil
}

// forget drops a session, unless another took its place already.
func (c *Client) forget(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == s {
		c.session = nil
	}
}

// login begins a session. A console answers its own address with a page, the
// application by itself with a redirect: that tells which of two logins it has.
func (c *Client) login(ctx context.Context) (*session, error) {
	root, err := c.do(ctx, &session{}, &request{method: http.MethodGet, path: "/"})
	if err != nil {
		return nil, err
	}
	s, path := &session{}, "/api/login"
	if root.status == http.StatusOK {
		s.prefix, path = "/proxy/network", "/api/auth/login"
	}
	// The password leaves its type here, and goes nowhere but into this body.
	who := map[string]any{"username": c.config.Username, "password": string(c.config.Password), "remember": true}
	answer, err := c.do(ctx, s, &request{method: http.MethodPost, path: path, body: who})
	switch {
	case err != nil:
		return nil, err
	case answer.status == http.StatusBadRequest, answer.status == http.StatusUnauthorized, answer.status == http.StatusForbidden:
		return nil, ErrRefused
	case answer.status == 499: // UniFi OS: a second factor is asked for
		return nil, fmt.Errorf("%w: it asks for a second factor; make a local administrator without one", ErrRefused)
	case answer.status != http.StatusOK:
		return nil, fmt.Errorf("login: HTTP %d", answer.status)
	}
	s.cookies, s.csrf = answer.cookies, answer.csrf
	for _, k := range s.cookies {
		if k.Name == "csrf_token" && s.csrf == "" { // the application by itself says it in a cookie
			s.csrf = k.Value
		}
	}
	if len(s.cookies) == 0 {
		return nil, errors.New("login: the controller gave no session")
	}
	return s, nil
}

// A request is one of the API's.
type request struct {
	method, path string
	body         any
}

// A response is what came back.
type response struct {
	status  int
	body    []byte
	cookies []*http.Cookie
	csrf    string
}

// ask makes a request of the Network application and reads its verdict: HTTP 200
// and meta.rc "ok", both.
func (c *Client) ask(ctx context.Context, s *session, r *request) error {
	answer, err := c.do(ctx, s, r)
	if err != nil {
		return err
	}
	var said struct {
		Meta struct {
			RC  string `json:"rc"`
			Msg string `json:"msg"`
		} `json:"meta"`
	}
	err = json.Unmarshal(answer.body, &said)
	switch {
	case answer.status == http.StatusUnauthorized, said.Meta.Msg == "api.err.LoginRequired":
		return &endedError{answer.status}
	case answer.status == http.StatusForbidden && s.csrf != "":
		return &endedError{answer.status} // the CSRF token has changed since
	case said.Meta.RC == "error":
		return fmt.Errorf("HTTP %d: the controller says %q", answer.status, said.Meta.Msg)
	case answer.status != http.StatusOK:
		return fmt.Errorf("HTTP %d", answer.status)
	case err != nil || said.Meta.RC != "ok":
		return errors.New("the answer can't be read: is this a UniFi controller?")
	}
	return nil
}

// do makes one HTTP request.
func (c *Client) do(ctx context.Context, s *session, r *request) (*response, error) {
	var body io.Reader
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(ctx, r.method, c.base.String()+r.path, body)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Accept", "application/json")
	if r.body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	if s.csrf != "" {
		q.Header.Set("X-CSRF-Token", s.csrf)
	}
	if c.config.APIKey != "" {
		q.Header.Set("X-API-KEY", string(c.config.APIKey))
	}
	for _, k := range s.cookies {
		q.AddCookie(&http.Cookie{Name: k.Name, Value: k.Value}) //nolint:gosec // G124: a request's cookie has no attributes
	}
	resp, err := c.http.Do(q)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	out := &response{status: resp.StatusCode, body: b, cookies: resp.Cookies(), csrf: resp.Header.Get("X-Updated-CSRF-Token")}
	if out.csrf == "" {
		out.csrf = resp.Header.Get("X-CSRF-Token")
	}
	return out, nil
}
