package backends

import (
	"errors"
	"sync/atomic"
	"time"

	"memberradius/member"
)

// latencyBounds are the upper bounds of a Meter's latency buckets. The target
// for a member system at 50 ms is a p99 of 120 ms, and a call ends after 3 s.
var latencyBounds = [...]time.Duration{
	time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 75 * time.Millisecond, 100 * time.Millisecond, 120 * time.Millisecond,
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 3 * time.Second, 10 * time.Second,
}

// A Meter counts what passes between the server and one member system. The
// layers of that system share one. The zero value is ready, and a nil *Meter
// counts nothing.
type Meter struct {
	allowed, denied, unknown  atomic.Uint64
	classes                   [len(classes)]atomic.Uint64
	fresh, grace, joined      atomic.Uint64
	shelfDropped, shelfFailed atomic.Uint64
	panics                    atomic.Uint64
	inFlight                  atomic.Int64
	entries                   atomic.Int64
	state                     atomic.Uint32
	took                      atomic.Int64
	buckets                   [len(latencyBounds) + 1]atomic.Uint64
}

// Figures are the counts of a Meter at one moment. All but InFlight, Entries
// and Breaker only ever grow.
type Figures struct {
	// Allowed, Denied and Unknown count the answers of the system itself.
	Allowed, Denied, Unknown uint64
	// NotSaid counts by Class how often it could not say. Open and Full were
	// never sent to the system.
	NotSaid [len(classes)]uint64
	// Fresh and Grace count answers that the cache gave, Joined the asks that
	// waited for another's call.
	Fresh, Grace, Joined uint64
	// ShelfDropped counts answers that were not kept because too many waited
	// for the store, ShelfFailed what the store failed to write or to read.
	ShelfDropped, ShelfFailed uint64
	// Panics counts faults of the backend's code.
	Panics uint64
	// InFlight is how many calls are under way, Entries how many answers the cache holds.
	InFlight, Entries int
	// Breaker is the state of the breaker.
	Breaker State
	// Latency has one count for each of LatencyBounds and one for what took
	// longer, not accumulated. Took is the sum of all calls.
	Latency [len(latencyBounds) + 1]uint64
	Took    time.Duration
}

// LatencyBounds returns the upper bounds of Figures.Latency.
func LatencyBounds() []time.Duration { return append([]time.Duration(nil), latencyBounds[:]...) }

// Classes returns every Class, in the order of Figures.NotSaid.
func Classes() []Class {
	all := make([]Class, len(classes))
	for i := range all {
		all[i] = Class(i)
	}
	return all
}

// Figures returns the counts.
func (m *Meter) Figures() Figures {
	var f Figures
	if m == nil {
		return f
	}
	f.Allowed, f.Denied, f.Unknown = m.allowed.Load(), m.denied.Load(), m.unknown.Load()
	f.Fresh, f.Grace, f.Joined = m.fresh.Load(), m.grace.Load(), m.joined.Load()
	f.ShelfDropped, f.ShelfFailed, f.Panics = m.shelfDropped.Load(), m.shelfFailed.Load(), m.panics.Load()
	f.InFlight, f.Entries = int(m.inFlight.Load()), int(m.entries.Load())
	f.Breaker, f.Took = State(m.state.Load()), time.Duration(m.took.Load())
	for i := range m.classes {
		f.NotSaid[i] = m.classes[i].Load()
	}
	for i := range m.buckets {
		f.Latency[i] = m.buckets[i].Load()
	}
	return f
}

// began counts a call that goes to the system.
func (m *Meter) began() {
	if m != nil {
		m.inFlight.Add(1)
	}
}

// ended counts how a call to the system ended.
func (m *Meter) ended(took time.Duration, v member.Verdict, err error) {
	if m == nil {
		return
	}
	m.inFlight.Add(-1)
	m.took.Add(int64(took))
	b := 0
	for b < len(latencyBounds) && took > latencyBounds[b] {
		b++
	}
	m.buckets[b].Add(1)
	switch {
	case errors.Is(err, member.ErrUnknown):
		m.unknown.Add(1)
	case err != nil:
		m.notSaid(ClassOf(err))
	case v == member.Allow:
		m.allowed.Add(1)
	case v == member.Deny:
		m.denied.Add(1)
	default:
		m.notSaid(Broken)
	}
}

// notSaid counts a "could not say".
func (m *Meter) notSaid(c Class) {
	if m == nil {
		return
	}
	if int(c) >= len(m.classes) {
		c = Broken
	}
	m.classes[c].Add(1)
}

func (m *Meter) countFresh() {
	if m != nil {
		m.fresh.Add(1)
	}
}

func (m *Meter) countGrace() {
	if m != nil {
		m.grace.Add(1)
	}
}

func (m *Meter) countJoined() {
	if m != nil {
		m.joined.Add(1)
	}
}

func (m *Meter) countShelfDropped() {
	if m != nil {
		m.shelfDropped.Add(1)
	}
}

func (m *Meter) countShelfFailed() {
	if m != nil {
		m.shelfFailed.Add(1)
	}
}

func (m *Meter) countPanic() {
	if m != nil {
		m.panics.Add(1)
	}
}

func (m *Meter) setEntries(n int) {
	if m != nil {
		m.entries.Store(int64(n))
	}
}
