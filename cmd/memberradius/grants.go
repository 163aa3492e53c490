package main

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"memberradius/member"
	"memberradius/radiusd/coa"
	"memberradius/radiusd/policy"
	"memberradius/store"
)

// This file lets devices in that a portal speaks for: ours, or somebody else's
// by the API. What comes of it holds for the device's next request.

// grantDefault is how long a device is in where neither caller, plan nor voucher says.
const grantDefault = 8 * time.Hour

// errMayNot says that the member behind a uid may not come in.
var errMayNot = errors.New("the member may not come in")

// siteBehind returns the site that a controller belongs to, by its address; the
// first one where it is no [[client]]'s.
func (c *config) siteBehind(controller netip.Addr) string {
	if i := c.clientAt(controller); i >= 0 {
		return c.Clients[i].Site
	}
	return c.Sites[0].Name
}

// clientAt returns the client with the longest prefix around an address; -1 is none.
func (c *config) clientAt(a netip.Addr) int {
	found := -1
	for i := range c.Clients {
		if p := c.Clients[i].Prefix; p.Contains(a.Unmap()) && (found < 0 || p.Bits() > c.Clients[found].Prefix.Bits()) {
			found = i
		}
	}
	return found
}

// resolve finds the member that a uid means. Nobody is no error: then it is a
// guest's. A member who may not come in is errMayNot.
func (s *server) resolve(site, uid string) (*member.Member, error) {
	tables := s.tables.Load()
	a := member.Attempt{Login: uid, Proof: member.Proof{Kind: member.Proved}, Site: site, Received: time.Now()}
	var answer member.Answer
	if len(uid) > member.MaxLogin || store.IsUAMUser(uid) || !tables.Members.Known(&a, &answer) {
		return nil, nil //nolint:nilnil // a system that would have to be asked knows nobody without a password
	}
	switch {
	case answer.Verdict == member.Allow:
		return &answer.Member, nil
	case answer.Reason == member.ReasonUnknownLogin:
		return nil, nil //nolint:nilnil // a guest
	}
	return nil, errMayNot
}

// A leave is what the plan allows a grant.
type leave struct {
	plan    string
	session time.Duration
	devices int
}

// leaveOf says what a member, or a guest of a plan, may have at a site now.
func (s *server) leaveOf(site string, m *member.Member) (l leave, err error) {
	c := s.config.Load()
	in := policy.Input{Answer: &member.Answer{Verdict: member.Allow, Member: *m}, Site: site, Now: time.Now()}
	var out policy.Attributes
	// Which network it is for the next request says, and is asked anew.
	if reason := s.tables.Load().Book.Compose(&in, &out); reason != member.ReasonNone && reason != member.ReasonWrongSSID {
		return l, errMayNot
	}
	l = leave{plan: out.Plan(), session: out.SessionTimeout(), devices: m.Devices}
	if p := c.plan(l.plan); l.plan != "" && p != nil {
		if l.devices == 0 {
			l.devices = p.Devices
		}
		if l.session == 0 {
			l.session = p.Session
		}
	}
	return l, nil
}

// letIn stores a grant within what its plan allows. g has everything but its
// plan, its times and, for a guest, her member.
func (s *server) letIn(ctx context.Context, g *store.Grant, m *member.Member) error {
	who := m
	if who == nil {
		who = guestOf(g.Plan)
	} else {
		g.Backend, g.Login = who.Backend, who.Login
	}
	l, err := s.leaveOf(g.Site, who)
	if err != nil {
		return err
	}
	if m == nil {
		g.Plan = l.plan
	}
	session := g.SessionTimeout
	if l.session > 0 && (session == 0 || l.session < session) {
		session = l.session
	}
	if session == 0 {
		session = grantDefault
	}
	g.Expires = time.Now().Add(session)
	if g.UID == "" {
		l.devices = 0
	}
	return s.systems.database().GrantWithin(ctx, g, l.devices)
}

// guestOf is a member of nothing but a plan; "" is the site's default.
func guestOf(plan string) *member.Member {
	if plan == "" {
		return &member.Member{}
	}
	return &member.Member{Plans: []string{plan}}
}

// maxNudges is how many controllers are told at the same time that a device may come in.
const maxNudges = 256

// nudge has the controller of a device ask for it again: by CoA where its vendor
// knows that, else by Disconnect. It returns at once; where nobody is known to be
// told, the device asks by itself.
func (o *online) nudge(g *store.Grant) {
	t, s, ok := o.whoHas(g)
	if !ok {
		return
	}
	o.tellController(g.MAC, "it asks when the device tries again", func() (err error) {
		if again := policy.Reauthenticate(t.Vendor, nil); len(again) > 0 {
			_, err = o.nas.Change(o.ctx, &t, &s, again)
		} else {
			_, err = o.nas.Disconnect(o.ctx, &t, &s)
		}
		return err
	})
}

// tellController has a controller told something of a device, without waiting.
// otherwise is what happens where it does not hear of it.
func (o *online) tellController(mac, otherwise string, tell func() error) {
	log := o.log.WithField("station", mac)
	select {
	case o.nudges <- struct{}{}:
	default:
		log.Warn("too many controllers are being told of devices at this moment; " + otherwise)
		return
	}
	o.running.Go(func() {
		defer func() { <-o.nudges }()
		if err := tell(); err != nil && o.ctx.Err() == nil {
			log.WithError(err).Info("a controller was not told of a device; " + otherwise)
		}
	})
}

// whoHas returns which NAS a device is at: the one that reported it, else the
// controller that the portal names, where it is a client of ours, else the only
// client of the site.
func (o *online) whoHas(g *store.Grant) (t coa.Target, s member.Session, ok bool) {
	if open := o.ledger.OnlineAt(g.MAC); len(open) > 0 {
		s = open[len(open)-1].Session
		t, ok = o.Target(&s)
		return t, s, ok
	}
	c := o.server.config.Load()
	at, err := netip.ParseAddr(g.Controller)
	i := c.clientAt(at)
	if err != nil || i < 0 {
		if i = c.onlyClient(g.Site); i < 0 {
			return t, s, false
		}
		at = c.Clients[i].Prefix.Addr()
	}
	s = member.Session{Client: c.Clients[i].Name, Peer: at, NASAddress: at, StationMAC: g.MAC, Calling: g.MAC, User: g.MAC}
	t, ok = o.Target(&s)
	return t, s, ok
}

// onlyClient returns a site's one client, where it is at one address; -1 is none.
func (c *config) onlyClient(site string) int {
	found := -1
	for i := range c.Clients {
		if cl := &c.Clients[i]; cl.Site == site {
			if found >= 0 || !cl.Prefix.IsSingleIP() {
				return -1
			}
			found = i
		}
	}
	return found
}

// membersChanged has whoever is online judged anew, and ends what a portal has
// granted to who may not come in any more.
func (o *online) membersChanged(logins ...string) {
	o.presence.Reconsider(logins...)
	o.grantsChanged(logins)
}

// anybodyChanged is membersChanged where it is not known who has: a file was read
// again, a backup was put back.
func (o *online) anybodyChanged() {
	o.presence.ReconsiderAll()
	o.grantsChanged(nil)
}

// grantsChanged ends the grants of those members who may not come in; nil is anybody.
func (o *online) grantsChanged(logins []string) {
	// A controller that lets in by itself asks nobody at the next request.
	if slices.ContainsFunc(o.server.config.Load().Portals, func(p portalConfig) bool { return p.Guests != nil }) {
		o.running.Go(func() { o.endGrants(logins) })
	}
}

func (o *online) endGrants(logins []string) {
	changed := make(map[string]bool, len(logins))
	for _, login := range logins {
		changed[login] = true
	}
	db := o.server.systems.database()
	for f := (store.GrantFilter{Live: true}); ; {
		found, err := db.Grants(o.ctx, &f)
		if err != nil {
			o.tidied(o.ctx, "the grants of members who have changed could not be read", err)
			return
		}
		for i := range found {
			g := &found[i]
			if g.Login == "" || logins != nil && !changed[member.FoldString(g.Login)] {
				continue
			}
			if o.server.shut(g) {
				_, err := db.EndGrant(o.ctx, g.PageID, store.EndKicked)
				o.tidied(o.ctx, "the grant of a member who may not come in could not be ended", err)
			}
		}
		if len(found) < store.MaxListed {
			return
		}
		f.Before = found[len(found)-1].PageID
	}
}

// shut says whether the device of a grant would not be let in any more.
func (s *server) shut(g *store.Grant) bool {
	door := s.tables.Load().Doors
	a := member.Attempt{Login: g.MAC, StationMAC: g.MAC, Site: g.Site, Proof: member.Proof{Kind: member.MAC}, Received: time.Now()}
	var answer member.Answer
	return door != nil && door.Known(&a, &answer) && answer.Verdict == member.Deny
}

// doorsClosed has whoever is on by these devices judged anew, and UniFi
// controllers, which let in by themselves, withdraw their leave.
func (o *online) doorsClosed(macs []string) {
	for _, mac := range macs {
		for _, s := range o.ledger.OnlineAt(mac) {
			o.presence.Reconsider(s.Login)
		}
		for i := range o.server.config.Load().Portals {
			if guests := o.server.config.Load().Portals[i].Guests; guests != nil {
				o.tellController(mac, "it may stay on until its time is over", func() error { return guests.Withdraw(o.ctx, mac) })
			}
		}
	}
}
