package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io"
	"net/netip"
	"time"

	"memberradius/member"
	"memberradius/radiusd"
	"memberradius/store"
	"memberradius/web/portal"
)

// A portalFront is the server as the captive portal sees it: what package
// web/portal declares that it needs.
type portalFront struct{ front }

// portal is what the captive portal is made of.
func (s *server) portal(fault func(error)) *portal.Config {
	f := portalFront{front{s}}
	// Pages that are open outlast a restart: their key is the data directory's.
	kept := s.systems.database().Shelf().Key()
	key := hmac.New(sha256.New, kept[:])
	_, _ = io.WriteString(key, "pages of the captive portal")
	return &portal.Config{
		Sites: f.sites, Auth: f, Vouchers: f, Grants: f, Tickets: f, Nudge: f, Plans: f.plan, Log: f, Key: member.Secret(key.Sum(nil)), Fault: fault,
	}
}

// sites are the portals of the configuration that holds.
func (f portalFront) sites() []*portal.Site {
	c := f.config()
	if c == nil {
		return nil
	}
	all := make([]*portal.Site, len(c.Portals))
	for i := range c.Portals {
		all[i] = &c.Portals[i].Site
	}
	return all
}

// Login implements portal.Authenticator.
func (f portalFront) Login(ctx context.Context, a *portal.Attempt) portal.Outcome {
	began := time.Now()
	j := f.s.radius.Login(ctx, &radiusd.Login{Site: a.Site, Login: a.Login, Password: a.Password, StationMAC: a.MAC, SSID: a.SSID})
	return portal.Outcome{
		Verdict: j.Verdict, Proved: j.Proved, Reason: j.Reason, Member: j.Member, Backend: j.Source, Plan: j.Plan,
		Session: j.Session, Idle: f.idleOf(j.Plan), Status: j.Status, Took: time.Since(began), Message: j.Message,
	}
}

// idleOf is the Idle-Timeout of a plan; 0 is none.
func (f portalFront) idleOf(plan string) time.Duration {
	if p := f.plan(plan); p != nil {
		return p.Idle
	}
	return 0
}

// plan finds a plan by its name.
func (f portalFront) plan(name string) *member.Plan {
	if p := f.config().plan(name); name != "" && p != nil {
		return &p.Plan
	}
	return nil
}

// Grant implements portal.Grants.
func (f portalFront) Grant(ctx context.Context, g *portal.Grant) error {
	kept := &store.Grant{
		Kind: g.Kind, MAC: g.MAC, Site: g.Site, UID: g.UID, Backend: g.Backend, Login: g.Login, Plan: g.Plan, AccessPoint: g.AccessPoint,
		Address: member.AddressText(g.Address), OriginalURL: g.OriginalURL, Controller: g.Controller,
		SessionTimeout: g.SessionTimeout, IdleTimeout: g.IdleTimeout, Voucher: g.Voucher,
	}
	var m *member.Member
	if g.Login != "" {
		m = &member.Member{Backend: g.Backend, Login: g.Login, Plans: []string{g.Plan}}
		if found, err := f.s.resolve(g.Site, g.Login); err != nil {
			return portalRefusal(err)
		} else if found != nil {
			m, kept.Plan = found, "" // hers, whatever it will be then
		}
	}
	if err := f.s.letIn(ctx, kept, m); err != nil {
		return portalRefusal(err)
	}
	g.PageID, g.Created, g.Expires = kept.PageID, kept.Created, kept.Expires
	// She is in whatever becomes of this: another system hears of it later or never.
	if err := f.s.tellPosters(ctx, kept); err != nil {
		f.s.log.WithError(err).Error("a portal login could not be put into the outbox: other systems do not hear of it")
	}
	return nil
}

// portalRefusal is what the store says of a grant in the words of the portal.
func portalRefusal(err error) error {
	switch {
	case errors.Is(err, store.ErrTooManyDevices):
		return portal.ErrTooManyDevices
	case errors.Is(err, store.ErrBlocked), errors.Is(err, errMayNot):
		return portal.ErrBlocked
	case errors.Is(err, store.ErrNoVoucher), errors.Is(err, store.ErrVoucherRevoked), errors.Is(err, store.ErrVoucherExpired),
		errors.Is(err, store.ErrVoucherElsewhere), errors.Is(err, store.ErrVoucherUsedUp):
		return portal.ErrNoVoucher
	case errors.Is(err, store.ErrNoGrant):
		return portal.ErrNoGrant
	}
	return err
}

// Live implements portal.Grants.
func (f portalFront) Live(ctx context.Context, d portal.Device) (*portal.Grant, error) {
	found, err := f.store().Grants(ctx, &store.GrantFilter{Site: d.Site, MAC: d.MAC, Address: member.AddressText(d.Address), Live: true, Most: 2})
	if err != nil {
		return nil, err
	}
	// Two devices behind one address: which of them asks can't be known.
	if len(found) == 0 || len(found) > 1 && d.MAC == "" {
		return nil, portal.ErrNoGrant
	}
	g := &found[0]
	out := &portal.Grant{
		PageID: g.PageID, Created: g.Created, Expires: g.Expires, Kind: g.Kind, Site: g.Site, MAC: g.MAC, UID: g.UID, Voucher: g.Voucher,
		Backend: g.Backend, Login: g.Login, Plan: g.Plan, AccessPoint: g.AccessPoint, OriginalURL: g.OriginalURL, Controller: g.Controller,
		SessionTimeout: g.Expires.Sub(g.Created), IdleTimeout: g.IdleTimeout,
	}
	out.Address, _ = netip.ParseAddr(g.Address) // what is no address was none when it came
	return out, nil
}

// End implements portal.Grants. Whoever is on by the grant is thrown off: its
// door has closed.
func (f portalFront) End(ctx context.Context, pageID int64, why string) error {
	_, err := f.store().EndGrant(ctx, pageID, why)
	if errors.Is(err, store.ErrNoGrant) {
		return nil
	}
	return err
}

// Take implements portal.Vouchers.
func (f portalFront) Take(ctx context.Context, site string, code member.Secret, mac string) (portal.VoucherTaken, error) {
	v, err := f.store().TakeVoucher(ctx, code, mac, site)
	if err != nil {
		return portal.VoucherTaken{}, portalRefusal(err)
	}
	taken := portal.VoucherTaken{ID: v.ID, Plan: v.Plan, Idle: f.idleOf(v.Plan)}
	if !v.Ends.IsZero() {
		taken.Session = time.Until(v.Ends)
	}
	return taken, nil
}

// Make implements portal.Tickets.
func (f portalFront) Make(_ context.Context, g *portal.Grant) (user string, password member.Secret, err error) {
	t := store.UAMTicket{PageID: g.PageID, Login: g.UID, MAC: g.MAC}
	err = f.store().UAMTickets().Make(&t)
	return t.User, t.Password, err
}

// AskAgain implements portal.Nudge.
func (f portalFront) AskAgain(_ context.Context, g *portal.Grant) error {
	f.s.online.nudge(&store.Grant{MAC: g.MAC, Site: g.Site, Controller: g.Controller})
	return nil
}

// Note implements portal.Log.
func (f portalFront) Note(ctx context.Context, e *portal.Entry) error {
	outcome := e.Outcome.String()
	if e.Outcome == member.Unanswered {
		outcome = unansweredWord
	}
	return f.store().NotePortal(ctx, &store.PortalEntry{
		At: e.At, Site: e.Site, MAC: e.MAC, IP: member.AddressText(e.Address), Login: e.Login, Method: string(e.Method),
		Backend: e.Backend, Status: e.Status, Took: e.Took, Outcome: outcome, Reason: e.Reason, PageID: e.PageID,
	})
}
