package radiusd

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/member"
	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"
)

// D8: a conversation is found by its State alone: an access point may send each
// of its packets from another port.
func TestD8StateAlone(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t)
	every(t, func(t *testing.T, method radiustest.Method, options radiustest.EAP) {
		options.Certificate = a.device("bob")
		d := r.device(method, options)
		for d.next() {
			d.wire = r.wire(0)
		}
		if d.reply.Code != radiustest.AccessAccept {
			t.Errorf("%v after %d rounds", d.reply.Code, d.rounds)
		}
	})
}

// E1: EAP without a right Message-Authenticator is dropped, also where a client
// may leave it out elsewhere.
func TestE1MessageAuthenticator(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t, tolerate)
	identity := attributes([]byte{2, 9, 0, 8, 1, 'b', 'o', 'b'}, nil)
	for id, placement := range []radiustest.Placement{radiustest.Absent, radiustest.Wrong} {
		sent := r.sign(&radiustest.Request{Method: radiustest.NoProof, Login: "bob", Octets: identity, MessageAuthenticator: placement}, byte(id))
		if reply := r.exchange(r.wire(0), sent.Bytes); reply != nil {
			t.Errorf("placement %d: answered by code %d", placement, reply[0])
		}
	}
	if n, _ := r.engine.Open(); n != 0 {
		t.Errorf("%d conversations begun", n)
	}
	if reply := r.device(radiustest.PEAP, radiustest.EAP{}).ask(); reply.Code != radiustest.AccessChallenge {
		t.Errorf("with a right one: %v", reply.Code)
	}
}

// E2: EAP-Messages that do not follow one another, or not in order, are refused.
func TestE2ScatteredMessages(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	d := r.device(radiustest.PEAP, radiustest.EAP{})
	long := bytes.Repeat([]byte("bob@example.com"), 20)
	packet := eap.Packet{Code: eap.Response, ID: 9, Type: eap.Identity, Data: long}.Append(nil)
	whole := attributes(packet, nil)
	first, second := whole[:2+maxValue], whole[2+maxValue:]
	for name, octets := range map[string][]byte{
		"scattered": slices.Concat(first, []byte{typeProxyState, 3, 1}, second), "reordered": slices.Concat(second, first),
	} {
		d.packet = packet
		if name == "reordered" {
			d.packet = second[2:]
		}
		d.last = r.sign(&radiustest.Request{Method: radiustest.NoProof, Login: "bob", Octets: octets}, d.identifier)
		d.identifier++
		d.send(d.last)
		if reply := d.hear(); reply.Code != radiustest.AccessReject {
			t.Errorf("%s: %v", name, reply.Code)
		}
	}
	d.packet = packet
	if reply := d.ask(); reply.Code != radiustest.AccessChallenge {
		t.Errorf("in order: %v", reply.Code)
	}
}

// E3: no EAP packet is longer than Framed-MTU, nor than 1,024 octets; a
// Framed-MTU that can't be is none.
func TestE3FramedMTU(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	mtu := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	for name, value := range map[string][]byte{
		"1400": mtu(1400), "1000": mtu(1000), "600": mtu(600), "200": mtu(200), "64": mtu(64), "absent": nil,
		"0": mtu(0), "1": mtu(1), "all ones": mtu(1<<32 - 1), "negative": mtu(1 << 31), "3 octets": {1, 2, 3}, "empty": {}, "8 octets": make([]byte, 8),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := r.device(radiustest.TTLS, radiustest.EAP{})
			d.mtu = value
			if reply := d.run(); reply.Code != radiustest.AccessAccept {
				t.Errorf("%v after %d rounds", reply.Code, d.rounds)
			}
		})
	}
}

// E4: an EAP-Start is answered by a Request/Identity.
func TestE4Start(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	d := r.device(radiustest.PEAP, radiustest.EAP{Start: true})
	d.packet = nil
	d.ask()
	if p, err := eap.Parse(message(d.reply)); err != nil || p.Type != eap.Identity || d.reply.Code != radiustest.AccessChallenge {
		t.Fatalf("%v with %+v, %v", d.reply.Code, p, err)
	}
	if d.answer(); d.run().Code != radiustest.AccessAccept {
		t.Errorf("%v", d.reply.Code)
	}
}

// E5: a device that asks instead of answering is refused, with a Nak that wants nothing.
func TestE5RoleReversal(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	for _, rounds := range []int{0, 3} {
		d := r.device(radiustest.PEAP, radiustest.EAP{}).reach(rounds)
		for _, kind := range []eap.Type{eap.Identity, eap.PEAP, eap.MSCHAPv2} {
			d.packet = eap.Packet{Code: eap.Request, ID: 77, Type: kind, Data: []byte("who are you")}.Append(nil)
			if reply := d.ask(); reply.Code != radiustest.AccessReject || !bytes.Equal(message(reply), []byte{2, 77, 0, 6, 3, 0}) {
				t.Errorf("after %d rounds, %v: %v with % x", rounds, kind, reply.Code, message(reply))
			}
		}
	}
}

// E6 and E7 as a property: whoever comes by whichever way, each reply of each
// round is lawful; device.lawful says what that is.
func TestE6E7EveryReply(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t, withPlan, func(_ *Config, _ *ClientConfig, m *members) {
		m.answers["words"] = member.Answer{Verdict: member.Deny, Proved: true, Reason: member.ReasonExpired, Message: "Your pass has run out."}
	})
	every(t, func(t *testing.T, method radiustest.Method, options radiustest.EAP) {
		for _, login := range []string{"bob", "nobody", "disabled", "expired", "words"} {
			for _, password := range []member.Secret{"hello", "wrong"} {
				options.Certificate = a.device(login)
				d := r.newDevice(peer.Config{Method: peer.Method(method), Login: login, Password: password, Options: options})
				want := radiustest.AccessReject
				if login == "bob" && (password == "hello" || method == radiustest.TLS) {
					want = radiustest.AccessAccept
				}
				if reply := d.run(); reply.Code != want {
					t.Errorf("%s with %q: %v, want %v", login, string(password), reply.Code, want)
				}
			}
		}
	})
}

// Which method takes which credential: argon2id a password in clear, an NT hash
// all but CHAP, nothing nobody.
func TestEAPCredentials(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	plain := []peer.Inner{peer.InnerPAP, peer.InnerGTC}
	for _, inner := range peer.TTLS.Inners() {
		for _, login := range []string{"bob", "argon", "hash", "empty"} {
			password := member.Secret("hello")
			want := login == "bob" || login == "hash" && inner != peer.InnerCHAP || login == "argon" && slices.Contains(plain, inner)
			if login == "hash" {
				password = "clientPass"
			}
			reply := r.ask(&radiustest.Request{Method: radiustest.TTLS, Login: login, Password: password, EAP: &radiustest.EAP{Inner: inner}})
			if got := reply.Code == radiustest.AccessAccept; got != want {
				t.Errorf("%s by TTLS-%s: %v", login, inner, reply.Code)
			}
		}
	}
}

// E8: User-Name in the Accept is the member's, as her member system spells it,
// whatever the device calls itself outside.
func TestE8UserName(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t, withPlan)
	for _, login := range []string{"bob", "BOB"} {
		for _, outer := range []string{"anonymous@example.com", "@example.com", ""} {
			q := bobBy(radiustest.PEAP, radiustest.EAP{Anonymous: outer})
			q.Login = login
			reply := r.ask(q)
			if names := reply.Values(typeUserName); len(names) != 1 || string(names[0]) != "bob" {
				t.Errorf("%s, outside %q: User-Name %q", login, outer, names)
			}
			if d := r.Why(login, 1)[0]; d.Login != login || d.Method != "peap/eap-mschapv2" {
				t.Errorf("%s, outside %q: explained as %s by %s", login, outer, d.Login, d.Method)
			}
		}
	}
}

// E9: what makes no sense is borne five times: the last Request again, with
// Error-Cause 202. Then it is over.
func TestE9FiveInvalid(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	d := r.device(radiustest.PEAP, radiustest.EAP{}).reach(3)
	request := message(d.reply)
	for i := range 5 {
		d.packet = eap.Packet{Code: eap.Response, ID: request[1], Type: eap.MD5, Data: []byte{1}}.Append(nil)
		if i%2 == 1 {
			d.packet = eap.Packet{Code: eap.Response, ID: request[1] + 99, Type: eap.PEAP, Data: []byte{0}}.Append(nil)
		}
		reply := d.ask()
		cause := reply.Values(typeErrorCause)
		if !bytes.Equal(message(reply), request) || len(cause) != 1 || !bytes.Equal(cause[0], []byte{0, 0, 0, 202}) {
			t.Fatalf("invalid packet %d: %v, Error-Cause % x, the same Request %v", i+1, reply.Code, cause, bytes.Equal(message(reply), request))
		}
	}
	if reply := d.ask(); reply.Code != radiustest.AccessReject {
		t.Errorf("the sixth: %v", reply.Code)
	}
	// Five times and then right is a login.
	d = r.device(radiustest.PEAP, radiustest.EAP{}).reach(3)
	good := d.packet
	for range 5 {
		d.packet = []byte{4, 9, 0, 4}
		d.ask()
	}
	if d.packet = good; d.run().Code != radiustest.AccessAccept {
		t.Errorf("after five invalid ones: %v", d.reply.Code)
	}
}

// E10: Identifiers belong to their conversation: two devices at one access
// point use the same ones at the same time.
func TestE10TwoDevices(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	one, two := r.device(radiustest.PEAP, radiustest.EAP{}), r.device(radiustest.PEAP, radiustest.EAP{})
	for more := true; more; {
		more = one.next()
		two.next()
	}
	if one.reply.Code != radiustest.AccessAccept || two.reply.Code != radiustest.AccessAccept || bytes.Equal(one.state, two.state) {
		t.Errorf("%v and %v, the same State %v", one.reply.Code, two.reply.Code, bytes.Equal(one.state, two.state))
	}
}

// E11: octets behind a packet's Length are padding; a Response that came before
// gets the last Request again.
func TestE11PaddingAndDuplicates(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	d := r.device(radiustest.PEAP, radiustest.EAP{})
	for {
		d.packet = append(d.packet, 0xde, 0xad)
		sent := d.packet
		if !d.next() {
			break
		}
		request, next := message(d.reply), d.packet
		if d.rounds > 1 { // the first has no State: again it is a new conversation
			d.packet = sent
			if reply := d.ask(); !bytes.Equal(message(reply), request) || reply.Values(typeErrorCause) != nil {
				t.Errorf("round %d: a duplicate gets another Request", d.rounds)
			}
		}
		d.packet = next
	}
	if d.reply.Code != radiustest.AccessAccept {
		t.Errorf("%v", d.reply.Code)
	}
}

// E13: MS-MPPE-Recv-Key is the first half of the MSK, MS-MPPE-Send-Key the
// second (RFC 3580 §3.16), by each way and version (T3).
func TestE13T3Keys(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t)
	every(t, func(t *testing.T, method radiustest.Method, options radiustest.EAP) {
		options.Certificate = a.device("bob")
		for _, version := range versions {
			options.MaxTLS = version
			d := r.device(method, options)
			d.add = []byte{typeEAPKeyName, 3, 0}
			for d.next() {
			}
			msk := d.peer.MSK()
			if len(msk) != 64 || !bytes.Equal(d.mppeKey(msMPPERecvKey), msk[:32]) || !bytes.Equal(d.mppeKey(msMPPESendKey), msk[32:]) {
				t.Errorf("TLS %#x: the keys are not the MSK's halves", version)
			}
			names := d.reply.Values(typeEAPKeyName)
			if id := d.peer.SessionID(); id != nil && (len(names) != 1 || !bytes.Equal(names[0], id)) {
				t.Errorf("TLS %#x: %d EAP-Key-Names, or another one", version, len(names))
			}
		}
	})
	if d := r.device(radiustest.PEAP, radiustest.EAP{}); d.run().Values(typeEAPKeyName) != nil {
		t.Error("an EAP-Key-Name that nobody asked for")
	}
}

// F24: a State that is not known here, after a restart, is refused after the
// reject delay, so that the device begins anew. D9: it never goes on.
func TestF24D9UnknownState(t *testing.T) {
	t.Parallel()
	const delay = 20 * time.Millisecond
	r, _ := startEAP(t, func(c *Config, _ *ClientConfig, _ *members) { c.RejectDelay = delay })
	var devices []*device
	for _, state := range [][]byte{make([]byte, eap.StateSize), make([]byte, eap.StateSize-1), {}, bytes.Repeat([]byte{7}, maxValue)} {
		for _, rounds := range []int{0, 1} {
			d := r.device(radiustest.PEAP, radiustest.EAP{}).reach(rounds)
			d.state = state
			devices = append(devices, d)
		}
	}
	start := time.Now()
	for _, d := range devices {
		d.send(d.sign())
	}
	for _, d := range devices {
		if reply := d.hear(); reply.Code != radiustest.AccessReject || time.Since(start) < delay {
			t.Errorf("State of %d octets after %d rounds: %v after %v", len(d.state), d.rounds-1, reply.Code, time.Since(start))
		}
	}
}
