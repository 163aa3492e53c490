package backends

import (
	"context"
	"errors"
	"fmt"
	"time"

	"memberradius/member"
)

// DefaultInFlight is how many calls one member system gets at the same time
// where its [[backend]] does not say.
const DefaultInFlight = 1024

// A Bulkhead bounds the calls that one member system gets at the same time, so
// that one that hangs holds neither the others nor the server. It refuses what
// is above the bound at once: who waits here would only time out later.
type Bulkhead struct {
	next  Backend
	name  string
	slots chan struct{}
	meter *Meter
	now   func() time.Time
}

var _ Backend = (*Bulkhead)(nil)

// NewBulkhead lets at most inFlight calls (0: DefaultInFlight) reach next.
func NewBulkhead(next Backend, inFlight int, d Deps) *Bulkhead {
	if inFlight <= 0 {
		inFlight = DefaultInFlight
	}
	return &Bulkhead{next: next, name: d.Name, slots: make(chan struct{}, inFlight), meter: d.Meter, now: d.Clock()}
}

var errFull = errors.New("as many calls are under way as in_flight allows")

// Ask implements Backend. Where the bulkhead is full the error is of class Full.
func (b *Bulkhead) Ask(ctx context.Context, a *member.Attempt) (ans member.Answer, err error) {
	select {
	case b.slots <- struct{}{}:
	default:
		b.meter.notSaid(Full)
		return member.Answer{}, &Error{Class: Full, Backend: b.name, Err: fmt.Errorf("%w (%d)", errFull, cap(b.slots))}
	}
	began, done := b.now(), false
	b.meter.began()
	defer func() {
		<-b.slots
		if !done { // next panicked: its slot must not be lost
			err = errNoVerdict
		}
		b.meter.ended(b.now().Sub(began), ans.Verdict, err)
	}()
	ans, err = b.next.Ask(ctx, a)
	done = true
	return ans, err
}
