package store

import (
	"context"
	"database/sql"
)

// A turn is one writer's in this process. SQLite has one writer at a time; who
// waits for it there holds a connection, and gives up after seconds, while a
// first sync may write for longer. Here a writer waits as long as its context.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// try takes the turn where nobody has it.
func (t turn) try() bool {
	select {
	case t <- struct{}{}:
		return true
	default:
		return false
	}
}

func (t turn) end() { <-t }

// transact runs f in a transaction that writes, and whose commit reaches the disk.
func (s *Store) transact(ctx context.Context, f func(*sql.Tx) error) error {
	return s.transactIn(ctx, s.db, f)
}

func (s *Store) transactIn(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	if err := s.turn.take(ctx); err != nil {
		return err
	}
	defer s.turn.end()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
