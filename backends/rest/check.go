package rest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"

	"memberradius/backends"
	"memberradius/backends/outward"
	"memberradius/member"
)

// probeLogin is a login that no member has: .invalid exists nowhere (RFC 2606 §2).
const probeLogin = "memberradius-check@probe.invalid"

// A Probe is what the system says to a login that no member has.
type Probe struct {
	// Status is the HTTP status; 0: no answer came.
	Status int
	// Answer and Err are what Ask would return.
	Answer member.Answer
	Err    error

	typed bool // the answer is JSON
}

// Probe makes one call for a login that no member has, with a random password:
// Check for kinds that say in words of their own what the answer means.
func (r *REST) Probe(ctx context.Context) *Probe {
	a := &member.Attempt{Login: probeLogin, Port: 1812, Proof: member.Proof{Kind: member.Password, Password: member.Secret(rand.Text())}}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	resp, err := r.line.Post(ctx, "", encode(a, r.raw))
	if err != nil {
		return &Probe{Err: r.failed("", err)}
	}
	defer func() { _ = resp.Body.Close() }()
	p := &Probe{Status: resp.StatusCode, typed: outward.IsJSON(resp.Header)}
	p.Answer, p.Err = r.answer(resp, a)
	return p
}

// Check implements backends.Checker by a Probe. A system in order refuses its
// login or does not know it.
func (r *REST) Check(ctx context.Context) []backends.Finding { return r.Findings(r.Probe(ctx)) }

// Findings says what p shows to be wrong with the set-up.
func (r *REST) Findings(p *Probe) []backends.Finding {
	unknown := errors.Is(p.Err, member.ErrUnknown)
	switch {
	case p.Status == 0:
		return []backends.Finding{r.wayFinding(p.Err)}
	case unknown && !p.typed:
		return []backends.Finding{{
			What:   fmt.Sprintf("backend %s: %s says HTTP %d without JSON to a login that does not exist", r.name, r.line.Where, p.Status),
			Remedy: "if members are refused as unknown, compare the path of url with the system's documentation: a wrong path gives the same answer",
		}}
	case unknown, p.Err == nil && p.Answer.Verdict == member.Deny && p.Answer.Reason == member.ReasonRefused:
		return nil
	case p.Err == nil:
		return []backends.Finding{{
			Wrong:  true,
			What:   fmt.Sprintf("backend %s: %s lets in a login that does not exist with a random password (HTTP %d)", r.name, r.line.Where, p.Status),
			Remedy: "url must lead to what checks logins and passwords; as it is, everybody can come in",
		}}
	case backends.ClassOf(p.Err) == backends.TokenRefused:
		return []backends.Finding{r.tokenFinding(p.Status)}
	}
	return []backends.Finding{r.answerFinding(p.Status, p.Err)}
}

// wayFinding says what is wrong on the way to the system.
func (r *REST) wayFinding(err error) backends.Finding {
	return outward.Finding(err, fmt.Sprintf("it takes longer than %s: see whether it runs, or raise timeout (a NAS gives up after some 30 s)", r.timeout))
}

// answerFinding says what is wrong with the answer.
func (r *REST) answerFinding(code int, err error) backends.Finding {
	f := backends.Finding{Wrong: true, What: err.Error(), Remedy: "url must lead to what speaks the contract; see docs/backends.md"}
	switch {
	case code == http.StatusTooManyRequests:
		f.Wrong, f.Remedy = false, "raise fresh, so that it is asked less often, or ask its operator for a higher limit"
	case code >= 500:
		f.Remedy = "see the system's own log"
	case code >= 300 && code < 400:
		f.Remedy = "write the final address into url"
	}
	return f
}
