package nexudus

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"memberradius/backends"
	"memberradius/backends/outward"
	"memberradius/member"
)

// A signer authenticates requests.
type signer interface {
	// authorization returns the header's value; empty, there is none.
	authorization(ctx context.Context, c *client) (member.Secret, error)
	// stale says that what it gave was refused, and returns whether a new one may do better.
	stale(ctx context.Context) bool
	// took says that what it gave was taken.
	took()
}

// nobody asks without signing in: members prove themselves.
type nobody struct{}

func (nobody) authorization(context.Context, *client) (member.Secret, error) { return "", nil }
func (nobody) stale(context.Context) bool                                    { return false }
func (nobody) took()                                                         {}

// basic sends user name and password along with every request.
type basic struct{ header member.Secret }

func newBasic(username string, password member.Secret) basic {
	plain := username + ":" + string(password)
	return basic{member.Secret("Basic " + base64.StdEncoding.EncodeToString([]byte(plain)))}
}

func (b basic) authorization(context.Context, *client) (member.Secret, error) { return b.header, nil }
func (basic) stale(context.Context) bool                                      { return false }
func (basic) took()                                                           {}

const tokenPath = "/api/token"

// A bearer signs in for a token, and renews it by its refresh token as long as
// that lives, which is 15 days and until somebody else signs in by the same client_id.
type bearer struct {
	username string
	password member.Secret
	clientID string

	turn    chan struct{} // held by who signs in
	token   member.Secret
	refresh member.Secret
	until   time.Time   // when to renew it
	proven  atomic.Bool // the token was taken at least once
}

func newBearer(username string, password member.Secret, clientID string) *bearer {
	return &bearer{username: username, password: password, clientID: clientID, turn: make(chan struct{}, 1)}
}

func (b *bearer) lock(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *bearer) unlock() { <-b.turn }

func (b *bearer) authorization(ctx context.Context, c *client) (member.Secret, error) {
	if err := b.lock(ctx); err != nil {
		return "", c.failed("signing in: ", err)
	}
	defer b.unlock()
	if b.token == "" || !c.now().Before(b.until) {
		if err := b.signIn(ctx, c); err != nil {
			return "", err
		}
	}
	return "Bearer " + b.token, nil
}

func (b *bearer) took() { b.proven.Store(true) }

// stale forgets the token. One that was never taken is not worth a second.
func (b *bearer) stale(ctx context.Context) bool {
	if b.lock(ctx) != nil {
		return false
	}
	defer b.unlock()
	b.token = ""
	return b.proven.Swap(false)
}

// signIn gets a token: by the refresh token, and where that is dead by the password.
func (b *bearer) signIn(ctx context.Context, c *client) error {
	if b.refresh != "" {
		old := b.refresh
		b.refresh = ""
		err := b.ask(ctx, c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {string(old)}})
		if err == nil || backends.ClassOf(err) != backends.TokenRefused {
			return err
		}
	}
	return b.ask(ctx, c, url.Values{"grant_type": {"password"}, "username": {b.username}, "password": {string(b.password)}})
}

func (b *bearer) ask(ctx context.Context, c *client, form url.Values) error {
	got, err := askToken(ctx, c, form, b.clientID)
	if err != nil {
		return err
	}
	life := time.Duration(min(max(got.ExpiresIn, 0), 1<<31)) * time.Second
	b.token, b.refresh = got.AccessToken, got.RefreshToken
	b.proven.Store(false)
	b.until = c.now().Add(life - life/10)           // a week's token is renewed on its last day
	if err := c.pace.wait(ctx, false); err != nil { // the request that needed it comes next
		return c.waited(ctx, err)
	}
	return nil
}

// A grant is what the token endpoint gives.
type grant struct {
	AccessToken  member.Secret `json:"access_token"`
	RefreshToken member.Secret `json:"refresh_token"`
	ExpiresIn    float64       `json:"expires_in"`
}

// errGrant says that the token endpoint refused who asked.
var errGrant = errors.New("user name or password is wrong")

// askToken asks the token endpoint, once. It takes forms alone: JSON is an
// unsupported_grant_type there. The error is of class TokenRefused and holds
// errGrant where the user or the password is wrong.
func askToken(ctx context.Context, c *client, form url.Values, clientID string) (*grant, error) {
	u := *c.base
	u.Path = strings.TrimSuffix(u.Path, "/") + tokenPath
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, c.failed("", err)
	}
	req.Header = http.Header{
		"Accept": {"application/json"}, "User-Agent": {"memberradius"}, "Content-Type": {"application/x-www-form-urlencoded"},
	}
	if clientID != "" {
		// There is one refresh token for each client_id, and without one it is
		// the email: signing in would sign the person out of her own portal.
		req.Header["client_id"] = []string{clientID}
	}
	resp, err := c.send(req)
	if err != nil {
		return nil, c.failed("signing in: ", err)
	}
	defer func() { _ = resp.Body.Close() }()
	return c.granted(resp)
}

// granted reads the answer of the token endpoint.
func (c *client) granted(resp *http.Response) (*grant, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	defer clear(body)
	code, typed := resp.StatusCode, outward.IsJSON(resp.Header)
	switch {
	case err != nil:
		return nil, c.failed("reading its answer: ", err)
	case code == http.StatusOK && typed:
		var g grant
		if json.Unmarshal(body, &g) != nil || g.AccessToken == "" {
			return nil, c.fault(backends.BadAnswer, tokenPath, errors.New("HTTP 200 without an access_token"))
		}
		return &g, nil
	case code == http.StatusBadRequest && typed:
		var refused struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(body, &refused) == nil && refused.Error == "invalid_grant" {
			return nil, c.fault(backends.TokenRefused, tokenPath, errGrant)
		}
		return nil, c.fault(backends.BadAnswer, tokenPath, errors.New("HTTP 400: it does not take the way in which we sign in"))
	case code == http.StatusUnauthorized && typed:
		return nil, c.fault(backends.TokenRefused, tokenPath, errGrant)
	case code == http.StatusUnauthorized:
		return nil, c.fault(backends.BadAnswer, tokenPath, errNoJSON)
	}
	if err := c.status(context.Background(), &call{path: tokenPath, role: "API Access"}, resp); err != nil {
		return nil, err
	}
	return nil, c.fault(backends.BadAnswer, tokenPath, fmt.Errorf("HTTP %d", code))
}
