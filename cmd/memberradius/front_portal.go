package main

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"memberradius/member"
	"memberradius/store"
	"memberradius/web/api"
)

// This file is the portal login API, for portals that are not ours:
// api.PortalLogins and api.PortalPages over the store's grants.

// GrantLogin implements api.PortalLogins.
func (f apiFront) GrantLogin(ctx context.Context, o *api.PortalLogin) (*api.PortalLogin, error) {
	site := f.config().siteBehind(o.Controller)
	began := time.Now()
	m, err := f.s.resolve(site, o.UID)
	g := &store.Grant{
		Kind: store.GrantPortalLogin, MAC: o.MAC, Site: site, UID: o.UID, AccessPoint: o.APMAC, Address: member.AddressText(o.IP),
		OriginalURL: o.OriginalURL, Controller: member.AddressText(o.Controller), SessionTimeout: o.Session, IdleTimeout: o.Idle,
	}
	if err == nil {
		err = f.s.letIn(ctx, g, m)
	}
	f.s.notePortal(ctx, &store.PortalEntry{
		Site: site, MAC: o.MAC, IP: member.AddressText(o.IP), Login: o.UID, Method: store.GrantPortalLogin, Took: time.Since(began), PageID: g.PageID,
	}, err)
	if err != nil {
		return nil, portalError(err)
	}
	f.s.online.nudge(g)
	return loginOf(g), nil
}

// RenewLogin implements api.PortalLogins.
func (f apiFront) RenewLogin(ctx context.Context, page int64, session time.Duration) (*api.PortalLogin, error) {
	g, err := f.store().GrantByPage(ctx, page)
	if err != nil {
		return nil, portalError(err)
	}
	if !g.Live(time.Now()) {
		return nil, api.ErrEnded
	}
	longest, err := f.s.longest(g)
	if err != nil {
		return nil, portalError(err)
	}
	if session == 0 || session > longest {
		session = longest
	}
	if g, err = f.store().Renew(ctx, page, time.Now().Add(session)); errors.Is(err, store.ErrNoGrant) {
		return nil, api.ErrEnded
	}
	if err != nil {
		return nil, err
	}
	return loginOf(g), nil
}

// longest is how long a grant may go on from now.
func (s *server) longest(g *store.Grant) (time.Duration, error) {
	m, err := s.resolve(g.Site, g.UID)
	if err != nil {
		return 0, err
	}
	who := guestOf(g.Plan)
	if m != nil {
		who = m
	}
	l, err := s.leaveOf(g.Site, who)
	switch {
	case err != nil:
		return 0, err
	case l.session > 0:
		return l.session, nil
	case g.SessionTimeout > 0:
		return g.SessionTimeout, nil
	}
	return grantDefault, nil
}

// EndLogin implements api.PortalLogins.
func (f apiFront) EndLogin(ctx context.Context, page int64) error {
	_, err := f.store().EndGrant(ctx, page, store.EndLogout)
	if errors.Is(err, store.ErrNoGrant) {
		if _, err = f.store().GrantByPage(ctx, page); err == nil {
			return nil // it has ended already
		}
	}
	return portalError(err)
}

// FindLogin implements api.PortalPages.
func (f apiFront) FindLogin(ctx context.Context, page int64) (*api.PortalLogin, error) {
	g, err := f.store().GrantByPage(ctx, page)
	if err != nil {
		return nil, portalError(err)
	}
	return loginOf(g), nil
}

// portalError is a refusal in the words of the API.
func portalError(err error) error {
	for _, p := range [...]struct{ is, means error }{
		{errMayNot, api.ErrMayNot}, {store.ErrBlocked, api.ErrBlocked}, {store.ErrTooManyDevices, api.ErrTooManyDevices}, {store.ErrNoGrant, api.ErrUnknown},
	} {
		if errors.Is(err, p.is) {
			return p.means
		}
	}
	return err
}

// loginOf is a grant in the words of the API.
func loginOf(g *store.Grant) *api.PortalLogin {
	l := &api.PortalLogin{
		PageID: g.PageID, UID: g.UID, MAC: g.MAC, APMAC: g.AccessPoint, OriginalURL: g.OriginalURL,
		Session: g.Expires.Sub(g.Created).Round(time.Second), Idle: g.IdleTimeout, Started: g.Created, Until: g.Expires, Ended: g.Ended,
	}
	// What is not an address was not one when it came.
	l.IP, _ = netip.ParseAddr(g.Address)
	l.Controller, _ = netip.ParseAddr(g.Controller)
	return l
}

// unansweredWord is the outcome of an attempt about which nobody could say, one
// word as a filter takes it.
const unansweredWord = "unanswered"

// notePortal writes what became of an attempt into the log of portals. A log that
// can't be written keeps nobody out.
func (s *server) notePortal(ctx context.Context, e *store.PortalEntry, err error) {
	switch {
	case err == nil:
		e.Outcome, e.Reason = "allow", member.ReasonNone.String()
	case errors.Is(err, errMayNot):
		e.Outcome, e.Reason = "deny", "may_not"
	case errors.Is(err, store.ErrBlocked):
		e.Outcome, e.Reason = "deny", "blocked"
	case errors.Is(err, store.ErrTooManyDevices):
		e.Outcome, e.Reason = "deny", "too_many_devices"
	default:
		e.Outcome, e.Reason = unansweredWord, "internal"
	}
	if err := s.systems.database().NotePortal(context.WithoutCancel(ctx), e); err != nil {
		s.log.WithError(err).Warn("an attempt at a portal is not in its log")
	}
}
