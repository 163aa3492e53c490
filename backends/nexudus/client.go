package nexudus

import (
	"bytes"
	"context"
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
)

const (
	// maxBody is the longest page that is read: 500 coworkers with all of their
	// custom fields are some 3 MiB.
	maxBody = 16 << 20
	// maxHeader bounds the header of a response.
	maxHeader = 32 << 10
	// idleTimeout keeps the connection between the pages of one reading.
	idleTimeout = 30 * time.Second
	// tries is how often a request is sent that fails.
	tries = 3
	// firstPause is before a request is sent a second time.
	firstPause = 250 * time.Millisecond
	// maxHold is the longest Retry-After that is waited for: Nexudus counts by
	// the minute. What asks for more ends the reading, and the next one begins later.
	maxHold = time.Minute
)

// A client speaks with one address of Nexudus, as one user.
type client struct {
	name      string
	base      *url.URL
	where     string // scheme and host, for errors
	transport *http.Transport
	login     signer
	pace      *pace
	timeout   time.Duration // for all tries of one request
	pause     time.Duration // before the second try; before the third it is twice that
	now       func() time.Time
	sent      atomic.Int64
	// skew is how far Nexudus' clock is ahead of ours, by the last answer.
	skew atomic.Int64
}

// newTransport prepares the way to target.
func newTransport(target *url.URL, private bool, timeout time.Duration) *http.Transport {
	way := outward.Way{Target: target, Private: private, Timeout: timeout, Idle: idleTimeout, MaxHeader: maxHeader}
	return way.Transport()
}

// A call is one request, which is sent again when it fails.
type call struct {
	method string
	path   string
	query  url.Values
	// body and kind are what is sent, and its Content-Type.
	body []byte
	kind string
	// role is what the user needs for it.
	role string
	// once says that it changes something: it is not sent again when it is not
	// known what became of it.
	once bool
	// bulk says that nobody waits for it.
	bulk bool
}

// do sends c until it succeeds, three times at most and within the timeout,
// and hands the body to read; an error of read counts as a failed try. What
// Nexudus throttles is sent again when it says, beside the timeout.
func (c *client) do(ctx context.Context, r *call, read func(body io.Reader) error) error {
	left := c.timeout
	for try := 1; ; try++ {
		if err := c.pace.wait(ctx, r.bulk); err != nil {
			return c.waited(ctx, err)
		}
		began := c.now()
		// The first try may take most of the time, so that a page that is slow
		// but comes is not given up; what is left is for those that were lost.
		share := left
		if try < tries {
			share = left * 3 / 5
		}
		err := c.once(ctx, r, share, read)
		left -= max(c.now().Sub(began), 0)
		if err == nil || ctx.Err() != nil {
			return err
		}
		rest, again := c.again(ctx, r, err, try, left)
		if !again {
			return err
		}
		left = rest
	}
}

// again decides whether what failed is sent once more, waits until then, and
// returns what is left of the time.
func (c *client) again(ctx context.Context, r *call, err error, try int, left time.Duration) (time.Duration, bool) {
	var e *backends.Error
	if try == tries || !errors.As(err, &e) {
		return 0, false
	}
	switch e.Class {
	case backends.Throttled: // it was not carried out
		if e.After > maxHold {
			return 0, false
		}
		c.pace.hold(max(e.After, time.Second))
		return left, true
	case backends.TokenRefused:
		return left, errors.Is(err, errStale) // the next try signs in anew
	}
	pause := time.Duration(try) * c.pause
	if r.once || left <= pause || sleep(ctx, pause) != nil {
		return 0, false
	}
	return left - pause, true
}

// waited says why the turn of a request did not come.
func (c *client) waited(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return c.failed("", ctx.Err())
	}
	// The limiter saw that the caller's time would be over before.
	return c.fault(backends.Throttled, "", err)
}

// once sends a request one time.
func (c *client) once(ctx context.Context, r *call, timeout time.Duration, read func(body io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := c.request(ctx, r)
	if err != nil {
		return err
	}
	resp, err := c.send(req)
	if err != nil {
		return c.failed("", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := c.status(ctx, r, resp); err != nil {
		return err
	}
	limited := &io.LimitedReader{R: resp.Body, N: maxBody + 1}
	err = read(limited)
	if limited.N <= 0 {
		err = fmt.Errorf("the answer is longer than %d MiB", maxBody>>20)
	}
	if err != nil && ctx.Err() != nil {
		return c.failed("reading its answer: ", ctx.Err())
	}
	if err != nil {
		return c.fault(backends.BadAnswer, r.path, err)
	}
	return nil
}

// send counts a request and reads the time of the answer. It goes to the
// transport, not to a Client: a Client would follow redirects and take the
// token with it.
func (c *client) send(req *http.Request) (*http.Response, error) {
	c.sent.Add(1)
	began := c.now()
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		took := c.now().Sub(began)
		c.skew.Store(int64(at.Sub(began.Add(took / 2))))
	}
	return resp, nil
}

// clock returns the time at Nexudus, as its last answer had it.
func (c *client) clock() time.Time { return c.now().Add(time.Duration(c.skew.Load())) }

func (c *client) request(ctx context.Context, r *call) (*http.Request, error) {
	authorization, err := c.login.authorization(ctx, c)
	if err != nil {
		return nil, err
	}
	u := *c.base
	u.Path = strings.TrimSuffix(u.Path, "/") + r.path
	u.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, c.failed("", err)
	}
	req.Header = http.Header{"Accept": {"application/json"}, "User-Agent": {"memberradius"}}
	if authorization != "" {
		req.Header.Set("Authorization", string(authorization))
	}
	if r.kind != "" {
		req.Header.Set("Content-Type", r.kind)
	}
	return req, nil
}

// errStale says that a token which was good is refused now.
var errStale = errors.New("our token is no longer taken")

// status reads what a response says before its body.
func (c *client) status(ctx context.Context, r *call, resp *http.Response) error {
	code := resp.StatusCode
	html := strings.Contains(strings.ToLower(resp.Header.Get("Content-Type")), "html")
	switch {
	case code >= 200 && code < 300:
		if !outward.IsJSON(resp.Header) {
			return c.fault(backends.BadAnswer, r.path, errNoJSON)
		}
		c.login.took()
		return nil
	case html && (code == http.StatusForbidden || code == http.StatusTooManyRequests):
		return c.fault(backends.Unreachable, r.path, fmt.Errorf("HTTP %d with a web page: %w", code, errBlocked))
	case code == http.StatusUnauthorized:
		if c.login.stale(ctx) {
			return c.fault(backends.TokenRefused, r.path, errStale)
		}
		return c.fault(backends.TokenRefused, r.path, errSignedOut)
	case code == http.StatusForbidden:
		return c.fault(backends.TokenRefused, r.path, &roleError{r.role})
	case code == http.StatusConflict, code == http.StatusTooManyRequests: // 409 is Nexudus' older way to say 429
		return &backends.Error{Class: backends.Throttled, Backend: c.name, After: outward.RetryAfter(resp.Header, c.now()),
			Err: fmt.Errorf("%s%s: HTTP %d: it wants to be asked less often", c.where, r.path, code)}
	case code == http.StatusRequestTimeout || code >= 500:
		return c.fault(backends.Faulty, r.path, fmt.Errorf("HTTP %d: a fault of its own", code))
	case code >= 300 && code < 400:
		return c.fault(backends.BadAnswer, r.path, fmt.Errorf("HTTP %d: a redirect is never followed, since it would take the token along; write the final address into url", code))
	}
	return c.fault(backends.BadAnswer, r.path, fmt.Errorf("HTTP %d: see whether url leads to Nexudus", code))
}

var (
	errNoJSON    = errors.New("the answer is not application/json; a proxy or a login page may stand between")
	errBlocked   = errors.New("something in front of Nexudus (CloudFront) blocks this host")
	errSignedOut = errors.New("HTTP 401: username or password is wrong, or API access is off for that user")
)

// A roleError says that the user of the API lacks a role.
type roleError struct{ role string }

func (e *roleError) Error() string {
	return "HTTP 403: the user of the API needs the role " + e.role
}

func (c *client) fault(class backends.Class, path string, err error) error {
	return &backends.Error{Class: class, Backend: c.name, Err: fmt.Errorf("%s%s: %w", c.where, path, err)}
}

// failed is a "could not say" by what went wrong on the way.
func (c *client) failed(doing string, err error) error {
	return outward.Failed(c.name, c.where, doing, err)
}
