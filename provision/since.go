package provision

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// A state is what the Runner knows of its syncs.
type state struct {
	// good is when the last sync began that was applied, full when the last one
	// of everything did; zero: not since this program started.
	good, full time.Time
	// needFull says that only a sync of everything makes the store whole again.
	needFull bool
	// active is how many members there were at the last sync of everything.
	active int
	// seen is when the clock was last read.
	seen time.Time
}

const (
	// overlap is how far a sync reaches back before the beginning of the last
	// one. Clocks of member systems differ from ours, and they filter by the minute.
	overlap = 10 * time.Minute
	// fullEvery is how often everything is read: what was deleted is in no list of changes.
	fullEvery = 24 * time.Hour
	// clockSlack is by how much the wall clock may differ from the time that has
	// gone by, before it counts as set. Leap seconds and slewing stay below it.
	clockSlack = time.Minute
)

// since returns from when on a sync asks for changes; zero: it asks for
// everything, because that is asked for, due, or the only sure thing.
func (r *Runner) since(ctx context.Context, o *Options) (time.Time, error) {
	now := r.now()
	r.mu.Lock()
	if seen := r.state.seen; !seen.IsZero() {
		r.clock.observe(now.Round(0).Sub(seen.Round(0)) - now.Sub(seen))
	}
	r.state.seen = now
	st := r.state
	r.mu.Unlock()
	if o.Full || o.Accept || st.needFull || r.clock.set.Load() {
		return time.Time{}, nil
	}
	if st.good.IsZero() {
		var err error
		if st, err = r.journal(ctx); err != nil {
			return time.Time{}, err
		}
	}
	good, full := st.good.Round(0), st.full.Round(0)
	now = now.Round(0)
	// A beginning in the future was written by a clock that ran ahead.
	if full.IsZero() || good.After(now) || now.Sub(full) >= fullEvery {
		return time.Time{}, nil
	}
	return good.Add(-overlap), nil
}

// journal returns what the journal says of the syncs before this program started.
func (r *Runner) journal(ctx context.Context) (state, error) {
	var st state
	full, err := r.c.Store.LastGood(ctx, r.c.Backend, kindFull)
	if err != nil || full == nil {
		return st, err
	}
	changes, err := r.c.Store.LastGood(ctx, r.c.Backend, kindChanges)
	if err != nil {
		return st, fmt.Errorf("provision: sync %s: %w", r.c.Backend, err)
	}
	st.good, st.full = full.Started, full.Started
	if changes != nil && changes.Started.After(st.good) {
		st.good = changes.Started
	}
	return st, nil
}

// A clock is what is known of how far the time can be relied on.
type clock struct {
	// set says that it was set while the server ran: when things began is not
	// known until everything was read.
	set atomic.Bool
	// leapt says that it was set so far forward that nobody is forgotten for
	// having ended long ago, until the server starts again.
	leapt atomic.Bool
}

// leap is how far a clock is set forward without harm to those who have ended.
const leap = 24 * time.Hour

// observe takes by how much more the wall clock went on than the time did.
func (c *clock) observe(gap time.Duration) {
	if gap.Abs() > clockSlack {
		c.set.Store(true)
	}
	if gap > leap {
		c.leapt.Store(true)
	}
}
