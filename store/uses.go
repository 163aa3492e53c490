package store

import (
	"context"
	"database/sql"
	"maps"
	"sync"
	"time"

	"memberradius/member"
)

// FirstUses are when members first used plans that are valid for a time from
// then on. They are in memory, and written by Save: what a crash loses is the
// beginning of a day pass, which then begins once more.
type FirstUses struct {
	s *Store
	// writing is held while the database is read or written; Used and Use don't take it.
	writing sync.Mutex

	mu    sync.Mutex
	known map[useKey]int64 // seconds since 1970
	// unsaved are those that Save has still to write.
	unsaved map[useKey]int64
}

type useKey struct{ backend, folded, plan string }

// usesLast is how long a first use is remembered: longer than any day pass, and
// than anybody would believe a ticket from a drawer to be good.
const usesLast = 400 * 24 * time.Hour

// FirstUses reads those that are not forgotten yet.
func (s *Store) FirstUses(ctx context.Context) (*FirstUses, error) {
	u := &FirstUses{s: s, unsaved: map[useKey]int64{}}
	return u, u.Reload(ctx)
}

// Reload reads them anew: who was forgotten, and what is old, is among them no more.
func (u *FirstUses) Reload(ctx context.Context) error {
	s, known := u.s, map[useKey]int64{}
	u.writing.Lock()
	defer u.writing.Unlock()
	rows, err := s.db.QueryContext(ctx, `SELECT backend, folded, plan, used_at FROM first_use WHERE used_at > ?`, s.now().Add(-usesLast).Unix())
	if err != nil {
		return s.explain("read the first uses of plans", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var k useKey
		var at int64
		if err := rows.Scan(&k.backend, &k.folded, &k.plan, &at); err != nil {
			return s.explain("read the first uses of plans", err)
		}
		known[k] = at
	}
	if err := rows.Err(); err != nil {
		return s.explain("read the first uses of plans", err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	maps.Copy(known, u.unsaved)
	u.known = known
	return nil
}

func keyOf(m *member.Member, plan string) useKey {
	return useKey{m.Backend, member.FoldString(m.Login), plan}
}

// Used returns when the member first used the plan, if she did. It waits for
// nothing but other calls of these methods.
func (u *FirstUses) Used(m *member.Member, plan string) (time.Time, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	at, ok := u.known[keyOf(m, plan)]
	return instant(sql.NullInt64{Int64: at, Valid: ok}), ok
}

// Use remembers that she uses it from now on, unless she did before.
func (u *FirstUses) Use(m *member.Member, plan string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	k := keyOf(m, plan)
	if _, was := u.known[k]; !was {
		u.known[k], u.unsaved[k] = now.Unix(), now.Unix()
	}
}

// Save writes what is new, and forgets what is old. What can't be written is
// tried again by the next Save.
func (u *FirstUses) Save(ctx context.Context) error {
	u.writing.Lock()
	defer u.writing.Unlock()
	u.mu.Lock()
	saving := u.unsaved
	u.unsaved = map[useKey]int64{}
	u.mu.Unlock()
	if len(saving) == 0 {
		return nil
	}
	err := u.s.transact(ctx, func(tx *sql.Tx) error {
		for k, at := range saving {
			if _, err := tx.ExecContext(ctx, `INSERT INTO first_use (backend, folded, plan, used_at) VALUES (?, ?, ?, ?)
				ON CONFLICT (backend, folded, plan) DO NOTHING`, k.backend, k.folded, k.plan, at); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM first_use WHERE used_at <= ?`, u.s.now().Add(-usesLast).Unix())
		return err
	})
	if err != nil {
		u.mu.Lock()
		for k, at := range saving {
			u.unsaved[k] = at
		}
		u.mu.Unlock()
	}
	return u.s.explain("write the first uses of plans", err)
}
