package store

import (
	"context"
	"fmt"
	"hash/maphash"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"memberradius/member"
)

// shards is into how many tables the members of a backend are spread. A change
// copies one of them: 400 of 100,000 members.
const shards = 1 << shardBits

// Members are the members of one backend in memory, with their credentials
// opened: what the hot path asks. They follow the database by Refresh and Watch.
type Members struct {
	s       *Store
	backend string
	seed    maphash.Seed
	shard   [shards]atomic.Pointer[table]

	// mu keeps two from reading the database into the shards at once. Lookup does not take it.
	mu sync.Mutex
	// many says that they are too many for the nearest memory.
	many atomic.Bool
	// seen is the number of the last write that the shards know of.
	seen int64
	// read is how many members the last reading brought.
	read  int
	texts *texts
	// follow is told of whom the last reading brought.
	follow func(logins []string)
}

// An entry holds the NT hash beside the record that points to it: one object
// for each member. What each login reads of it stands first.
type entry struct {
	hash   uint64
	folded string
	record member.Record
	nt     member.Hash
}

// gather lays what every login reads of a member side by side: the folded login
// and the password.
func (e *entry) gather(folded string) {
	c := &e.record.Credential
	text := folded + string(c.Password)
	e.folded, c.Password = text[:len(folded)], member.Secret(text[len(folded):])
	if e.record.Member.Login == e.folded {
		e.record.Member.Login = e.folded
	}
}

// Members reads the members of backend into memory. A record there has no
// Email, and the ValidUntil of one who has lapsed is when she did, where her own
// is not earlier. They keep the store in use:
// close it after the last Refresh and Watch have ended.
func (s *Store) Members(ctx context.Context, backend string) (*Members, error) {
	m := &Members{s: s, backend: backend, seed: maphash.MakeSeed()}
	for i := range m.shard {
		m.shard[i].Store(new(table))
	}
	return m, m.Refresh(ctx)
}

// Lookup returns the record of a login, compared by member.Fold. It takes no
// lock, waits for nothing and allocates nothing. The record is shared and
// read-only; it stays as it is when the member changes.
func (m *Members) Lookup(login string) (*member.Record, bool) {
	if len(login) > member.MaxLogin {
		return nil, false
	}
	var room [member.MaxLogin]byte
	folded := member.Fold(room[:0], login)
	hash := maphash.Bytes(m.seed, folded)
	e := m.shard[hash%shards].Load().find(hash, folded)
	if e == nil {
		return nil, false
	}
	return &e.record, true
}

// Len returns how many members there are.
func (m *Members) Len() int {
	n := 0
	for i := range m.shard {
		n += m.shard[i].Load().count
	}
	return n
}

// Backend returns the name of the backend whose members these are.
func (m *Members) Backend() string { return m.backend }

// Refresh reads what was written since the last time, by whichever process.
// Where nothing was it costs one look at one row. After an error the members
// are what they were, and the next Refresh tries again.
func (m *Members) Refresh(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	// The number is read before the rows: a write in between is read twice
	// rather than never.
	last, err := m.s.counter(ctx, m.backend)
	if err != nil {
		return m.s.explain("look for changes", err)
	}
	var logins []string
	first := m.seen == 0
	switch {
	case last == m.seen:
		return nil
	case first || last < m.seen: // the first time, or a backup was put back
		err = m.load(ctx)
	default:
		logins, err = m.catchUp(ctx)
	}
	if err != nil {
		return m.s.explain(fmt.Sprintf("read the members of backend %q", m.backend), err)
	}
	m.seen = last
	m.many.Store(m.Len() >= crowded)
	if m.follow != nil && !first && (logins == nil || len(logins) > 0) {
		m.follow(logins)
	}
	if m.read >= much {
		// What was read left half as much garbage again, and a server that is
		// idle collects none for minutes. It costs 50 ms here, and lookups go on.
		debug.FreeOSMemory()
	}
	return nil
}

// Follow has f called after each Refresh that brought something. logins are
// those who were added, changed or removed, folded; nil says that anybody may
// have changed. Lookup says then what holds now. f is called by whoever
// refreshes, by one at a time, with the members locked: it may use Lookup, must
// not wait, and must not call Refresh. The first reading calls nobody. Call
// Follow before Watch.
func (m *Members) Follow(f func(logins []string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.follow = f
}

// much is from how many members on a reading is followed by giving its garbage
// back: 10,000 leave some ten megabytes.
const much = 10_000

// Watch calls Refresh at every tick until ctx ends. report is called with the
// error when it begins to fail, and with nil when it works again.
func (m *Members) Watch(ctx context.Context, tick <-chan time.Time, report func(error)) {
	watch(ctx, tick, m.Refresh, report)
}

// counter returns the number of the last write to backend; 0 is none yet.
func (s *Store) counter(ctx context.Context, backend string) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT COALESCE(MAX(counter), 0) FROM change WHERE backend = ?`, backend).Scan(&n)
	return n, err
}

// load reads all members.
func (m *Members) load(ctx context.Context) error {
	m.texts = newTexts()
	var fresh [shards][]*entry
	if err := m.readInto(ctx, &fresh, selection{query: allRows, backend: m.backend}); err != nil {
		return err
	}
	for i := range fresh {
		m.shard[i].Store(newTable(fresh[i]))
	}
	return nil
}

// catchUp reads the members that were written after m.seen, and returns their
// folded logins.
func (m *Members) catchUp(ctx context.Context) (logins []string, err error) {
	// Those who were removed come first: one who came back since is among the changed.
	removed, err := m.removed(ctx)
	if err != nil {
		return nil, err
	}
	var changed [shards][]*entry
	if err := m.readInto(ctx, &changed, selection{query: changedRows, backend: m.backend, args: []any{m.seen}}); err != nil {
		return nil, err
	}
	logins = []string{}
	for i := range changed {
		if len(changed[i]) == 0 && len(removed[i]) == 0 {
			continue
		}
		m.shard[i].Store(m.shard[i].Load().with(changed[i], removed[i]))
		logins = append(logins, removed[i]...)
		for _, e := range changed[i] {
			logins = append(logins, e.folded)
		}
	}
	return logins, nil
}

// removed returns the folded logins of those who were removed after m.seen, by shard.
func (m *Members) removed(ctx context.Context) (gone [shards][]string, err error) {
	rows, err := m.s.db.QueryContext(ctx, `SELECT folded FROM member_removed WHERE backend = ? AND changed > ?`, m.backend, m.seen)
	if err != nil {
		return gone, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var folded string
		if err := rows.Scan(&folded); err != nil {
			return gone, err
		}
		i := maphash.String(m.seed, folded) % shards
		gone[i] = append(gone[i], folded)
	}
	return gone, rows.Err()
}

// readInto adds the members of a selection to into, and counts them in read.
func (m *Members) readInto(ctx context.Context, into *[shards][]*entry, what selection) error {
	var buf []byte
	m.read = 0
	return eachRow(ctx, m.s.db, what, func(r *row) (err error) {
		e := new(entry)
		if buf, err = r.open(m.s.credentials, &e.record.Credential, &e.nt, buf); err != nil {
			return err
		}
		if err := r.member(&e.record.Member, m.texts); err != nil {
			return err
		}
		if until := &e.record.Member.ValidUntil; r.lapsed.Valid && (until.IsZero() || r.lapsed.Int64 < until.Unix()) {
			*until = instant(r.lapsed)
		}
		if e.record.Email = r.email; r.email == r.login {
			e.record.Email = e.record.Member.Login // the same memory
		}
		e.gather(r.folded)
		e.hash = maphash.String(m.seed, e.folded)
		into[e.hash%shards] = append(into[e.hash%shards], e)
		m.read++
		return nil
	})
}
