package backends

import (
	"context"
	"errors"
	"time"

	"memberradius/member"
)

// Gates are member systems each of which must allow a login that is proved
// already: checked in? membership active? A gate is asked with the login, the
// device and the site, and never with a password.
type Gates struct {
	links []link
	now   func() time.Time
}

var (
	_ Backend = (*Gates)(nil)
	_ Knower  = (*Gates)(nil)
)

// NewGates returns the gates in the order in which they are asked: the first
// that does not allow ends it. No gates allow everybody. A nil now is time.Now.
func NewGates(now func() time.Time, systems ...Named) *Gates {
	if now == nil {
		now = time.Now
	}
	return &Gates{links: links(systems), now: now}
}

// proved is all that a gate gets of a proof.
var proved = member.Proof{Kind: member.Proved}

// Known implements Knower: Found where a gate refuses before one that must be
// asked, or where all of them allow.
func (g *Gates) Known(a *member.Attempt, out *member.Answer) Memory {
	if a.Proof != proved {
		return Unsure // Ask strips the proof; a copy made here would cost an allocation
	}
	var t tally
	for i := range g.links {
		l := &g.links[i]
		if l.memory == nil {
			return Unsure
		}
		switch l.memory.Known(a, out) {
		case Found:
			if said(l.Name, out, nil) != nil {
				return Unsure
			}
			if !g.allows(l, &t, out) {
				return Found
			}
		case Absent:
			*out = stranger(l)
			return Found
		default:
			return Unsure
		}
	}
	*out = t.answer()
	return Found
}

// Ask implements Backend. A gate that does not know the login refuses. One
// that could not say makes the whole unable to say: its grace is the Cache
// around it.
func (g *Gates) Ask(ctx context.Context, a *member.Attempt) (member.Answer, error) {
	stripped := *a
	stripped.Proof = proved
	var t tally
	for i := range g.links {
		l := &g.links[i]
		ans, err := l.ask(ctx, &stripped)
		switch {
		case errors.Is(err, member.ErrUnknown):
			return stranger(l), nil
		case err != nil:
			return member.Answer{}, err
		case !g.allows(l, &t, &ans):
			return ans, nil
		}
	}
	return t.answer(), nil
}

// A tally is what the gates that allow have in common.
type tally struct {
	until  time.Time
	source string
	age    time.Duration
}

// answer returns the Allow of all gates. Nothing but its end comes from them:
// what she gets is said by the system that knows her and by her plan.
func (t *tally) answer() member.Answer {
	return member.Answer{
		Verdict: member.Allow,
		Member:  member.Member{ValidUntil: t.until},
		Source:  t.source,
		Age:     t.age,
	}
}

// stranger is the refusal of a gate that does not know the login.
func stranger(l *link) member.Answer {
	return member.Answer{Verdict: member.Deny, Reason: member.ReasonGate, Source: l.Name}
}

// allows adds one gate's answer to t, or makes it the refusal of that gate.
func (g *Gates) allows(l *link, t *tally, ans *member.Answer) bool {
	verdict, reason := ans.Verdict, ans.Reason
	if verdict == member.Allow {
		verdict, reason = ans.Member.Judge(g.now())
	}
	if verdict != member.Allow {
		*ans = member.Answer{Verdict: member.Deny, Reason: gateReason(reason), Message: ans.Message, Age: ans.Age, Source: l.Name}
		return false
	}
	until := ans.Member.ValidUntil
	if !until.IsZero() && (t.until.IsZero() || until.Before(t.until)) {
		t.until, t.source = until, l.Name
	}
	t.age = max(t.age, ans.Age)
	return true
}

// gateReason keeps what says more than that a gate refused. The login is
// proved, so that its owner may hear it.
func gateReason(r member.Reason) member.Reason {
	switch r {
	case member.ReasonDisabled, member.ReasonNotYetValid, member.ReasonExpired:
		return r
	default:
		return member.ReasonGate
	}
}
