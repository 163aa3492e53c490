package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"memberradius/member"
)

const (
	// portalLogKept is for how long an attempt at a portal is kept, and
	// portalLogMost how many are, the newest.
	portalLogKept = 30 * 24 * time.Hour
	portalLogMost = 100_000
	// portalLogTrim is after how many attempts this process counts them: strangers
	// must not fill the disk between two sweeps.
	portalLogTrim = 1000
)

// A PortalEntry is one attempt at a portal. Texts come from strangers: they are
// shortened, and have no control characters.
type PortalEntry struct {
	// ID is filled in by NotePortal.
	ID string
	// At is when it was, in whole milliseconds; zero: now.
	At time.Time
	// Site is whose portal it was; MAC and IP are the device's, as far as they are known.
	Site, MAC, IP string
	// Login is who it claimed to be. It never holds a voucher's code.
	Login string
	// Method is how: password, voucher, click, portal_login. Backend is the member
	// system that answered, "" where none was asked.
	Method, Backend string
	// Status is the HTTP status that the member system answered with, 0: none; Took
	// is how long it took, in whole milliseconds.
	Status int
	Took   time.Duration
	// Outcome is what came of it in one word, Reason why.
	Outcome, Reason string
	// PageID is the grant that came of it; 0: none.
	PageID int64
}

// NotePortal puts an attempt into the log; ID and At are filled in. A power cut
// may take the last ones back.
func (s *Store) NotePortal(ctx context.Context, e *PortalEntry) error {
	const doing = "write to the portal log"
	id, err := newUUID(s.now(), s.random)
	if err != nil {
		return s.explain(doing, err)
	}
	if e.ID = id.String(); e.At.IsZero() {
		e.At = s.now()
	}
	for _, text := range [...]*string{&e.Site, &e.MAC, &e.IP, &e.Login, &e.Method, &e.Backend, &e.Outcome, &e.Reason} {
		*text = strings.TrimSpace(remark(*text))
	}
	if len(e.Login) > member.MaxLogin {
		e.Login = strings.ToValidUTF8(e.Login[:member.MaxLogin], "")
	}
	e.At, e.Took = moment(millis(e.At)), e.Took.Truncate(time.Millisecond)
	return s.explain(doing, s.transactIn(ctx, s.quick, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO portal_log (id, backend, site, at, mac, ip, login, folded, method, status, took, outcome, reason, page_id)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, e.ID, e.Backend, e.Site, e.At.UnixMilli(), e.MAC, e.IP, e.Login,
			member.FoldString(e.Login), e.Method, e.Status, e.Took.Milliseconds(), e.Outcome, e.Reason, e.PageID)
		if err != nil || s.noted.Add(1)%portalLogTrim != 0 {
			return err
		}
		return s.trimPortalLog(ctx, tx)
	}))
}

// trimPortalLog removes the oldest attempts of more than are kept.
func (s *Store) trimPortalLog(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM portal_log WHERE id <= (SELECT id FROM portal_log ORDER BY id DESC LIMIT 1 OFFSET ?)`, s.portalMost)
	return err
}

// A PortalFilter says which attempts to list. Empty fields ask for nothing.
type PortalFilter struct {
	Site, MAC, Login, Method, Backend, Outcome string
	// Since and Until bound when it was; Until itself is not among it.
	Since, Until time.Time
	// Before is the ID of the last attempt of the page before; "": the first page.
	Before string
}

// PortalLog returns attempts at portals, the newest first, and not more than
// most; 0 is MaxListed. They are kept for 30 days, and the newest 100,000 of them.
func (s *Store) PortalLog(ctx context.Context, f *PortalFilter, most int) ([]PortalEntry, error) {
	var l listing
	l.equal("site", f.Site)
	l.equal("mac", f.MAC)
	l.equal("folded", member.FoldString(f.Login))
	l.equal("method", f.Method)
	l.equal("backend", f.Backend)
	l.equal("outcome", f.Outcome)
	if !f.Since.IsZero() {
		l.where("at >= ?", f.Since.UnixMilli())
	}
	if !f.Until.IsZero() {
		l.where("at < ?", f.Until.UnixMilli())
	}
	if f.Before != "" {
		l.where("id < ?", f.Before)
	}
	query, args := l.query(`SELECT id, backend, site, at, mac, ip, login, method, status, took, outcome, reason, page_id FROM portal_log`, "id DESC", most)
	var all []PortalEntry
	err := eachOf(ctx, s.db, query, args, func(scan func(...any) error) error {
		var e PortalEntry
		var at sql.NullInt64
		var took int64
		err := scan(&e.ID, &e.Backend, &e.Site, &at, &e.MAC, &e.IP, &e.Login, &e.Method, &e.Status, &took, &e.Outcome, &e.Reason, &e.PageID)
		e.At, e.Took = moment(at), time.Duration(took)*time.Millisecond
		all = append(all, e)
		return err
	})
	return all, s.explain("read the portal log", err)
}
