package presence

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"memberradius/member"
)

// An Admission is a device that is about to be let in: its member's login is
// proved, her member systems and her plan allow. Its strings may alias the packet.
type Admission struct {
	// Login is the proved login, Backend who knows it.
	Login, Backend string
	// Plan is the plan's name; empty is none.
	Plan string
	// Devices is the member's own limit; 0 leaves it to the plan.
	Devices int
	// StationMAC is the device as "aa:bb:cc:dd:ee:ff"; empty where the NAS did not say.
	StationMAC string
	// Client is the [[client]] that asks, Port its NAS-Port (with HasPort).
	Client  string
	Port    uint32
	HasPort bool
	// Site is the client's [[site]], SSID the network; empty where the NAS did not say.
	Site, SSID string
	// Decision is the decision's id, as the NAS gets it in Class; zero where it has none yet.
	Decision [16]byte
	Now      time.Time
	// Timeout is the Session-Timeout that the NAS would get; 0 is none.
	Timeout time.Duration
	// Left is set by Admit: what a quota of time leaves, in whole seconds, where
	// that is shorter than Timeout; else 0. It is what Session-Timeout must be.
	Left time.Duration
}

// Admit says whether the device may come in besides those that are on:
// ReasonNone, ReasonDevices or ReasonQuota. From then on it has a place. It
// answers from memory, and costs nothing for a member without limits.
func (p *Presence) Admit(a *Admission) member.Reason {
	a.Left = 0
	t := p.tables.Load()
	limits := t.Plans[a.Plan]
	most := a.Devices
	if most <= 0 {
		most = limits.Devices
	}
	if most <= 0 && len(limits.Quotas) == 0 {
		return member.ReasonNone
	}
	var room [3 * member.MaxLogin]byte
	folded := member.Fold(room[:0], a.Login)
	m := p.index.shard(folded)
	if len(limits.Quotas) > 0 {
		m.Lock()
		running := m.running(p.index, folded, a.Now)
		m.Unlock()
		left, bounded := p.left(limits.Quotas, spending{a.Login, a.Site, a.Now, running})
		if bounded && left <= 0 {
			return member.ReasonQuota
		}
		if bounded && (a.Timeout == 0 || left < a.Timeout) {
			a.Left = max(left.Truncate(time.Second), time.Second)
		}
	}
	if most <= 0 {
		return member.ReasonNone
	}
	m.Lock()
	reason, evicts := m.admit(p.index, folded, admission{a, most})
	m.Unlock()
	if evicts {
		p.rounds.want(string(folded))
	}
	return reason
}

// An admission is one with the limit that holds.
type admission struct {
	*Admission
	most int
}

// admit gives the device a place, its own or a free one, else that of a device
// that must give it up. evicts says that one of those is to be told to leave.
func (m *memberShard) admit(x *index, folded []byte, a admission) (reason member.Reason, evicts bool) {
	e := m.entries[string(folded)]
	if e != nil {
		e.tidy(a.Now)
	} else {
		e = m.entry(string(folded))
	}
	e.own = a.Devices
	k := x.admittedKey(a.Admission)
	d := e.device(k)
	if d == nil || d.lost || !d.there(x, a.Now) {
		var ok bool
		if evicts, ok = e.makeRoom(x, d, a); !ok {
			if len(e.devices) == 0 {
				delete(m.entries, e.login)
			}
			return member.ReasonDevices, false
		}
	}
	if d == nil {
		d = &device{key: k}
		e.add(d)
	}
	d.take(a)
	return member.ReasonNone, evicts
}

// take gives the device its place.
func (d *device) take(a admission) {
	if d.backend != a.Backend {
		d.backend = strings.Clone(a.Backend)
	}
	d.admitted, d.decision, d.lost = a.Now, a.Decision, false
	for _, l := range d.sessions {
		l.evict = false
	}
}

// admittedKey returns what tells the device from others.
func (x *index) admittedKey(a *Admission) key {
	if k, ok := macKey(a.StationMAC); ok {
		return k
	}
	if a.HasPort {
		return portKey(x.seed, a.Client, a.Port)
	}
	var text [32]byte
	hex.Encode(text[:], a.Decision[:])
	return onceKey(x.seed, string(text[:])+a.Now.String())
}

// makeRoom says whether there is a place for one more device than all but
// newcomer, and takes places from others where that makes one: from silent ones
// first, then from those that a random address was left behind by.
func (e *entry) makeRoom(x *index, newcomer *device, a admission) (evicts, ok bool) {
	var silent, idle []*device
	need := 1 - a.most
	for _, d := range e.devices {
		switch {
		case d == newcomer || d.lost || !same(d.backend, a.Backend):
		case !d.there(x, a.Now):
			silent = append(silent, d)
			need++
		default:
			need++
			if d.key.random() && d.idle(a.Now) && d.on(a.Site, a.SSID) {
				idle = append(idle, d)
			}
		}
	}
	if need <= 0 {
		return false, true
	}
	if need > len(silent)+len(idle) {
		return false, false
	}
	longest := func(a, b *device) int { return a.seen().Compare(b.seen()) }
	slices.SortFunc(silent, longest)
	slices.SortFunc(idle, func(a, b *device) int { return a.grown().Compare(b.grown()) })
	for i, d := range append(silent, idle...)[:need] {
		d.lost = true
		if i >= len(silent) {
			d.evict()
			evicts = true
		}
	}
	return evicts, true
}

// grown is when the device last moved data.
func (d *device) grown() (last time.Time) {
	for _, l := range d.sessions {
		if l.grown.After(last) {
			last = l.grown
		}
	}
	return last
}

// evict has the device's sessions told to leave when the login is judged next.
func (d *device) evict() {
	for _, l := range d.sessions {
		l.evict = true
	}
}

// crowded says whether the session's device, which had given its place away and
// is there, has to leave; where there is room again it has its place back.
func (p *Presence) crowded(id string) (crowded bool) {
	t, now := p.tables.Load(), p.config.Now()
	p.index.with(id, func(l *live) {
		d := l.device
		if !d.lost {
			return
		}
		most := l.entry.limit(d, t)
		crowded = most > 0 && l.entry.counting(p.index, d.backend, now) >= most
		d.lost = crowded
		for _, l := range d.sessions {
			l.evict = crowded
		}
	})
	return crowded
}

// limit is how many devices the member may have as a device's session has it; 0 is no limit.
func (e *entry) limit(d *device, t *Tables) int {
	if e.own > 0 {
		return e.own
	}
	for _, l := range d.sessions {
		if plan, _, _ := l.policy(); t.Plans[plan].Devices > 0 {
			return t.Plans[plan].Devices
		}
	}
	return 0
}

// counting is how many devices have a place.
func (e *entry) counting(x *index, backend string, now time.Time) (n int) {
	for _, d := range e.devices {
		if !d.lost && same(d.backend, backend) && d.there(x, now) {
			n++
		}
	}
	return n
}
