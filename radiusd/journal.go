package radiusd

import (
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"

	"memberradius/member"
)

const (
	maxSSID = 32 // IEEE 802.11 §9.4.2.2
	maxNAS  = 64 // of a NAS-Identifier the beginning is enough to know it by
)

// A decisionID is a UUIDv7 (RFC 9562 §5.7): it names a decision in the log, in
// Class and in Why.
type decisionID [16]byte

// A record is a decision as the journal keeps it: of fixed size and without
// pointers into a packet.
type record struct {
	id      decisionID
	at      time.Time
	took    time.Duration
	age     time.Duration
	session time.Duration
	client  *Client
	plan    string
	vlan    string
	source  string
	message string
	// owner is to whom a device belongs that came in by its address.
	owner string
	// backend is whose member it was.
	backend string
	// how is the way of EAP ("peap/mschapv2"), detail what completes the reason.
	how      string
	detail   string
	method   methodID
	verdict  member.Verdict
	reason   member.Reason
	proved   bool
	garbled  bool
	resumed  bool
	loginLen uint8
	ssidLen  uint8
	nasLen   uint8
	macLen   uint8
	login    [maxValue]byte
	ssid     [maxSSID]byte
	nas      [maxNAS]byte
	mac      [macSize]byte
}

// A journal keeps the last decisions of one reader, or of the pool. The reader
// locks it once for a batch of packets, so that a decision costs no lock of its own.
type journal struct {
	sync.Mutex
	ring []record
	most int
	next uint64 // how many there have ever been
}

// newJournal returns a journal of at least a batch, so that none of it is
// overwritten before it is settled.
func newJournal(most int) *journal { return &journal{most: max(most, batchSize)} }

// add returns the place of the next record, to be filled under the lock.
func (j *journal) add() *record {
	at := int(j.next % uint64(j.most))
	j.next++
	if at == len(j.ring) {
		j.ring = append(j.ring, record{})
	}
	r := &j.ring[at]
	return r
}

// settle fills in how long the records from number from on took, and counts
// them. The journal is locked.
func (j *journal) settle(from uint64, took time.Duration, m *meters) {
	for ; from < j.next; from++ {
		r := &j.ring[from%uint64(j.most)]
		r.took = took
		m.decide(r)
	}
}

// since appends to to the records from number from on, at most cap(to), and
// returns how many had been overwritten before.
func (j *journal) since(from uint64, to []record) (records []record, next, lost uint64) {
	j.Lock()
	defer j.Unlock()
	if oldest := j.next - uint64(len(j.ring)); from < oldest {
		lost, from = oldest-from, oldest
	}
	for from < j.next && len(to) < cap(to) {
		to = append(to, j.ring[from%uint64(j.most)])
		from++
	}
	return to, from, lost
}

// find calls f for the records of a folded login, or of a device where station
// is not empty, newest first, until it returns false.
func (j *journal) find(folded, station string, f func(*record) bool) {
	j.Lock()
	defer j.Unlock()
	var buf [3 * maxValue]byte
	for n := range uint64(len(j.ring)) {
		r := &j.ring[(j.next-1-n)%uint64(j.most)]
		its := string(member.Fold(buf[:0], alias(r.login[:r.loginLen]))) == folded ||
			station != "" && string(r.mac[:r.macLen]) == station
		if its && !f(r) {
			return
		}
	}
}

// settles is how much later than it was made a decision may stand in a journal:
// those of the pool come in the order in which they end.
const settles = time.Minute

// byID finds a decision that is not too old for the journal.
func (j *journal) byID(id decisionID) (record, bool) {
	made := id.time()
	j.Lock()
	defer j.Unlock()
	for n := range uint64(len(j.ring)) {
		r := &j.ring[(j.next-1-n)%uint64(j.most)]
		if r.id == id {
			return *r, true
		}
		if made.Sub(r.at) > settles {
			break
		}
	}
	return record{}, false
}

// A Decision is one Access-Request and what came of it.
type Decision struct {
	At time.Time
	// ID is in the log and, as octets, in the reply's Class.
	ID                                         string
	Login, Client, Site, NAS, SSID, StationMAC string
	Method, Plan, VLAN, Source, Message        string
	// Detail completes the reason's sentence: an alert of the device, what it offers.
	Detail  string
	Verdict member.Verdict
	Proved  bool
	Reason  member.Reason
	// Garbled: the password that came is no text, and nothing signed the request.
	Garbled bool
	// Resumed: she came back by fast reconnect of EAP, without a password.
	Resumed bool
	// SessionTimeout is what the NAS was told (0: nothing), Took how long the
	// decision took, Age how old the member system's answer was (0: just given).
	SessionTimeout, Took, Age time.Duration
}

func (r *record) decision() Decision {
	c := &r.client.config
	method := r.method.String()
	if r.how != "" {
		method = r.how
	}
	return Decision{
		At: r.at, ID: r.id.String(),
		Login: string(r.login[:r.loginLen]), Client: c.Name, Site: c.Site,
		NAS: string(r.nas[:r.nasLen]), SSID: string(r.ssid[:r.ssidLen]), StationMAC: string(r.mac[:r.macLen]),
		Method: method, Plan: r.plan, VLAN: r.vlan, Source: r.source, Message: r.message, Detail: r.detail,
		Verdict: r.verdict, Proved: r.proved, Reason: r.reason, Garbled: r.garbled, Resumed: r.resumed,
		SessionTimeout: r.session, Took: r.took, Age: r.age,
	}
}

// String returns the ID as RFC 9562 §4 writes it.
// time returns when the decision was made, to the millisecond.
func (id decisionID) time() time.Time {
	var ms [8]byte
	copy(ms[2:], id[:6])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:])))
}

func (id decisionID) String() string {
	var s [36]byte
	hex.Encode(s[:8], id[:4])
	hex.Encode(s[9:13], id[4:6])
	hex.Encode(s[14:18], id[6:8])
	hex.Encode(s[19:23], id[8:10])
	hex.Encode(s[24:], id[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}
