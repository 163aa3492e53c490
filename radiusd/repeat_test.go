package radiusd

import (
	"bytes"
	"net/netip"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

// D1: a repeat gets the first reply again, byte for byte, and is not processed again.
func TestD1Repeat(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, func(c *Config, _ *ClientConfig, _ *members) { c.Readers = 1 })
	w := r.wire(0)
	for _, password := range []member.Secret{"hello", "wrong"} {
		q := papRequest()
		q.Password = password
		sent := r.sign(q, 7)
		first := r.exchange(w, sent.Bytes)
		if first == nil {
			t.Fatal("no reply")
		}
		for range 10 {
			if again := r.exchange(w, sent.Bytes); !bytes.Equal(again, first) {
				t.Fatalf("the repeat's reply differs:\n% x\n% x", again, first)
			}
		}
	}
	if n := len(r.Why("bob", 100)); n != 2 {
		t.Errorf("%d decisions for 2 requests and their repeats", n)
	}
	if n := r.counter("memberradius_repeats_total", "client", "lobby"); n < 20 {
		t.Errorf("%v repeats counted", n)
	}
	// From another port it is another request (NAS behind one address, F12).
	sent := r.sign(papRequest(), 7)
	if r.exchange(w, sent.Bytes) == nil || r.exchange(r.wire(0), sent.Bytes) == nil {
		t.Error("the same octets from two ports are not two requests")
	}
	if n := len(r.Why("bob", 100)); n != 4 {
		t.Errorf("%d decisions, want 4", n)
	}
}

// slowBob makes bob wait for the member system, until the returned function is called.
func slowBob(open *func()) setting {
	return func(_ *Config, _ *ClientConfig, m *members) {
		m.slow["bob"], m.wait = true, make(chan struct{})
		*open = sync.OnceFunc(func() { close(m.wait) })
	}
}

// D2: silence for a repeat while the first is in work, one call of the member
// system, one reply. The repeat after that gets it again.
func TestD2RepeatInWork(t *testing.T) {
	t.Parallel()
	var open func()
	r := startRig(t, quick, slowBob(&open))
	w := r.wire(0)
	sent := r.sign(papRequest(), 7)
	for range 5 {
		if reply := r.exchange(w, sent.Bytes); reply != nil {
			t.Fatal("answered before the member system was")
		}
	}
	open()
	first, err := w.Receive(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if reply, err := sent.Read(first); err != nil || reply.Code != radiustest.AccessAccept {
		t.Fatalf("%v %v", reply, err)
	}
	eventually(t, "the reply is kept", func() bool { return bytes.Equal(r.exchange(w, sent.Bytes), first) })
	if n := r.members.asked.Load(); n != 1 {
		t.Errorf("the member system was asked %d times", n)
	}
}

// A reject that is held back is in work too.
func TestD2RepeatOfHeldReject(t *testing.T) {
	t.Parallel()
	r := startRig(t, func(c *Config, _ *ClientConfig, _ *members) { c.RejectDelay = 300 * time.Millisecond })
	w := r.wire(0)
	q := papRequest()
	q.Password = "wrong"
	sent := r.sign(q, 7)
	start := time.Now()
	for range 5 {
		if reply := r.exchange(w, sent.Bytes); reply != nil && time.Since(start) < 300*time.Millisecond {
			t.Fatal("the reject came before its time")
		}
	}
	first, err := w.Receive(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the reject is kept", func() bool { return bytes.Equal(r.exchange(w, sent.Bytes), first) })
	if n := len(r.Why("bob", 9)); n != 1 {
		t.Errorf("%d decisions", n)
	}
}

// D3: 30 s after it was sent a request is new again; 4 s after it is not.
// D4: the same key with another authenticator is a new request, and the old one is forgotten.
func TestD3D4Lifetime(t *testing.T) {
	t.Parallel()
	table := newRepeats(4)
	remote := netip.MustParseAddrPort("192.0.2.1:1000")
	start := time.Now()
	old, other := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 16)
	look := func(id byte, authenticator []byte, after time.Duration) seen {
		e, was := table.look(newRepeatKey(remote, id), authenticator, start.Add(after))
		if was == seenNew {
			e.reply = append(e.reply, id)
		}
		return was
	}
	steps := []struct {
		name          string
		id            byte
		authenticator []byte
		after         time.Duration
		want          seen
	}{
		{"first", 1, old, 0, seenNew},
		{"at 4 s", 1, old, 4 * time.Second, seenRepeat},
		{"another authenticator", 1, other, 5 * time.Second, seenNew},
		{"that one again", 1, other, 6 * time.Second, seenRepeat},
		{"the old one is forgotten", 1, old, 7 * time.Second, seenNew},
		{"at 31 s", 1, old, 38 * time.Second, seenNew},
		{"another identifier", 2, old, 38 * time.Second, seenNew},
	}
	for _, s := range steps {
		if got := look(s.id, s.authenticator, s.after); got != s.want {
			t.Errorf("%s: %v, want %v", s.name, got, s.want)
		}
	}
	// The bound: the oldest goes, and is counted.
	for id := byte(10); id < 20; id++ {
		look(id, old, 39*time.Second)
	}
	if len(table.byKey) != 4 || table.early != 8 {
		t.Errorf("%d entries, %d went early", len(table.byKey), table.early)
	}
	if look(19, old, 39*time.Second) != seenRepeat || look(10, old, 39*time.Second) != seenNew {
		t.Error("not the oldest went")
	}
	// After their time they go, a few at each look.
	for range 4 {
		look(200, other, 90*time.Second)
	}
	if len(table.byKey) != 1 {
		t.Errorf("%d entries after all but one have run out", len(table.byKey))
	}
}

// D5: a forged packet with a live key does not touch the table.
func TestD5ForgedPacket(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	w := r.wire(0)
	sent := r.sign(papRequest(), 7)
	first := r.exchange(w, sent.Bytes)
	forged := papRequest()
	forged.MessageAuthenticator = radiustest.Wrong
	if reply := r.exchange(w, r.sign(forged, 7).Bytes); reply != nil {
		t.Fatal("a forged packet is answered")
	}
	if again := r.exchange(w, sent.Bytes); !bytes.Equal(again, first) || len(r.Why("bob", 9)) != 1 {
		t.Error("the forged packet evicted the reply")
	}
}

// A request that stayed unanswered stays so for its repeats: the member system
// may have been asked, and may have taken a pass for it. Where nobody was
// asked, a repeat is as good as a new request.
func TestRepeatOfUnanswered(t *testing.T) {
	t.Parallel()
	for _, slow := range []bool{false, true} {
		for reason, want := range map[member.Reason]int{member.ReasonTimeout: 1, member.ReasonBreakerOpen: 3, member.ReasonBusy: 3} {
			r := startRig(t, quick, func(_ *Config, _ *ClientConfig, m *members) {
				m.answers["bob"] = member.Answer{Reason: reason}
				m.slow["bob"] = slow
			})
			w := r.wire(0)
			sent := r.sign(papRequest(), 7)
			for i := range 3 {
				if reply := r.exchange(w, sent.Bytes); reply != nil {
					t.Fatalf("%v: answered", reason)
				}
				eventually(t, "the decision is made", func() bool { return len(r.Why("bob", 9)) >= min(i+1, want) })
			}
			if n := len(r.Why("bob", 9)); n != want {
				t.Errorf("slow %v, %v: %d decisions for a request and 2 repeats, want %d", slow, reason, n, want)
			}
		}
	}
}

// Two requests of one batch under one key: the reply to the first, which is
// signed after the second was seen, is not kept for the second.
func TestD4InOneBatch(t *testing.T) {
	t.Parallel()
	r, requests := hotPath(t, radiustest.PAP)
	nas := &radiustest.NAS{Secret: rigSecret}
	second, err := nas.Sign(&radiustest.Request{Method: radiustest.PAP, Login: "down", Password: "hello"}, requests[0][1])
	if err != nil {
		t.Fatal(err)
	}
	r.x.server.tables.Load().Members.(*members).answers["down"] = member.Answer{Reason: member.ReasonTimeout}
	var m memory
	replies := m.handle(r, bytes.Clone(requests[0]), bytes.Clone(second.Bytes))
	if len(replies[0]) == 0 || len(replies[1]) != 0 {
		t.Fatalf("%d and %d octets of reply", len(replies[0]), len(replies[1]))
	}
	if again := m.handle(r, bytes.Clone(second.Bytes))[0]; len(again) != 0 {
		t.Errorf("the repeat of what stayed unanswered gets % x", again)
	}
}
