package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"memberradius/member"
)

// A batch is one transaction, and what memory must learn from it.
type batch struct {
	w *writer
	// now are the sessions as this transaction leaves them, the newest of each key.
	now   map[key]*state
	used  map[usageKey]*use
	steps []step
}

// A step is one change of a session.
type step struct {
	kind  ChangeKind
	state *state
}

// report takes in one report.
func (b *batch) report(r *member.Session) error {
	if r.Event == member.NASOn || r.Event == member.NASOff {
		return b.restart(r)
	}
	k := keyOf(r)
	st := b.current(k)
	if st == nil {
		// Most that are not open are new: the insert itself finds out.
		if done, err := b.begin(r, 0); done || err != nil {
			return err
		}
		var err error
		if st, err = b.find(k, maxCounter); err != nil {
			return err
		}
		if st == nil {
			return fmt.Errorf("session %q is there and can't be read", r.ID)
		}
		b.now[k] = st
	}
	switch {
	case st.before(r):
		return b.past(st, r)
	case !st.another(r):
		return b.update(st, st.with(r), r.At)
	case st.Open():
		if err := b.update(st, st.closed(Replaced, st.lastSign()), r.At); err != nil {
			return err
		}
	}
	_, err := b.begin(r, st.reuse+1)
	return err
}

// current returns the newest session with this key, where that takes no reading.
func (b *batch) current(k key) *state {
	if st := b.now[k]; st != nil {
		return st
	}
	return b.w.l.memory.find(k)
}

// past takes in a report of a session whose key is another's by now. That one is
// open, so this one stays closed whatever the report says.
func (b *batch) past(st *state, r *member.Session) error {
	for st.before(r) {
		var err error
		if st, err = b.find(keyOf(r), st.reuse-1); st == nil || err != nil {
			return err // nil: it was forgotten
		}
	}
	next := st.with(r)
	if next.Open() {
		next = next.closed(st.Closed, next.lastSign())
	}
	return b.write(st, next, r.At)
}

// restart closes the sessions of a NAS that were there before it began to report
// anew, or ended to report. One that was heard of since then lives: an Accounting-On
// may come late.
func (b *batch) restart(r *member.Session) error {
	how := ByOn
	if r.Event == member.NASOff {
		how = ByOff
	}
	for _, st := range b.openOf(r.Client, r.NAS) {
		// Event-Timestamp has whole seconds: of the same one, what came first was first.
		before := st.Started.Before(r.At) || st.Started.Equal(r.At) && st.Received.Before(r.Received)
		if before && !st.At.After(r.At) {
			if err := b.update(st, st.closed(how, r.At), r.At); err != nil {
				return err
			}
		}
	}
	return nil
}

// openOf returns the open sessions of a NAS.
func (b *batch) openOf(client, nas string) []*state {
	var open []*state
	for _, st := range b.w.l.memory.of(listNAS, nasName(client, nas)) {
		if _, newer := b.now[keyOf(&st.Session.Session)]; !newer {
			open = append(open, st)
		}
	}
	for k, st := range b.now {
		if k.client == client && k.nas == nas && st.Open() {
			open = append(open, st)
		}
	}
	return open
}

// find reads the newest session with this key whose reuse is not above that; nil:
// there is none.
func (b *batch) find(k key, reuse int64) (*state, error) {
	st, err := scan(b.w.stmt.find.QueryRowContext(b.w.ctx, k.client, k.nas, k.acctID, k.user, reuse))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return st, err
}

// begin writes a new session; done is false where its key is there already.
func (b *batch) begin(r *member.Session, reuse int64) (done bool, err error) {
	w := b.w
	if w.last, err = w.last.next(w.l.now(), w.l.config.Random); err != nil {
		return false, err
	}
	st := begin(r, w.last, reuse)
	if done, err = b.insert(st); !done || err != nil {
		return false, err
	}
	b.note(nil, st, r.At)
	b.now[keyOf(r)] = st
	return true, nil
}

// update writes what a report of that time has made of the newest session of its key.
func (b *batch) update(st, next *state, at time.Time) error {
	b.now[keyOf(&next.Session.Session)] = next
	return b.write(st, next, at)
}

// write writes what a report of that time has made of a session.
func (b *batch) write(st, next *state, at time.Time) error {
	if next == st {
		return nil
	}
	w, stmt := b.w, b.w.stmt.updateCounts
	w.args = next.countValues(w.args[:0])
	switch counts, end := st.same(next); {
	case !end:
		w.args, stmt = next.restValues(next.endValues(w.args)), w.stmt.update
	case !counts:
		w.args, stmt = next.endValues(w.args), w.stmt.updateEnd
	}
	w.args = append(w.args, next.id.head)
	n, err := stmt.run(w.ctx, w.args)
	if err == nil && n == 0 { // somebody took the row away by hand
		_, err = b.insert(next)
	}
	if err != nil {
		return err
	}
	b.note(st, next, at)
	return nil
}

// insert writes the row of a session; done is false where its key is there already.
func (b *batch) insert(st *state) (done bool, err error) {
	w := b.w
	w.args = st.restValues(st.endValues(st.countValues(st.keyValues(w.args[:0]))))
	n, err := w.stmt.insert.run(w.ctx, w.args)
	return n > 0, err
}

// note keeps what memory and others are told, and what was used.
func (b *batch) note(st, next *state, at time.Time) {
	kind := Updated
	switch {
	case !next.Open():
		kind = Closed
	case st == nil || !st.Open():
		kind = Opened
	}
	b.steps = append(b.steps, step{kind, next})
	b.use(next, st.grown(next), at)
}
