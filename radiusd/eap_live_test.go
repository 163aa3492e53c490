package radiusd

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/member"
	"memberradius/mschap"
	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"
)

// live is a member system that keeps the passwords: it is asked each time, and
// checks the proof itself, MS-CHAPv2 as an HTTP API would from what RFC 2548 has.
type live struct {
	password member.Secret
	// answer is what it says to a right proof.
	answer member.Answer
	// keyless: it returns no nt_key.
	keyless bool
	wait    chan struct{} // closed: it answers at once
	asked   atomic.Int64
	began   chan struct{} // gets one for each call

	mu    sync.Mutex
	kinds []member.ProofKind
}

// newLive returns a system that knows bob, whose plan is none.
func newLive(open bool) *live {
	l := &live{password: "hello", wait: make(chan struct{}), began: make(chan struct{}, 64)}
	l.answer = member.Answer{Verdict: member.Allow, Member: member.Member{Backend: "club", Login: "bob"}, Source: "club"}
	if open {
		close(l.wait)
	}
	return l
}

func (l *live) set(c *Config, _ *ClientConfig, _ *members) { c.Tables.Members = l }

// Known implements Members.
func (*live) Known(*member.Attempt, *member.Answer) bool { return false }

// Ask implements Members.
func (l *live) Ask(ctx context.Context, a *member.Attempt) member.Answer {
	l.asked.Add(1)
	l.mu.Lock()
	l.kinds = append(l.kinds, a.Proof.Kind)
	l.mu.Unlock()
	l.began <- struct{}{}
	select {
	case <-l.wait:
	case <-ctx.Done():
		return member.Answer{Reason: member.ReasonTimeout}
	}
	answer := l.answer
	if answer.Verdict != member.Allow {
		return answer
	}
	answer.Proved = true
	nt := mschap.NTHash(string(l.password))
	right := false
	switch p := &a.Proof; p.Kind {
	case member.Password:
		right = p.Password == l.password
	case member.MSCHAPv2:
		r := p.MSCHAP.Response[:]
		challenge := mschap.ChallengeHash([16]byte(r[2:]), p.MSCHAP.Challenge, mschap.StripDomain(a.Login))
		right = mschap.ChallengeResponse(challenge, nt) == [24]byte(r[26:])
		if key := member.Hash(mschap.HashHash(nt)); !l.keyless {
			answer.NTKey = &key
		}
	case member.Certificate:
		right = true
	}
	if !right {
		return member.Answer{Verdict: member.Deny, Proved: true, Reason: member.ReasonRefused, Source: "club"}
	}
	return answer
}

// heard are the kinds of proofs that came, since the last time.
func (l *live) heard() []member.ProofKind {
	l.mu.Lock()
	defer l.mu.Unlock()
	kinds := l.kinds
	l.kinds = nil
	return kinds
}

// TTLS-PAP and PEAP-GTC carry the password to a member system that keeps it;
// MSCHAPv2 in any tunnel goes there as challenge and response and comes back
// with the key. A login is one call, right or wrong.
func TestLiveMembers(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		method radiustest.Method
		inner  peer.Inner
		kind   member.ProofKind
	}{
		{radiustest.TTLS, peer.InnerPAP, member.Password}, {radiustest.TTLS, peer.InnerGTC, member.Password}, {radiustest.PEAP, peer.InnerGTC, member.Password},
		{radiustest.TTLS, peer.InnerMSCHAPv2, member.MSCHAPv2}, {radiustest.TTLS, peer.InnerEAPMSCHAPv2, member.MSCHAPv2},
		{radiustest.PEAP, peer.InnerEAPMSCHAPv2, member.MSCHAPv2}, {radiustest.EAPMSCHAPv2, "", member.MSCHAPv2},
	} {
		l := newLive(true)
		r, _ := startEAP(t, l.set)
		for password, want := range map[member.Secret]radiustest.Code{"hello": radiustest.AccessAccept, "Hello": radiustest.AccessReject} {
			q := bobBy(way.method, radiustest.EAP{Inner: way.inner, Anonymous: "anonymous"})
			q.Password = password
			if way.method == radiustest.EAPMSCHAPv2 {
				q.EAP.Anonymous = ""
			}
			reply := r.ask(q)
			if kinds := l.heard(); reply.Code != want || !slices.Equal(kinds, []member.ProofKind{way.kind}) {
				t.Errorf("%s %s with %q: %v, asked with %v", way.method, way.inner, string(password), reply.Code, kinds)
			}
			if reply.Code == radiustest.AccessAccept && reply.Keys != radiustest.Right {
				t.Errorf("%s %s: keys %v", way.method, way.inner, reply.Keys)
			}
		}
	}
}

// A login that no User-Name would hold is nobody's, though a tunnel has room for it.
func TestLongLoginInside(t *testing.T) {
	t.Parallel()
	l := newLive(true)
	r, _ := startEAP(t, l.set)
	for _, way := range []radiustest.Method{radiustest.TTLS, radiustest.PEAP} {
		for size, want := range map[int]radiustest.Code{member.MaxLogin: radiustest.AccessAccept, member.MaxLogin + 1: radiustest.AccessReject, 3000: radiustest.AccessReject} {
			q := bobBy(way, radiustest.EAP{Anonymous: "anonymous"})
			q.Login = strings.Repeat("b", size)
			before := l.asked.Load()
			reply := r.ask(q)
			if asked := l.asked.Load() > before; reply.Code != want || asked != (want == radiustest.AccessAccept) {
				t.Errorf("%s, a login of %d octets: %v, asked %v", way, size, reply.Code, asked)
			}
		}
	}
}

// A member system that proves MSCHAPv2 and returns no key could not say.
func TestLiveWithoutNTKey(t *testing.T) {
	t.Parallel()
	for _, method := range []radiustest.Method{radiustest.PEAP, radiustest.EAPMSCHAPv2} {
		l := newLive(true)
		l.keyless = true
		r, _ := startEAP(t, l.set)
		d := r.device(method, radiustest.EAP{})
		d.until(l)
		d.silence(d.last)
		if why := r.why("bob"); why.Reason != member.ReasonNoNTKey || why.Verdict != member.Unanswered {
			t.Errorf("%s: %v, %v", method, why.Verdict, why.Reason)
		}
	}
}

// One login is one call, though every packet comes twice, and again under a new
// Identifier, before it was answered and after.
func TestD2LiveIsAskedOnce(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		method radiustest.Method
		inner  peer.Inner
	}{{radiustest.TTLS, peer.InnerPAP}, {radiustest.PEAP, peer.InnerGTC}, {radiustest.PEAP, peer.InnerEAPMSCHAPv2}, {radiustest.TTLS, peer.InnerMSCHAPv2}, {radiustest.EAPMSCHAPv2, ""}} {
		l := newLive(false)
		r, _ := startEAP(t, l.set)
		d := r.device(way.method, radiustest.EAP{Inner: way.inner})
		d.until(l)
		first := d.last
		again := d.sign() // the same EAP packet in another request
		for range 3 {
			for _, sent := range []*radiustest.Sent{first, again} {
				if reply := d.exchange(d.wire, sent.Bytes); reply != nil {
					t.Fatalf("%s %s: answered while the member system is asked", way.method, way.inner)
				}
			}
		}
		eventually(t, "the others are gone", func() bool { working, _ := r.pool.load(); return working == 1 })
		close(l.wait)
		d.last = first
		reply := d.raw()
		eventually(t, "the reply is kept", func() bool { return bytes.Equal(d.exchange(d.wire, first.Bytes), reply) })
		if d.take(reply); d.answer() {
			d.run()
		}
		if n := l.asked.Load(); n != 1 || d.reply.Code != radiustest.AccessAccept || len(r.Why("bob", 9)) != 1 {
			t.Errorf("%s %s: %v, asked %d times, %d decisions", way.method, way.inner, d.reply.Code, n, len(r.Why("bob", 9)))
		}
	}
}

// The same where every packet of every round comes again after its reply, as
// it was and in another request.
func TestD2LiveIsAskedOnceInAllRounds(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		method radiustest.Method
		inner  peer.Inner
	}{{radiustest.TTLS, peer.InnerPAP}, {radiustest.PEAP, peer.InnerGTC}, {radiustest.PEAP, peer.InnerEAPMSCHAPv2}, {radiustest.TTLS, peer.InnerMSCHAPv2}, {radiustest.EAPMSCHAPv2, ""}} {
		l := newLive(true)
		r, _ := startEAP(t, l.set)
		d := r.device(way.method, radiustest.EAP{Inner: way.inner})
		for {
			packet, state := d.packet, d.state
			reply, sent := d.ask(), d.last
			eventually(t, "the reply is kept", func() bool { return bytes.Equal(d.exchange(d.wire, sent.Bytes), reply.Raw) })
			if reply.Code != radiustest.AccessChallenge {
				break
			}
			if state != nil { // else it is a new conversation
				if again := d.ask(); !bytes.Equal(message(again), message(reply)) {
					t.Fatalf("%s %s, round %d: another Request", way.method, way.inner, d.rounds)
				}
			}
			d.packet = packet
			if d.reply = reply; !d.answer() {
				break
			}
		}
		if n := l.asked.Load(); n != 1 || d.reply.Code != radiustest.AccessAccept || len(r.Why("bob", 9)) != 1 {
			t.Errorf("%s %s: %v, asked %d times, %d decisions", way.method, way.inner, d.reply.Code, n, len(r.Why("bob", 9)))
		}
	}
}

// until does rounds until one has come to the member system: its request is the
// last, its reply, if there is one, is still to be heard.
func (d *device) until(l *live) {
	d.t.Helper()
	for range 100 {
		d.send(d.sign())
		var datagram []byte
		asked := false
		eventually(d.t, "a reply, or the member system is asked", func() bool {
			select {
			case <-l.began:
				asked = true
				return true
			default:
			}
			datagram, _ = d.wire.Receive(time.Millisecond)
			return datagram != nil
		})
		if asked {
			return
		}
		if d.take(datagram); !d.answer() {
			break
		}
	}
	d.t.Fatalf("round %d: %v, and the member system was not asked", d.rounds, d.reply.Code)
}

// Could not say inside EAP is silence: for a repeat too, which asks nobody
// again, and is no refusal either.
func TestD2CouldNotSayInsideEAP(t *testing.T) {
	t.Parallel()
	for _, reason := range []member.Reason{member.ReasonTimeout, member.ReasonBreakerOpen, member.ReasonBusy, member.ReasonNotReady, member.ReasonNone} {
		for _, method := range []radiustest.Method{radiustest.TTLS, radiustest.PEAP, radiustest.EAPMSCHAPv2, radiustest.TLS} {
			l := newLive(true)
			l.answer = member.Answer{Reason: reason, Source: "club"}
			r, a := startEAP(t, l.set)
			d := r.device(method, radiustest.EAP{Certificate: a.device("bob")})
			d.until(l)
			for range 3 {
				d.silence(d.last)
			}
			if decision := r.why("bob"); l.asked.Load() != 1 || decision.Verdict != member.Unanswered || decision.Source != "club" {
				t.Errorf("%s, %v: asked %d times, %s", method, reason, l.asked.Load(), decision.Sentence())
			}
		}
	}
}

// Where the member system keeps the password it is not asked at a fast
// reconnect: there is one only while its last Allow is fresh, counted from when
// it was given.
func TestFreshReconnect(t *testing.T) {
	t.Parallel()
	const fresh = 10 * time.Minute
	for _, method := range []radiustest.Method{radiustest.TTLS, radiustest.PEAP} {
		for _, tt := range []struct {
			name       string
			fresh, age time.Duration
			until      time.Duration // of the membership
			after      time.Duration // between two logins
			resumed    []bool
		}{
			{"fresh", fresh, 0, 0, 3 * time.Minute, []bool{false, true, true, true, false, true}},
			{"not fresh at all", 0, 0, 0, 0, []bool{false, false}},
			{"old already", fresh, 7 * time.Minute, 0, 2 * time.Minute, []bool{false, true, false}},
			{"too old", fresh, fresh, 0, 0, []bool{false, false}},
			{"ends before", fresh, 0, 5 * time.Minute, 2 * time.Minute, []bool{false, true, true, false}},
		} {
			h, l := &hand{}, newLive(true)
			l.answer.Fresh, l.answer.Age = tt.fresh, tt.age
			if tt.until > 0 {
				l.answer.Member.ValidUntil = time.Now().Add(tt.until)
			}
			r, _ := startEAP(t, h.set, l.set)
			s := &peer.Session{}
			calls := int64(0)
			for i, want := range tt.resumed {
				if !want {
					calls++
				}
				reply := r.ask(bobBy(method, radiustest.EAP{Session: s}))
				if reply.Code != radiustest.AccessAccept || reply.EAP.Resumed() != want || l.asked.Load() != calls {
					t.Errorf("%s, %s: login %d: %v, resumed %v, asked %d times; want resumed %v, asked %d times",
						method, tt.name, i, reply.Code, reply.EAP.Resumed(), l.asked.Load(), want, calls)
				}
				h.forward(tt.after)
			}
		}
	}
}

// A gate is asked at a fast reconnect too where the member system can't be.
func TestFreshReconnectAsksGates(t *testing.T) {
	t.Parallel()
	l, gate := newLive(true), rigMembers()
	l.answer.Fresh = time.Hour
	gate.answers["bob"] = member.Answer{Verdict: member.Allow}
	r, a := startEAP(t, l.set, func(c *Config, _ *ClientConfig, _ *members) { c.Tables.Gates = gate })
	s := &peer.Session{}
	for i := range 2 {
		if reply := r.ask(bobBy(radiustest.TTLS, radiustest.EAP{Session: s})); reply.EAP.Resumed() != (i == 1) {
			t.Errorf("login %d: resumed %v", i, reply.EAP.Resumed())
		}
		if n := r.counter("memberradius_eap_resumed_total"); n != float64(i) {
			t.Errorf("login %d: %v fast reconnects counted", i, n)
		}
	}
	shut := rigMembers()
	shut.answers["bob"] = member.Answer{Verdict: member.Deny}
	tables := *r.tables.Load()
	tables.Gates, tables.EAP = shut, a.methods(eap.TTLS)
	r.Swap(tables)
	if reply := r.ask(bobBy(radiustest.TTLS, radiustest.EAP{Session: s})); reply.Code != radiustest.AccessReject || r.Why("bob", 1)[0].Reason != member.ReasonGate {
		t.Errorf("%v: %s", reply.Code, r.Why("bob", 1)[0].Sentence())
	}
}
