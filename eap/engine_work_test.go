package eap_test

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/member"
)

// A held method waits in Next until it is let go, as one does whose member
// system is slow.
func held() (m *script, inNext, letGo, ended chan struct{}) {
	inNext, letGo, ended = make(chan struct{}), make(chan struct{}), make(chan struct{}, 9)
	m = &script{kind: eap.PEAP, ended: ended, next: func(n int, _ []byte, _ *eap.Exchange) eap.Turn {
		if n == 1 {
			inNext <- struct{}{}
			<-letGo
		}
		return eap.Turn{Kind: eap.Ask}
	}}
	return m, inNext, letGo, ended
}

// TestEngineTwoAtOnce: of two packets of one conversation the second is
// ignored; it would be a repeat.
func TestEngineTwoAtOnce(t *testing.T) {
	t.Parallel()
	m, inNext, letGo, _ := held()
	b := newBench(roomy(), m)
	o := b.begin(t, "ap")
	first := make(chan eap.Outcome)
	go func() { first <- b.goOn("ap", o) }()
	<-inNext
	if second := b.goOn("ap", o); second.Kind != eap.Ignore || second.Packet != nil || second.State != o.State {
		t.Errorf("while the first is in work: %+v", second)
	}
	letGo <- struct{}{}
	if got := <-first; got.Kind != eap.Ask {
		t.Errorf("the first was answered with %+v", got)
	}
}

// TestEngineEndsWhatIsInWork: a conversation that is evicted, expires or is
// closed while its packet is in work is freed when the work is done, not before.
func TestEngineEndsWhatIsInWork(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(b *bench){
		"evicted": func(b *bench) { b.send("ap", nil, nil) },
		"expired": func(b *bench) { b.Expire(b.now.Add(time.Hour)) },
		"closed":  func(b *bench) { b.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, inNext, letGo, ended := held()
			bounds := roomy()
			bounds.Conversations = 1
			b := newBench(bounds, m)
			o := b.begin(t, "ap")
			first := make(chan eap.Outcome)
			go func() { first <- b.goOn("ap", o) }()
			<-inNext
			end(b)
			if len(ended) != 0 {
				t.Error("freed under the hands of whoever works on it")
			}
			letGo <- struct{}{}
			if got := <-first; got.Kind != eap.Ask {
				t.Errorf("answered with %+v", got)
			}
			if len(ended) != 1 {
				t.Errorf("freed %d times", len(ended))
			}
		})
	}
}

// TestEngineSurvivesPanic: what a method breaks is its own conversation.
func TestEngineSurvivesPanic(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 9)
	b := newBench(roomy(), &script{kind: eap.PEAP, ended: ended, next: func(n int, data []byte, _ *eap.Exchange) eap.Turn {
		if string(data) == "boom" {
			panic("boom")
		}
		return eap.Turn{Kind: eap.Ask}
	}})
	bad, good := b.begin(t, "ap"), b.begin(t, "ap")
	func() {
		defer func() {
			if recover() != "boom" {
				t.Error("the panic was lost: nobody could count it")
			}
		}()
		b.send("ap", bad.State[:], response(bad.Packet[1], eap.PEAP, "boom"))
	}()
	if n, _ := b.Open(); n != 1 || len(ended) != 1 {
		t.Errorf("%d conversations are open, %d ended; want the good one open", n, len(ended))
	}
	if b.goOn("ap", bad).Kind != eap.Reject || b.goOn("ap", good).Kind != eap.Ask {
		t.Error("the good conversation broke, or the bad one goes on")
	}
}

// TestEngineInParallel: a thousand conversations, in little room, on a thousand
// goroutines; all that began must end.
func TestEngineInParallel(t *testing.T) {
	t.Parallel()
	var begun, ended atomic.Int64
	m := &counting{begun: &begun, ended: &ended}
	bounds := eap.Bounds{Conversations: 20, PerClient: 5, Idle: 30 * time.Second}
	e := eap.NewEngine(bounds, rand.Reader)
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			a := eap.Arrival{Packet: response(1, eap.Identity, "anna"), Methods: []eap.Method{m}, Client: fmt.Sprint(i % 9), About: func() any { return i }}
			x := eap.Exchange{Limit: 1024, Now: eaptest.Now()}
			o := e.Handle(&a, &x)
			for n := 0; o.Kind == eap.Ask && !o.Invalid; n++ {
				if n == i%7 && i%3 == 0 {
					e.Expire(x.Now.Add(time.Duration(i%40) * time.Second))
				}
				a.State, a.Packet = o.State[:], response(o.Packet[1], eap.PEAP, "go on")
				o = e.Handle(&a, &x)
			}
		})
	}
	all.Wait()
	e.Close()
	if n, _ := e.Open(); n != 0 {
		t.Errorf("%d conversations are left", n)
	}
	if begun.Load() == 0 || begun.Load() != ended.Load() {
		t.Errorf("%d conversations were begun, %d freed", begun.Load(), ended.Load())
	}
}

// counting counts its conversations, which last ten rounds.
type counting struct{ begun, ended *atomic.Int64 }

func (c *counting) Type() eap.Type { return eap.PEAP }

func (c *counting) Start() eap.Conversation {
	c.begun.Add(1)
	return &counted{counting: c}
}

type counted struct {
	*counting
	n int
}

func (c *counted) Next([]byte, *eap.Exchange) eap.Turn {
	if c.n++; c.n > 10 {
		return eap.Turn{Kind: eap.Accept}
	}
	return eap.Turn{Kind: eap.Ask}
}

func (c *counted) End() { c.ended.Add(1) }

// TestFloodLeavesNoGoroutines: ClientHellos that never go on are held in bounds,
// and when they have expired nothing is left of them. It counts goroutines, so
// that it can't be parallel.
func TestFloodLeavesNoGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	w := newWorld()
	for range 300 { // three times the room of its engine
		d := device(eap.PEAP, tls.VersionTLS13, password)
		o := w.Handle(nil, response(1, eap.Identity, "anna"))
		o = w.Handle(o.State[:], response(o.Packet[1], eap.PEAP, string(d.Answer([]byte{0x20}))))
		if o.Kind != eap.Ask {
			t.Fatalf("a ClientHello was answered with %+v", o)
		}
		d.Close()
	}
	if n, evicted := w.Engine.Open(); n != 100 || evicted != 200 {
		t.Errorf("%d conversations, %d evicted; want 100, 200", n, evicted)
	}
	if during := runtime.NumGoroutine(); during > before+100+5 {
		t.Errorf("%d goroutines in the flood, %d before", during, before)
	}
	losses := w.Engine.Expire(eaptest.Now().Add(time.Minute))
	const where = "after this server's certificate: it does not trust it, asks its user, or fragments are lost on the way (MTU)"
	if len(losses) != 100 || losses[0].Where != where || losses[0].Doing != eap.PEAP {
		t.Errorf("%d were lost, the first %+v", len(losses), losses[0])
	}
	for range 1000 { // a coroutine that was stopped still has to leave the scheduler
		if runtime.NumGoroutine() <= before {
			break
		}
		runtime.Gosched()
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines after the flood, %d before", after, before)
	}
}

// TestParallelLogins: whole conversations of all methods on many goroutines, for
// the race detector.
func TestParallelLogins(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			kind := []eap.Type{eap.PEAP, eap.TTLS, eap.TLS}[i%3]
			version := []uint16{tls.VersionTLS12, tls.VersionTLS13}[i/3%2]
			d := device(kind, version, password)
			defer d.Close()
			for range 2 { // the second is a fast reconnect
				if o := w.Converse(d.Peer("anonymous")); o.Kind != eap.Accept || o.Result.Decision.Verdict != member.Allow {
					t.Errorf("%s ended with %d, %+v", kind, o.Kind, o.Result.Fault)
				}
				cache := d.TLS.ClientSessionCache
				d = device(kind, version, password)
				d.TLS.ClientSessionCache = cache
			}
		})
	}
	all.Wait()
}
