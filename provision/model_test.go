package provision

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/store"
)

// A person of the world, as her member system has her.
type person struct {
	id, login, email, plan string
	active                 bool
	// before are all ids and logins that she had, with when she had them.
	before []bearing
}

type bearing struct {
	at        time.Time
	id, login string
}

// A world is a member system that changes at random, and a Runner that follows
// it through pushes, hooks, syncs and all that can go wrong with them.
type world struct {
	*bench
	*rand.Rand
	people  []*person
	next    int
	trouble bool // the next comparison is disturbed
	missed  bool // what happened while pages were read did not arrive
	// owner is whose a password is, for good.
	owner map[member.Secret]*person
}

func (w *world) record(p *person) member.Record {
	if !p.active {
		return gone(p.id, "")
	}
	return member.Record{Member: member.Member{ID: p.id, Login: p.login, Plans: []string{p.plan}}, Email: p.email}
}

func (w *world) note(p *person) {
	p.before = append(p.before, bearing{w.c.Now(), p.id, p.login})
}

func (w *world) pick(active bool) *person {
	var all []*person
	for _, p := range w.people {
		if p.active == active {
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[w.IntN(len(all))]
}

func (w *world) taken(login string) bool {
	return slices.ContainsFunc(w.people, func(p *person) bool { return p.active && p.login == login })
}

// happen changes one person or two.
func (w *world) happen() *person {
	p := w.pick(w.IntN(3) > 0)
	switch w.IntN(8) {
	case 0, 1:
		p = nil
	case 2:
		if p != nil && p.active { // another name
			w.next++
			p.login = fmt.Sprintf("name%d@x", w.next)
			w.note(p)
			return p
		}
	case 3:
		if q := w.pick(false); p != nil && q != nil && p.active && !w.taken(q.login) { // the name of somebody who left
			p.login = q.login
			w.note(p)
			return p
		}
	case 4:
		if q := w.pick(true); p != nil && p.active && q != p {
			p.login, q.login = q.login, p.login
			w.note(p)
			w.note(q)
			return p
		}
	}
	switch {
	case p == nil:
		w.next++
		p = &person{id: fmt.Sprint(w.next), login: fmt.Sprintf("m%d@x", w.next), email: fmt.Sprintf("m%d@x", w.next), plan: "a", active: true}
		w.people = append(w.people, p)
	case p.active && w.IntN(2) == 0:
		p.plan = string(rune('a' + w.IntN(4)))
	case p.active:
		p.active = false
	case w.taken(p.login):
		return nil
	case w.IntN(3) == 0: // she signs up again
		w.next++
		w.note(p) // as whom she ended
		p.id, p.active = fmt.Sprint(w.next), true
	default:
		p.active = true
	}
	w.note(p)
	return p
}

// Sync answers as a member system does: everybody, or whom something happened to.
func (w *world) Sync(_ context.Context, q *backends.Query, out func(*member.Record) error) error {
	var list []member.Record
	for _, p := range w.people {
		switch {
		case q.Everything():
			if p.active {
				list = append(list, w.record(p))
			}
		case len(q.Refs) > 0:
			if slices.ContainsFunc(q.Refs, func(r backends.Ref) bool { return r.ID == p.id }) {
				list = append(list, w.record(p))
			}
		default:
			list = append(list, w.changes(p, q.Since)...)
		}
	}
	w.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	fail := len(list) + 1
	if w.IntN(4) == 0 {
		fail = w.IntN(len(list) + 1)
	}
	if w.IntN(5) == 0 && len(q.Refs) == 0 { // something happens while pages are read, and is pushed
		if p := w.pick(w.IntN(2) == 0); p != nil && !(w.taken(p.login) && !p.active) {
			p.active = !p.active
			w.note(p)
			w.after(time.Second)
			err := w.Push(w.t.Context(), &backends.Push{Records: []member.Record{w.record(p)}})
			w.missed = err != nil || w.journal()[0].Skipped > 0 // it may fail as all else
		}
	}
	for i := range list {
		if i == fail {
			return errBroken
		}
		if err := out(&list[i]); err != nil {
			return err
		}
	}
	if fail == len(list) {
		return errBroken
	}
	return nil
}

// changes are what the system says of her to whoever asks for changes since then.
func (w *world) changes(p *person, since time.Time) (list []member.Record) {
	at := len(p.before)
	for at > 0 && !p.before[at-1].at.Before(since) {
		at--
	}
	if at == len(p.before) {
		return nil
	}
	for _, s := range p.before[max(at-1, 0):] {
		switch {
		case p.active && s.id == p.id:
		case w.IntN(2) == 0:
			list = append(list, gone(s.id, ""))
		default:
			list = append(list, gone(s.id, s.login))
		}
	}
	return append(list, w.record(p))
}

// same compares the store with the world: nobody lost, nobody let in by mistake.
func (w *world) same(when string) {
	w.t.Helper()
	want, got := map[string]string{}, map[string]string{}
	for _, p := range w.people {
		if p.active {
			want[p.login] = p.id + " " + p.plan
		}
	}
	for login, e := range w.kept() {
		if e.Lapsed.IsZero() {
			got[login] = e.Member.ID + " " + strings.Join(e.Member.Plans, "+")
		}
	}
	if !maps.Equal(got, want) {
		w.t.Fatalf("%s: the store has\n%v, the world\n%v\njournal %+v", when, got, want, w.journal()[0])
	}
}

// owned: no password is ever that of two persons, and nobody is in of whom
// there never was a membership.
func (w *world) owned(when string) {
	w.t.Helper()
	for login, e := range w.kept() {
		var who *person
		for _, p := range w.people {
			if slices.ContainsFunc(p.before, func(s bearing) bool { return s.id == e.Member.ID && s.login == login }) {
				who = p
			}
		}
		password := e.Credential.Password
		switch {
		case who == nil:
			w.t.Fatalf("%s: %s with id %s is in, and was never a member", when, login, e.Member.ID)
		case password == "":
			w.t.Fatalf("%s: %s has no password", when, login)
		case w.owner[password] == nil:
			w.owner[password] = who
		case w.owner[password] != who:
			w.t.Fatalf("%s: %s has the password of %+v, and is %+v", when, login, w.owner[password], who)
		}
	}
}

func (w *world) deliver() {
	w.after(time.Duration(w.IntN(40)) * time.Minute)
	w.trouble = w.IntN(4) == 0
	defer func() { w.trouble = false }()
	p := w.people[w.IntN(len(w.people))]
	switch w.IntN(6) {
	case 0:
		w.sync("full", Options{Full: true})
	case 1, 2:
		w.sync("changes", Options{})
	case 3:
		w.push(&backends.Push{ID: fmt.Sprint(w.Uint64()), Records: []member.Record{w.record(p)}})
	case 4:
		if _, err := w.read(w.t.Context(), &job{kind: kindRefs, query: backends.Query{Refs: []backends.Ref{{ID: p.id}}}}); err != nil && !errors.Is(err, errBroken) {
			w.t.Fatal(err)
		}
	default:
		w.c.Rand = strings.NewReader("")
		w.after(time.Second)
		_, _ = w.Run(w.t.Context(), Options{Full: w.IntN(2) == 0})
		w.c.Rand = crand.Reader
	}
}

func (w *world) sync(what string, o Options) {
	w.after(time.Second)
	w.missed = false
	rep, err := w.Run(w.t.Context(), o)
	if err == nil && rep.Held {
		rep, err = w.Run(w.t.Context(), Options{Accept: true})
	}
	if err != nil {
		if !errors.Is(err, errBroken) {
			w.t.Fatal(err)
		}
		return
	}
	if rep.Skipped == 0 && !rep.lost && !w.missed {
		w.same("after a sync of " + what)
	}
}

// TestStoreFollowsTheWorld is the property of the whole: after any sequence of
// syncs, hooks and pushes with failures between them, a sync that works leaves
// the store as the member system is.
func TestStoreFollowsTheWorld(t *testing.T) {
	t.Parallel()
	seeds := []uint64{1, 2, uint64(time.Now().UnixNano())}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := &world{Rand: rand.New(rand.NewPCG(seed, 0)), owner: map[member.Secret]*person{}}
			w.bench = setUp(t, func(c *Config) {
				c.Source, c.Shrink, c.Keep = w, 2, 10*365*24*time.Hour
				c.NTHash = func(password string) member.Hash {
					if w.trouble { // another process writes in the middle
						w.trouble = false
						w.disturb()
					}
					return hashOf(password)
				}
			})
			w.happen()
			for i := range 50 {
				for range w.IntN(5) {
					w.happen()
				}
				w.deliver()
				w.owned(fmt.Sprint("step ", i))
			}
			for range 10 {
				w.sync("everything at last", Options{Full: true})
			}
			w.same("at last")
		})
	}
}

func (w *world) disturb() {
	for login := range w.kept() {
		e := &store.Edit{Fields: store.FieldName, Record: member.Record{Member: member.Member{Login: login, Name: fmt.Sprint(w.Uint64())}}}
		if err := w.store.Edit(w.t.Context(), "nexudus", e); err != nil {
			w.t.Error(err)
		}
		return
	}
}
