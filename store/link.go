package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"memberradius/member"
)

// ErrNoLink says that a link or a visit is unknown, used up or has run out.
// Whoever presents one does not learn which.
var ErrNoLink = errors.New("no such link")

// A Link leads a member to her personal page.
type Link struct {
	Backend, Login string
	// Until is when it ends, in whole milliseconds.
	Until time.Time
}

// MakeLink makes a link for a member that is good for one visit and not longer
// than until, and returns its secret of 256 random bits, which is kept nowhere:
// the store has its SHA-256. Her earlier links end; a visit that has begun goes
// on. One who is not there is member.ErrUnknown.
func (s *Store) MakeLink(ctx context.Context, backend, login string, until time.Time) (member.Secret, error) {
	return s.makeLink(ctx, &Link{backend, login, until}, false)
}

// MakeLinkBeside is MakeLink, and her earlier links stay good: for a letter that
// is sent again and may have come the first time.
func (s *Store) MakeLinkBeside(ctx context.Context, backend, login string, until time.Time) (member.Secret, error) {
	return s.makeLink(ctx, &Link{backend, login, until}, true)
}

func (s *Store) makeLink(ctx context.Context, l *Link, beside bool) (member.Secret, error) {
	secret, err := s.newTicket()
	if err != nil {
		return "", fmt.Errorf("store: make a link for member %q: %w", l.Login, err)
	}
	folded := member.FoldString(l.Login)
	err = s.transact(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT login FROM member WHERE backend = ? AND folded = ?`, l.Backend, folded).Scan(&l.Login)
		if errors.Is(err, sql.ErrNoRows) {
			return member.ErrUnknown
		}
		if err != nil {
			return err
		}
		if !beside {
			_, err = tx.ExecContext(ctx, `DELETE FROM page_link WHERE backend = ? AND folded = ? AND session = 0`, l.Backend, folded)
			if err != nil {
				return err
			}
		}
		return addLink(ctx, tx, &secret, &linkRow{Link: *l})
	})
	if err != nil {
		return "", s.explain(fmt.Sprintf("make a link for member %q", l.Login), err)
	}
	return secret.text(), nil
}

// A linkRow is a row of page_link: a link, or a visit that began with one.
type linkRow struct {
	Link
	session bool
}

func addLink(ctx context.Context, tx *sql.Tx, t *ticket, l *linkRow) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO page_link (id, backend, login, folded, session, digest, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		t.id.String(), l.Backend, l.Login, member.FoldString(l.Login), smallint(l.session), t.digest(), l.Until.UnixMilli())
	return err
}

// findLink returns the link, or with session the visit, that is presented.
func (s *Store) findLink(ctx context.Context, q querier, presented *ticket, session bool) (*Link, error) {
	var l Link
	var digest []byte
	var ends sql.NullInt64
	err := q.QueryRowContext(ctx, `SELECT backend, login, digest, expires_at FROM page_link WHERE id = ? AND session = ?`,
		presented.id.String(), smallint(session)).Scan(&l.Backend, &l.Login, &digest, &ends)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoLink
	}
	if err != nil {
		return nil, err
	}
	l.Until = moment(ends)
	if !presented.proves(digest) || !s.now().Before(l.Until) {
		return nil, ErrNoLink
	}
	return &l, nil
}

func (s *Store) peek(ctx context.Context, presented member.Secret, session bool) (*Link, error) {
	secret, ok := parseTicket(presented)
	if !ok {
		return nil, ErrNoLink
	}
	l, err := s.findLink(ctx, s.db, &secret, session)
	if errors.Is(err, ErrNoLink) {
		return nil, ErrNoLink
	}
	return l, s.explain("look for a link", err)
}

// PeekLink says where a link leads, and leaves it as it is: programs that look
// into mails follow links before their reader does. ErrNoLink: nowhere.
func (s *Store) PeekLink(ctx context.Context, presented member.Secret) (*Link, error) {
	return s.peek(ctx, presented, false)
}

// LinkSession returns the visit whose secret is presented. ErrNoLink: there is
// none, or it is over.
func (s *Store) LinkSession(ctx context.Context, presented member.Secret) (*Link, error) {
	return s.peek(ctx, presented, true)
}

// TakeLink uses a link up and begins a visit that lasts so long. It returns the
// secret of the visit, which LinkSession takes. However many take one link at
// the same time, one of them gets a visit, and the others ErrNoLink.
func (s *Store) TakeLink(ctx context.Context, presented member.Secret, lasts time.Duration) (session member.Secret, l *Link, err error) {
	link, ok := parseTicket(presented)
	if !ok {
		return "", nil, ErrNoLink
	}
	visit, err := s.newTicket()
	if err != nil {
		return "", nil, fmt.Errorf("store: take a link: %w", err)
	}
	err = s.transact(ctx, func(tx *sql.Tx) error {
		if l, err = s.findLink(ctx, tx, &link, false); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM page_link WHERE id = ?`, link.id.String())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNoLink)
		}
		l.Until = moment(millis(s.now().Add(lasts)))
		return addLink(ctx, tx, &visit, &linkRow{*l, true})
	})
	if errors.Is(err, ErrNoLink) {
		return "", nil, ErrNoLink
	}
	if err != nil {
		return "", nil, s.explain("take a link", err)
	}
	return visit.text(), l, nil
}
