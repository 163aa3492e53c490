package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"memberradius/member"
)

var (
	// ErrChanged says that somebody has written members of the backend since
	// they were read: read them again.
	ErrChanged = errors.New("the members have changed since they were read")
	// ErrRepeated says that a push with this id has been applied already.
	ErrRepeated = errors.New("a push with this id has been applied already")
)

// deliveryKept is for how long the id of a push is known. Senders of Standard
// Webhooks repeat for about a day.
const deliveryKept = 24 * time.Hour

// Changes are what one sync or push does to the members of a backend.
type Changes struct {
	// Seen is the counter that Kept returned. Where somebody has written since,
	// Apply is ErrChanged. 0 is not checked.
	Seen int64
	// Edits are as for Import.
	Edits []Edit
	// Forget are logins whose members go for good; who is not there is no error.
	Forget []string
	// Events go into the outbox. Their ID and Created are filled in, Backend and
	// Next (now) where they are empty.
	Events []Event
	// Run goes into the journal of syncs. Its ID and Backend are filled in where
	// they are empty.
	Run *Run
	// AsOf is when what a push says was so, Of the members that it speaks of; see
	// Newer. Zero is not kept.
	AsOf time.Time
	Of   []member.Record
	// Delivery is the id of a push. One that was applied within the last 24 hours
	// is ErrRepeated. "" is not checked.
	Delivery string
}

// Apply does all of c in one transaction, or, where it returns an error,
// nothing of it. What holds already is not written again.
func (s *Store) Apply(ctx context.Context, backend string, c *Changes) (Imported, error) {
	var done Imported
	if backend == "" {
		return done, errNoBackend
	}
	goes := make(map[string]string, len(c.Edits)+len(c.Forget))
	for _, login := range c.Forget {
		goes[member.FoldString(login)] = login
	}
	if err := checkAll(c.Edits, goes); err != nil {
		return done, err
	}
	if err := checkEvents(c.Events); err != nil {
		return done, err
	}
	err := s.transact(ctx, func(tx *sql.Tx) error {
		w := &writer{s: s, tx: tx, backend: backend}
		if err := w.expect(ctx, c); err != nil {
			return err
		}
		if err := w.forget(ctx, c.Forget); err != nil {
			return err
		}
		if err := w.writeAll(ctx, c.Edits, nil); err != nil {
			return err
		}
		if err := errors.Join(w.post(ctx, c.Events), w.heard(ctx, c)); err != nil {
			return err
		}
		done = w.done
		if c.Run == nil {
			return nil
		}
		if c.Run.Backend == "" {
			c.Run.Backend = backend
		}
		return s.addRun(ctx, tx, c.Run)
	})
	if err != nil {
		return Imported{}, s.explain(fmt.Sprintf("write members of backend %q", backend), err)
	}
	return done, nil
}

// expect says whether c may be applied to what is there.
func (w *writer) expect(ctx context.Context, c *Changes) error {
	if c.Seen != 0 {
		// It writes nothing new, but makes other writers wait where readers would not.
		var now int64
		err := w.tx.QueryRowContext(ctx, `UPDATE change SET counter = counter WHERE backend = ? RETURNING counter`, w.backend).Scan(&now)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if now != c.Seen {
			return ErrChanged
		}
	}
	if c.Delivery == "" {
		return nil
	}
	// By its digest: an id is whatever a sender makes of it.
	digest, now := sha256.Sum256([]byte(c.Delivery)), w.s.now()
	res, err := w.tx.ExecContext(ctx, `INSERT INTO push_seen (backend, digest, seen_at) VALUES (?, ?, ?)
		ON CONFLICT (backend, digest) DO UPDATE SET seen_at = excluded.seen_at WHERE push_seen.seen_at <= ?`,
		w.backend, digest[:], now.UnixMilli(), now.Add(-deliveryKept).UnixMilli())
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return ErrRepeated
}
