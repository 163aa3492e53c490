package main

import (
	"context"
	"strconv"
	"time"

	"memberradius/member"
	"memberradius/radiusd"
	"memberradius/store"
)

// doorSource is whose word lets a device in by its address, in the log and in `why`.
const doorSource = "doors"

// doors answer for devices that come in by their address alone: those that a
// portal has let in, and those that belong to a member.
type doors struct {
	doors *store.Doors
	// members know who is responsible for a device.
	members radiusd.Members
}

var _ radiusd.Members = (*doors)(nil)

// Known implements radiusd.Members. It never has to wait.
func (d *doors) Known(a *member.Attempt, out *member.Answer) bool {
	now := a.At(time.Now)
	door, open := d.doors.Lookup(a.Site, a.Login, now)
	*out = member.Answer{Verdict: member.Deny, Reason: member.ReasonUnknownDevice, Source: doorSource}
	switch {
	case door.Blocked:
		out.Reason = member.ReasonBlockedDevice
	case !open:
	case door.Grant != nil:
		d.granted(a, door.Grant, out)
	case door.Device != nil:
		d.registered(a, door.Device, out)
	}
	return true
}

// registered lets a member's own device in where she may come in herself.
func (d *doors) registered(a *member.Attempt, device *store.Device, out *member.Answer) {
	if !d.responsible(a, owner{device.Backend, device.Login}, out) {
		out.Verdict, out.Reason = member.Unanswered, member.ReasonNotReady
		return
	}
	out.Proved, out.Credential, out.Source = true, nil, doorSource
}

// granted lets in whom a portal has let in, until the grant runs out, and a
// member's device no longer than herself.
func (d *doors) granted(a *member.Attempt, g *store.Grant, out *member.Answer) {
	if g.Login != "" && d.responsible(a, owner{g.Backend, g.Login}, out) {
		if out.Verdict != member.Allow {
			return
		}
	} else {
		// A guest, or a member of a system that can't be asked without her password.
		out.Member = member.Member{Backend: g.Backend, Login: g.Login, Name: g.UID}
		out.Verdict, out.Reason, out.Guest = member.Allow, member.ReasonNone, g.Login == ""
		if out.Guest {
			out.Member.Login = g.UID
		}
	}
	if g.Plan != "" {
		out.Member.Plans, out.Member.Terms = []string{g.Plan}, nil
	}
	if until := out.Member.ValidUntil; until.IsZero() || g.Expires.Before(until) {
		out.Member.ValidUntil = g.Expires
	}
	if g.IdleTimeout > 0 {
		out.Attributes = []member.Attribute{{Name: "Idle-Timeout", Value: strconv.Itoa(int(g.IdleTimeout / time.Second))}}
	}
	out.Proved, out.Credential, out.Source = true, nil, doorSource
}

// An owner is the member behind a door.
type owner struct{ backend, login string }

// responsible has the member systems say what holds for a member. It is false
// where they would have to be asked. Another system's member of the same login
// opens no door.
func (d *doors) responsible(a *member.Attempt, o owner, out *member.Answer) bool {
	of := *a
	of.Login, of.Proof = o.login, member.Proof{Kind: member.Proved}
	if !d.members.Known(&of, out) {
		return false
	}
	if by := out.Member.Backend; by != "" && o.backend != "" && by != o.backend {
		*out = member.Answer{Verdict: member.Deny, Reason: member.ReasonUnknownDevice, Source: doorSource}
	}
	return true
}

// Ask implements radiusd.Members. Known has said everything.
func (d *doors) Ask(_ context.Context, a *member.Attempt) member.Answer {
	var out member.Answer
	d.Known(a, &out)
	return out
}

var (
	_ radiusd.Members  = (*tickets)(nil)
	_ radiusd.Expecter = (*tickets)(nil)
	_ radiusd.Spender  = (*tickets)(nil)
)

// A tickets is a radiusd.Members before which the one-time logins of portals
// stand: what a browser hands to a controller in the place of a password.
type tickets struct {
	radiusd.Members
	open  *store.UAMTickets
	doors *doors
}

// Known implements radiusd.Members.
func (t *tickets) Known(a *member.Attempt, out *member.Answer) bool {
	if !store.IsUAMUser(a.Login) {
		return t.Members.Known(a, out)
	}
	now := a.At(time.Now)
	ticket, ok := t.open.Lookup(a.Login, a.StationMAC, now)
	door, _ := t.doors.doors.Lookup(a.Site, ticket.MAC, now)
	if !ok || door.Grant == nil || door.Grant.PageID != ticket.PageID { // it ended with its grant
		*out = member.Answer{Verdict: member.Deny, Reason: member.ReasonUnknownLogin}
		return true
	}
	device := *a
	device.Login, device.Proof = ticket.MAC, member.Proof{Kind: member.MAC}
	t.doors.Known(&device, out)
	if out.Verdict == member.Allow {
		out.Proved, out.Credential = false, &member.Credential{Password: ticket.Password}
	}
	return true
}

// Spend implements radiusd.Spender.
func (t *tickets) Spend(a *member.Attempt) bool {
	return !store.IsUAMUser(a.Login) || t.open.Use(a.Login)
}

// Expect implements radiusd.Expecter.
func (t *tickets) Expect(site string, logins []string) {
	if e, ok := t.Members.(radiusd.Expecter); ok {
		e.Expect(site, logins)
	}
}
