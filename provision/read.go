package provision

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/store"
)

// A job is one run: what is asked for, and how it is applied.
type job struct {
	// id is the journal's; empty: it makes one.
	id            string
	trigger, kind string
	query         backends.Query
	progress      func(backends.Progress) // may be nil
	dry, accept   bool
	// delivery is the id of a push, asOf when what it says was so, and of what it says.
	delivery string
	asOf     time.Time
	of       []member.Record
}

// A reading is a question to the member system that is under way. While it
// lasts, somebody else may write a member whom it has read already: what it
// says of her is of before.
type reading struct {
	// touched are the folded logins, and the ids after a NUL, of whom somebody
	// else has written since it began. Guarded by the Runner's mu.
	touched map[string]bool
}

func (r *Runner) begin() *reading {
	rd := &reading{touched: map[string]bool{}}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readings[rd] = true
	return rd
}

func (r *Runner) end(rd *reading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.readings, rd)
}

// touch tells all other readings of whom l, which is applied, speaks, or where
// it speaks of everybody whom it has changed.
func (r *Runner) touch(own *reading, l *list, c *comparison) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for rd := range r.readings {
		if rd == own {
			continue
		}
		for i := range c.changes.Edits {
			m := &c.changes.Edits[i].Record.Member
			rd.touched[member.FoldString(m.Login)] = true
			rd.touchID(m.ID)
		}
		for _, login := range c.changes.Forget {
			rd.touched[member.FoldString(login)] = true
		}
		if l.everything {
			continue
		}
		logins, ids := l.lookups()
		for _, folded := range logins {
			rd.touched[folded] = true
		}
		for _, id := range ids {
			rd.touchID(id)
		}
	}
}

func (rd *reading) touchID(id string) {
	if id != "" {
		rd.touched["\x00"+id] = true
	}
}

// errUnread says that the system must be read in full before it can be asked
// for what has changed.
var errUnread = errors.New("the member system must be read in full first")

// read asks the member system and applies what it says. Of errUnread the journal
// hears nothing: a sync of everything follows.
func (r *Runner) read(ctx context.Context, j *job) (*Report, error) {
	rep := &Report{Run: store.Run{ID: j.id, Backend: r.c.Backend, Trigger: j.trigger, Kind: j.kind, Started: r.now()}}
	if j.kind == kindFull && !j.dry {
		r.mu.Lock()
		r.state.needFull = false // set again by whatever fails from here on
		r.mu.Unlock()
	}
	rd := r.begin()
	defer r.end(rd)
	l := newList(j.query.Everything(), r.c.KnownPlan)
	var last atomic.Pointer[backends.Progress]
	j.query.Progress = func(p backends.Progress) {
		last.Store(&p)
		if j.progress != nil {
			j.progress(p)
		}
	}
	err := r.c.Source.Sync(ctx, &j.query, func(rec *member.Record) error {
		l.add(rec)
		return ctx.Err()
	})
	if p := last.Load(); p != nil {
		rep.Requests, rep.Pages = p.Requests, p.Pages
	}
	if err == nil {
		err = r.settle(ctx, j, &task{list: l, reading: rd, report: rep})
	}
	if err == nil {
		r.succeeded(j, rep)
		return rep, nil
	}
	if j.kind == kindChanges && notReady(err) {
		return nil, errUnread
	}
	if j.dry {
		return rep, fmt.Errorf("provision: sync %s: %w", r.c.Backend, err)
	}
	// Nobody repeats a hint, and after a failed reading of everything the system
	// itself may not know what has changed since.
	r.needFull(j.kind != kindChanges)
	return rep, r.failed(ctx, rep, err)
}

func notReady(err error) bool {
	var e *backends.Error
	return errors.As(err, &e) && e.Class == backends.NotReady
}

// succeeded remembers what the next sync goes by.
func (r *Runner) succeeded(j *job, rep *Report) {
	if j.dry || j.kind == kindRefs {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case rep.Held:
		r.state.needFull = true
		return
	case rep.lost:
		// It may be older than the overlap: the next one asks from where this one did,
		// or, where the journal alone knows that, for everything.
		r.state.needFull = r.state.needFull || r.state.good.IsZero()
		return
	}
	if j.kind == kindFull {
		r.state.full, r.state.good = rep.Started, rep.Started
		r.clock.set.Store(false)
		return
	}
	if rep.Started.After(r.state.good) {
		r.state.good = rep.Started
	}
}

// needFull makes the next sync one of everything, where needed says so.
func (r *Runner) needFull(needed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.needFull = r.state.needFull || needed
}

// journalTime bounds the row of a failed run, whose own context may have ended.
const journalTime = 5 * time.Second

// failed writes a run that failed into the journal, and returns why it did.
func (r *Runner) failed(ctx context.Context, rep *Report, err error) error {
	rep.none()
	rep.Error, rep.Ended = err.Error(), r.now()
	if errors.Is(err, context.Canceled) {
		rep.Error = "it was stopped before its end, nothing is applied"
	}
	err = fmt.Errorf("provision: %s of %s: %w", doing(rep.Kind), r.c.Backend, err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), journalTime)
	defer cancel()
	if rerr := r.c.Store.RecordRun(ctx, &rep.Run); rerr != nil {
		return fmt.Errorf("%w (and it is not in the journal: %w)", err, rerr)
	}
	return err
}
