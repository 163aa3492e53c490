package provision

import (
	"context"
	"crypto/md5"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/store"
)

// begin of time in tests that have a clock of their own.
var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// A source is a member system whose answer a test writes. It is the seam
// backends.Syncer; the store beneath the Runner is the real one.
type source struct {
	mu      sync.Mutex
	queries []backends.Query
	// say answers; by default it says list.
	say  answer
	list []member.Record
}

func (s *source) Sync(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
	s.mu.Lock()
	s.queries = append(s.queries, *q)
	say, list := s.say, s.list
	s.mu.Unlock()
	if say != nil {
		return say(ctx, q, out)
	}
	return saying(list...)(ctx, q, out)
}

func (s *source) asked() []backends.Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.queries)
}

func (s *source) set(list ...member.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = list
}

// answer sets how it answers; nil: by the list.
func (s *source) answer(say answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.say = say
}

type answer func(ctx context.Context, q *backends.Query, out func(*member.Record) error) error

// saying answers with these records, each a copy of its own.
func saying(list ...member.Record) answer {
	return func(_ context.Context, q *backends.Query, out func(*member.Record) error) error {
		q.Progress(backends.Progress{Doing: "contracts", Pages: 1, Requests: 2, Members: len(list)})
		for _, rec := range list {
			rec.Member.Plans = slices.Clone(rec.Member.Plans)
			if err := out(&rec); err != nil {
				return err
			}
		}
		return nil
	}
}

// A bench is a Runner over a real store, and what it told.
type bench struct {
	*Runner
	t      *testing.T
	store  *store.Store
	source *source
	now    time.Time

	mu      sync.Mutex
	told    []backends.Finding
	changed [][]Change
}

// set up a Runner; with changes its configuration.
func setUp(t *testing.T, with ...func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, source: new(source), now: epoch}
	clock := func() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.now }
	var err error
	if b.store, err = store.Open(t.Context(), store.Config{Dir: t.TempDir(), Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	b.Runner = New(b.config(clock, with...))
	return b
}

func (b *bench) config(clock func() time.Time, with ...func(*Config)) Config {
	c := Config{
		Backend: "nexudus", Store: b.store, Source: b.source, Secrecy: backends.Generated,
		Provision: true, Deprovision: true, Mail: true, NTHash: hashOf, Now: clock,
		Tell:    func(f backends.Finding) { b.mu.Lock(); b.told = append(b.told, f); b.mu.Unlock() },
		Changed: func(_ context.Context, all []Change) { b.mu.Lock(); b.changed = append(b.changed, all); b.mu.Unlock() },
	}
	for _, change := range with {
		change(&c)
	}
	return c
}

func hashOf(password string) member.Hash { return md5.Sum([]byte(password)) }

func (b *bench) after(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// full syncs everything, which must work.
func (b *bench) full(list ...member.Record) *Report {
	b.t.Helper()
	b.source.set(list...)
	return b.run(Options{Trigger: "test", Full: true})
}

func (b *bench) run(o Options) *Report {
	b.t.Helper()
	b.after(time.Second) // the journal is in the order of time
	rep, err := b.Run(b.t.Context(), o)
	if err != nil {
		b.t.Fatal(err)
	}
	return rep
}

func (b *bench) push(p *backends.Push) {
	b.t.Helper()
	b.after(time.Second)
	if err := b.Push(b.t.Context(), p); err != nil {
		b.t.Fatal(err)
	}
}

// kept returns all that the store has, by login.
func (b *bench) kept() map[string]*store.Entry {
	b.t.Helper()
	all := map[string]*store.Entry{}
	err := b.store.Each(b.t.Context(), "nexudus", func(e *store.Entry) error {
		all[e.Member.Login] = e
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// members returns the logins of who is a member, sorted and joined.
func (b *bench) members() string {
	b.t.Helper()
	all := b.kept()
	maps.DeleteFunc(all, func(_ string, e *store.Entry) bool { return !e.Lapsed.IsZero() })
	return strings.Join(slices.Sorted(maps.Keys(all)), " ")
}

func (b *bench) events() string {
	b.t.Helper()
	events, err := b.store.Events(b.t.Context(), 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
	for _, e := range events {
		all = append(all, e.Kind+" "+e.Login)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (b *bench) journal() []store.Run {
	b.t.Helper()
	runs, err := b.store.Runs(b.t.Context(), "nexudus", 100)
	if err != nil {
		b.t.Fatal(err)
	}
	return runs
}

// rec is a member with this id, whose login and address are name@x.
func rec(id, name string, plans ...string) member.Record {
	return member.Record{
		Member: member.Member{ID: id, Login: name + "@x", Name: name, Plans: plans}, Email: name + "@x",
	}
}

func gone(id, login string) member.Record {
	return member.Record{Member: member.Member{ID: id, Login: login}, Gone: true}
}

// want compares a text.
func (b *bench) want(what, got, want string) {
	b.t.Helper()
	if got != want {
		b.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

var errBroken = errors.New("the member system broke off")

func words(changes []Change) string {
	var all []string
	for _, c := range changes {
		all = append(all, c.String())
	}
	return strings.Join(all, "; ")
}
