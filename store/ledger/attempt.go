package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"memberradius/member"
)

// The kinds of an Attempt (RFC 5176 §3), and what came of it.
const (
	KindDisconnect = "disconnect"
	KindCoA        = "coa"

	ResultACK     = "ack"
	ResultNAK     = "nak"
	ResultTimeout = "timeout"
	// ResultRefused: it was not sent at all.
	ResultRefused = "refused"
)

// An Attempt is one try to change or end a session at its NAS.
type Attempt struct {
	// ID is a UUIDv7; NoteAttempt makes one where it is empty. Session is the ID of the session.
	ID, Session string
	// At is when it was sent first.
	At time.Time
	// Kind is disconnect or coa, Why the reason for it, Target where it was sent,
	// Result ack, nak, timeout or refused.
	Kind, Why, Target, Result string
	// ErrorCause is that of the answer (RFC 5176 §3.6); 0: none.
	ErrorCause int
	// Sends is how often it was sent, Took how long the answer took, in whole microseconds.
	Sends int
	Took  time.Duration
	// Plan and VLAN are what a CoA-Request asks for: the session has them once the NAS
	// has acknowledged it. Attempts leaves them empty.
	Plan, VLAN string
	// Gone is when the session ended at or after a Disconnect-Request, by its NAS's
	// Stop; zero: not yet. Attempts fills it in; who notes it need not know it.
	Gone time.Time
}

const attemptQuery = `INSERT INTO attempt (id, session, at, kind, why, target, result, error_cause, sends, took, gone_at)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (id) DO UPDATE SET result = excluded.result, error_cause = excluded.error_cause, sends = excluded.sends,
		took = excluded.took, target = excluded.target, gone_at = coalesce(excluded.gone_at, attempt.gone_at)`

// NoteAttempt writes a, or over it what has come of it since; an open session has
// the plan and the VLAN of an acknowledged CoA-Request from then on. It shares a
// commit with what else comes in.
func (l *Ledger) NoteAttempt(ctx context.Context, a *Attempt) error {
	const doing = "note an attempt"
	if a.Session == "" || a.Kind == "" {
		return fmt.Errorf("ledger: %s: it names no session, or no kind", doing)
	}
	for _, text := range [...]string{a.ID, a.Session, a.Kind, a.Why, a.Target, a.Result, a.Plan, a.VLAN} {
		if len(text) > member.MaxSessionText {
			return fmt.Errorf("ledger: %s: a text of %d octets, at most %d", doing, len(text), member.MaxSessionText)
		}
	}
	if a.ID == "" {
		i, err := id{}.next(l.now(), l.config.Random)
		if err != nil {
			return l.explain(doing, err)
		}
		a.ID = i.String()
	}
	args := []any{a.ID, a.Session, a.At.UnixMilli(), a.Kind, a.Why, a.Target, a.Result, a.ErrorCause, a.Sends, a.Took.Microseconds(), moment(a.Gone)}
	changes := a.Kind == KindCoA && a.Result == ResultACK
	session, plan, vlan, at := a.Session, a.Plan, a.VLAN, a.At
	return l.do(ctx, doing, task{other: func(b *batch) error {
		if _, err := b.w.stmt.attempt.ExecContext(b.w.ctx, args...); err != nil || !changes {
			return err
		}
		return b.changed(session, plan, vlan, at)
	}})
}

// changed takes over what a NAS has acknowledged that an open session has now.
func (b *batch) changed(session, plan, vlan string, at time.Time) error {
	i, _ := parseID(session)
	st := b.w.l.memory.findID(i.head)
	if st != nil {
		st = b.current(keyOf(&st.Session.Session))
	}
	if st == nil || st.id != i || !st.Open() {
		return nil
	}
	next := *st
	next.Plan, next.VLAN = plan, vlan
	return b.update(st, &next, at)
}

// Attempts returns what was attempted on a session, in the order of time.
func (l *Ledger) Attempts(ctx context.Context, session string) ([]Attempt, error) {
	const doing = "read attempts"
	s, err := l.Find(ctx, session)
	if err != nil {
		s = &Session{ID: session}
	}
	rows, err := l.read.QueryContext(ctx, `SELECT id, session, at, kind, why, target, result, error_cause, sends, took, gone_at
		FROM attempt WHERE session = ? ORDER BY at, rowid`, s.ID)
	if err != nil {
		return nil, l.explain(doing, err)
	}
	defer func() { _ = rows.Close() }()
	var all []Attempt
	for rows.Next() {
		var a Attempt
		var at, took int64
		var gone sql.NullInt64
		if err := rows.Scan(&a.ID, &a.Session, &at, &a.Kind, &a.Why, &a.Target, &a.Result, &a.ErrorCause, &a.Sends, &took, &gone); err != nil {
			return nil, l.explain(doing, err)
		}
		a.At, a.Took, a.Gone = time.UnixMilli(at).UTC(), time.Duration(took)*time.Microsecond, readMoment(gone)
		if a.Kind == KindDisconnect && a.Gone.IsZero() && s.Closed == ByStop && !s.Updated.Before(a.At) {
			a.Gone = s.Updated
		}
		all = append(all, a)
	}
	return all, l.explain(doing, rows.Err())
}
