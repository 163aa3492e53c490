package provision

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/store"
)

// A Config says whose members a Runner keeps, and how.
type Config struct {
	// Backend is the name of the [[backend]], Store where its members are kept.
	// Both must be set.
	Backend string
	Store   *store.Store
	// Source is the member system that is read; nil: it pushes, and is never
	// read. Its Sync may be called while it is under way, for refs.
	Source backends.Syncer
	// Secrecy says where passwords come from.
	Secrecy backends.Secrecy
	// Provision adds new members, Deprovision ends those whose membership has
	// ended. What is off is reported and not done.
	Provision, Deprovision bool
	// Keep is for how long one who has ended is kept with her password; 0 is 90 days.
	Keep time.Duration
	// Shrink is which share of the members may go in one sync before it is held
	// until it is accepted; 0 is 0.30. Up to 10 may always go, but never all.
	Shrink float64
	// Every is how often the system is asked for what has changed; 0 is 15 minutes.
	Every time.Duration
	// NTHash makes the NT hash of a password (RFC 2759 §8.3), so that it need not
	// be made at each login. Nil: it is not made ahead.
	NTHash func(password string) member.Hash
	// KnownPlan says whether a [[plan]] bears or matches this name; nil: all do.
	// HasDefault says whether who has none of them gets a default plan; nil: no.
	KnownPlan  func(name string) bool
	HasDefault func() bool
	// Mail and WriteBack say which events go into the outbox: letters to members,
	// passwords for their own system.
	Mail, WriteBack bool
	// Refresh makes the members in memory follow the store; nil: they do so by
	// themselves. It is called after whatever was applied, changes or none.
	Refresh func(ctx context.Context) error
	// Changed is called after what was applied holds, with everybody who goes or
	// changes: who is online may have to leave. Run and Push return after it. Nil:
	// nobody wants to know.
	Changed func(ctx context.Context, all []Change)
	// Tell hears what the operator should know. It must not wait. Nil drops it.
	Tell func(backends.Finding)
	// Now is the clock; nil is time.Now. Rand is where passwords come from; nil is crypto/rand.
	Now  func() time.Time
	Rand io.Reader
}

// What holds where the Config says nothing.
const (
	keepDefault   = 90 * 24 * time.Hour
	shrinkDefault = 0.30
	everyDefault  = 15 * time.Minute
)

// A Runner keeps the members of one backend in the store as its member system
// has them. It may be used by many goroutines. None of its own go on when
// Serve, Run, Push and Renew have returned.
type Runner struct {
	c Config

	// writing is held by who compares and writes, pushing by a push that says when
	// it was so: of two the older must not come last.
	writing, pushing chan struct{}
	clock            clock

	mu       sync.Mutex
	flight   *flight // the sync that runs; nil: none
	readings map[*reading]bool
	state    state
	hints    hints
	// told are the plans of which the operator has heard, heldTold that a sync is held.
	told     map[string]bool
	heldTold bool
	// failing says that the last sync that nobody waited for failed.
	failing bool
}

// New returns a Runner. Nothing is read before Serve, Run or Push is called.
func New(c Config) *Runner {
	if c.Keep <= 0 {
		c.Keep = keepDefault
	}
	if c.Shrink <= 0 {
		c.Shrink = shrinkDefault
	}
	if c.Every <= 0 {
		c.Every = everyDefault
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return &Runner{
		c: c, writing: make(chan struct{}, 1), pushing: make(chan struct{}, 1),
		readings: map[*reading]bool{}, told: map[string]bool{}, hints: hints{wake: make(chan struct{}, 1)},
	}
}

// Options say how a sync is to run.
type Options struct {
	// Trigger is what asks for it, for the journal: "operator", "api".
	Trigger string
	// Full reads everything; else what has changed is enough where that can be known.
	Full bool
	// DryRun changes nothing, and leaves no row in the journal.
	DryRun bool
	// Accept applies a list that has shrunk so far that it was held. It reads everything.
	Accept bool
	// Progress hears how far the reading has come. It must not wait; nil hears nothing.
	Progress func(backends.Progress)
	// Began hears the id of the run that is to do it, also of one that is joined,
	// before it ends. It must not wait; nil hears nothing.
	Began func(id string)
}

// A flight is a sync that runs, and that others may join.
type flight struct {
	id     string        // the journal's
	done   chan struct{} // closed when report and err are there
	report *Report
	err    error
	// What it does, and who hears how far it has come. Guarded by the Runner's mu
	// until done is closed.
	full, accept, dry bool
	listeners         []func(backends.Progress)
}

// covers says whether f does what o asks for.
func (f *flight) covers(o *Options) bool {
	return !f.dry && !o.DryRun && (f.full || !o.Full && !o.Accept) && (f.accept || !o.Accept)
}

// ErrNoSource says that there is nothing to sync: the system pushes.
var ErrNoSource = errors.New("this member system tells of its members by itself, there is nothing to sync")

// Run syncs once. It joins a sync that runs already, where that one does what
// is asked for; else it waits for its turn. Held is no error: Report.Held and
// Remedy say so. With an error that came while it ran the report is there too.
func (r *Runner) Run(ctx context.Context, o Options) (*Report, error) {
	if r.c.Source == nil {
		return nil, fmt.Errorf("provision: sync %s: %w", r.c.Backend, ErrNoSource)
	}
	for {
		f, mine, err := r.board(&o)
		if err != nil {
			return nil, err
		}
		if o.Began != nil && (mine || f.covers(&o)) {
			o.Began(f.id)
		}
		if mine {
			return r.fly(ctx, f, &o)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		// Whoever began it may have gone away, and ended it; who joined is still here.
		if f.covers(&o) && !errors.Is(f.err, context.Canceled) {
			return f.report, f.err
		}
	}
}

// board returns the sync that runs, or, where none does, a new one, which is the
// caller's to run.
func (r *Runner) board(o *Options) (f *flight, mine bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f = r.flight; f == nil {
		id, err := r.c.Store.NewID()
		if err != nil {
			return nil, false, err
		}
		f = &flight{id: id, done: make(chan struct{}), full: o.Full || o.Accept, accept: o.Accept, dry: o.DryRun}
		r.flight, mine = f, true
	}
	if o.Progress != nil && (mine || f.covers(o)) {
		f.listeners = append(f.listeners, o.Progress)
	}
	return f, mine, nil
}

// Full says whether a sync runs that reads everything.
func (r *Runner) Full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flight != nil && r.flight.full
}

// fly runs a sync.
func (r *Runner) fly(ctx context.Context, f *flight, o *Options) (*Report, error) {
	defer func() {
		r.mu.Lock()
		r.flight = nil
		r.mu.Unlock()
		close(f.done)
	}()
	since, err := r.since(ctx, o)
	if err != nil {
		f.err = err
		return nil, err
	}
	j := &job{id: f.id, trigger: o.Trigger, kind: kindChanges, query: backends.Query{Since: since}, dry: o.DryRun, accept: o.Accept}
	if since.IsZero() {
		r.widen(f, j)
	}
	j.progress = func(p backends.Progress) {
		r.mu.Lock()
		listeners := f.listeners
		r.mu.Unlock()
		for _, hear := range listeners {
			hear(p)
		}
	}
	f.report, f.err = r.read(ctx, j)
	if errors.Is(f.err, errUnread) {
		r.widen(f, j)
		f.report, f.err = r.read(ctx, j)
	}
	return f.report, f.err
}

// widen makes a sync one of everything.
func (r *Runner) widen(f *flight, j *job) {
	j.kind, j.query = kindFull, backends.Query{}
	r.mu.Lock()
	defer r.mu.Unlock()
	f.full = true
}

// now returns the time in UTC, with the monotonic reading where the clock has one.
func (r *Runner) now() time.Time { return r.c.Now() }

func (r *Runner) tell(f backends.Finding) {
	if r.c.Tell != nil {
		r.c.Tell(f)
	}
}
