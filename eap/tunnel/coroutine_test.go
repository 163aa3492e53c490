package tunnel

import (
	"crypto/tls"
	"runtime"
	"testing"

	"memberradius/eap"
	"memberradius/eap/eaptest"
)

// TestCoroutinesAreUsedAgain: after a handshake that ended, well or not, and
// after one that was left; not after a panic, and no more than Most.
func TestCoroutinesAreUsedAgain(t *testing.T) {
	t.Parallel()
	k := &Coroutines{Most: 1}
	c := newConfig(eap.TTLS)
	c.Coroutines = k
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13, tls.VersionTLS12} {
		p := newPair(c, version)
		p.shake(t)
		if len(k.idle) != 1 {
			t.Fatalf("after a handshake %d coroutines wait, want 1", len(k.idle))
		}
	}
	first := k.idle[0]
	left, other := c.Start(), c.Start()
	if len(k.idle) != 0 || left.run != first {
		t.Error("the coroutine that waited is not used")
	}
	left.End()
	other.End()
	other.End()
	if len(k.idle) != 1 || k.idle[0] != first {
		t.Errorf("%d coroutines wait after two were left, want the first alone", len(k.idle))
	}
	k.Close()
	if len(k.idle) != 0 {
		t.Error("coroutines wait after Close")
	}
	last := c.Start()
	last.End()
	if len(k.idle) != 0 {
		t.Error("a coroutine is kept after Close")
	}
}

// TestPanicInHandshake: it comes out where the packet was brought, and the
// coroutine is not used again.
func TestPanicInHandshake(t *testing.T) {
	t.Parallel()
	k := &Coroutines{Most: 1}
	c := newConfig(eap.TTLS)
	c.Coroutines = k
	d := eaptest.NewDevice(eap.TTLS, tls.VersionTLS12)
	s := c.Start()
	x := exchangeAt(eaptest.Now())
	data := d.Answer(s.Step(nil, x).Turn.Data)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was lost")
			}
		}()
		s.run.begin(func(func()) { panic("boom") })
		s.Step(data, x)
	}()
	s.End()
	if len(k.idle) != 0 {
		t.Error("a coroutine that broke is kept")
	}
	p := newPair(c, tls.VersionTLS12)
	p.shake(t)
	d.Close()
}

// TestSessionsLeaveNothing counts goroutines, so that it can't be parallel.
func TestSessionsLeaveNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	k := &Coroutines{Most: 5}
	c := newConfig(eap.TTLS)
	c.Coroutines = k
	var sessions []*Session
	x := exchangeAt(eaptest.Now())
	for range 20 {
		d := eaptest.NewDevice(eap.TTLS, tls.VersionTLS13)
		s := c.Start()
		s.Step(d.Answer(s.Step(nil, x).Turn.Data), x) // its ClientHello, and no more
		d.Close()
		sessions = append(sessions, s, c.Start()) // and one that says nothing
	}
	for _, s := range sessions {
		s.End()
	}
	if len(k.idle) != 5 {
		t.Errorf("%d coroutines wait, want 5", len(k.idle))
	}
	k.Close()
	for range 1000 { // what was stopped still has to leave the scheduler
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d goroutines are left, %d before", runtime.NumGoroutine(), before)
}
