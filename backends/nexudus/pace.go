package nexudus

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// DefaultRequests is how many requests Nexudus takes from one user in a minute.
	DefaultRequests = 120
	// gap is a little more than the 100 ms that Nexudus wants between two
	// requests: what leaves here 100 ms apart does not arrive so.
	gap = 110 * time.Millisecond
)

// A pace keeps what Nexudus asks of its callers: a gap between requests, so
// many in a minute, and a pause where it wants one.
type pace struct {
	now  func() time.Time
	gap  *rate.Limiter
	bulk *rate.Limiter

	mu    sync.Mutex
	until time.Time // nothing is sent before
	// minute are when the last requests of a minute were sent, in a ring; empty
	// where the gap alone keeps them few enough.
	minute []time.Time
	next   int
}

// newPace allows so many requests in any minute, wherever Nexudus begins to
// count. Above ten a second, which only somebody whose limit was raised writes, the
// gap is smaller too.
func newPace(perMinute int, now func() time.Time) *pace {
	p := &pace{now: now}
	between := gap
	if perMinute > int(time.Minute/(100*time.Millisecond)) {
		between = time.Minute / time.Duration(perMinute)
	} else {
		p.minute = make([]time.Time, perMinute)
	}
	p.gap = rate.NewLimiter(rate.Every(between), 1)
	// Pages of everything leave a fifth of each minute to hooks, whose members
	// wait for them: an eighth at once, and two thirds as they flow.
	p.bulk = rate.NewLimiter(rate.Limit(float64(perMinute)*2/3/time.Minute.Seconds()), max(perMinute/8, 1))
	return p
}

// wait returns when the next request may be sent. bulk says that nobody waits for it.
func (p *pace) wait(ctx context.Context, bulk bool) error {
	if bulk {
		if err := p.bulk.Wait(ctx); err != nil {
			return err
		}
	}
	for {
		pause := p.take()
		if pause <= 0 {
			return p.gap.Wait(ctx)
		}
		if end, ok := ctx.Deadline(); ok && end.Before(p.now().Add(pause)) {
			return errLate
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

var errLate = errors.New("its limit of requests does not allow it in time")

// slack is for what lies between the moment when a request is counted and that of
// its arrival.
const slack = time.Second

// take counts a request, or says how long it has to wait.
func (p *pace) take() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if pause := p.until.Sub(now); pause > 0 && pause <= maxHold {
		return pause
	}
	if len(p.minute) == 0 {
		return 0
	}
	first := p.minute[p.next]
	if pause := first.Add(time.Minute + slack).Sub(now); !first.IsZero() && pause > 0 && pause <= time.Minute+slack { // a clock that was set back keeps nobody waiting
		return pause
	}
	p.minute[p.next] = now
	p.next = (p.next + 1) % len(p.minute)
	return 0
}

// hold keeps everything back for d.
func (p *pace) hold(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := p.now().Add(d); until.After(p.until) {
		p.until = until
	}
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
