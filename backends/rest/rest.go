package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
	"unicode/utf8"

	"memberradius/backends"
	"memberradius/backends/outward"
	"memberradius/member"

	"golang.org/x/time/rate"
)

const (
	// maxBody is the longest body that is read: a Wi-Fi login needs a few hundred octets.
	maxBody = 64 << 10
	// maxHeader bounds the header of a response.
	maxHeader = 16 << 10
	// idleTimeout lies below the keep-alive of common servers (75 s), so that a
	// call seldom meets a connection that the other side is closing: what was
	// sent on such a one can't be sent again, since it may have cost a pass.
	idleTimeout = 30 * time.Second
	// loudEvery: every login fails while the token is refused, and one line a minute says so.
	loudEvery = time.Minute
)

// A REST is a member system behind the contract. Close it.
type REST struct {
	name              string
	where             string // scheme and host, for errors
	timeout           time.Duration
	denyOn, unknownOn []int
	raw               bool
	zone              *time.Location
	now               func() time.Time
	say               func(backends.Finding)
	request           *http.Request // what all requests have in common; read-only
	transport         *http.Transport
	loud              rate.Sometimes
}

var (
	_ backends.Backend = (*REST)(nil)
	_ backends.Checker = (*REST)(nil)
)

// connect prepares the way to target. There is no proxy from the environment:
// the address that the guard sees must be the system's own.
func (r *REST) connect(target *url.URL, c Config) {
	r.where = target.Scheme + "://" + target.Host
	r.loud = rate.Sometimes{First: 1, Interval: loudEvery}
	way := outward.Way{Target: target, Private: c.Private, Timeout: r.timeout, Idle: idleTimeout, MaxHeader: maxHeader, Connections: c.InFlight}
	r.transport = way.Transport()
	r.request = &http.Request{
		Method: http.MethodPost, URL: target, Host: target.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Authorization": {"Bearer " + string(c.Token)},
			"Content-Type":  {"application/json"},
			"Accept":        {"application/json"},
			"User-Agent":    {"memberradius"},
		},
	}
}

// Close drops the connections that are idle.
func (r *REST) Close() error {
	r.transport.CloseIdleConnections()
	return nil
}

// Ask implements backends.Backend with one POST.
func (r *REST) Ask(ctx context.Context, a *member.Attempt) (member.Answer, error) {
	if ans, err := r.unasked(a); err != nil || ans.Verdict != member.Unanswered {
		return ans, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	resp, err := r.post(ctx, encode(a, r.raw))
	if err != nil {
		return member.Answer{}, r.failed("", err)
	}
	defer func() { _ = resp.Body.Close() }()
	ans, err := r.answer(resp, a)
	if err == nil {
		ans.Status = resp.StatusCode
	}
	return ans, err
}

// unasked settles what needs no call: a login that JSON can't carry is nobody's
// there, an empty password proves nobody anywhere, and the contract has no
// field for other proofs.
func (r *REST) unasked(a *member.Attempt) (member.Answer, error) {
	if a.Login == "" || !utf8.ValidString(a.Login) {
		return member.Answer{}, member.ErrUnknown
	}
	switch a.Proof.Kind {
	case member.Password:
		if a.Proof.Password == "" {
			return member.Answer{Verdict: member.Deny, Reason: member.ReasonWrongProof, Source: r.name}, nil
		}
	case member.MSCHAPv1, member.MSCHAPv2, member.Certificate, member.Proved:
	default:
		return member.Answer{Verdict: member.Deny, Reason: member.ReasonNoCredential, Source: r.name}, nil
	}
	return member.Answer{}, nil
}

// post sends body and returns as soon as the header of the response is there.
// It goes to the transport, not to a Client: a Client would follow redirects
// and take the token with it.
func (r *REST) post(ctx context.Context, body []byte) (*http.Response, error) {
	req := r.request.WithContext(ctx)
	req.ContentLength = int64(len(body))
	// The transport sends again what never left this host, and nothing else:
	// a POST that was written may have cost a pass.
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
	return r.transport.RoundTrip(req)
}

// answer reads a response by its status.
func (r *REST) answer(resp *http.Response, a *member.Attempt) (member.Answer, error) {
	code := resp.StatusCode
	switch {
	case slices.Contains(r.unknownOn, code):
		drain(resp)
		return member.Answer{}, member.ErrUnknown
	case slices.Contains(r.denyOn, code):
		return r.denied(resp, true)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		drain(resp)
		r.loud.Do(func() { r.say(r.tokenFinding(code)) })
		return member.Answer{}, r.fault(backends.TokenRefused, resp, "our token is refused")
	case code == http.StatusTooManyRequests:
		drain(resp)
		return member.Answer{}, r.fault(backends.Throttled, resp, "it wants to be asked less often")
	case code == http.StatusRequestTimeout || code >= 500:
		drain(resp)
		return member.Answer{}, r.fault(backends.Faulty, resp, "a fault of its own")
	case code >= 400:
		return r.denied(resp, false)
	case code >= 200 && code < 300:
		return r.allowed(resp, a)
	case code >= 300 && code < 400:
		return member.Answer{}, r.fault(backends.BadAnswer, resp, "a redirect is never followed, since it would take the token along; write the final address into url")
	default:
		return member.Answer{}, r.fault(backends.BadAnswer, resp, "not a status of the contract")
	}
}

// fault is a "could not say" by status.
func (r *REST) fault(class backends.Class, resp *http.Response, why string) error {
	return &backends.Error{
		Class: class, Backend: r.name, After: outward.RetryAfter(resp.Header, r.now()), Status: resp.StatusCode,
		Err: fmt.Errorf("%s: HTTP %d: %s", r.where, resp.StatusCode, why),
	}
}

// failed is a "could not say" by what went wrong on the way.
func (r *REST) failed(doing string, err error) error {
	class := backends.Unreachable
	var slow net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, &slow) && slow.Timeout():
		class = backends.Timeout
	}
	if len(err.Error()) > 300 { // the transport quotes what is no HTTP
		err = fmt.Errorf("%.300s", err.Error())
	}
	return &backends.Error{Class: class, Backend: r.name, Err: fmt.Errorf("%s: %s%w", r.where, doing, err)}
}

// bad is a "could not say" by what stands in a body.
func (r *REST) bad(code int, err error) error {
	return &backends.Error{Class: backends.BadAnswer, Backend: r.name, Err: fmt.Errorf("%s: HTTP %d: %w", r.where, code, err)}
}

// drain reads the rest of a short body, so that the connection can be used again.
func drain(resp *http.Response) { _, _ = io.CopyN(io.Discard, resp.Body, maxBody) }

func (r *REST) tokenFinding(code int) backends.Finding {
	return backends.Finding{
		Wrong:  true,
		What:   fmt.Sprintf("backend %s: %s refuses our token (HTTP %d): nobody new can come in by it", r.name, r.where, code),
		Remedy: fmt.Sprintf("put a valid token into [[backend]] %q; if it says %d for a wrong password, write deny_on = [%d]", r.name, code, code),
	}
}
