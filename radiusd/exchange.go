package radiusd

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"memberradius/member"
	"memberradius/radiusd/policy"
)

// An exchange is one request on its way to its reply, with all the room that
// needs. Each reader and each worker of the pool reuses one, so that a request
// answered from memory allocates nothing.
type exchange struct {
	request
	*hasher
	server  *Server
	tables  *Tables
	repeats *repeats // the reader's own
	journal *journal
	from    *socket
	arrival Arrival
	// received is when the batch was read, with the monotonic clock; now is the wall clock of the member's validity.
	received, now time.Time

	client *Client
	entry  *kept
	// work is set in the pool: where the reply is kept for repeats.
	work     *work
	mayWait  bool
	mustWait bool
	deadline time.Time

	used     methodID
	attempt  member.Attempt
	answer   member.Answer
	atGate   member.Attempt
	gate     member.Answer
	hashHash member.Hash
	verdict  member.Verdict
	reason   member.Reason
	proved   bool
	// words are what a member system wants its member to read of a refusal.
	words string

	input      policy.Input
	attributes policy.Attributes
	reply      reply
	// out is what goes back to the NAS at once; empty is silence.
	out []byte

	salt     uint16
	ids      decisionIDs
	decision decisionID
	password [maxPassword]byte
	mac      [macSize]byte
	text     [512]byte
}

func newExchange(s *Server) *exchange {
	x := &exchange{hasher: newHasher(), server: s}
	x.ids.seed(s.rand)
	return x
}

// begin clears what the last request left. The wall clock is read once a batch.
func (x *exchange) begin(from *socket, received time.Time) {
	x.from, x.received, x.now = from, received, received
	x.tables = x.server.tables.Load()
	x.client, x.entry, x.work = nil, nil, nil
	x.mayWait, x.mustWait, x.proved = false, false, false
	x.used, x.verdict, x.reason, x.words = methodNone, member.Unanswered, member.ReasonNone, ""
	x.attempt, x.answer = member.Attempt{}, member.Answer{}
	x.out = x.out[:0]
}

// describe fills the attempt with what the request says of itself.
func (x *exchange) describe() {
	a := &x.attempt
	a.Login = alias(x.userName)
	a.Port = x.arrival.Local.Port()
	a.Site, a.Client = x.client.config.Site, x.client.config.Name
	a.NAS = alias(x.nasIdentifier)
	a.SSID = alias(x.ssid())
	if readMAC(&x.mac, x.callingStation) > 0 {
		a.StationMAC = alias(x.mac[:])
	}
	a.Received = x.received
}

// drop ends the way without a reply, and without a trace in the table of repeats.
func (x *exchange) drop(why drop) bool {
	x.server.dropped(x.client, &x.arrival, why)
	return false
}

// note writes the decision down: journal, log and metrics.
func (x *exchange) note() {
	if x.work != nil {
		x.journal.Lock()
		defer x.journal.Unlock()
	}
	r := x.journal.add()
	r.id, r.at, r.took = x.decision, x.now, time.Since(x.received)
	r.client, r.method = x.client, x.used
	r.verdict, r.reason, r.proved = x.verdict, x.reason, x.proved
	r.age, r.source, r.message = x.answer.Age, x.answer.Source, x.words
	r.garbled = x.reason == member.ReasonWrongProof && x.garbled()
	r.plan, r.vlan, r.session = "", "", 0
	if x.verdict == member.Allow && x.tables.Book != nil {
		r.plan, r.vlan, r.session = x.attributes.Plan(), x.attributes.VLAN(), x.attributes.SessionTimeout()
	}
	r.loginLen = uint8(copy(r.login[:], x.attempt.Login))
	r.ssidLen = uint8(copy(r.ssid[:], x.attempt.SSID))
	r.nasLen = uint8(copy(r.nas[:], x.attempt.NAS))
	r.macLen = uint8(copy(r.mac[:], x.attempt.StationMAC))
	x.server.meters.decide(x.client, r)
	if refused := x.refusedAttributes(); len(refused) > 0 {
		x.server.refusedAttributes(x.answer.Source, refused)
	}
}

func (x *exchange) refusedAttributes() []string {
	if x.verdict != member.Allow || x.tables.Book == nil {
		return nil
	}
	return x.attributes.Refused()
}

// rescue keeps a panic from ending the server: the packet is lost, and counted.
func (x *exchange) rescue() {
	if p := recover(); p != nil {
		x.out = x.out[:0]
		x.server.panicked(p)
	}
}

// decisionIDs makes UUIDv7s (RFC 9562 §5.7) without asking for randomness each
// time: the random part of the first one, counted up.
type decisionIDs struct{ hi, lo uint64 }

func (d *decisionIDs) seed(rand io.Reader) {
	var b [16]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		panic(fmt.Sprintf("radiusd: no randomness: %v", err))
	}
	d.hi, d.lo = binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
}

func (d *decisionIDs) next(now time.Time, id *decisionID) {
	if d.lo++; d.lo == 0 {
		d.hi++
	}
	binary.BigEndian.PutUint64(id[:], uint64(now.UnixMilli())<<16|7<<12|d.hi&0xfff)
	binary.BigEndian.PutUint64(id[8:], 2<<62|d.lo&(1<<62-1))
}
