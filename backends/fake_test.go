package backends

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"memberradius/member"
)

// A fake is a member system that says what a test wants.
type fake struct {
	calls atomic.Int32
	say   func(ctx context.Context, a *member.Attempt) (member.Answer, error)
}

func (f *fake) Ask(ctx context.Context, a *member.Attempt) (member.Answer, error) {
	f.calls.Add(1)
	return f.say(ctx, a)
}

// A memory is a fake that knows without waiting, as file and local do.
type memory struct {
	fake
	mem Memory
	ans member.Answer
}

func (m *memory) Known(_ *member.Attempt, out *member.Answer) Memory {
	if m.mem == Found {
		*out = m.ans
	}
	return m.mem
}

func always(ans member.Answer, err error) *fake {
	return &fake{say: func(context.Context, *member.Attempt) (member.Answer, error) { return ans, err }}
}

func knower(mem Memory, ans member.Answer) *memory {
	m := &memory{mem: mem, ans: ans}
	m.say = func(context.Context, *member.Attempt) (member.Answer, error) {
		if mem == Found {
			return ans, nil
		}
		return member.Answer{}, member.ErrUnknown
	}
	return m
}

var (
	allow  = member.Answer{Verdict: member.Allow, Proved: true}
	deny   = member.Answer{Verdict: member.Deny, Reason: member.ReasonRefused}
	errBad = errors.New("it broke")
)

func fails(c Class) *fake {
	return always(member.Answer{}, &Error{Class: c, Backend: "x", Err: errBad})
}

func unknown() *fake { return always(member.Answer{}, member.ErrUnknown) }

func pap(login string, password member.Secret) *member.Attempt {
	return &member.Attempt{Login: login, Port: 1812, Proof: member.Proof{Kind: member.Password, Password: password}}
}

func mschapv2(challenge byte) *member.Attempt {
	a := &member.Attempt{Login: "bob", Port: 1812, Proof: member.Proof{Kind: member.MSCHAPv2}}
	a.Proof.MSCHAP.Challenge[0] = challenge
	return a
}

// until waits for what another goroutine brings about.
func until(cond func() bool) bool {
	end := time.Now().Add(5 * time.Second)
	for !cond() {
		if time.Now().After(end) {
			return false
		}
		<-time.After(time.Millisecond)
	}
	return true
}
