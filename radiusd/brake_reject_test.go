package radiusd

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// braked is a reader that answers at noon, with a reject_delay of a second.
func braked(t *testing.T) (r *reader, now *time.Time) {
	t.Helper()
	r, _ = hotPath(t, radiustest.PAP)
	now = &time.Time{}
	*now = noon
	s := r.x.server
	s.rejectDelay, s.brake, s.now = time.Second, newBrake(time.Second), func() time.Time { return *now }
	tables := *s.tables.Load()
	m := rigMembers()
	m.answers["refused"] = member.Answer{Verdict: member.Deny, Reason: member.ReasonRefused}
	m.answers["silent"] = member.Answer{Reason: member.ReasonTimeout}
	tables.Members, tables.Book, tables.Doors = m, nil, newDoors()
	s.Swap(tables)
	return r, now
}

// Which refusals count, and how long each of them waits: a guess that is wrong
// counts whatever the login; what has nothing to do with a guess does not.
func TestBrakeReasons(t *testing.T) {
	t.Parallel()
	nas := &radiustest.NAS{Secret: rigSecret}
	for _, tt := range []struct {
		name  string
		q     radiustest.Request
		count bool
	}{
		{"PAP", radiustest.Request{Method: radiustest.PAP, Login: "bob", Password: "wrong"}, true},
		{"CHAP", radiustest.Request{Method: radiustest.CHAP, Login: "bob", Password: "wrong"}, true},
		{"MS-CHAP", radiustest.Request{Method: radiustest.MSCHAP, Login: "bob", Password: "wrong"}, true},
		{"MS-CHAPv2", radiustest.Request{Method: radiustest.MSCHAPv2, Login: "bob", Password: "wrong"}, true},
		{"an unknown login", radiustest.Request{Method: radiustest.PAP, Login: "nobody", Password: "wrong"}, true},
		{"disabled, and a wrong password", radiustest.Request{Method: radiustest.PAP, Login: "disabled", Password: "wrong"}, true},
		{"refused by a member system", radiustest.Request{Method: radiustest.PAP, Login: "refused", Password: "wrong"}, true},
		{"nothing to check it against", radiustest.Request{Method: radiustest.PAP, Login: "empty", Password: "wrong"}, true},
		{"disabled, and the right password", radiustest.Request{Method: radiustest.PAP, Login: "disabled", Password: "hello"}, false},
		{"malformed", radiustest.Request{Method: radiustest.NoProof, Login: "bob", Octets: []byte{typeUserPassword, 3, 1}}, false},
		{"no method", radiustest.Request{Method: radiustest.NoProof, Login: "bob"}, false},
		{"a device that nobody let in", radiustest.Request{Method: radiustest.MAC, AccessPoint: at(8)}, false},
		{"a device that is blocked", radiustest.Request{Method: radiustest.MAC, AccessPoint: at(0xb1)}, false},
	} {
		r, now := braked(t)
		var m memory
		for i, seconds := range []time.Duration{1, 2, 4, 8, 10} {
			if !tt.count {
				seconds = 1
			}
			if tt.q.AccessPoint.Station == nil {
				tt.q.AccessPoint = at(7)
			}
			sent, err := nas.Sign(&tt.q, byte(i))
			if err != nil {
				t.Fatal(err)
			}
			m.handle(r, sent.Bytes)
			if out := r.x.outbox; len(out) != 1 || out[0].delay != seconds*time.Second {
				t.Errorf("%s: refusal %d: %d replies, want one after %d s", tt.name, i+1, len(out), seconds)
			}
			*now = now.Add(time.Minute)
		}
		if n := r.x.server.brake.size(); (n > 0) != tt.count {
			t.Errorf("%s: %d suspects", tt.name, n)
		}
	}
}

// at is where a device with this last octet is.
func at(device byte) radiustest.AccessPoint {
	return radiustest.AccessPoint{Station: []byte{2, 0, 0, 0, 0, device}}
}

// A right proof is answered at once whatever came before, and ends it. Where a
// member system could not say nothing is counted.
func TestBrakeNeverHoldsARightProof(t *testing.T) {
	t.Parallel()
	nas := &radiustest.NAS{Secret: rigSecret}
	r, now := braked(t)
	var m memory
	id := byte(0)
	handle := func(method radiustest.Method, login string, password member.Secret) []outgoing {
		t.Helper()
		sent, err := nas.Sign(&radiustest.Request{Method: method, Login: login, Password: password, AccessPoint: at(7)}, id)
		if err != nil {
			t.Fatal(err)
		}
		id++
		m.handle(r, sent.Bytes)
		return slices.Clone(r.x.outbox)
	}
	for _, method := range []radiustest.Method{radiustest.PAP, radiustest.CHAP, radiustest.MSCHAPv2} {
		for range 40 {
			handle(method, "bob", "wrong")
		}
		if n := r.x.server.brake.size(); n != 2 {
			t.Errorf("%s: %d suspects, want login and device", method, n)
		}
		if out := handle(method, "Bob", "hello"); len(out) != 1 || out[0].delay != 0 || m.replies[0][0] != codeAccessAccept {
			t.Errorf("%s: a right password after 40 wrong ones: %+v", method, out)
		}
		if n := r.x.server.brake.size(); n != 0 {
			t.Errorf("%s: %d suspects after it", method, n)
		}
	}
	if handle(radiustest.PAP, "silent", "hello"); r.x.server.brake.size() != 0 {
		t.Error("a member system that could not say counts")
	}
	handle(radiustest.PAP, "bob", "wrong")
	if handle(radiustest.MAC, "", ""); m.replies[0][0] != codeAccessAccept || r.x.server.brake.size() != 2 {
		t.Errorf("after MAC authentication, which proves nothing, %d are suspects", r.x.server.brake.size())
	}
	*now = now.Add(time.Hour)
	if out := handle(radiustest.PAP, "bob", "wrong"); len(out) != 1 || out[0].delay != time.Second {
		t.Errorf("an hour later: %+v", out)
	}
}

// Beyond the bound there is silence, counted, for the repeats too; and each is in the journal.
func TestBrakeSilence(t *testing.T) {
	t.Parallel()
	nas := &radiustest.NAS{Secret: rigSecret}
	r, _ := braked(t)
	s := r.x.server
	var m memory
	replies := 0
	var last []byte
	for i := range 60 {
		sent, err := nas.Sign(&radiustest.Request{Method: radiustest.PAP, Login: "bob", Password: "wrong"}, byte(i))
		if err != nil {
			t.Fatal(err)
		}
		last = sent.Bytes
		m.handle(r, bytes.Clone(last))
		replies += len(r.x.outbox)
	}
	most := int((maxRejectDelay+maxRejectQueue)/rejectSpacing) + 1
	if replies > most || replies < most/2 {
		t.Errorf("%d of 60 rejects at one moment are sent, want some %d", replies, most)
	}
	if n := testutil.ToFloat64(s.meters.drops.WithLabelValues("lobby", "braked")); n != float64(60-replies) {
		t.Errorf("%v are counted as silence, want %d", n, 60-replies)
	}
	if n := len(r.x.journal.ring); n != 60 {
		t.Errorf("%d decisions in the journal", n)
	}
	m.handle(r, bytes.Clone(last))
	if wrong := s.brake.wrongs(s.brake.login("bob").login); len(r.x.outbox) != 0 || wrong != 60 {
		t.Errorf("the repeat of one that stayed unanswered: %d replies, %d wrong proofs", len(r.x.outbox), wrong)
	}
}

// EAP is braked too, by the first word that tells: inside a tunnel an
// Access-Challenge says that the password is wrong. Each counts once.
func TestBrakeEAP(t *testing.T) {
	t.Parallel()
	const base = 50 * time.Millisecond
	r, _ := startEAP(t, func(c *Config, _ *ClientConfig, _ *members) { c.RejectDelay = base })
	station := byte(0)
	for _, way := range []struct {
		method     peer.Method
		inner      peer.Inner
		challenges bool // it tells by a challenge
	}{
		{peer.PEAP, peer.InnerEAPMSCHAPv2, true}, {peer.MSCHAPv2, "", true}, {peer.PEAP, peer.InnerGTC, true},
		{peer.TTLS, peer.InnerPAP, false}, {peer.TTLS, peer.InnerMSCHAPv2, false},
	} {
		station++
		mac, from := fmt.Sprintf("02:00:00:00:00:%02x", station), []byte{2, 0, 0, 0, 0, station}
		key := r.brake.guess(&member.Attempt{StationMAC: mac}).device
		login := func(login string, password member.Secret) *device {
			d := r.newDevice(peer.Config{Method: way.method, Login: login, Password: password, Options: peer.Options{Inner: way.inner}})
			d.station = from
			return d
		}
		t.Run(string(way.method)+" "+string(way.inner), func(t *testing.T) {
			t.Parallel()
			for n := 1; n <= 3; n++ {
				d, begin, told := login(fmt.Sprint(mac, n), "wrong"), time.Now(), false
				for d.next() {
					told = told || r.brake.wrongs(key) == n
				}
				if took, least := time.Since(begin), base<<(n-1); d.reply.Code != radiustest.AccessReject || took < least {
					t.Errorf("wrong password %d: %v after %v, want %v at least", n, d.reply.Code, took, least)
				}
				if wrong := r.brake.wrongs(key); wrong != n || told != way.challenges {
					t.Errorf("after %d wrong passwords %d count; told by a challenge: %v", n, wrong, told)
				}
			}
			if d := login("bob", "hello"); d.run().Code != radiustest.AccessAccept || r.brake.wrongs(key) != 0 {
				t.Errorf("a right one: %v, %d wrong ones count", d.reply.Code, r.brake.wrongs(key))
			}
		})
	}
}

// What a challenge waits for the reject does not: both together wait as long as
// a reject alone.
func TestBrakeChallenges(t *testing.T) {
	t.Parallel()
	r, now := braked(t)
	x := r.x
	x.begin(&r.arrived[0])
	x.used, x.attempt.Login = methodEAP, "bob"
	x.now, x.received = *now, *now
	wait := func(f func() (time.Duration, bool)) time.Duration {
		t.Helper()
		d, send := f()
		if !send {
			t.Error("not sent")
		}
		return d
	}
	if d := wait(x.challengeWait); d != 0 {
		t.Errorf("a challenge that tells nothing waits %v", d)
	}
	x.refuse(member.ReasonWrongProof)
	for i, seconds := range []time.Duration{1, 2, 4, 8, 10} {
		challenge := wait(x.challengeWait)
		reject := wait(x.rejectWait) // of a decision in an earlier request
		if challenge+reject != seconds*time.Second || reject != time.Second {
			t.Errorf("wrong password %d: the challenge waits %v, the reject %v", i+1, challenge, reject)
		}
		x.now = x.now.Add(time.Minute)
	}
	x.proved = true
	if d := wait(x.challengeWait); d != 0 {
		t.Errorf("a refusal after a right proof waits %v", d)
	}
}

// TestBrakeAllocatesNothing where a member comes in while others are suspected.
func TestBrakeAllocatesNothing(t *testing.T) {
	r, requests := hotPath(t, radiustest.PAP)
	s := r.x.server
	s.rejectDelay, s.brake = time.Second, newBrake(time.Second)
	for i := range 1000 {
		s.brake.wrong(s.brake.login(strconv.Itoa(i)), time.Now())
	}
	loop := hotLoopOf(t, r, requests)
	for range 2 * hotRequests / batchSize {
		loop()
	}
	if n := testing.AllocsPerRun(100, loop); n != 0 {
		t.Errorf("%v allocations for each batch of %d", n, batchSize)
	}
}
