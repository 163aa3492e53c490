package nexudus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"memberradius/backends"
	"memberradius/member"
)

const (
	// overlap is how far behind the last reading the next one begins: filters
	// know minutes, records are committed later than they are stamped, and
	// clocks differ.
	overlap = 5 * time.Minute
	// officesEvery is how often the desks are read when only changes are asked
	// for: their VLANs are set once, and a request less for each sync counts.
	officesEvery = time.Hour
	// touchedFor is how long a noticed change is said again; a day is the
	// longest between two readings of everything.
	touchedFor = 48 * time.Hour
	// openFor is how old a check-in may be and still be open: nobody stays for a
	// week, and Nexudus has no filter for those without an end.
	openFor = 7 * 24 * time.Hour
)

var errNoReplica = errors.New("the space has not been read in full yet, or the last full reading failed: read everything first")

// Sync implements backends.Syncer. It keeps what it has read, so that a sync of
// changes asks for little and still says all of whom it concerns. After a
// reading of everything has failed, one of changes reads everything as well; Refs
// are refused then by an *backends.Error of class NotReady.
func (s *Synced) Sync(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return s.admin.failed("waiting for the sync before: ", ctx.Err())
	}
	u := &update{s: s, reading: newReading(s.admin, q.Progress)}
	if q.Everything() {
		return u.everything(ctx, out)
	}
	u.r, u.logins = s.replica, map[string]bool{}
	var err error
	known, some := coworkersIn(q.Refs)
	switch {
	case s.replica == nil && len(q.Refs) > 0:
		err = &backends.Error{Class: backends.NotReady, Backend: s.name, Err: errNoReplica}
	case s.replica == nil:
		err = u.afresh(ctx, q.Since)
	case some:
		err = u.those(ctx, known)
	default:
		err = u.changes(ctx, q.Since)
	}
	if err != nil {
		return err
	}
	return u.say(out)
}

// afresh reads the whole space where only changes were asked for: a reading
// before this one failed. All members are said, and whoever is named by what changed.
func (u *update) afresh(ctx context.Context, then time.Time) error {
	u.r, u.first = newReplica(), true
	if err := u.fill(ctx); err != nil {
		return err
	}
	u.s.replica = u.r
	for folded := range u.r.logins {
		if holding, _ := u.r.person(folded).holding(); len(holding) > 0 {
			u.logins[folded] = true
		}
	}
	return u.changes(ctx, then)
}

// An update is one reading on its way into the replica.
type update struct {
	*reading
	s *Synced
	r *replica
	// logins are the folded logins that what was read concerns; nil: all are said.
	logins map[string]bool
	// first says that there was nothing before: all is new, and nothing a change.
	first bool
	// orphans are contracts whose customers have not been read.
	orphans []contractRow
}

// everything reads the whole space into a new replica and says all of its
// members. The old one goes first: two of them are more memory than the rest of
// a server, and after a failure everything must be read anyway.
func (u *update) everything(ctx context.Context, out func(*member.Record) error) error {
	before := u.s.replica
	u.s.replica = nil
	r := newReplica()
	if before != nil { // small, and what is said again must not be lost
		r.teams, r.offices, r.touched = before.teams, before.offices, before.touched
	}
	u.r, u.first = r, before == nil
	if err := u.fill(ctx); err != nil {
		return err
	}
	u.s.replica = r
	now := u.s.now()
	maps.DeleteFunc(r.touched, func(_ word, at time.Time) bool { return now.Sub(at) > touchedFor })
	n := 0
	unnamed := 0
	for folded := range r.logins {
		rec, ok := r.record(folded, u.s.rule, now)
		if !ok {
			continue
		}
		if n++; n%1000 == 0 {
			u.tell("members", n, 0)
		}
		if err := out(&rec); err != nil {
			return err
		}
	}
	for _, c := range r.people {
		if c.folded == "" && len(c.contracts) > 0 && !c.archived {
			unnamed++
		}
	}
	u.tell("members", n, n)
	u.s.hint(unnamed)
	return nil
}

// fill reads the lists, those first that others refer to.
func (u *update) fill(ctx context.Context) error {
	u.bulk, u.r.filling = true, true
	defer func() { u.bulk, u.r.filling = false, false }()
	if err := u.begin(ctx); err != nil {
		return err
	}
	err := read(ctx, u.reading, all(coworkers()), func() { clear(u.r.people); clear(u.r.logins) }, func(row *coworkerRow) error {
		u.r.put(u.s.coworker(row))
		return nil
	})
	if err != nil {
		return err
	}
	if err := u.activeContracts(ctx); err != nil {
		return err
	}
	if err := u.adopt(ctx); err != nil {
		return err
	}
	if err := u.teams(ctx); err != nil {
		return err
	}
	if err := u.offices(ctx); err != nil {
		return err
	}
	return u.visits(ctx)
}

// begin notes Nexudus' time before anything is read. Where no answer has told
// it yet, one is asked for first.
func (u *update) begin(ctx context.Context) error {
	if u.s.admin.sent.Load() == 0 {
		if _, err := u.count(ctx, teams()); err != nil {
			return err
		}
	}
	u.r.asOf = u.s.admin.clock()
	return nil
}

// concern notes logins to say; where everybody is said there is nothing to note.
func (u *update) concern(logins []string) {
	if u.logins == nil {
		return
	}
	for _, folded := range logins {
		u.logins[folded] = true
	}
}

// changes reads what changed since a time of ours. Nothing reaches the replica
// before all of it has been read.
func (u *update) changes(ctx context.Context, then time.Time) error {
	from := u.r.asOf
	if ours := then.Add(u.s.admin.clock().Sub(u.s.now())); !then.IsZero() && ours.Before(from) {
		from = ours
	}
	from = from.Add(-overlap)
	began := u.s.admin.clock()
	var people []*coworker
	err := read(ctx, u.reading, since(coworkers(), from), func() { people = nil }, func(row *coworkerRow) error {
		people = append(people, u.s.coworker(row))
		return nil
	})
	if err != nil {
		return err
	}
	var held []contractRow
	err = read(ctx, u.reading, since(contracts(), from), func() { held = nil }, func(row *contractRow) error {
		held = append(held, *row)
		return nil
	})
	if err != nil {
		return err
	}
	rest, err := u.strangers(ctx, people, held)
	if err != nil {
		return err
	}
	network, err := u.network(ctx, from)
	if err != nil {
		return err
	}
	for _, c := range append(people, rest...) {
		u.concern(u.r.put(c))
	}
	for i := range held {
		u.concern(u.r.hold(&held[i]))
	}
	network()
	u.concern(u.r.touchedSince(then))
	u.r.asOf = began
	return nil
}

// strangers reads the customers who hold contracts and are neither in the
// replica nor among people.
func (u *update) strangers(ctx context.Context, people []*coworker, held []contractRow) ([]*coworker, error) {
	known := map[word]bool{}
	for _, c := range people {
		known[c.id] = true
	}
	missing := map[word]bool{}
	for i := range held {
		if id := held[i].CoworkerID; held[i].Active == yes && !known[id] && u.r.people[id] == nil {
			missing[id] = true
		}
	}
	return u.coworkersByID(ctx, slices.Collect(maps.Keys(missing)))
}

// say calls out for everybody whom the update concerns.
func (u *update) say(out func(*member.Record) error) error {
	now := u.s.now()
	n := 0
	for _, folded := range slices.Sorted(maps.Keys(u.logins)) {
		if folded == "" {
			continue
		}
		rec, _ := u.r.record(folded, u.s.rule, now)
		if err := out(&rec); err != nil {
			return err
		}
		n++
	}
	u.tell("members", n, n)
	return nil
}

// those reads some customers anew, with all of their contracts.
func (u *update) those(ctx context.Context, wanted []word) error {
	found, err := u.coworkersByID(ctx, wanted)
	if err != nil {
		return err
	}
	var held []contractRow
	for _, id := range wanted {
		part := held
		err := read(ctx, u.reading, all(contracts()).only("CoworkerContract_Coworker", string(id)), func() { held = part }, func(row *contractRow) error {
			if row.CoworkerID == id { // the filter may have been ignored
				held = append(held, *row)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	network, err := u.network(ctx, u.r.asOf.Add(-overlap))
	if err != nil {
		return err
	}
	there := map[word]bool{}
	for _, c := range found {
		there[c.id] = true
		u.concern(u.r.put(c))
		for _, old := range slices.Clone(c.contracts) { // what is not listed any more is gone
			u.concern(u.r.hold(&contractRow{ID: old.id}))
		}
	}
	for _, id := range wanted {
		if !there[id] {
			u.concern(u.r.remove(id))
		}
	}
	for i := range held {
		u.concern(u.r.hold(&held[i]))
	}
	network()
	return nil
}

// hint tells the operator of members who can't log in for want of a login.
func (s *Synced) hint(unnamed int) {
	if unnamed == 0 {
		return
	}
	s.say(backends.Finding{
		What:   fmt.Sprintf("%d customers with an active contract have no usable login at Nexudus", unnamed),
		Remedy: fmt.Sprintf("fill in what login = %q names for them at Nexudus", s.config.Login),
	})
}
