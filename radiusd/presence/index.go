package presence

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"memberradius/member"
)

// shards is how many locks the index has: two packets rarely meet at one.
const shards = 64

// An index is who is online, by member and by session. A session's lock is
// taken before its member's; of each kind one at a time.
type index struct {
	seed    maphash.Seed
	began   time.Time // what was silent before was not listened to
	members [shards]memberShard
	lives   [shards]liveShard
}

type memberShard struct {
	sync.Mutex
	entries map[string]*entry // by folded login
}

type liveShard struct {
	sync.Mutex
	byID map[string]*live
}

func newIndex(began time.Time) *index {
	x := &index{seed: maphash.MakeSeed(), began: began}
	for i := range shards {
		x.members[i].entries = map[string]*entry{}
		x.lives[i].byID = map[string]*live{}
	}
	return x
}

func (x *index) shard(folded []byte) *memberShard {
	return &x.members[maphash.Bytes(x.seed, folded)%shards]
}

func (x *index) shardOf(folded string) *memberShard {
	return &x.members[maphash.String(x.seed, folded)%shards]
}

func (x *index) live(id string) *liveShard {
	return &x.lives[maphash.String(x.seed, id)%shards]
}

// entry returns the member's entry, and makes one.
func (m *memberShard) entry(folded string) *entry {
	e := m.entries[folded]
	if e == nil {
		e = &entry{login: folded}
		m.entries[folded] = e
	}
	return e
}

// keyOf returns what tells the session's device from others.
func (x *index) keyOf(s *Session) key {
	r := s.Report
	if k, ok := macKey(r.StationMAC); ok {
		return k
	}
	if r.HasPort {
		return portKey(x.seed, r.Client, r.Port)
	}
	return onceKey(x.seed, s.ID)
}

// seen takes in a session at a sign of life. came says that it is new, back
// that its device had given its place to another, and yet is there.
func (x *index) seen(s Session, sign time.Time) (came, back bool) {
	if s.Report == nil {
		return false, false
	}
	var room [3 * member.MaxLogin]byte
	folded := member.Fold(room[:0], s.Report.Login)
	ids := x.live(s.ID)
	ids.Lock()
	defer ids.Unlock()
	l := ids.byID[s.ID]
	k := x.keyOf(&s)
	if l != nil && (l.entry.login != string(folded) || !x.stays(l, k)) {
		// What Class says may come with a later report than the first.
		x.leave(l)
		l.entry = nil
	}
	if came = l == nil; came {
		l = &live{}
		ids.byID[s.ID] = l
	}
	m := x.shard(folded)
	m.Lock()
	defer m.Unlock()
	if l.entry == nil {
		l.entry = m.entry(string(folded))
		l.entry.join(l, k, s.Report)
	}
	l.report(s, sign)
	l.device.reported(s.Report)
	return came, l.device.lost
}

// stays says whether the session is still of the device that it was of.
func (x *index) stays(l *live, k key) bool {
	m := x.shardOf(l.entry.login)
	m.Lock()
	defer m.Unlock()
	return l.device.key == k
}

// join gives a session that is new to its device.
func (e *entry) join(l *live, k key, r *member.Session) {
	id := parseDecision(r.Decision)
	d := e.device(k)
	if d == nil {
		if d = e.nameless(id); d != nil {
			e.remove(d)
		} else {
			d = &device{}
		}
		d.key = k
		e.add(d)
	}
	if d.backend == "" { // else its admission has named it
		d.backend = r.Backend
	}
	if id == (decision{}) || d.decision == (decision{}) || id == d.decision {
		d.admitted = time.Time{} // from here on the session counts
	}
	l.device = d
	d.sessions = append(d.sessions, l)
}

// ended forgets a session.
func (x *index) ended(s *Session) {
	ids := x.live(s.ID)
	ids.Lock()
	defer ids.Unlock()
	if l := ids.byID[s.ID]; l != nil {
		delete(ids.byID, s.ID)
		x.last(l, s.Report)
		x.leave(l)
	} else if s.Report != nil {
		x.never(s)
	}
}

// last takes in what a session's Stop says.
func (x *index) last(l *live, r *member.Session) {
	if r == nil {
		return
	}
	m := x.shardOf(l.entry.login)
	m.Lock()
	defer m.Unlock()
	l.device.reported(r)
}

// reported takes in a report of the device. One of the decision that let it in
// last, as after it has authenticated again, says that its sessions count from
// here on.
func (d *device) reported(r *member.Session) {
	if id := parseDecision(r.Decision); id != (decision{}) && id == d.decision {
		d.admitted = time.Time{}
	}
}

// never forgets the admission of a device whose Stop has come and whose Start has not.
func (x *index) never(s *Session) {
	id, folded := parseDecision(s.Report.Decision), member.FoldString(s.Report.Login)
	m := x.shardOf(folded)
	m.Lock()
	defer m.Unlock()
	e := m.entries[folded]
	if e == nil || id == (decision{}) {
		return
	}
	for _, d := range e.devices {
		if d.decision == id && len(d.sessions) == 0 {
			e.remove(d)
			break
		}
	}
	if len(e.devices) == 0 {
		delete(m.entries, folded)
	}
}

// leave takes a session from its device; its own lock is held.
func (x *index) leave(l *live) {
	m := x.shardOf(l.entry.login)
	m.Lock()
	defer m.Unlock()
	d, e := l.device, l.entry
	d.sessions = slices.DeleteFunc(d.sessions, func(other *live) bool { return other == l })
	if len(d.sessions) == 0 && d.admitted.IsZero() {
		e.remove(d)
	}
	if len(e.devices) == 0 {
		delete(m.entries, e.login)
	}
}

// logins returns the folded logins of all who are online.
func (x *index) logins() []string {
	var all []string
	for i := range x.members {
		m := &x.members[i]
		m.Lock()
		for login := range m.entries {
			all = append(all, login)
		}
		m.Unlock()
	}
	return all
}

// prune forgets admissions that no session followed.
func (x *index) prune(now time.Time) {
	for i := range x.members {
		m := &x.members[i]
		m.Lock()
		for login, e := range m.entries {
			e.tidy(now)
			if len(e.devices) == 0 {
				delete(m.entries, login)
			}
		}
		m.Unlock()
	}
}

// with calls f for an open session, under its member's lock.
func (x *index) with(id string, f func(l *live)) {
	ids := x.live(id)
	ids.Lock()
	defer ids.Unlock()
	l := ids.byID[id]
	if l == nil {
		return
	}
	m := x.shardOf(l.entry.login)
	m.Lock()
	defer m.Unlock()
	f(l)
}

// open says whether the session is known, and so has not ended.
func (x *index) open(id string) (known bool) {
	x.with(id, func(*live) { known = true })
	return known
}

// told keeps what a CoA-Request has changed the session to.
func (x *index) told(id, plan, vlan string) {
	x.with(id, func(l *live) { l.told, l.plan, l.vlan = true, plan, vlan })
}

// unknown keeps that the NAS does not know the session: it counts no more, until it is reported on.
func (x *index) unknown(id string) {
	x.with(id, func(l *live) { l.gone = true })
}

// A standing is an open session as it is judged.
type standing struct {
	session    Session
	key        key
	backend    string
	plan, vlan string
	known      bool // plan and vlan are
	evict      bool
	counts     bool
	seen       time.Time // of the device
}

// standings returns the open sessions of a folded login.
func (x *index) standings(folded string, now time.Time) []standing {
	m := x.shardOf(folded)
	m.Lock()
	defer m.Unlock()
	e := m.entries[folded]
	if e == nil {
		return nil
	}
	var all []standing
	for _, d := range e.devices {
		for _, l := range d.sessions {
			s := standing{session: l.session, key: d.key, backend: d.backend, evict: l.evict, counts: !d.lost && d.there(x, now), seen: d.seen()}
			s.plan, s.vlan, s.known = l.policy()
			all = append(all, s)
		}
	}
	return all
}
