package portallogin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"

	"memberradius/backends"
	"memberradius/backends/outward"
	"memberradius/member"

	"golang.org/x/time/rate"
)

const (
	// maxBody is the longest body that is read: an echo has a few hundred octets.
	maxBody = 64 << 10
	// maxHeader bounds the header of a response.
	maxHeader = 16 << 10
	// maxDetail is how much of what the system says of a refusal is shown.
	maxDetail = 200
	// idleTimeout lies below the keep-alive of common servers (75 s).
	idleTimeout = 30 * time.Second
	// connections is how many there are at the same time: logins wait in the
	// outbox, and a conference may not fill another system.
	connections = 16
	// loudEvery: every call fails while the token is refused, and one line a minute says so.
	loudEvery = time.Minute
)

// ErrRefused says that the system will not have this login: to send it again
// brings nothing.
var ErrRefused = errors.New("the login is refused")

// A Poster tells another system of our portal logins.
type Poster interface {
	// Serves says whether the logins of a site are to be told.
	Serves(site string) bool
	// Post tells one, by one call, and returns the page that it has there. After
	// ErrRefused it is not to be sent again; after any other error, which is a
	// *backends.Error, it is: the same Login as often as need be.
	Post(ctx context.Context, l *Login) (page int64, err error)
}

// A Backend is a system behind the API. Close it.
type Backend struct {
	name    string
	site    string
	timeout time.Duration
	now     func() time.Time
	say     func(backends.Finding)
	line    *outward.Line
	loud    rate.Sometimes
}

var (
	_ Poster           = (*Backend)(nil)
	_ backends.Backend = (*Backend)(nil)
	_ backends.Knower  = (*Backend)(nil)
	_ backends.Checker = (*Backend)(nil)
)

// Ask implements backends.Backend: no login is known here.
func (*Backend) Ask(context.Context, *member.Attempt) (member.Answer, error) {
	return member.Answer{}, member.ErrUnknown
}

// Known implements backends.Knower, as Ask.
func (*Backend) Known(*member.Attempt, *member.Answer) backends.Memory { return backends.Absent }

// Close drops the connections that are idle.
func (b *Backend) Close() error { return b.line.Close() }

// Serves implements Poster.
func (b *Backend) Serves(site string) bool { return b.site == "" || b.site == site }

// Post implements Poster.
func (b *Backend) Post(ctx context.Context, l *Login) (page int64, err error) {
	if none := l.lacks(); none != "" {
		return 0, b.fault(backends.Broken, fmt.Errorf("%w: it has no %s, which the API needs; the controller's redirect must bring it", ErrRefused, none))
	}
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	resp, err := b.line.Post(ctx, l.ID, encode(l))
	if err != nil {
		return 0, b.failed("", err)
	}
	defer func() { _ = resp.Body.Close() }()
	return b.answer(resp)
}

// answer reads a response by its status. Success is 201 alone, with the page: a
// proxy or a login page in between says 200.
func (b *Backend) answer(resp *http.Response) (page int64, err error) {
	code := resp.StatusCode
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return 0, b.failed("reading its answer: ", err)
	case code == http.StatusCreated && len(body) > maxBody:
		return 0, b.status(backends.BadAnswer, resp, errTooLong)
	case code == http.StatusCreated && !outward.IsJSON(resp.Header):
		return 0, b.status(backends.BadAnswer, resp, errNoJSON)
	case code == http.StatusCreated:
		if page, err = decodeAnswer(body); err != nil {
			return 0, b.status(backends.BadAnswer, resp, err)
		}
		return page, nil
	case code == http.StatusBadRequest || code == http.StatusUnprocessableEntity:
		return 0, b.status(backends.Broken, resp, fmt.Errorf("%w%s", ErrRefused, detail(resp, body)))
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		b.loud.Do(func() { b.say(b.tokenFinding(code)) })
		return 0, b.status(backends.TokenRefused, resp, errors.New("our token is refused"))
	case code == http.StatusTooManyRequests:
		return 0, b.status(backends.Throttled, resp, errors.New("it wants to be called less often"))
	case code == http.StatusRequestTimeout || code >= 500:
		return 0, b.status(backends.Faulty, resp, errors.New("a fault of its own"))
	case code >= 300 && code < 400:
		return 0, b.status(backends.BadAnswer, resp, errors.New("a redirect is never followed, since it would take the token along; write the final address into url"))
	}
	return 0, b.status(backends.BadAnswer, resp, errors.New("not a status of the API; compare url with the system's documentation"))
}

var (
	errTooLong = errors.New("its answer has more than 64 KiB")
	errNoJSON  = errors.New("its answer is not application/json; a proxy or a login page may stand between")
)

// detail returns what a refusal says of itself, where it says it as RFC 9457 and
// many frameworks do, in one line that can be logged.
func detail(resp *http.Response, body []byte) string {
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	var said struct {
		Detail string `json:"detail"`
	}
	if !strings.HasSuffix(strings.TrimSpace(media), "json") || json.Unmarshal(body, &said) != nil || said.Detail == "" {
		return ""
	}
	line := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029' {
			return ' '
		}
		return c
	}, said.Detail)
	return ": " + fmt.Sprintf("%.*s", maxDetail, line)
}

// status is an error by a response.
func (b *Backend) status(class backends.Class, resp *http.Response, why error) error {
	e := b.fault(class, fmt.Errorf("HTTP %d: %w", resp.StatusCode, why))
	e.After = outward.RetryAfter(resp.Header, b.now())
	return e
}

func (b *Backend) fault(class backends.Class, why error) *backends.Error {
	return &backends.Error{Class: class, Backend: b.name, Err: fmt.Errorf("%s: %w", b.line.Where, why)}
}

func (b *Backend) failed(doing string, err error) error {
	return outward.Failed(b.name, b.line.Where, doing, err)
}

func (b *Backend) tokenFinding(code int) backends.Finding {
	return backends.Finding{
		Wrong:  true,
		What:   fmt.Sprintf("backend %s: %s refuses our token (HTTP %d): it hears of no portal login, and lets nobody in by one", b.name, b.line.Where, code),
		Remedy: fmt.Sprintf("put a valid token into [[backend]] %q", b.name),
	}
}
