package ledger

import (
	"time"

	"memberradius/member"
)

// How a session ended: a Session's Closed.
const (
	// ByStop: its NAS said so. That is final.
	ByStop = "stop"
	// ByOn and ByOff: its NAS said of itself that it begins or ends to report.
	ByOn  = "accounting-on"
	ByOff = "accounting-off"
	// Silent: nothing was heard of it for too long (Sweep).
	Silent = "silent"
	// Replaced: its NAS has begun another under the same key.
	Replaced = "replaced"
)

// A Session is one session as all reports together say it. It is not changed
// once it is handed out. It has whole milliseconds, and times are UTC.
type Session struct {
	// ID is ours, a UUIDv7, by which sessions sort in the order they were made.
	ID string
	// Session is the latest report. Its counters and Duration are the largest that
	// were heard, and what the latest leaves out an earlier one has said. Login,
	// Backend, Plan, VLAN and Decision stay those of the last report whose decision
	// was known, Plan and VLAN until a CoA-Request has changed them.
	member.Session
	// Started is when it began: At of its Start, or where none came the earliest
	// that its other reports allow (At less Duration).
	Started time.Time
	// Updated is when the last report came, by our clock.
	Updated time.Time
	// Ended is when it ended, zero while it is open. Of one that went silent or was
	// replaced it is the last sign of life.
	Ended time.Time
	// StartSeen says that its Start came.
	StartSeen bool
	// Closed is how it ended; empty while it is open.
	Closed string
}

// Open says whether s goes on.
func (s *Session) Open() bool { return s.Ended.IsZero() }

// ChangeKind is what has happened to a Session.
type ChangeKind uint8

const (
	// NoChange is the zero value.
	NoChange ChangeKind = iota
	// Opened: it is new, or one that was taken for over goes on.
	Opened
	// Updated: it is open, and something of it is new.
	Updated
	// Closed: it has ended, or a report of it came after its end.
	Closed
)

// A Change is one step of a session, told once it is on the disk.
type Change struct {
	Kind ChangeKind
	// Session is how it stands now. It must not be changed.
	Session *Session
}

// reuseAfter is how long after a session's last sign of life a Start under its
// key is another session's: a NAS repeats a lost Start for less long.
const reuseAfter = 60 * time.Second

// A state is a Session with what else the ledger knows of it. Like the Session it
// is never changed once others may see it.
type state struct {
	Session
	id    id
	reuse int64
	// every is the longest time between two Interims, interimAt the At of the last.
	every     time.Duration
	interimAt time.Time
}

// A key is what makes two reports be of one session.
type key struct{ client, nas, acctID, user string }

func keyOf(s *member.Session) key { return key{s.Client, s.NAS, s.ID, s.User} }

// A growth is what one report adds to what was used.
type growth struct {
	input, output uint64
	duration      time.Duration
	sessions      int64
}

// begin returns the session whose first report is r.
func begin(r *member.Session, i id, reuse int64) *state {
	st := &state{Session: Session{ID: i.String(), Session: *r, Started: r.At, Updated: r.Received}, id: i, reuse: reuse}
	switch r.Event {
	case member.Start:
		st.StartSeen = true
	case member.Interim:
		st.interimAt = r.At
	case member.Stop:
		st.stop(r)
	}
	if r.Event != member.Start {
		st.Started = r.At.Add(-r.Duration)
	}
	return st
}

// another says whether the Start r begins a session of its own, though one with
// its key is known: the NAS has started anew and counts its ids from the first.
func (st *state) another(r *member.Session) bool {
	switch {
	case r.Event != member.Start:
		return false
	case !st.Open():
		return r.At.Sub(st.Ended) > reuseAfter
	default: // where its own Start is missing, this may be it, late
		return st.StartSeen && st.counted() && r.At.Sub(st.At) > reuseAfter
	}
}

// counted says whether anything was used.
func (st *state) counted() bool {
	return st.Input != 0 || st.Output != 0 || st.InputPackets != 0 || st.OutputPackets != 0 || st.Duration != 0
}

// before says whether r tells of the time before st began under the same key.
func (st *state) before(r *member.Session) bool {
	return st.reuse > 0 && r.At.Before(st.Started)
}

// with returns st as r leaves it; st itself where r says nothing new.
func (st *state) with(r *member.Session) *state {
	next := *st
	later := !r.At.Before(st.At)
	next.describe(r, later)
	next.count(r)
	switch r.Event {
	case member.Start:
		next.start(r)
	case member.Interim:
		next.interim(r)
	case member.Stop:
		if next.Closed != ByStop {
			next.stop(r)
		}
	}
	if began := r.At.Add(-r.Duration); !next.StartSeen && began.Before(next.Started) {
		next.Started = began
	}
	if later {
		next.Event, next.At = r.Event, r.At
	}
	if next == *st {
		return st
	}
	if r.Received.After(next.Updated) {
		next.Received, next.Updated = r.Received, r.Received
	}
	return &next
}

// start fills in when st began. A NAS without a clock may repeat a Start so late
// that it seems to be of after the end.
func (st *state) start(r *member.Session) {
	if !st.StartSeen && (st.Open() || !r.At.After(st.Ended)) {
		st.Started = r.At
	}
	st.StartSeen = true
}

// interim takes up that the session was alive at r.At.
func (st *state) interim(r *member.Session) {
	if !st.interimAt.IsZero() {
		st.every = max(st.every, r.At.Sub(st.interimAt))
	}
	if r.At.After(st.interimAt) {
		st.interimAt = r.At
	}
	// Only a Stop is the NAS's own word that this session is over. Of one that was
	// taken for over for another reason an Interim from after that is the proof of
	// the contrary. A replaced one has an heir, which the report is of.
	if !st.Open() && st.Closed != ByStop && st.Closed != Replaced && r.At.After(st.Ended) {
		st.Ended, st.Closed = time.Time{}, ""
	}
}

// stop ends st by its NAS's word.
func (st *state) stop(r *member.Session) {
	st.Ended, st.Closed, st.Cause = r.At, ByStop, r.Cause
}

// lastSign is when st was last alive, by its NAS's clock.
func (st *state) lastSign() time.Time {
	if st.At.Before(st.Started) {
		return st.Started
	}
	return st.At
}

// closed returns st as one that ended at that time, and how.
func (st *state) closed(how string, at time.Time) *state {
	next := *st
	next.Closed, next.Ended = how, at
	return &next
}

// count takes the larger of each counter.
func (st *state) count(r *member.Session) {
	st.Input, st.Output = max(st.Input, r.Input), max(st.Output, r.Output)
	st.InputPackets, st.OutputPackets = max(st.InputPackets, r.InputPackets), max(st.OutputPackets, r.OutputPackets)
	st.Duration = max(st.Duration, r.Duration)
}

// grown is what next has over st; st may be nil. A session is one of the day on
// which its counters first moved, so that a Start costs no row of usage.
func (st *state) grown(next *state) growth {
	if st == nil {
		st = &state{}
	}
	g := growth{input: next.Input - st.Input, output: next.Output - st.Output, duration: next.Duration - st.Duration}
	if !st.counted() && next.counted() {
		g.sessions = 1
	}
	return g
}

// describe takes over what r says of the session. later: r is not older than
// what is known; an older one only fills in what is missing.
func (st *state) describe(r *member.Session, later bool) {
	for _, text := range [...]struct {
		known *string
		said  string
	}{
		{&st.MultiID, r.MultiID}, {&st.Site, r.Site}, {&st.SSID, r.SSID}, {&st.StationMAC, r.StationMAC},
		{&st.Calling, r.Calling}, {&st.Called, r.Called}, {&st.NASIdentifier, r.NASIdentifier}, {&st.PortID, r.PortID}, {&st.Audit, r.Audit},
	} {
		if text.said != "" && (later || *text.known == "") {
			*text.known = text.said
		}
	}
	if r.Address.IsValid() && (later || !st.Address.IsValid()) {
		st.Address = r.Address
	}
	if r.NASAddress.IsValid() && (later || !st.NASAddress.IsValid()) {
		st.NASAddress = r.NASAddress
	}
	if r.Peer.IsValid() && (later || !st.Peer.IsValid()) {
		st.Peer = r.Peer
	}
	if r.HasPort && (later || !st.HasPort) {
		st.Port, st.HasPort = r.Port, true
	}
	if r.Interim > 0 && (later || st.Interim == 0) {
		st.Interim = r.Interim
	}
	if r.Timeout > 0 && (later || st.Timeout == 0) {
		st.Timeout = r.Timeout
	}
	if tells(r, &st.Session.Session, later) {
		st.Login, st.Backend, st.Plan, st.VLAN, st.Decision = r.Login, r.Backend, r.Plan, r.VLAN, r.Decision
	}
}

// tells says whether r, later than what is known or not, says more of the decision
// behind the session: one that names it more than one that does not. The same once more
// says nothing, since a CoA-Request may have changed what it gave.
func tells(r, known *member.Session, later bool) bool {
	if says, said := telling(r), telling(known); says != said {
		return says > said
	}
	return later && (r.Decision == "" || r.Decision != known.Decision || r.Login != known.Login)
}

// telling is how much a report says of the decision: nothing, whose session it is, or
// which decision it was.
func telling(r *member.Session) int {
	switch {
	case r.Decision != "":
		return 2
	case r.Backend != "" || r.Plan != "":
		return 1
	default:
		return 0
	}
}

// The times after which a session is taken for over.
const (
	missedInterims = 3
	// silentAfter is for sessions that never had an Interim, and a bound for those
	// whose NAS is not told when to send one.
	silentAfter = 24 * time.Hour
	// stopLate is for a Stop that is on its way when Session-Timeout has passed.
	stopLate = 5 * time.Minute
)

// silentAt is when the session counts as silent if nothing more is heard. It goes
// by our clock: that of its NAS may be hours off.
func (st *state) silentAt() time.Time {
	switch seen := min(missedInterims*st.every, silentAfter); {
	case st.Interim > 0:
		return st.Updated.Add(max(missedInterims*st.Interim, seen))
	case seen > 0:
		return st.Updated.Add(seen)
	case st.Timeout > 0:
		if at := st.id.time().Add(st.Timeout + stopLate); at.After(st.Updated) {
			return at
		}
		return st.Updated.Add(stopLate)
	default:
		return st.Updated.Add(silentAfter)
	}
}
