package eap

import (
	"container/list"
	"fmt"
	"io"
	"sync"
	"time"

	"memberradius/member"
)

// StateSize is the length of a conversation's State in octets.
const StateSize = 16

// A State names a conversation: random, the same for all of it (RFC 3579
// §2.6.1: it is found by State alone).
type State [StateSize]byte

// Bounds are an Engine's; each must be more than zero.
type Bounds struct {
	// Conversations is how many there may be at the same time.
	Conversations int
	// PerClient is how many of them one client may have.
	PerClient int
	// Idle is how long one waits for the peer's next packet.
	Idle time.Duration
}

// An Engine keeps the conversations of all peers. It is safe for use by many.
type Engine struct {
	bounds Bounds
	rand   io.Reader

	mu        sync.Mutex
	open      map[State]*talk
	all       ranks
	perClient map[string]*ranks
	evicted   uint64
}

// A ranks holds conversations in the order in which they have to go: first those
// that have not got beyond identity and first flight, which a flood is made of,
// then the others; of each those that were heard of longest ago.
type ranks struct{ fresh, under list.List } // of *talk

func (r *ranks) size() int { return r.fresh.Len() + r.under.Len() }

// next is who has to go.
func (r *ranks) next() *talk {
	if r.fresh.Len() > 0 {
		return r.fresh.Front().Value.(*talk)
	}
	return r.under.Front().Value.(*talk)
}

// A place is where a talk stands in a ranks.
type place struct {
	ranks *ranks
	list  *list.List
	at    *list.Element
}

func (r *ranks) add(t *talk) place { return place{r, &r.fresh, r.fresh.PushBack(t)} }

// heard puts the talk behind the others, where it is under way among those.
func (p *place) heard(under bool) {
	if !under || p.list == &p.ranks.under {
		p.list.MoveToBack(p.at)
		return
	}
	t := p.list.Remove(p.at)
	p.list = &p.ranks.under
	p.at = p.list.PushBack(t)
}

// A talk is a conversation and its place in the lists.
type talk struct {
	state  State
	client string
	rounds int
	until  time.Time
	place  place // among all
	shared place // among those of its client
	gone   bool

	// mu is held while a packet is worked on. Whoever waits would be a repeat.
	mu     sync.Mutex
	dialog *Dialog
	about  any
	denied *Decision // what the peer may not have waited to hear
}

// A witness is the Decider of a talk, which keeps a refusal.
type witness struct {
	Decider
	talk *talk
}

// Decide implements Decider.
func (w witness) Decide(login string, p *member.Proof) Decision {
	d := w.Decider.Decide(login, p)
	if d.Verdict == member.Deny {
		w.talk.denied = &d
	}
	return d
}

// NewEngine returns an Engine that draws States from rand.
func NewEngine(b Bounds, rand io.Reader) *Engine {
	return &Engine{bounds: b, rand: rand, open: map[State]*talk{}, perClient: map[string]*ranks{}}
}

// An Arrival is an EAP packet as it came.
type Arrival struct {
	// State is the request's; nil begins a conversation.
	State []byte
	// Packet is the EAP packet; empty is an EAP-Start (RFC 3579 §2.1).
	Packet []byte
	// Methods are what a new conversation offers, in order.
	Methods []Method
	// Client is what the quota of a new conversation counts by.
	Client string
	// About describes a new conversation: what its Loss brings.
	About func() any
	// LightOnly leaves a packet that may cost more than Light allows as it is:
	// its Outcome is Later.
	LightOnly bool
}

// An Outcome is what an Engine makes of an Arrival.
type Outcome struct {
	Step
	// State is the conversation's.
	State State
	// Identity is what the peer called itself; Doing is the method at work.
	Identity string
	Doing    Type
	// Later says that nothing was done: the packet is not light. It is to be
	// handed over again, without LightOnly.
	Later bool
}

// Handle takes a packet to its conversation.
func (e *Engine) Handle(a *Arrival, x *Exchange) Outcome {
	var p Packet
	if len(a.Packet) > 0 {
		var err error
		if p, err = Parse(a.Packet); err != nil {
			return e.malformed(a)
		}
		if p.Code == Request {
			return reversed(p.ID)
		}
	}
	t := e.find(a, x.Now)
	if t == nil {
		return Outcome{Step: Step{Kind: Reject, Packet: Packet{Code: Failure, ID: p.ID}.Append(nil),
			Result: Result{Fault: Fault{member.ReasonEAP, "its State is unknown here: the conversation ran out, or began before a restart"}}}}
	}
	if !t.mu.TryLock() {
		return Outcome{State: t.state} // the first of two is in work
	}
	if a.LightOnly && !t.dialog.Light() {
		t.mu.Unlock()
		return Outcome{State: t.state, Later: true}
	}
	ended := true // also after a panic
	defer func() { e.done(t, ended, x.Now) }()
	o := Outcome{State: t.state}
	own := *x
	own.Decider = witness{x.Decider, t}
	x = &own
	if len(a.Packet) == 0 {
		o.Step = t.dialog.Begin()
	} else {
		o.Step = t.dialog.Handle(p, x)
	}
	o.Identity, o.Doing = t.dialog.Identity(), t.dialog.Doing()
	ended = o.Kind != Ask && o.Kind != Ignore
	return o
}

// malformed refuses what is no EAP packet, with the Identifier that it may have.
func (e *Engine) malformed(a *Arrival) Outcome {
	var id byte
	if len(a.Packet) > 1 {
		id = a.Packet[1]
	}
	return Outcome{Step: Step{Kind: Reject, Packet: Packet{Code: Failure, ID: id}.Append(nil),
		Result: Result{Fault: Fault{member.ReasonEAP, "what came is no EAP packet"}}}}
}

// reversed refuses a Request: the roles may not be changed (RFC 3579 §2.6.2).
func reversed(id byte) Outcome {
	return Outcome{Step: Step{Kind: Reject, Packet: Packet{Code: Response, ID: id, Type: Nak, Data: []byte{0}}.Append(nil),
		Result: Result{Fault: Fault{member.ReasonEAP, "the device asked instead of answering"}}}}
}

// find returns the conversation of a State, or a new one where there is none
// in the request; nil for one that is unknown.
func (e *Engine) find(a *Arrival, now time.Time) *talk {
	if a.State != nil {
		if len(a.State) != StateSize {
			return nil
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		t := e.open[State(a.State)]
		if t == nil || now.After(t.until) {
			return nil
		}
		return t
	}
	var random [StateSize + 1]byte
	if _, err := io.ReadFull(e.rand, random[:]); err != nil {
		panic(fmt.Sprintf("eap: no randomness: %v", err))
	}
	t := &talk{state: State(random[:StateSize]), client: a.Client, about: a.About(), dialog: NewDialog(a.Methods, random[StateSize])}
	for _, lost := range e.add(t, now) {
		e.end(lost)
	}
	return t
}

// add keeps t, and returns those that had to go for it.
func (e *Engine) add(t *talk, now time.Time) (lost []*talk) {
	e.mu.Lock()
	defer e.mu.Unlock()
	own := e.perClient[t.client]
	if own == nil {
		own = &ranks{}
	}
	if own.size() >= e.bounds.PerClient {
		lost = append(lost, e.drop(own.next()))
		e.evicted++
	}
	if len(e.open) >= e.bounds.Conversations {
		lost = append(lost, e.drop(e.all.next()))
		e.evicted++
	}
	e.perClient[t.client] = own // also where the last one of its client went
	e.open[t.state] = t
	t.until = now.Add(e.bounds.Idle)
	t.place, t.shared = e.all.add(t), own.add(t)
	return lost
}

// drop takes t out of every list. e.mu is held.
func (e *Engine) drop(t *talk) *talk {
	if t.gone {
		return t
	}
	t.gone = true
	delete(e.open, t.state)
	t.place.list.Remove(t.place.at)
	t.shared.list.Remove(t.shared.at)
	if e.perClient[t.client].size() == 0 {
		delete(e.perClient, t.client)
	}
	return t
}

// end frees a talk that is in no list, unless it is in work: then done does.
func (e *Engine) end(t *talk) {
	if t.mu.TryLock() {
		defer t.mu.Unlock()
		t.dialog.End()
	}
}

// firstFlight is how many packets a peer has sent when it has shown that it
// goes on: its identity, a Nak and a ClientHello.
const firstFlight = 3

// done puts t back, or takes it out where it has ended, and lets go of t.mu. It
// lets go before e.mu, so that whoever drops t either finds it free, or is seen here.
func (e *Engine) done(t *talk, ended bool, now time.Time) {
	e.mu.Lock()
	if ended {
		e.drop(t)
	}
	if t.gone {
		e.mu.Unlock()
		t.dialog.End()
		t.mu.Unlock()
		return
	}
	t.until = now.Add(e.bounds.Idle)
	t.rounds++
	t.place.heard(t.rounds >= firstFlight)
	t.shared.heard(t.rounds >= firstFlight)
	t.mu.Unlock()
	e.mu.Unlock()
}

// A Loss is a conversation whose peer stopped answering.
type Loss struct {
	About any
	// Identity is what the peer called itself, Doing the method at work, and
	// Where how far it had come, in words.
	Identity string
	Doing    Type
	Where    string
	// Denied is what was decided where the peer did not wait to hear it: many a
	// device hangs up as soon as it reads that its password is wrong.
	Denied *Decision
}

// Expire ends the conversations that have waited too long, and says which.
func (e *Engine) Expire(now time.Time) (losses []Loss) {
	for _, t := range e.overdue(now) {
		if !t.mu.TryLock() {
			continue // its packet came at this moment: done frees it
		}
		losses = append(losses, Loss{About: t.about, Identity: t.dialog.Identity(), Doing: t.dialog.Doing(), Where: t.dialog.Where(), Denied: t.denied})
		t.dialog.End()
		t.mu.Unlock()
	}
	return losses
}

func (e *Engine) overdue(now time.Time) (all []*talk) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range []*list.List{&e.all.fresh, &e.all.under} {
		for l.Len() > 0 {
			t := l.Front().Value.(*talk)
			if !now.After(t.until) {
				break
			}
			all = append(all, e.drop(t))
		}
	}
	return all
}

// Close ends all conversations.
func (e *Engine) Close() {
	e.mu.Lock()
	all := make([]*talk, 0, len(e.open))
	for _, t := range e.open {
		all = append(all, t)
	}
	for _, t := range all {
		e.drop(t)
	}
	e.mu.Unlock()
	for _, t := range all {
		e.end(t)
	}
}

// Open returns how many conversations there are, and how many had to go before
// their time since the start.
func (e *Engine) Open() (conversations int, evicted uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.open), e.evicted
}
