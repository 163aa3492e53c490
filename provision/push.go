package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"memberradius/backends"
	"memberradius/store"
)

// maxHints is how many refs wait at the most. More of them are one question
// for all that has changed.
const maxHints = 5

// hints are the refs that wait to be read again. Guarded by the Runner's mu.
type hints struct {
	refs []backends.Ref // no two alike
	// many says that there were more than may wait.
	many bool
	wake chan struct{} // room for one
}

// Push takes what the member system said unasked. Its records hold once Push
// returns; its refs are read again soon, by Serve. A push with an id that was
// applied within a day has no effect and is no error, and neither has what it
// says of members of whom a newer one has spoken (AsOf). After an error nothing of
// its records is applied, and the system may send it again.
func (r *Runner) Push(ctx context.Context, p *backends.Push) error {
	if len(p.Refs) > 0 && r.c.Source == nil {
		return fmt.Errorf("provision: push of %s: it names members to read again: %w", r.c.Backend, ErrNoSource)
	}
	r.hint(p.Refs)
	if len(p.Records) == 0 {
		return nil
	}
	j := &job{kind: kindPush, delivery: p.ID, asOf: p.AsOf, of: p.Records}
	rep := &Report{Run: store.Run{Backend: r.c.Backend, Trigger: "push", Kind: kindPush, Started: r.now()}}
	if !p.AsOf.IsZero() {
		select {
		case r.pushing <- struct{}{}:
			defer func() { <-r.pushing }()
		case <-ctx.Done():
			return ctx.Err()
		}
		var err error
		if j.of, err = r.c.Store.Newer(ctx, r.c.Backend, p.AsOf, p.Records); err != nil {
			return r.failed(ctx, rep, err)
		}
		if len(j.of) == 0 {
			return nil
		}
	}
	l := newList(false, r.c.KnownPlan)
	for i := range j.of {
		rec := j.of[i]
		l.add(&rec)
	}
	err := r.settle(ctx, j, &task{list: l, report: rep})
	if err == nil || errors.Is(err, store.ErrRepeated) {
		return nil
	}
	return r.failed(ctx, rep, err)
}

// hint puts refs where Serve takes them from.
func (r *Runner) hint(refs []backends.Ref) {
	if len(refs) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ref := range refs {
		if r.hints.many || slices.Contains(r.hints.refs, ref) {
			continue
		}
		if len(r.hints.refs) == maxHints {
			r.hints.refs, r.hints.many = nil, true
			continue
		}
		r.hints.refs = append(r.hints.refs, ref)
	}
	select {
	case r.hints.wake <- struct{}{}:
	default: // it is awake already
	}
}

// hinted returns what waits, and whether it is too much to be read one by one.
func (r *Runner) hinted() (refs []backends.Ref, many bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	refs, many = r.hints.refs, r.hints.many
	r.hints.refs, r.hints.many = nil, false
	return refs, many
}

// follow reads again whom hints are about, until ctx ends. It goes on beside a
// sync: a hook need not wait for a hundred thousand members to be read.
func (r *Runner) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.hints.wake:
		}
		refs, many := r.hinted()
		switch {
		case many:
			r.catchUp(ctx)
		case len(refs) > 0:
			r.reread(ctx, refs)
		}
	}
}

const triggerHook = "hook"

func (r *Runner) reread(ctx context.Context, refs []backends.Ref) {
	rep, err := r.read(ctx, &job{trigger: triggerHook, kind: kindRefs, query: backends.Query{Refs: refs}})
	if err == nil && rep.left {
		r.hint(refs)
	}
	r.heard(ctx, rep, err)
}

// catchUp asks for all that has changed. It never joins a sync that runs: that
// one may have read on already past what a hint is about.
func (r *Runner) catchUp(ctx context.Context) {
	o := &Options{Trigger: triggerHook}
	since, err := r.since(ctx, o)
	if err != nil {
		r.heard(ctx, nil, err)
		return
	}
	if since.IsZero() {
		rep, err := r.alone(ctx, o)
		r.heard(ctx, rep, err)
		return
	}
	rep, err := r.read(ctx, &job{trigger: triggerHook, kind: kindChanges, query: backends.Query{Since: since}})
	if errors.Is(err, errUnread) {
		o.Full = true
		rep, err = r.alone(ctx, o)
	}
	r.heard(ctx, rep, err)
}

// alone runs a sync that began after it was asked for.
func (r *Runner) alone(ctx context.Context, o *Options) (*Report, error) {
	for {
		f, mine, err := r.board(o)
		if err != nil {
			return nil, err
		}
		if mine {
			return r.fly(ctx, f, o)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
