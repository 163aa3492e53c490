package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"memberradius/member"
)

// eventKept is for how long an event that has ended stays in the journal.
const eventKept = 30 * 24 * time.Hour

// The kinds of events.
const (
	// EventWelcome tells a new member of what she comes in with, EventPassword one who has it anew.
	EventWelcome  = "welcome"
	EventPassword = "password"
	// EventWriteBack shows her her password in her own member system.
	EventWriteBack = "writeback"
	// EventPortalLogin tells another system of a portal login. Its Login is the PageID of the grant.
	EventPortalLogin = "portal_login"
)

// An Event is something that a member or her member system is to be told. It
// stays in the outbox until it is done or given up; the journal shows it for 30
// days more. Times have whole milliseconds.
type Event struct {
	// ID is the event's own, the same at each try: what tells a repeated letter
	// from a new one.
	ID string
	// Backend and Login are whom it is about.
	Backend, Login string
	// Kind is welcome, password, writeback or portal_login.
	Kind string
	// Created is when it was put into the outbox, Next when it is to be tried.
	Created, Next time.Time
	// Tries is how often it was tried, LastError why it failed last.
	Tries     int
	LastError string
	// Dead says that it was given up.
	Dead bool
	// Done is when it was done; zero: it was not.
	Done time.Time
}

func checkEvents(events []Event) error {
	for i := range events {
		e := &events[i]
		if err := checkLogin(e.Login); err != nil {
			return fmt.Errorf("store: event for %q: login: %w", e.Login, err)
		}
		if e.Kind == "" {
			return fmt.Errorf("store: event for %q: no kind is named", e.Login)
		}
	}
	return nil
}

// post puts events into the outbox. One that is waiting already gives its place
// to the new one, under the new one's id: who is delivering the old one at this
// moment may have read what no longer holds, and ends nothing with its id.
func (w *writer) post(ctx context.Context, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	put, err := w.tx.PrepareContext(ctx, `INSERT INTO outbox (id, backend, login, folded, kind, created_at, next_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (backend, folded, kind) WHERE ended_at IS NULL DO UPDATE SET id = excluded.id, login = excluded.login,
		created_at = excluded.created_at, next_at = excluded.next_at, tries = 0, last_error = ''`)
	if err != nil {
		return err
	}
	defer func() { _ = put.Close() }()
	now := w.s.now()
	for i := range events {
		e := &events[i]
		id, err := newUUID(now, w.s.random)
		if err != nil {
			return err
		}
		e.ID, e.Created = id.String(), now
		if e.Next.IsZero() {
			e.Next = now
		}
		if e.Backend == "" {
			e.Backend = w.backend
		}
		_, err = put.ExecContext(ctx, e.ID, e.Backend, e.Login, member.FoldString(e.Login), e.Kind, now.UnixMilli(), e.Next.UnixMilli())
		if err != nil {
			return err
		}
	}
	return nil
}

const eventColumns = `SELECT id, backend, login, kind, created_at, next_at, tries, last_error, dead, ended_at FROM outbox`

// DueEvents returns the events that are to be tried at now, those that wait
// longest first, and not more than most.
func (s *Store) DueEvents(ctx context.Context, now time.Time, most int) ([]Event, error) {
	return s.events(ctx, eventColumns+` WHERE ended_at IS NULL AND next_at <= ? ORDER BY next_at, id LIMIT ?`, now.UnixMilli(), most)
}

// Events returns what is in the outbox and its journal, the newest first, and
// not more than most.
func (s *Store) Events(ctx context.Context, most int) ([]Event, error) {
	return s.events(ctx, eventColumns+` ORDER BY id DESC LIMIT ?`, most)
}

func (s *Store) events(ctx context.Context, query string, args ...any) ([]Event, error) {
	const doing = "read the outbox"
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, s.explain(doing, err)
	}
	defer func() { _ = rows.Close() }()
	var events []Event
	for rows.Next() {
		var e Event
		var created, next, ended sql.NullInt64
		if err := rows.Scan(&e.ID, &e.Backend, &e.Login, &e.Kind, &created, &next, &e.Tries, &e.LastError, &e.Dead, &ended); err != nil {
			return nil, s.explain(doing, err)
		}
		e.Created, e.Next = moment(created), moment(next)
		if !e.Dead {
			e.Done = moment(ended)
		}
		events = append(events, e)
	}
	return events, s.explain(doing, rows.Err())
}

// EventDone ends an event. One that is not open any more is left as it is.
func (s *Store) EventDone(ctx context.Context, id string) error {
	return s.endTry(ctx, `UPDATE outbox SET tries = tries + 1, last_error = '', ended_at = ? WHERE id = ? AND ended_at IS NULL`,
		s.now().UnixMilli(), id)
}

// EventFailed says why an event could not be delivered, and when to try it
// again; dead gives it up. why holds no secret. One that is not open any more is
// left as it is.
func (s *Store) EventFailed(ctx context.Context, id string, next time.Time, why string, dead bool) error {
	var ended sql.NullInt64
	switch {
	case dead:
		ended, next = millis(s.now()), s.now()
	case next.IsZero():
		return errors.New("store: write to the outbox: an event that is to be tried again needs a time")
	}
	return s.endTry(ctx, `UPDATE outbox SET tries = tries + 1, next_at = ?, last_error = ?, dead = ?, ended_at = ? WHERE id = ? AND ended_at IS NULL`,
		next.UnixMilli(), remark(why), smallint(dead), ended, id)
}

func (s *Store) endTry(ctx context.Context, query string, args ...any) error {
	return s.explain("write to the outbox", s.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	}))
}
