package nexudus

import (
	"slices"
	"time"

	"memberradius/member"
)

// A person is whoever comes in by one login: one customer, or several where
// one email owns several profiles. All of their contracts count.
type person struct {
	profiles []*coworker
	replica  *replica
}

// person finds who has a folded login.
func (r *replica) person(folded string) person {
	p := person{replica: r}
	for c := r.logins[folded]; c != nil; c = c.next {
		if !c.archived {
			p.profiles = append(p.profiles, c)
		}
	}
	if len(p.profiles) > 1 {
		slices.SortFunc(p.profiles, func(a, b *coworker) int {
			if a.main != b.main {
				if a.main {
					return -1
				}
				return 1
			}
			return byID(a.id, b.id)
		})
	}
	return p
}

// holding returns the profiles that hold a contract. A suspended one counts
// only where no other does: then the person is a member who is suspended.
func (p person) holding() (holding []*coworker, suspended bool) {
	var inactive []*coworker
	for _, c := range p.profiles {
		switch {
		case len(c.contracts) == 0:
		case c.inactive:
			inactive = append(inactive, c)
		default:
			holding = append(holding, c)
		}
	}
	if len(holding) == 0 {
		return inactive, len(inactive) > 0
	}
	return holding, false
}

// A rule is what the configuration says about who is let in.
type rule struct {
	backend         string
	checkinRequired bool
}

// record says what a login is at now. Whoever holds no active contract is no
// member, whatever else Nexudus says of her.
func (r *replica) record(folded string, rule rule, now time.Time) (member.Record, bool) {
	p := r.person(folded)
	holding, suspended := p.holding()
	if len(holding) == 0 {
		return member.Record{Member: member.Member{Backend: rule.backend, Login: folded}, Gone: true}, false
	}
	first := holding[0]
	rec := member.Record{Email: first.email}
	rec.Member = member.Member{Backend: rule.backend, Login: first.login, ID: string(first.id), Name: first.name, Disabled: suspended}
	m := &rec.Member
	p.contracts(holding, m)
	for _, c := range holding {
		if rec.Credential.Password == "" {
			rec.Credential.Password = c.secret
		}
		if m.OfficeVLAN == "" {
			m.OfficeVLAN = r.offices.of(c)
		}
		r.teamFor(c, m)
	}
	if rule.checkinRequired {
		m.CheckedOut, m.ValidUntil = presence(holding, now)
	}
	return rec, true
}

// contracts puts the plans in, the main contract's first.
func (p person) contracts(holding []*coworker, m *member.Member) {
	var held []contract
	for _, c := range holding {
		held = append(held, c.contracts...)
	}
	slices.SortFunc(held, func(a, b contract) int {
		if a.main != b.main {
			if a.main {
				return -1
			}
			return 1
		}
		return byID(a.id, b.id)
	})
	m.MembershipID = string(held[0].id)
	bounded := false
	for i := range held {
		if slices.ContainsFunc(held[:i], func(c contract) bool {
			return c.plan == held[i].plan && c.from == held[i].from && c.until == held[i].until
		}) {
			continue // the same plan twice, for two desks
		}
		m.Plans = append(m.Plans, held[i].plan)
		m.Terms = append(m.Terms, held[i].term())
		bounded = bounded || held[i].from != 0 || held[i].until != 0
	}
	if !bounded {
		m.Terms = nil
	}
}

// teamFor puts the team of a profile in, where none with a VLAN is there yet.
func (r *replica) teamFor(c *coworker, m *member.Member) {
	if c.team == 0 {
		return
	}
	if t := &r.teams[c.team-1]; m.Team == "" || m.TeamVLAN == "" && t.vlan != "" {
		m.Team, m.TeamVLAN = t.name, t.vlan
	}
}

// presence says whether nobody of them is checked in, and when the last of their
// check-ins ends; zero is when they check out.
func presence(holding []*coworker, now time.Time) (out bool, until time.Time) {
	out = true
	for _, c := range holding {
		if c.visits == nil {
			continue
		}
		for _, v := range *c.visits {
			switch {
			case v.until.IsZero():
				return false, time.Time{}
			case v.until.After(now) && v.until.After(until):
				out, until = false, v.until
			}
		}
	}
	return out, until
}
