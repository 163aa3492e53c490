package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"memberradius/backends"
	"memberradius/store"
)

// A task is a list that is to be applied.
type task struct {
	list    *list
	reading *reading // nil: a push, which says how things are now
	report  *Report
}

// attempts is how often the store is read anew because another process wrote in between.
const attempts = 5

// errBusy ends a run that never found the store as it had read it.
var errBusy = errors.New("another process keeps writing these members: let it end (an import, a second server on the same data), then sync again")

// settle compares a list with the store and applies the difference, whole or
// not at all. What it applied holds for the next login when it returns.
func (r *Runner) settle(ctx context.Context, j *job, t *task) error {
	acts, applied, err := r.write(ctx, j, t)
	// Of what could not be applied the system may not speak again by itself.
	r.needFull(err != nil && !errors.Is(err, store.ErrRepeated) && !j.dry)
	if err != nil || !applied {
		return err
	}
	t.list.release()
	t.report.Ended = r.now()
	r.announce(ctx, acts)
	r.tellPlans(t.list)
	return nil
}

// write is settle without telling anybody who goes and changes. Where the list is
// held or the run a dry one it applies nothing. One at a time writes; pushes wait
// for a sync no longer than its writing takes.
func (r *Runner) write(ctx context.Context, j *job, t *task) (acts []Change, applied bool, err error) {
	select {
	case r.writing <- struct{}{}:
		defer func() { <-r.writing }()
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	for range attempts {
		c, err := r.compare(ctx, t.list, r.touched(t.reading))
		if err != nil {
			return nil, false, err
		}
		r.fill(t.report, c)
		if held := r.hold(j, t.report, c); held || j.dry {
			return nil, false, r.put(ctx, j, t.report)
		}
		if err = r.apply(ctx, j, t, c); !errors.Is(err, store.ErrChanged) {
			return c.acts, err == nil, err
		}
	}
	return nil, false, errBusy
}

// touched returns of whom others have written since a reading began. It stays as
// it is while the caller writes.
func (r *Runner) touched(rd *reading) map[string]bool {
	if rd == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return rd.touched
}

// fill puts what follows from a comparison into the report.
func (r *Runner) fill(rep *Report, c *comparison) {
	rep.Added, rep.Run.Changed, rep.Returned = c.run.Added, c.run.Changed, c.run.Returned
	rep.Lapsed, rep.Unchanged, rep.Skipped = c.run.Lapsed, c.run.Unchanged, c.run.Skipped
	fate := "is refused: no site has a default_plan"
	if r.c.HasDefault != nil && r.c.HasDefault() {
		fate = "gets the default_plan"
	}
	rep.Notes = c.notes.text(fate)
	rep.Changes, rep.left, rep.lost = c.changed(), c.skips > 0, c.lost > 0
	rep.Ended = r.now()
}

// always is how many members may go in one sync, whatever share they are.
const always = 10

// hold says whether so many would go that something is wrong with the list
// rather than with the members.
func (r *Runner) hold(j *job, rep *Report, c *comparison) bool {
	active := c.active
	switch j.kind {
	case kindFull:
	case kindChanges:
		r.mu.Lock()
		active = r.state.active
		r.mu.Unlock()
	default:
		return false
	}
	empty := c.l.everything && c.going > 0 && c.l.len() == 0
	many := active > 0 && c.going > always && float64(c.going) > r.c.Shrink*float64(active)
	if j.accept || !empty && !many {
		return false
	}
	rep.Held = true
	rep.Remedy = fmt.Sprintf("see who would go with `memberradius sync %s --dry-run`; where that is right, apply it with `memberradius sync %s --accept`", r.c.Backend, r.c.Backend)
	rep.Notes = append([]string{fmt.Sprintf("held: %d of %s would go", c.going, members(active))}, rep.Notes[:min(len(rep.Notes), store.MaxNotes-1)]...)
	r.mu.Lock()
	tell := !j.dry && !r.heldTold
	r.heldTold = r.heldTold || tell
	r.mu.Unlock()
	if tell {
		r.tell(backends.Finding{Wrong: true, Remedy: rep.Remedy, What: fmt.Sprintf(
			"%s is held: %d of %s would go; nothing of it is applied, all keep their access", doing(j.kind), c.going, members(active))})
	}
	return true
}

// put writes a run of which nothing is applied into the journal; a dry run
// leaves no trace.
func (r *Runner) put(ctx context.Context, j *job, rep *Report) error {
	if j.dry {
		return nil
	}
	return r.c.Store.RecordRun(ctx, &rep.Run)
}

// apply writes it all in one transaction.
func (r *Runner) apply(ctx context.Context, j *job, t *task, c *comparison) error {
	c.changes.Run, c.changes.Delivery = &t.report.Run, j.delivery
	c.changes.AsOf, c.changes.Of = j.asOf, j.of
	_, err := r.c.Store.Apply(ctx, r.c.Backend, &c.changes)
	if err != nil {
		return err
	}
	r.touch(t.reading, t.list, c)
	r.needFull(c.doubt)
	r.mu.Lock()
	r.heldTold = r.heldTold && j.kind != kindFull
	if t.list.everything {
		r.state.active = c.active - c.going + c.run.Added + c.run.Returned
	}
	r.mu.Unlock()
	return nil
}

// announce makes what was applied hold for the next login, and for who is online.
func (r *Runner) announce(ctx context.Context, acts []Change) {
	if r.c.Refresh != nil {
		if err := r.c.Refresh(ctx); err != nil {
			r.tell(backends.Finding{What: fmt.Sprintf("the members in memory could not follow the store at once: %v", err), Remedy: "they are read again every second"})
		}
	}
	if r.c.Changed != nil && len(acts) > 0 {
		r.c.Changed(ctx, acts)
	}
}

// maxTold bounds how many plans are told of: a system that makes up a name for
// each member must not fill the memory.
const maxTold = 1000

// tellPlans tells of each plan that is not mapped once.
func (r *Runner) tellPlans(l *list) {
	var fresh []string
	r.mu.Lock()
	for plan := range r.told {
		if l.everything && l.notes.plans[plan] == 0 {
			delete(r.told, plan)
		}
	}
	for plan := range l.notes.plans {
		if !r.told[plan] && len(r.told) < maxTold {
			r.told[plan] = true
			fresh = append(fresh, plan)
		}
	}
	r.mu.Unlock()
	slices.Sort(fresh)
	for _, plan := range fresh {
		r.tell(backends.Finding{
			What:   fmt.Sprintf("plan %q of %s is not mapped", plan, members(l.notes.plans[plan])),
			Remedy: "give it a [[plan]], or write it into the match of one",
		})
	}
}
