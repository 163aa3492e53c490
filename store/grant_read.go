package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"memberradius/member"
)

// The columns of a grant. What the hot path keeps has no URL: it would be most
// of its memory.
const (
	grantFields = `page_id, kind, mac, site, uid, backend, login, plan, access_point, address, controller,
		session_timeout, idle_timeout, created_at, expires_at, ended_at, why, voucher`
	grantColumns = `SELECT ` + grantFields + `, original_url FROM access_grant`
	grantMemory  = `SELECT ` + grantFields + `, '' FROM access_grant`
)

// scanGrant reads one row of grantColumns or grantMemory.
func scanGrant(scan func(...any) error, g *Grant) error {
	var session, idle int64
	var created, expires, ended sql.NullInt64
	if err := scan(&g.PageID, &g.Kind, &g.MAC, &g.Site, &g.UID, &g.Backend, &g.Login, &g.Plan, &g.AccessPoint, &g.Address, &g.Controller,
		&session, &idle, &created, &expires, &ended, &g.Why, &g.Voucher, &g.OriginalURL); err != nil {
		return err
	}
	g.SessionTimeout, g.IdleTimeout = time.Duration(session)*time.Second, time.Duration(idle)*time.Second
	g.Created, g.Expires, g.Ended = moment(created), moment(expires), moment(ended)
	return nil
}

// readGrant is scanGrant for those who list grants: one that has run out has ended.
func (s *Store) readGrant(scan func(...any) error, g *Grant) error {
	if err := scanGrant(scan, g); err != nil {
		return err
	}
	if g.Ended.IsZero() && !g.Live(s.now()) {
		g.Ended, g.Why = g.Expires, EndExpired
	}
	return nil
}

func (s *Store) findGrant(ctx context.Context, q querier, pageID int64) (*Grant, error) {
	g := new(Grant)
	err := s.readGrant(q.QueryRowContext(ctx, grantColumns+` WHERE page_id = ?`, pageID).Scan, g)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoGrant
	}
	return g, err
}

// GrantByPage returns the grant with this PageID, live or ended. One that is
// unknown, or ended more than 30 days ago, is ErrNoGrant.
func (s *Store) GrantByPage(ctx context.Context, pageID int64) (*Grant, error) {
	g, err := s.findGrant(ctx, s.db, pageID)
	if err != nil {
		return nil, s.explain(fmt.Sprintf("read grant %d", pageID), err)
	}
	return g, nil
}

// A GrantFilter says which grants to list. Empty fields ask for nothing.
type GrantFilter struct {
	UID, MAC, Site string
	// Address is the device's. Of several that had it the newest is likely to have
	// it still.
	Address string
	// Backend and Login are the member's.
	Backend, Login string
	// Voucher is the voucher's ID.
	Voucher string
	// Live leaves out those that have ended.
	Live bool
	// Before is the PageID of the last grant of the page before; 0: the first page.
	Before int64
	// Most is how many to return at most; 0 is MaxListed.
	Most int
}

// Grants returns grants, the newest first. One that has ended is among them for
// 30 days.
func (s *Store) Grants(ctx context.Context, f *GrantFilter) ([]Grant, error) {
	var l listing
	l.equal("folded_uid", member.FoldString(f.UID))
	l.equal("mac", f.MAC)
	l.equal("site", f.Site)
	if f.Address != "" {
		l.where("address <> '' AND address = ?", shortAddress(f.Address))
	}
	l.equal("backend", f.Backend)
	l.equal("folded", member.FoldString(f.Login))
	if f.Voucher != "" {
		l.where("voucher <> '' AND voucher = ?", f.Voucher)
	}
	if f.Live {
		l.where("ended_at IS NULL AND expires_at > ?", s.now().UnixMilli())
	}
	if f.Before > 0 {
		l.where("page_id < ?", f.Before)
	}
	query, args := l.query(grantColumns, "page_id DESC", f.Most)
	var all []Grant
	err := eachOf(ctx, s.db, query, args, func(scan func(...any) error) error {
		var g Grant
		err := s.readGrant(scan, &g)
		all = append(all, g)
		return err
	})
	return all, s.explain("list grants", err)
}

// DevicesOf returns how many devices of a uid are in at a site by live grants;
// site "" is all sites. To hold a limit, use GrantWithin.
func (s *Store) DevicesOf(ctx context.Context, uid, site string) (int, error) {
	n, err := s.countDevices(ctx, s.db, &Grant{UID: uid, Site: site})
	return n, s.explain(fmt.Sprintf("count the devices of uid %q", uid), err)
}

// countDevices counts the devices other than g's that its UID has in at its site.
func (s *Store) countDevices(ctx context.Context, q querier, g *Grant) (n int, err error) {
	var l listing
	l.where("folded_uid = ? AND mac <> ? AND ended_at IS NULL AND expires_at > ?", member.FoldString(g.UID), g.MAC, s.now().UnixMilli())
	l.equal("site", g.Site)
	err = q.QueryRowContext(ctx, `SELECT COUNT(DISTINCT mac) FROM access_grant WHERE `+l.text(), l.args...).Scan(&n)
	return n, err
}
