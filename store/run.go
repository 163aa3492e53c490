package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode"
)

// The bounds of a run in the journal.
const (
	// RunsKept is how many runs of a backend are kept. Beside them stays the
	// newest good one of each kind, which the next sync goes by.
	RunsKept = 1000
	// MaxNotes is how many notes a run can have; more are cut off.
	MaxNotes = 100
	// maxRemark is the longest error or note in octets; the rest is cut off.
	maxRemark = 1000
)

// RunFull is the Kind of a Run that read everything.
const RunFull = "full"

// A Run is one sync or push, as the journal keeps it. It has whole
// milliseconds, and neither passwords nor tokens.
type Run struct {
	ID, Backend string
	// Trigger is what started it, Kind what was read: full, changes, refs, push.
	Trigger, Kind  string
	Started, Ended time.Time
	// How many members were new, changed, members again, no longer members, as
	// they were, and could not be used.
	Added, Changed, Returned, Lapsed, Unchanged, Skipped int
	// Requests and Pages are how many were sent and read.
	Requests, Pages int
	// Held says that it was not applied, because too many would have gone.
	Held bool
	// Error says why it failed; empty: it did not.
	Error string
	// Notes are what the operator should look at: plans that are not mapped,
	// logins that came twice.
	Notes []string
}

// RecordRun puts r into the journal. Its ID is filled in where it is empty.
func (s *Store) RecordRun(ctx context.Context, r *Run) error {
	if r.Backend == "" {
		return errors.New("store: record a sync: no backend is named")
	}
	return s.explain("record a sync", s.transact(ctx, func(tx *sql.Tx) error { return s.addRun(ctx, tx, r) }))
}

const runColumns = `id, backend, started_by, kind, started_at, ended_at, added, changed, returned, lapsed,
	unchanged, skipped, requests, pages, held, error, notes`

func (s *Store) addRun(ctx context.Context, tx *sql.Tx, r *Run) error {
	if r.ID == "" {
		id, err := newUUID(s.now(), s.random)
		if err != nil {
			return err
		}
		r.ID = id.String()
	}
	notes := make([]string, 0, min(len(r.Notes), MaxNotes))
	for _, note := range r.Notes[:min(len(r.Notes), MaxNotes)] {
		notes = append(notes, remark(note))
	}
	text, err := json.Marshal(notes)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO sync_run (`+runColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.Backend, r.Trigger, r.Kind, r.Started.UnixMilli(), r.Ended.UnixMilli(), r.Added, r.Changed, r.Returned, r.Lapsed,
		r.Unchanged, r.Skipped, r.Requests, r.Pages, smallint(r.Held), remark(r.Error), string(text))
	if err != nil {
		return err
	}
	// Those that failed go, and the good ones that a newer good one of their kind
	// follows: many pushes must not make the server forget its last full sync.
	_, err = tx.ExecContext(ctx, `DELETE FROM sync_run WHERE id IN (
			SELECT id FROM sync_run WHERE backend = ? ORDER BY started_at DESC, id DESC LIMIT 1000 OFFSET ?)
		AND (held <> 0 OR error <> '' OR EXISTS (SELECT 1 FROM sync_run newer WHERE newer.backend = sync_run.backend
			AND newer.kind = sync_run.kind AND newer.held = 0 AND newer.error = '' AND newer.started_at > sync_run.started_at))`,
		r.Backend, RunsKept)
	return err
}

// remark makes one short line of what a member system may have worded.
func remark(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || turnsText(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if len(s) > maxRemark {
		s = strings.ToValidUTF8(s[:maxRemark], "") + "..."
	}
	return s
}

// Runs returns the runs of a backend, or of all where backend is "", the newest
// first, and not more than most.
func (s *Store) Runs(ctx context.Context, backend string, most int) ([]Run, error) {
	return s.runs(ctx, `SELECT `+runColumns+` FROM sync_run WHERE backend = ? OR ? = '' ORDER BY started_at DESC, id DESC LIMIT ?`,
		backend, backend, most)
}

// LastGood returns the newest run of this kind that was applied; nil: there is none.
func (s *Store) LastGood(ctx context.Context, backend, kind string) (*Run, error) {
	runs, err := s.runs(ctx, `SELECT `+runColumns+` FROM sync_run WHERE backend = ? AND kind = ? AND held = 0 AND error = ''
		ORDER BY started_at DESC, id DESC LIMIT 1`, backend, kind)
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	return &runs[0], nil
}

func (s *Store) runs(ctx context.Context, query string, args ...any) ([]Run, error) {
	const doing = "read the journal of syncs"
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, s.explain(doing, err)
	}
	defer func() { _ = rows.Close() }()
	var runs []Run
	for rows.Next() {
		var r Run
		var started, ended int64
		var notes []byte
		err := rows.Scan(&r.ID, &r.Backend, &r.Trigger, &r.Kind, &started, &ended, &r.Added, &r.Changed, &r.Returned, &r.Lapsed,
			&r.Unchanged, &r.Skipped, &r.Requests, &r.Pages, &r.Held, &r.Error, &notes)
		if err == nil {
			err = json.Unmarshal(notes, &r.Notes)
		}
		if err != nil {
			return nil, s.explain(doing, err)
		}
		r.Started, r.Ended = time.UnixMilli(started).UTC(), time.UnixMilli(ended).UTC()
		runs = append(runs, r)
	}
	return runs, s.explain(doing, rows.Err())
}
