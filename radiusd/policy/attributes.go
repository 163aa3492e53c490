package policy

import (
	"time"

	"memberradius/dictionary"
)

// Limits of a reply. What a plan and a member system ask for may fill 3 KB
// together, so that 1 KB of the packet's 4,096 octets (RFC 2865 §3) is left to
// the protocol's own attributes.
const (
	maxAttributes   = 64   // from a plan, and from a member system
	maxPlanBytes    = 1024 // of a plan's attributes, encoded
	maxBackendBytes = 2048 // of a member system's attributes, encoded
	// MaxBytes is what Bytes holds at most: both, rates and times of the plan, a
	// VLAN in two spellings, Session-Timeout and a URL.
	MaxBytes   = maxPlanBytes + maxBackendBytes + 512
	maxEntries = 2*maxAttributes + 16
)

// Attributes is the result: encoded attributes, in the order of the wire. It
// is reused from request to request and allocates nothing in steady state. The
// zero value is ready.
type Attributes struct {
	buf     [MaxBytes]byte
	n       int
	entries [maxEntries]entry
	count   int
	// dropped says that some entries are gone, but their octets not yet.
	dropped bool

	plan    string
	vlan    string
	session time.Duration
	refused []string
}

// An entry is one attribute in the buffer. One that was replaced has size 0.
type entry struct {
	key      uint64 // vendor and number
	from, to uint16
}

func keyOf(a *dictionary.Attribute) uint64 { return uint64(a.Vendor)<<32 | uint64(a.Number) }

// Bytes returns the encoded attributes. They are valid until the next Compose.
func (o *Attributes) Bytes() []byte { return o.buf[:o.n] }

// Plan returns the name of the plan that holds, empty where there is none.
func (o *Attributes) Plan() string { return o.plan }

// VLAN returns the VLAN that the NAS is told, empty where it is told none.
func (o *Attributes) VLAN() string { return o.vlan }

// SessionTimeout returns the Session-Timeout, 0 where there is none.
func (o *Attributes) SessionTimeout() time.Duration { return o.session }

// Refused returns what a member system asked for and the NAS is not told,
// each as "Name: why". A value is never part of it. It is valid until the next
// Compose.
func (o *Attributes) Refused() []string { return o.refused }

// reset empties o, and keeps its memory.
func (o *Attributes) reset() {
	o.n, o.count, o.dropped = 0, 0, false
	o.plan, o.vlan, o.session = "", "", 0
	o.refused = o.refused[:0]
}

// load begins with what a plan sends.
func (o *Attributes) load(t *template) {
	o.n = copy(o.buf[:], t.bytes)
	o.count = copy(o.entries[:], t.entries)
}

// has says whether an attribute of that key is there.
func (o *Attributes) has(key uint64) bool {
	for i := range o.entries[:o.count] {
		if e := &o.entries[i]; e.key == key && e.from != e.to {
			return true
		}
	}
	return false
}

// drop removes every attribute of that key among the first ones.
func (o *Attributes) drop(key uint64, first int) {
	for i := range o.entries[:first] {
		if e := &o.entries[i]; e.key == key && e.from != e.to {
			e.to = e.from
			o.dropped = true
		}
	}
}

// take makes the octets that were written behind the end an attribute, which
// fails where there is no room: Append then wrote to memory of its own.
func (o *Attributes) take(key uint64, written []byte) bool {
	if len(written) > MaxBytes || o.count == maxEntries {
		return false
	}
	o.entries[o.count] = entry{key: key, from: uint16(o.n), to: uint16(len(written))}
	o.count++
	o.n = len(written)
	return true
}

// tail makes what was written behind the end part of the reply. Nothing can
// replace it any more. There is always room: see MaxBytes.
func (o *Attributes) tail(written []byte) {
	if len(written) <= MaxBytes {
		o.n = len(written)
	}
}

// write appends a's attribute with this value; why is empty where it could.
func (o *Attributes) write(a *dictionary.Attribute, value string) (why string) {
	written, err := a.Append(o.buf[:o.n], value)
	if err != nil {
		return need(err)
	}
	if !o.take(keyOf(a), written) {
		return "the reply is full"
	}
	return ""
}

// close brings the attributes that are left together.
func (o *Attributes) close() {
	if !o.dropped {
		return
	}
	n, count := 0, 0
	for _, e := range o.entries[:o.count] {
		size := copy(o.buf[n:], o.buf[e.from:e.to])
		if size == 0 {
			continue // it was replaced
		}
		o.entries[count] = entry{key: e.key, from: uint16(n), to: uint16(n + size)}
		n += size
		count++
	}
	o.n, o.count, o.dropped = n, count, false
}
