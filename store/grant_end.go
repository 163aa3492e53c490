package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"memberradius/member"
)

// An ending is how grants end in one write.
type ending struct {
	now    time.Time
	number int64
	why    string
}

// What ends grants: those that nobody has ended. One that had run out before
// has ended by that.
const (
	endGrants = `UPDATE access_grant SET ended_at = CASE WHEN expires_at <= ? THEN expires_at ELSE ? END,
		why = CASE WHEN expires_at <= ? THEN 'expired' ELSE ? END, changed = ? WHERE ended_at IS NULL AND `
	ofGrants = ` RETURNING ` + grantFields + `, original_url`

	endOfPage     = endGrants + `page_id = ?` + ofGrants
	endOfDevice   = endGrants + `mac = ? AND site = ?` + ofGrants
	endEverywhere = endGrants + `mac = ?` + ofGrants
	endOfMember   = endGrants + `backend = ? AND folded = ?` + ofGrants
	endOfVoucher  = endGrants + `voucher <> '' AND voucher IN (SELECT id FROM voucher WHERE id = ? OR name = ?)` + ofGrants
)

// end ends the grants that one of the queries above names, and returns those
// that let somebody in until now.
func (e *ending) end(ctx context.Context, tx *sql.Tx, query string, args ...any) (ended []Grant, err error) {
	now := e.now.UnixMilli()
	err = eachOf(ctx, tx, query, append([]any{now, now, now, e.why, e.number}, args...), func(scan func(...any) error) error {
		var g Grant
		if err := scanGrant(scan, &g); err != nil {
			return err
		}
		if e.now.Before(g.Expires) {
			ended = append(ended, g)
		}
		return nil
	})
	return ended, err
}

// endNow ends grants in a write of its own.
func (s *Store) endNow(ctx context.Context, why, query string, args ...any) (ended []Grant, err error) {
	if why == "" {
		return nil, errors.New("why a grant ends must be said")
	}
	err = s.changeDoors(ctx, func(tx *sql.Tx, number int64) error {
		e := ending{now: s.now(), number: number, why: remark(why)}
		ended, err = e.end(ctx, tx, query, args...)
		return err
	})
	return ended, err
}

// EndGrant ends a grant, and returns it as it ended. why is one of logout and
// kicked, or the caller's own word. One that is unknown or has ended is
// ErrNoGrant. When it returns nil, the next Lookup does not find it.
func (s *Store) EndGrant(ctx context.Context, pageID int64, why string) (*Grant, error) {
	ended, err := s.endNow(ctx, why, endOfPage, pageID)
	if err == nil && len(ended) == 0 {
		err = ErrNoGrant
	}
	if err != nil {
		return nil, s.explain(fmt.Sprintf("end grant %d", pageID), err)
	}
	return &ended[0], nil
}

// EndGrantsOf ends all grants of a member, and returns those that were live: she
// has lost what they were given for. That she has none is no error.
func (s *Store) EndGrantsOf(ctx context.Context, backend, login, why string) ([]Grant, error) {
	if backend == "" || login == "" {
		return nil, errors.New("store: end the grants of a member: a backend and a login are needed")
	}
	ended, err := s.endNow(ctx, why, endOfMember, backend, member.FoldString(login))
	return ended, s.explain(fmt.Sprintf("end the grants of member %q", login), err)
}

// Renew has a live grant run out at another time, earlier or later, but not
// after its voucher, and returns it as it holds now. One that is unknown or has
// ended is ErrNoGrant.
func (s *Store) Renew(ctx context.Context, pageID int64, expires time.Time) (*Grant, error) {
	g, err := s.renew(ctx, pageID, expires)
	return g, s.explain(fmt.Sprintf("renew grant %d", pageID), err)
}

func (s *Store) renew(ctx context.Context, pageID int64, expires time.Time) (g *Grant, err error) {
	now := s.now()
	if !expires.After(now) {
		return nil, fmt.Errorf("it would have run out at %s already: end it instead", expires.UTC().Format(time.RFC3339))
	}
	if err := checkTime(expires); err != nil {
		return nil, err
	}
	err = s.changeDoors(ctx, func(tx *sql.Tx, number int64) error {
		if g, err = s.findGrant(ctx, tx, pageID); err != nil {
			return err
		}
		if !g.Live(now) {
			return ErrNoGrant
		}
		g.Expires = moment(millis(expires))
		if g.Voucher != "" {
			if err := shorten(ctx, tx, g, now); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE access_grant SET expires_at = ?, changed = ? WHERE page_id = ?`, g.Expires.UnixMilli(), number, pageID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}
