package radiusd

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/eap"
	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

// queued is how many wait for a turn.
func (t *turns) queued() (started, fresh int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waiting.started.size(), t.waiting.fresh.size()
}

// Who waits longest has the next turn; those of conversations under way come
// before all new ones.
func TestTurnsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		turns.take(false)
		const each = 1500 // more than the queue keeps of those who are gone
		var order []int   // by one at a time
		for i := range 2 * each {
			started := i >= each // they come last and go first
			go func() {
				turns.take(started)
				order = append(order, i)
				turns.give()
			}()
			synctest.Wait() // it waits
		}
		turns.give()
		synctest.Wait()
		if len(order) != 2*each || !slices.IsSorted(order[:each]) || !slices.IsSorted(order[each:]) || order[0] != each || order[each] != 0 {
			t.Errorf("%d had their turn; the first was %d, the middle one %d", len(order), order[0], order[each])
		}
		if turns.free != 1 {
			t.Errorf("%d turns are free, want 1", turns.free)
		}
	})
}

// No wake-up is lost, and never more have a turn than may.
func TestTurnsBound(t *testing.T) {
	t.Parallel()
	const most = 3
	turns := newTurns(most)
	var now, peak atomic.Int64
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			for range 200 {
				turns.take(i%2 == 0)
				if n := now.Add(1); n > most {
					peak.Store(n)
				}
				now.Add(-1)
				turns.give()
			}
		})
	}
	all.Wait()
	if started, fresh := turns.queued(); peak.Load() > 0 || turns.free != most || started+fresh > 0 {
		t.Errorf("%d had a turn at once; at the end %d are free, %d wait", peak.Load(), turns.free, started+fresh)
	}
}

// stuck is a method whose conversations compute, from the peer's first packet
// on, until they are let go.
type stuck struct{ began, free chan struct{} }

// Type implements eap.Method.
func (stuck) Type() eap.Type { return eap.PEAP }

// Start implements eap.Method.
func (s stuck) Start() eap.Conversation { return s }

// Next implements eap.Conversation.
func (s stuck) Next(data []byte, _ *eap.Exchange) eap.Turn {
	if data == nil {
		return eap.Turn{Kind: eap.Ask, Data: []byte{0x20}} // PEAP's start
	}
	s.began <- struct{}{}
	<-s.free
	return eap.Refuse(member.ReasonEAP, "let go")
}

// End implements eap.Conversation.
func (stuck) End() {}

// While every turn is taken by a conversation that computes, and more of them
// wait, readers answer PAP from memory.
func TestReadersAreNotHeldUp(t *testing.T) {
	t.Parallel()
	s := stuck{make(chan struct{}, 1024), make(chan struct{})}
	r := startRig(t, quick, func(c *Config, _ *ClientConfig, _ *members) { c.Tables.EAP = []eap.Method{s} })
	open := sync.OnceFunc(func() { close(s.free) })
	t.Cleanup(open) // before the rig's own: it waits for the pool
	devices := make([]*device, 0, 64)
	for range cap(devices) {
		d := r.device(radiustest.PEAP, radiustest.EAP{}).reach(1)
		d.send(d.sign())
		devices = append(devices, d)
	}
	turns := newServerTurns(r)
	eventually(t, "all turns are taken and the others wait", func() bool {
		started, fresh := r.turns.queued()
		return started > 0 && fresh+started+len(s.began) == len(devices)
	})
	for range 300 {
		if reply := r.ask(papRequest()); reply.Code != radiustest.AccessAccept {
			t.Fatalf("PAP: %v", reply.Code)
		}
	}
	if len(s.began) != turns {
		t.Errorf("%d compute at once, want %d", len(s.began), turns)
	}
	open()
	for _, d := range devices {
		if reply := d.hear(); reply.Code != radiustest.AccessReject {
			t.Errorf("%v", reply.Code)
		}
	}
}

// A conversation that waits for its member system gives its turn back: many of
// them hold up no other.
func TestWaitingGivesTheTurnBack(t *testing.T) {
	t.Parallel()
	slow := newLive(false)
	r, a := startEAP(t, slow.set, func(c *Config, _ *ClientConfig, _ *members) { c.Timeout = time.Minute })
	open := sync.OnceFunc(func() { close(slow.wait) })
	t.Cleanup(open)
	waiting := make([]*device, 0, 32)
	for range cap(waiting) {
		d := r.device(radiustest.TTLS, radiustest.EAP{})
		d.until(slow)
		waiting = append(waiting, d)
	}
	tables := *r.tables.Load()
	tables.Members, tables.EAP = rigMembers(), a.methods(eap.PEAP)
	r.Swap(tables)
	if d := r.device(radiustest.PEAP, radiustest.EAP{}); d.run().Code != radiustest.AccessAccept {
		t.Errorf("another: %v", d.reply.Code)
	}
	open()
	for _, d := range waiting {
		if d.hear(); d.answer() {
			d.run()
		}
		if d.reply.Code != radiustest.AccessAccept {
			t.Errorf("one that waited: %v", d.reply.Code)
		}
	}
	eventually(t, "all turns are free again", func() bool {
		r.turns.mu.Lock()
		defer r.turns.mu.Unlock()
		return r.turns.free == newServerTurns(r)
	})
}

// newServerTurns is how many turns a server has.
func newServerTurns(r *rig) int {
	s, err := New(Config{Tables: *r.tables.Load(), Log: r.Server.log})
	if err != nil {
		r.t.Fatal(err)
	}
	return s.turns.free
}

// A member system that panics inside EAP costs one login and no turn.
func TestPanicGivesTheTurnBack(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t)
	tables := *r.tables.Load()
	tables.Members = exploding{}
	r.Swap(tables)
	for range 8 {
		d := r.device(radiustest.TLS, radiustest.EAP{Certificate: a.device("bob")})
		before := r.panicCount()
		for r.panicCount() == before {
			d.send(d.sign())
			var datagram []byte
			eventually(t, "a reply or a panic", func() bool {
				datagram, _ = d.wire.Receive(time.Millisecond)
				return datagram != nil || r.panicCount() > before
			})
			if datagram == nil {
				break
			}
			d.take(datagram)
			d.answer()
		}
	}
	r.panics = 8
	eventually(t, "all conversations are gone", func() bool { n, _ := r.engine.Open(); return n == 0 })
	tables.Members = r.members
	r.Swap(tables)
	if reply := r.ask(bobBy(radiustest.PEAP, radiustest.EAP{})); reply.Code != radiustest.AccessAccept {
		t.Errorf("after that: %v", reply.Code)
	}
}

// exploding is a member system with a bug.
type exploding struct{}

// Known implements Members.
func (exploding) Known(*member.Attempt, *member.Answer) bool { return false }

// Ask implements Members.
func (exploding) Ask(context.Context, *member.Attempt) member.Answer { panic("a bug") }
