package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"
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
	timeout           time.Duration
	denyOn, unknownOn []int
	raw               bool
	zone              *time.Location
	now               func() time.Time
	say               func(backends.Finding)
	line              *outward.Line
	loud              rate.Sometimes
}

var (
	_ backends.Backend = (*REST)(nil)
	_ backends.Checker = (*REST)(nil)
)

// Close drops the connections that are idle.
func (r *REST) Close() error { return r.line.Close() }

// Ask implements backends.Backend with one POST.
func (r *REST) Ask(ctx context.Context, a *member.Attempt) (member.Answer, error) {
	if ans, err := r.unasked(a); err != nil || ans.Verdict != member.Unanswered {
		return ans, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	resp, err := r.line.Post(ctx, "", encode(a, r.raw))
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
		Err: fmt.Errorf("%s: HTTP %d: %s", r.line.Where, resp.StatusCode, why),
	}
}

func (r *REST) failed(doing string, err error) error {
	return outward.Failed(r.name, r.line.Where, doing, err)
}

// bad is a "could not say" by what stands in a body.
func (r *REST) bad(code int, err error) error {
	return &backends.Error{Class: backends.BadAnswer, Backend: r.name, Err: fmt.Errorf("%s: HTTP %d: %w", r.line.Where, code, err)}
}

// drain reads the rest of a short body, so that the connection can be used again.
func drain(resp *http.Response) { _, _ = io.CopyN(io.Discard, resp.Body, maxBody) }

func (r *REST) tokenFinding(code int) backends.Finding {
	return backends.Finding{
		Wrong:  true,
		What:   fmt.Sprintf("backend %s: %s refuses our token (HTTP %d): nobody new can come in by it", r.name, r.line.Where, code),
		Remedy: fmt.Sprintf("put a valid token into [[backend]] %q; if it says %d for a wrong password, write deny_on = [%d]", r.name, code, code),
	}
}
