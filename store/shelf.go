package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// A Shelf keeps the answers of member systems over a restart, each sealed. It
// is what a cache is given (backends.Shelf).
type Shelf struct{ s *Store }

// Shelf returns the store's one shelf.
func (s *Store) Shelf() Shelf { return Shelf{s} }

// Key returns the key with which a cache makes the digests that it puts answers
// under. It is the same after a restart, and secret: with it one could try
// passwords against a copy of the database.
func (h Shelf) Key() [32]byte { return h.s.digestKey }

// answerPlace binds an answer to its key and its end as well: nobody may make
// it last longer than its cache said.
func answerPlace(backend string, key []byte, until int64) *place {
	return &place{table: "answer", column: "value", row: [3]string{backend, hex.EncodeToString(key), strconv.FormatInt(until, 10)}}
}

// Change calls f once, with what keeps a value, sealed, under a key until a
// time, over what was there, and what forgets a key; nothing there is no error.
// It is one transaction: all of it, or nothing where there is an error. A power
// cut may lose the last ones: those answers are only asked for again.
func (h Shelf) Change(ctx context.Context, backend string, f func(put func(key [32]byte, value []byte, until time.Time) error, forget func(key [32]byte) error) error) error {
	err := h.s.transactIn(ctx, h.s.quick, func(tx *sql.Tx) error {
		keep, err := tx.PrepareContext(ctx, `INSERT INTO answer (backend, digest, value, keep_until) VALUES (?, ?, ?, ?)
			ON CONFLICT (backend, digest) DO UPDATE SET value = excluded.value, keep_until = excluded.keep_until`)
		if err != nil {
			return err
		}
		defer func() { _ = keep.Close() }()
		put := func(key [32]byte, value []byte, until time.Time) error {
			end := until.UnixMilli()
			sealed, err := h.s.answers.seal(value, answerPlace(backend, key[:], end))
			if err == nil {
				_, err = keep.ExecContext(ctx, backend, key[:], sealed, end)
			}
			return err
		}
		forget := func(key [32]byte) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM answer WHERE backend = ? AND digest = ?`, backend, key[:])
			return err
		}
		return f(put, forget)
	})
	return h.s.explain(fmt.Sprintf("keep answers of backend %q", backend), err)
}

// Each calls f for every value of backend that has not run out, until f returns
// an error, which Each returns as it is. What does not open is left out: it
// only costs asking again. value is valid until f returns.
func (h Shelf) Each(ctx context.Context, backend string, f func(key [32]byte, value []byte, until time.Time) error) error {
	doing := fmt.Sprintf("read the kept answers of backend %q", backend)
	rows, err := h.s.quick.QueryContext(ctx, `SELECT digest, value, keep_until FROM answer WHERE backend = ? AND keep_until > ?`,
		backend, h.s.now().UnixMilli())
	if err != nil {
		return h.s.explain(doing, err)
	}
	defer func() { _ = rows.Close() }()
	var digest, sealed, value []byte
	var end int64
	for rows.Next() {
		if err := rows.Scan(&digest, &sealed, &end); err != nil {
			return h.s.explain(doing, err)
		}
		opened, err := h.s.answers.open(value[:0], sealed, answerPlace(backend, digest, end))
		if err != nil || len(digest) != 32 {
			continue
		}
		value = opened
		if err := f([32]byte(digest), value, time.UnixMilli(end)); err != nil {
			return err
		}
	}
	return h.s.explain(doing, rows.Err())
}

// Purge forgets the answers that have run out, and returns how many there were.
// Reading skips them, but they take room: call it now and then.
func (h Shelf) Purge(ctx context.Context) (int64, error) {
	const doing = "forget the answers that have run out"
	res, err := h.s.quick.ExecContext(ctx, `DELETE FROM answer WHERE keep_until <= ?`, h.s.now().UnixMilli())
	if err != nil {
		return 0, h.s.explain(doing, err)
	}
	n, err := res.RowsAffected()
	return n, h.s.explain(doing, err)
}
