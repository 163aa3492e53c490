package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"memberradius/member"
)

// asOfKept is for how long it is known how new what a push said is. Kinds take
// no push that is older than 30 days.
const asOfKept = 60 * 24 * time.Hour

// who names the members that r may be of, in the table as_of.
func who(r *member.Record) (keys []string) {
	if r.Member.Login != "" {
		keys = append(keys, "l:"+member.FoldString(r.Member.Login))
	}
	if r.Member.ID != "" {
		keys = append(keys, "i:"+r.Member.ID)
	}
	return keys
}

// Newer returns those of records that say something newer than, or as new as,
// what pushes have said of the same members before.
func (s *Store) Newer(ctx context.Context, backend string, asOf time.Time, records []member.Record) ([]member.Record, error) {
	newer := make([]member.Record, 0, len(records))
	for i := range records {
		r, stale := &records[i], false
		for _, key := range who(r) {
			var known int64
			err := s.db.QueryRowContext(ctx, `SELECT as_of FROM as_of WHERE backend = ? AND who = ?`, backend, key).Scan(&known)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return nil, s.explain("see how new a push is", err)
			}
			stale = stale || err == nil && known > asOf.UnixMilli()
		}
		if !stale {
			newer = append(newer, *r)
		}
	}
	return newer, nil
}

// heard writes how new what c says of its members is.
func (w *writer) heard(ctx context.Context, c *Changes) error {
	if c.AsOf.IsZero() {
		return nil
	}
	for i := range c.Of {
		for _, key := range who(&c.Of[i]) {
			if _, err := w.tx.ExecContext(ctx, `INSERT INTO as_of (backend, who, as_of) VALUES (?, ?, ?)
				ON CONFLICT (backend, who) DO UPDATE SET as_of = excluded.as_of WHERE as_of.as_of < excluded.as_of`,
				w.backend, key, c.AsOf.UnixMilli()); err != nil {
				return err
			}
		}
	}
	return nil
}
