package presence

import (
	"context"
	"slices"

	"memberradius/member"
)

// Reconsider has the open sessions of these members judged anew: their access
// may have changed. It does not wait.
func (p *Presence) Reconsider(logins ...string) {
	for _, login := range logins {
		folded := member.FoldString(login)
		p.recent.add(folded)
		p.rounds.want(folded)
	}
}

// ReconsiderAll has all open sessions judged anew, after those of Reconsider. It does not wait.
func (p *Presence) ReconsiderAll() {
	p.recent.addAll()
	p.rounds.all()
}

// judge judges one login after the other.
func (p *Presence) judge() {
	for {
		login, swept, ok := p.rounds.next()
		if !ok {
			return
		}
		p.reconsider(login)
		p.rounds.done(login, swept)
	}
}

// reconsider judges the open sessions of a folded login.
func (p *Presence) reconsider(login string) {
	all := p.index.standings(login, p.config.Now())
	stay, most := all[:0], 0
	for i := range all {
		s := &all[i]
		if s.evict {
			p.leave(s, member.ReasonDevices)
			continue
		}
		o := p.outcome(s)
		if p.ctx.Err() != nil {
			return
		}
		if reason := p.verdict(s, &o); reason != member.ReasonNone {
			p.leave(s, reason)
			continue
		}
		if o.Verdict == member.Allow {
			most = max(most, p.limit(&o))
			p.renew(s, &o)
		}
		stay = append(stay, *s)
	}
	p.surplus(stay, most)
}

// outcome asks what would hold for the session now.
func (p *Presence) outcome(s *standing) Outcome {
	ctx, cancel := context.WithTimeout(p.ctx, judgeFor)
	defer cancel()
	return p.config.Judge.Judge(ctx, s.session.Report)
}

// verdict returns why the session has to leave; ReasonNone where it may stay.
func (p *Presence) verdict(s *standing, o *Outcome) member.Reason {
	r, plan := s.session.Report, s.plan
	switch o.Verdict {
	case member.Deny:
		if o.Reason == member.ReasonNone {
			return member.ReasonRefused
		}
		return o.Reason
	case member.Allow:
		plan = o.Plan
	}
	if p.usedUp(plan, r.Login, r.Site) {
		return member.ReasonQuota
	}
	return member.ReasonNone
}

// unlimited is more devices than anybody has.
const unlimited = int(^uint(0) >> 1)

// limit is how many devices she may have.
func (p *Presence) limit(o *Outcome) int {
	if o.Devices > 0 {
		return o.Devices
	}
	if n := p.tables.Load().Plans[o.Plan].Devices; n > 0 {
		return n
	}
	return unlimited
}

// renew has the session changed to what she would get now. Where it is not
// known what the session has, nothing can be said to be different.
func (p *Presence) renew(s *standing, o *Outcome) {
	if !s.known || s.plan == o.Plan && s.vlan == o.VLAN {
		p.door.spare(s.session.ID)
		return
	}
	e := &errand{session: s.session, action: Change, plan: o.Plan, vlan: o.VLAN, attributes: o.Attributes, why: difference(s, o)}
	if len(o.Attributes) == 0 {
		e.action = Disconnect
	}
	p.door.ask(e)
}

// difference says in words what is to change.
func difference(s *standing, o *Outcome) string {
	var text string
	for _, d := range [...]struct{ what, was, is string }{{"plan", s.plan, o.Plan}, {"VLAN", s.vlan, o.VLAN}} {
		if d.was == d.is {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += d.what + " " + orNone(d.was) + " -> " + orNone(d.is)
	}
	return text
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// leave has the session disconnected.
func (p *Presence) leave(s *standing, reason member.Reason) {
	p.door.ask(&errand{session: s.session, action: Disconnect, reason: reason, why: reason.Sentence()})
}

// surplus has those devices leave that are more than most (0: not known),
// longest silent first. Devices that leave already are none of them.
func (p *Presence) surplus(stay []standing, most int) {
	if most == 0 || len(stay) <= most {
		return
	}
	backend := ""
	for i := range stay {
		if backend = stay[i].backend; backend != "" {
			break
		}
	}
	var devices [][]*standing
	at := map[key]int{}
	for i := range stay {
		s := &stay[i]
		if !s.counts || !same(s.backend, backend) || p.door.leaving(s.session.ID) {
			continue
		}
		n, ok := at[s.key]
		if !ok {
			n = len(devices)
			at[s.key] = n
			devices = append(devices, nil)
		}
		devices[n] = append(devices[n], s)
	}
	slices.SortFunc(devices, func(a, b []*standing) int { return a[0].seen.Compare(b[0].seen) })
	for _, d := range devices[:max(len(devices)-most, 0)] {
		for _, s := range d {
			p.leave(s, member.ReasonDevices)
		}
	}
}
