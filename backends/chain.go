package backends

import (
	"context"
	"errors"

	"memberradius/member"
)

// A Named is a Backend under the name of its [[backend]].
type Named struct {
	Name    string
	Backend Backend
}

// A Chain asks member systems in order: the first that knows the login
// answers. One that could not say is passed over, and where none after it
// knows the login either, the whole could not say.
type Chain struct {
	links []link
}

// A link is a Named whose memory has been looked up ahead.
type link struct {
	Named
	memory Knower   // nil: Ask is all it has
	ahead  Expecter // nil: it does not care
}

var (
	_ Backend  = (*Chain)(nil)
	_ Knower   = (*Chain)(nil)
	_ Expecter = (*Chain)(nil)
)

// NewChain returns the chain of systems, in this order. A chain of none knows nobody.
func NewChain(systems ...Named) *Chain { return &Chain{links: links(systems)} }

func links(systems []Named) []link {
	all := make([]link, 0, len(systems))
	for _, s := range systems {
		k, _ := s.Backend.(Knower)
		e, _ := s.Backend.(Expecter)
		all = append(all, link{Named: s, memory: k, ahead: e})
	}
	return all
}

// Known implements Knower. A system that is Unsure makes the whole Unsure,
// since one after it may only answer where it does not know the login.
func (c *Chain) Known(a *member.Attempt, out *member.Answer) Memory {
	for i := range c.links {
		l := &c.links[i]
		if l.memory == nil {
			return Unsure
		}
		switch l.memory.Known(a, out) {
		case Found:
			if out.Source == "" {
				out.Source = l.Name
			}
			return Found
		case Absent:
		default:
			return Unsure
		}
	}
	return Absent
}

// Expect implements Expecter.
func (c *Chain) Expect(logins []string) {
	for i := range c.links {
		if ahead := c.links[i].ahead; ahead != nil {
			ahead.Expect(logins)
		}
	}
}

// Ask implements Backend. Where no system knew the login and some could not
// say, the error is that of the first of them.
func (c *Chain) Ask(ctx context.Context, a *member.Attempt) (member.Answer, error) {
	var first error
	for i := range c.links {
		ans, err := c.links[i].ask(ctx, a)
		switch {
		case err == nil:
			return ans, nil
		case errors.Is(err, member.ErrUnknown):
			continue
		case first == nil:
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	if first != nil {
		return member.Answer{}, first
	}
	return member.Answer{}, member.ErrUnknown
}

// ask asks one system and sees to it that an answer has a verdict and a source.
func (l *link) ask(ctx context.Context, a *member.Attempt) (member.Answer, error) {
	ans, err := l.Backend.Ask(ctx, a)
	if err = said(l.Name, &ans, err); err != nil {
		return member.Answer{}, err
	}
	if ans.Source == "" {
		ans.Source = l.Name
	}
	return ans, nil
}

var errNoVerdict = errors.New("its answer has no verdict")

// said returns err, or an error where the answer says nothing: a backend that
// forgets its verdict could not say.
func said(name string, ans *member.Answer, err error) error {
	if err == nil && ans.Verdict != member.Allow && ans.Verdict != member.Deny {
		return &Error{Class: Broken, Backend: name, Err: errNoVerdict}
	}
	return err
}
