package backends

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"memberradius/member"

	"github.com/sony/gobreaker/v2"
)

const (
	// breakAfter failures in a row open the breaker.
	breakAfter = 10
	// probeEvery is how long it stays open before one call may try again, and
	// probeGap the least time between two of them: a system that comes back
	// must not be met by a storm.
	probeEvery = 5 * time.Second
	probeGap   = time.Second
	// tokenQuiet: systems that say 401 for a wrong password exist. One member
	// who mistypes must not shut the others out, so a refused token counts as
	// a failure only where nothing else came for so long.
	tokenQuiet = time.Minute
	// maxPause bounds Retry-After: a system that asks for a day would be away for a day.
	maxPause = 10 * time.Minute
)

// A State is the state of a Breaker, as its metric shows it.
type State uint8

const (
	// StateClosed: calls pass. It is the zero value.
	StateClosed State = iota
	// StateProbing: one call at a time passes and decides.
	StateProbing
	// StateOpen: no call passes.
	StateOpen
)

// String returns the state as log and metrics print it.
func (s State) String() string {
	switch s {
	case StateClosed:
		return "closed"
	case StateProbing:
		return "probing"
	default:
		return "open"
	}
}

// A Breaker stops asking a member system that fails: after ten failures in a
// row, or as long as its Retry-After says. Every five seconds it lets one call
// through, and the first that succeeds closes it. Its clock is time.Now.
type Breaker struct {
	next  Backend
	name  string
	meter *Meter
	cb    *gobreaker.CircuitBreaker[member.Answer]

	mu     sync.Mutex
	other  time.Time // when something else than a refused token came last
	resume time.Time // Retry-After: no call before
	probed time.Time // when the last probe went out
}

var _ Backend = (*Breaker)(nil)

// NewBreaker returns a closed breaker in front of next.
func NewBreaker(next Backend, d Deps) *Breaker {
	b := &Breaker{next: next, name: d.Name, meter: d.Meter, other: time.Now()}
	b.cb = gobreaker.NewCircuitBreaker[member.Answer](gobreaker.Settings{
		Name:        d.Name,
		MaxRequests: 1,
		Timeout:     probeEvery,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakAfter },
		IsSuccessful: func(err error) bool {
			return err == nil || errors.Is(err, member.ErrUnknown) || ClassOf(err) == NoNTKey
		},
		IsExcluded: b.excluded,
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if b.meter != nil {
				b.meter.state.Store(uint32(stateOf(to)))
			}
		},
	})
	return b
}

func stateOf(s gobreaker.State) State {
	switch s {
	case gobreaker.StateClosed:
		return StateClosed
	case gobreaker.StateHalfOpen:
		return StateProbing
	default:
		return StateOpen
	}
}

// State returns the breaker's state now.
func (b *Breaker) State() State { return stateOf(b.cb.State()) }

var errOpen = errors.New("it failed so often that it is only probed")

// Ask implements Backend. Where the system is not asked the error is of class Open.
func (b *Breaker) Ask(ctx context.Context, a *member.Attempt) (member.Answer, error) {
	if err := b.hold(); err != nil {
		b.meter.notSaid(Open)
		return member.Answer{}, &Error{Class: Open, Backend: b.name, Err: err}
	}
	ans, err := b.cb.Execute(func() (member.Answer, error) {
		ans, err := b.next.Ask(ctx, a)
		err = said(b.name, &ans, err)
		b.heard(err)
		return ans, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		b.meter.notSaid(Open)
		return member.Answer{}, &Error{Class: Open, Backend: b.name, Err: errOpen}
	}
	return ans, err
}

// hold says whether a call must stay away: for Retry-After, or because the
// last probe was less than probeGap ago. gobreaker alone would send the next
// probe as soon as one ended that proved nothing.
func (b *Breaker) hold() error {
	probing := b.cb.State() == gobreaker.StateHalfOpen
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if wait := b.resume.Sub(now); wait > 0 {
		return fmt.Errorf("it asked us to wait %s more", wait.Round(time.Second))
	}
	if !probing {
		return nil
	}
	if now.Sub(b.probed) < probeGap {
		return errOpen
	}
	b.probed = now
	return nil
}

// heard notes what a call says about later ones.
func (b *Breaker) heard(err error) {
	var e *Error
	errors.As(err, &e)
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if e != nil && e.After > 0 {
		b.resume = now.Add(min(e.After, maxPause))
	}
	if answered(err) {
		b.other = now
	}
}

// answered says that the system gave an answer, and it was not that our token is refused.
func answered(err error) bool {
	if err == nil || errors.Is(err, member.ErrUnknown) {
		return true
	}
	switch ClassOf(err) {
	case Faulty, Throttled, BadAnswer, NoNTKey:
		return true
	default:
		return false
	}
}

// excluded says that a call proves neither that the system works nor that it
// does not: it was not asked, or who asked went away, or its answer can't be read.
func (b *Breaker) excluded(err error) bool {
	if err == nil || errors.Is(err, member.ErrUnknown) {
		return false
	}
	if errors.Is(err, context.Canceled) {
		return true
	}
	switch ClassOf(err) {
	case Timeout, Unreachable, Faulty, Throttled, NoNTKey:
		return false
	case TokenRefused:
		b.mu.Lock()
		defer b.mu.Unlock()
		return time.Since(b.other) < tokenQuiet
	default:
		return true
	}
}
