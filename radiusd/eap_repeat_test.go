package radiusd

import (
	"bytes"
	"testing"

	"memberradius/eap"
	"memberradius/radiusd/radiustest"
)

// Every request of a conversation sent again under its Identifier, as a NAS does
// that has lost the reply, gets the first reply octet for octet, and the
// conversation goes on. Also its last one.
func TestEAPRepeats(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t)
	every(t, func(t *testing.T, method radiustest.Method, options radiustest.EAP) {
		options.Certificate = a.device("bob")
		d := r.device(method, options)
		for {
			before := len(r.Why("bob", 99))
			sent := d.sign()
			d.send(sent)
			first := d.raw()
			eventually(t, "the reply is kept", func() bool { return bytes.Equal(d.exchange(d.wire, sent.Bytes), first) })
			d.take(first)
			if more := d.answer(); !more {
				if d.reply.Code != radiustest.AccessAccept || !bytes.Equal(d.exchange(d.wire, sent.Bytes), first) {
					t.Errorf("%v, or another one to its repeat", d.reply.Code)
				}
				return
			}
			if len(r.Why("bob", 99)) < before {
				t.Error("decisions go")
			}
		}
	})
}

// A NAS that sends every packet three times at once, before any reply, gets
// one reply to each, or the same one.
func TestEAPBursts(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t)
	every(t, func(t *testing.T, method radiustest.Method, options radiustest.EAP) {
		options.Certificate = a.device("bob")
		d := r.device(method, options)
		var kept [][]byte
		for more := true; more; {
			sent := d.sign()
			for range 3 {
				d.send(sent)
			}
			var reply []byte
			for reply == nil {
				reply = d.raw()
				for _, old := range kept {
					if reply != nil && reply[1] == old[1] {
						if !bytes.Equal(reply, old) {
							t.Fatalf("round %d: a repeat of an older request gets another reply", d.rounds)
						}
						reply = nil
					}
				}
			}
			kept = append(kept, reply)
			d.take(reply)
			more = d.answer()
		}
		if d.reply.Code != radiustest.AccessAccept {
			t.Errorf("%v after %d rounds", d.reply.Code, d.rounds)
		}
	})
}

// The same EAP packet in a new request, as of a NAS that has lost the reply and
// counts on, gets the last Request again: nothing is done twice.
func TestEAPRepeatsInNewRequests(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t)
	every(t, func(t *testing.T, method radiustest.Method, options radiustest.EAP) {
		options.Certificate, options.MTU, options.FragmentSize = a.device("bob"), 300, 200
		d := r.device(method, options)
		d.mtu = []byte{0, 0, 1, 44}
		for {
			packet, state := d.packet, d.state
			reply := d.ask()
			if reply.Code != radiustest.AccessChallenge {
				break
			}
			request := message(reply)
			if state != nil { // without one it is a new conversation
				for range 2 {
					d.packet = packet
					if again := d.ask(); !bytes.Equal(message(again), request) || again.Values(typeErrorCause) != nil {
						t.Fatalf("round %d: another Request, or Error-Cause %v", d.rounds, again.Values(typeErrorCause))
					}
				}
			}
			if d.reply = reply; !d.answer() {
				t.Fatalf("round %d: no answer to % x", d.rounds, request)
			}
		}
		if d.reply.Code != radiustest.AccessAccept {
			t.Errorf("%v after %d rounds", d.reply.Code, d.rounds)
		}
	})
	if n, _ := r.engine.Open(); n != 0 {
		t.Errorf("%d conversations are left", n)
	}
}

// A NAS that has lost the reply to the first packet, and asks anew, has two
// conversations, of which each can go on.
func TestEAPIdentityTwice(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	d := r.device(radiustest.TTLS, radiustest.EAP{})
	identity := d.packet
	first := d.ask()
	lost := *d
	d.packet, d.state = identity, nil
	if second := d.ask(); bytes.Equal(first.Values(typeState)[0], second.Values(typeState)[0]) {
		t.Error("both have one State")
	}
	if d.answer(); d.run().Code != radiustest.AccessAccept {
		t.Errorf("the second: %v", d.reply.Code)
	}
	if lost.packet = identity; lost.ask().Code != radiustest.AccessChallenge {
		t.Errorf("the first: %v", lost.reply.Code)
	}
}

// The server's own packets sent back to it never come to anything
// (CVE-2019-11234: reflection).
func TestReflection(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t)
	every(t, func(t *testing.T, method radiustest.Method, options radiustest.EAP) {
		options.Certificate = a.device("bob")
		for rounds := 1; ; rounds++ {
			d := r.device(method, options)
			for d.rounds < rounds && d.next() {
			}
			if d.reply.Code != radiustest.AccessChallenge || method == radiustest.EAPMSCHAPv2 && rounds == 3 {
				return // by then MSCHAPv2's proof is done: Success-Request and Success-Response are alike
			}
			for _, code := range []eap.Code{eap.Response, eap.Request, eap.Success, eap.Failure} {
				d.packet = bytes.Clone(message(d.reply))
				d.packet[0] = byte(code)
				if code == eap.Success || code == eap.Failure {
					d.packet = append(d.packet[:2], 0, 4)
				}
				d.reflect(t)
			}
		}
	})
}

// reflect asks, and wants what is no login.
func (d *device) reflect(t *testing.T) {
	t.Helper()
	last := d.reply
	if reply := d.ask(); reply.Code == radiustest.AccessAccept {
		t.Errorf("let in by the server's own packet, round %d", d.rounds)
	} else if reply.Code == radiustest.AccessReject {
		d.reply = last // the next one is of the same Request
	}
}
