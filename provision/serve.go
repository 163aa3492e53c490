package provision

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"memberradius/backends"
	"memberradius/store"
)

// soon is after how long a system is asked again of which nothing was ever
// read: until then nobody gets in by it.
const soon = time.Minute

// Serve syncs until ctx ends, and then returns nil: everything at once, then
// what has changed, every Every, and everything once a day and after something
// went wrong. In between it reads again whom hooks are about. A sync that fails
// is told of and not repeated before its time; what was kept before holds.
// Of a system that is never read it forgets who ended long ago.
func (r *Runner) Serve(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	if r.c.Source == nil {
		r.tidyDaily(ctx)
		return nil
	}
	running.Go(func() { r.follow(ctx) })
	before, err := r.journal(ctx)
	known := err == nil && !before.full.IsZero()
	o := Options{Trigger: "start", Full: true}
	for {
		rep, err := r.Run(ctx, o)
		if ctx.Err() != nil {
			return nil
		}
		known = known || err == nil
		r.heard(ctx, rep, err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(r.pause(known, err)):
		}
		o = Options{Trigger: "schedule"}
	}
}

// pause returns how long to wait for the next sync, after one that ended with
// err. known says that one has worked already.
func (r *Runner) pause(known bool, err error) time.Duration {
	wait := r.c.Every
	if !known {
		wait = min(wait, soon)
	}
	var e *backends.Error
	if errors.As(err, &e) {
		wait = max(wait, e.After)
	}
	return wait
}

// heard tells the operator how a sync went that nobody waits for: when they
// begin to fail, when they work again, and what they changed.
func (r *Runner) heard(ctx context.Context, rep *Report, err error) {
	if ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	before := r.failing
	r.failing = err != nil
	r.mu.Unlock()
	switch {
	case err != nil && !before:
		r.tell(backends.Finding{
			Wrong: true, What: fmt.Sprintf("members could not be synced, those of before hold: %v", err),
			Remedy: "see the journal of syncs; `memberradius check --online` says what is wrong with the set-up",
		})
	case err == nil && before:
		r.tell(backends.Finding{What: "members are synced again: " + rep.String()})
	case err == nil && rep.Added+rep.Run.Changed+rep.Returned+rep.Lapsed > 0 && !rep.Held:
		r.tell(backends.Finding{What: rep.String()})
	}
}

// tidyDaily forgets once a day who ended long ago.
func (r *Runner) tidyDaily(ctx context.Context) {
	for {
		if err := r.tidy(ctx); err != nil && ctx.Err() == nil {
			r.tell(backends.Finding{What: fmt.Sprintf("members who ended long ago could not be forgotten: %v", err), Remedy: "they are refused all the same; it is tried again tomorrow"})
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(fullEvery):
		}
	}
}

// tidy forgets who ended long ago.
func (r *Runner) tidy(ctx context.Context) error {
	var ch store.Changes
	now := r.now()
	if r.clock.leapt.Load() {
		return nil
	}
	var err error
	ch.Seen, err = r.c.Store.Kept(ctx, r.c.Backend, func(k *store.Kept) error {
		if !k.Lapsed.IsZero() && !now.Before(k.Lapsed.Add(r.c.Keep)) {
			ch.Forget = append(ch.Forget, k.Member.Login)
		}
		return nil
	})
	if err != nil || len(ch.Forget) == 0 {
		return err
	}
	if _, err = r.c.Store.Apply(ctx, r.c.Backend, &ch); errors.Is(err, store.ErrChanged) {
		return nil // tomorrow is soon enough
	}
	return err
}
