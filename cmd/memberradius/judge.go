package main

import (
	"context"
	"time"

	"memberradius/member"
	"memberradius/radiusd"
	"memberradius/radiusd/policy"
	"memberradius/radiusd/presence"
	"memberradius/store"
)

// This file says what would hold for a session that goes on, if its device came
// in now: the stations of a login after the proof, from memory. A system that
// would have to be asked is not: it could not say anything without a password,
// and a session must not end because of that.

// Judge implements presence.Judge.
func (o *online) Judge(_ context.Context, s *member.Session) presence.Outcome {
	c, tables := o.server.config.Load(), o.server.tables.Load()
	if c == nil || tables == nil {
		return presence.Outcome{}
	}
	i := c.client(s.Client)
	if i < 0 {
		return presence.Outcome{}
	}
	cl := &c.Clients[i]
	a := member.Attempt{
		Login: s.Login, Proof: member.Proof{Kind: member.Proved}, Site: cl.Site, Client: s.Client,
		NAS: s.NASIdentifier, SSID: s.SSID, StationMAC: s.StationMAC, Received: time.Now(),
	}
	answer, gate, known := o.standing(tables, &a, s)
	switch {
	case !known || answer.Verdict == member.Unanswered:
		return presence.Outcome{}
	case answer.Verdict == member.Deny:
		return presence.Outcome{Verdict: member.Deny, Reason: answer.Reason}
	case gate.Verdict == member.Deny:
		return presence.Outcome{Verdict: member.Deny, Reason: gate.Reason}
	}
	in := policy.Input{
		Answer: &answer, Site: cl.Site, Vendor: cl.Vendor, ClientVLAN: cl.VLAN, SSID: s.SSID, Now: a.Received,
	}
	var out policy.Attributes
	if reason := tables.Book.Compose(&in, &out); reason != member.ReasonNone {
		return presence.Outcome{Verdict: member.Deny, Reason: reason}
	}
	return presence.Outcome{
		Verdict: member.Allow, Plan: out.Plan(), VLAN: out.VLAN(), Devices: answer.Member.Devices,
		Attributes: append([]byte(nil), out.Bytes()...),
	}
}

// standing asks who answers for the session's device, and the gates. known is
// false where somebody would have to be asked.
func (o *online) standing(t *radiusd.Tables, a *member.Attempt, s *member.Session) (answer, gate member.Answer, known bool) {
	if mac, ok := radiusd.ParseMAC(s.User); ok || store.IsUAMUser(s.User) {
		if !ok {
			mac = s.StationMAC
		}
		door := *a
		door.Login, door.Proof.Kind = mac, member.MAC
		if !t.Doors.Known(&door, &answer) {
			return answer, gate, false
		}
		if answer.Guest {
			return answer, gate, true
		}
	} else if !t.Members.Known(a, &answer) {
		return answer, gate, false
	}
	if t.Gates != nil && answer.Verdict == member.Allow && !t.Gates.Known(a, &gate) {
		gate = member.Answer{}
	}
	return answer, gate, true
}
