package presence

import (
	"encoding/hex"
	"hash/maphash"
	"slices"
	"time"
)

// A key is what tells devices of a member from each other: a MAC address, a
// port of a client, or what is never the same twice.
type key uint64

// The kinds of keys, in the bits that a MAC address leaves free.
const (
	keyMAC    key = 1 << 48
	keyHashed key = 1 << 63
)

// localBit is the bit of a MAC address's first octet that says that whoever
// uses it has made it up (IEEE 802-2014 §8.4).
const localBit key = 0x02 << 40

// random says whether the key is a MAC address that its device has made up.
func (k key) random() bool { return k>>48 == keyMAC>>48 && k&localBit != 0 }

// macKey reads "aa:bb:cc:dd:ee:ff".
func macKey(s string) (key, bool) {
	if len(s) != 17 {
		return 0, false
	}
	k := keyMAC
	for octet := range 6 {
		if octet > 0 && s[3*octet-1] != ':' {
			return 0, false
		}
		high, low := nibble(s[3*octet]), nibble(s[3*octet+1])
		if high > 15 || low > 15 {
			return 0, false
		}
		k |= key(high<<4|low) << (40 - 8*octet)
	}
	return k, true
}

func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// portKey is a device without a MAC address, by the port that it is at.
func portKey(seed maphash.Seed, client string, port uint32) key {
	return keyHashed | key(maphash.String(seed, client)^maphash.Comparable(seed, port))
}

// onceKey is a device of which nothing is known that could be known again.
func onceKey(seed maphash.Seed, text string) key {
	return keyHashed | key(maphash.String(seed, text))
}

// A decision is the octets of a decision's id, zero where it is not known.
type decision [16]byte

// parseDecision reads an id as RFC 9562 §4 writes it.
func parseDecision(s string) (d decision) {
	if len(s) != 36 {
		return d
	}
	var digits [32]byte
	n := 0
	for i := range len(s) {
		if s[i] != '-' && n < len(digits) {
			digits[n] = s[i]
			n++
		}
	}
	if _, err := hex.Decode(d[:], digits[:n]); err != nil {
		return decision{}
	}
	return d
}

// pendingFor is how long a device counts by its admission alone. A NAS that
// reports at all does so within seconds, and repeats itself for half a minute.
const pendingFor = 2 * time.Minute

// A device is one of a member's.
type device struct {
	key      key
	at       int // its place in the entry
	backend  string
	admitted time.Time // zero: no admission waits for its session
	decision decision
	// lost: it has given its place to another.
	lost     bool
	sessions []*live
}

// pending says whether it was let in and its session has yet to be reported.
func (d *device) pending(now time.Time) bool {
	return !d.admitted.IsZero() && now.Sub(d.admitted) < pendingFor
}

// there says whether the device is on, as far as is known.
func (d *device) there(x *index, now time.Time) bool {
	return d.pending(now) || slices.ContainsFunc(d.sessions, func(l *live) bool { return l.there(x, now) })
}

// idle says whether the device has moved no data for an interim interval.
func (d *device) idle(now time.Time) bool {
	return !d.pending(now) && len(d.sessions) > 0 && !slices.ContainsFunc(d.sessions, func(l *live) bool { return !l.idle(now) })
}

// on says whether all of the device's sessions are on this network.
func (d *device) on(site, ssid string) bool {
	return !slices.ContainsFunc(d.sessions, func(l *live) bool {
		return l.session.Report.Site != site || l.session.Report.SSID != ssid
	})
}

// seen is when the device was last heard of.
func (d *device) seen() time.Time {
	last := d.admitted
	for _, l := range d.sessions {
		if l.seen.After(last) {
			last = l.seen
		}
	}
	return last
}

// A live is an open session.
type live struct {
	session Session
	entry   *entry
	device  *device
	// seen is the last sign of life, grown the last one that came with more data
	// than the one before; quiet says that one has come since.
	seen, grown time.Time
	quiet       bool
	total       uint64
	// every is the interim interval; 0 is not known.
	every time.Duration
	// told: a CoA-Request has changed its plan and VLAN to these, and the ledger does
	// not say so yet.
	told       bool
	plan, vlan string
	// evict: it leaves, since its device's place is another's.
	evict bool
	// gone: the NAS does not know it.
	gone bool
}

// there says whether the session is to be counted. Nothing is silent that
// could not have been heard, before this server was there.
func (l *live) there(x *index, now time.Time) bool {
	if l.gone {
		return false
	}
	last := l.seen
	if last.Before(x.began) {
		last = x.began
	}
	return l.every == 0 || now.Sub(last) <= l.every*3/2
}

// idle says whether no data moves: an interval has gone by, and a report has
// come in it that says so.
func (l *live) idle(now time.Time) bool {
	return l.gone || l.every > 0 && l.quiet && now.Sub(l.grown) >= l.every
}

// report takes in what the session's counters say at a sign of life.
func (l *live) report(s Session, sign time.Time) {
	r := s.Report
	total := r.Input + r.Output + r.InputPackets + r.OutputPackets
	first := l.session.Report == nil
	switch {
	case first, total > l.total:
		l.grown, l.quiet = sign, false
	case sign.After(l.seen):
		l.quiet = true
	}
	switch told := r.Interim; {
	case first, l.every == 0:
		l.every = told
	case told > 0 && sign.After(l.seen):
		// A NAS that goes by an interval of its own is taken at its deeds.
		l.every = max(told, sign.Sub(l.seen))
	}
	if first || sign.After(l.seen) {
		l.seen = sign
	}
	l.told = l.told && (r.Plan != l.plan || r.VLAN != l.vlan)
	l.total, l.session, l.gone = max(l.total, total), s, false
}

// policy returns the session's plan and VLAN, and whether they are known.
func (l *live) policy() (plan, vlan string, known bool) {
	r := l.session.Report
	if l.told {
		return l.plan, l.vlan, true
	}
	return r.Plan, r.VLAN, r.Decision != "" || r.Plan != "" || r.VLAN != ""
}

// same says whether two names of backends can be the same: that of a session
// whose decision is not known is empty.
func same(a, b string) bool { return a == b || a == "" || b == "" }
