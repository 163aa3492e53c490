package radiusd

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"memberradius/eap"
	"memberradius/member"
	"memberradius/radiusd/policy"
	"memberradius/radiusd/presence"
)

// An exchange is one request on its way to its reply, with all the room that
// needs. Each reader and each worker of the pool reuses one, so that a request
// answered from memory allocates nothing.
type exchange struct {
	*arrived
	signer
	server  *Server
	tables  *Tables
	repeats *repeats // the reader's own
	journal *journal
	from    *socket
	// received is when the batch was read, with the monotonic clock; now is the wall clock of the member's validity.
	received, now time.Time

	slot  int // of the batch
	entry *kept
	key   repeatKey
	// work is set in the pool: where the reply is kept for repeats.
	work *work
	// computing: one of the server's turns is taken.
	computing bool
	mayWait   bool
	mustWait  bool
	deadline  time.Time

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
	admission  presence.Admission
	attributes policy.Attributes
	reply      reply
	// talk is what EAP makes of the request.
	talk eap.Outcome
	// alone is the one request that the pool works on.
	alone arrived
	// outbox are the replies that wait for their signature.
	outbox []outgoing

	keys     keys
	salt     uint16
	ids      decisionIDs
	decision decisionID
	// numbered: decision is this request's.
	numbered bool
	password [maxPassword]byte
	mac      [macSize]byte
	// door is the device's address of MAC authentication.
	door [macSize]byte
	text [512]byte
}

// An arrived is a datagram between its arrival and its turn.
type arrived struct {
	request
	arrival Arrival
	client  *Client
	// out is room for the reply.
	out []byte
	// again is the reply to a repeat.
	again []byte
	// onItsWay: nothing has ended it so far.
	onItsWay bool
	// authentic: its Message-Authenticator is right. What follows is signer.verify's.
	authentic bool
	claimed   [authenticatorSize]byte
	firstMask [authenticatorSize]byte
	sum, mask int
}

func newExchange(s *Server) *exchange {
	x := &exchange{server: s, keys: newKeys(1)}
	x.ids.seed(s.rand)
	return x
}

// begin turns to a request and clears what the last one left.
func (x *exchange) begin(a *arrived) {
	x.arrived = a
	x.entry, x.work = nil, nil
	x.mayWait, x.mustWait, x.proved, x.numbered = false, false, false, false
	if x.used == methodEAP {
		x.talk = eap.Outcome{}
	}
	x.used, x.verdict, x.reason, x.words = methodNone, member.Unanswered, member.ReasonNone, ""
	x.attempt, x.answer = member.Attempt{}, member.Answer{}
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

// note writes the decision into the journal, which is locked. How long it took
// is known when its batch is done: reading the clock costs a fiftieth of a request.
func (x *exchange) note() {
	r := x.journal.add()
	r.id, r.at, r.took = x.decision, x.now, 0
	r.client, r.method, r.backend = x.client, x.used, x.backend()
	r.verdict, r.reason, r.proved = x.verdict, x.reason, x.proved
	r.age, r.source, r.message = x.answer.Age, x.answer.Source, x.words
	r.how, r.detail = x.talk.Result.How, x.talk.Result.Fault.Detail
	r.resumed = x.talk.Result.Resumed
	r.garbled = x.reason == member.ReasonWrongProof && x.garbled()
	r.plan, r.vlan, r.session = "", "", 0
	if x.verdict == member.Allow && x.tables.Book != nil {
		r.plan, r.vlan, r.session = x.attributes.Plan(), x.attributes.VLAN(), x.attributes.SessionTimeout()
	}
	r.owner = ""
	if x.verdict == member.Allow {
		r.owner = x.owner()
	}
	r.loginLen = uint8(copy(r.login[:], x.attempt.Login))
	r.ssidLen = uint8(copy(r.ssid[:], x.attempt.SSID))
	r.nasLen = uint8(copy(r.nas[:], x.attempt.NAS))
	r.macLen = uint8(copy(r.mac[:], x.attempt.StationMAC))
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

// identify gives the decision its id, where it has none yet.
func (x *exchange) identify() {
	if !x.numbered {
		x.ids.next(x.now, &x.decision)
		x.numbered = true
	}
}

// rescue keeps a panic from ending the server: the packet is lost, and counted.
func (x *exchange) rescue() {
	x.quit()
	if p := recover(); p != nil {
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
