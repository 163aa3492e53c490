package presence

import (
	"time"

	"memberradius/member"
)

// A spending is whose quotas are looked at, where and when. running is how
// long her sessions have gone on since they were last reported on.
type spending struct {
	login, site string
	now         time.Time
	running     time.Duration
}

// left returns how long the member may be online by her quotas, and whether
// they bound it. 0 or less: one is used up, of time or of data.
func (p *Presence) left(quotas []member.Quota, s spending) (left time.Duration, bounded bool) {
	day, week, month := p.config.Ledger.Used(s.login, s.site, s.now)
	zone := p.tables.Load().Zones[s.site]
	if zone == nil {
		zone = time.Local
	}
	for _, q := range quotas {
		used := day
		switch q.Per {
		case member.Week:
			used = week
		case member.Month:
			used = month
		}
		if q.Octets > 0 && used.Octets >= q.Octets {
			return 0, true
		}
		if q.Time <= 0 {
			continue
		}
		rest := q.Time - used.Time - s.running
		if rest <= 0 {
			return 0, true
		}
		// What begins anew while she is on comes on top.
		if _, until := q.Per.Bounds(s.now.In(zone)); rest >= until.Sub(s.now) {
			rest = until.Sub(s.now) + q.Time
		}
		if !bounded || rest < left {
			left, bounded = rest, true
		}
	}
	return left, bounded
}

// running is how long the member's sessions have gone on since their last
// reports. The shard is locked.
func (m *memberShard) running(x *index, folded []byte, now time.Time) (sum time.Duration) {
	e := m.entries[string(folded)]
	if e == nil {
		return 0
	}
	for _, d := range e.devices {
		for _, l := range d.sessions {
			if since := now.Sub(l.seen); since > 0 && l.there(x, now) {
				sum += since
			}
		}
	}
	return sum
}

// exhausted says whether a quota of the session's plan is used up.
func (p *Presence) exhausted(r *member.Session) bool {
	return p.usedUp(r.Plan, r.Login, r.Site)
}

// usedUp says whether a quota of the plan is used up by the member.
func (p *Presence) usedUp(plan, login, site string) bool {
	quotas := p.tables.Load().Plans[plan].Quotas
	if len(quotas) == 0 {
		return false
	}
	var room [3 * member.MaxLogin]byte
	folded, now := member.Fold(room[:0], login), p.config.Now()
	m := p.index.shard(folded)
	m.Lock()
	running := m.running(p.index, folded, now)
	m.Unlock()
	left, bounded := p.left(quotas, spending{login, site, now, running})
	return bounded && left <= 0
}
