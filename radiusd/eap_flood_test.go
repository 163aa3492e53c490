package radiusd

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// A desk takes requests with EAP the way of the pool, one at a time and without
// sockets: for tests that need many.
type desk struct {
	*rig
	x          *exchange
	client     *Client
	identifier byte
}

// desk stands beside the rig's own sockets and shares its conversations.
func (r *rig) desk() *desk {
	client, ok := r.tables.Load().Clients.Find(&Arrival{Remote: netip.MustParseAddrPort("127.0.0.1:1")})
	if !ok {
		r.t.Fatal("no client")
	}
	return &desk{rig: r, x: r.exchanges.Get().(*exchange), client: client}
}

// ask takes an EAP packet in and returns the reply, nil for silence.
func (d *desk) ask(packet, state []byte) []byte {
	p := &radiustest.Packet{Code: radiustest.AccessRequest, Identifier: d.identifier}
	d.identifier++
	p.AddMessageAuthenticator().Add(typeUserName, []byte("bob")).AddOctets(attributes(packet, state)...)
	datagram, err := p.Encode(rigSecret)
	if err != nil {
		d.t.Fatal(err)
	}
	j := &job{
		datagram: datagram, client: d.client, from: &socket{conn: &net.UDPConn{}}, received: d.Server.clock(), started: state != nil,
		arrival: Arrival{Remote: netip.MustParseAddrPort("127.0.0.1:1")},
	}
	d.x.resume(j)
	return j.reply
}

// found reads what the reply's attributes of a kind hold, one after the other.
func found(reply []byte, kind byte) (value []byte) {
	for at := headerSize; at < len(reply); at += int(reply[at+1]) {
		if reply[at] == kind {
			value = append(value, reply[at+2:at+int(reply[at+1])]...)
		}
	}
	return value
}

// begin takes a conversation to where the ClientHello went in, or to its identity.
func (d *desk) begin(hello bool) {
	d.t.Helper()
	p, err := peer.New(peer.Config{Method: peer.PEAP, Login: "bob", Password: "hello"})
	if err != nil {
		d.t.Fatal(err)
	}
	defer p.Close()
	reply := d.ask(p.Identity(7), nil)
	if !hello {
		return
	}
	packet, err := p.Answer(found(reply, typeEAPMessage))
	if err != nil {
		d.t.Fatal(err)
	}
	if reply = d.ask(packet, found(reply, typeState)); len(reply) == 0 || reply[0] != codeAccessChallenge {
		d.t.Fatalf("no Challenge to a ClientHello")
	}
}

// F17, F18: a flood of conversations that go no further than their first or
// second packet is bounded, in number, goroutines and memory; who is under way
// stays, and all of it is free again when their time is over.
func TestF17F18StartFlood(t *testing.T) {
	const most = 256 // half of them one client's
	h := &hand{}
	r, _ := startEAP(t, h.set, func(c *Config, _ *ClientConfig, _ *members) { c.Conversations, c.Log = most, quiet() })
	desk := r.desk()
	r.ask(bobBy(radiustest.PEAP, radiustest.EAP{})) // whatever starts with the first one
	base, heap := runtime.NumGoroutine(), inUse()
	for n, hello := range map[int]bool{2000: false, 600: true} {
		for range n {
			desk.begin(hello)
		}
		if open, evicted := r.engine.Open(); open != most/2 || evicted == 0 {
			t.Errorf("%d conversations open, %d had to go", open, evicted)
		} else if r.counter("memberradius_eap_conversations") != most/2 || r.counter("memberradius_eap_evicted_total") != float64(evicted) {
			t.Error("the metrics say otherwise")
		}
	}
	if n := runtime.NumGoroutine(); n > base+most {
		t.Errorf("%d goroutines for %d conversations", n-base, most/2)
	}
	if n := inUse(); n > heap+most*40<<10 {
		t.Errorf("%d KiB for %d conversations", (n-heap)>>10, most/2)
	}
	// A real device among them, with many strangers between each two packets.
	for range 3 {
		d := r.device(radiustest.PEAP, radiustest.EAP{})
		for i := 0; d.next(); i++ {
			for range 40 {
				desk.begin(i%2 == 0)
			}
		}
		if d.reply.Code != radiustest.AccessAccept {
			t.Errorf("a real device in the flood: %v after %d rounds", d.reply.Code, d.rounds)
		}
	}
	h.forward(idleConversation + time.Second)
	r.lose(r.engine.Expire(r.Server.clock()))
	eventually(t, "no conversation is left", func() bool { open, _ := r.engine.Open(); return open == 0 })
	eventually(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= base })
	if n := inUse(); n > heap+1<<20 {
		t.Errorf("%d KiB are left", (n-heap)>>10)
	}
}

// inUse is what the heap holds, in octets.
func inUse() uint64 {
	runtime.GC()
	runtime.GC() // what a pool still held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// FuzzEAP_NoPanic sends any octets for an EAP packet, at any point of a
// conversation, with a right Message-Authenticator (FreeRADIUS #5061): the reply
// is a lawful one, nobody is let in, and nothing breaks.
func FuzzEAP_NoPanic(f *testing.F) {
	for _, seed := range []string{
		"\x02\x09\x00\x08\x01bob", "\x02\x09\x00\x05\x01", "\x02", "\x02\x09", "\x02\x09\x00\x04", "\x01\x09\x00\x05\x01", "\x03\x09\x00\x04", "\x04\x09\x00\x04",
		"\x00\x00\x00\x00", "\x05\x01\x00\x05\x01", "\x02\x09\xff\xff\x01", "\x02\x09\x00\x03\x01", "\x02\x09\x00\x06\x03\x00", "\x02\x09\x00\x06\x03\x1a",
		"\x02\x09\x00\x06\x19\x00", "\x02\x09\x00\x0a\x19\xff\xff\xff\xff\xff", "\x02\x09\x00\x0a\x15\xc0\x00\x00\x00\x10", "\x02\x09\x00\x06\x0d\x40",
		"\x02\x09\x00\x07\x1a\x03\x00", "\x02\x09\x00\x06\x1a\x02", "\x02\x09\x00\x0c\xfe\x00\x00\x00\x00\x00\x00\x03",
	} {
		for rounds := range byte(4) {
			f.Add([]byte(seed), rounds, true)
		}
	}
	desk := fuzzDesk(f)
	f.Fuzz(func(t *testing.T, packet []byte, rounds byte, follow bool) {
		if len(packet) > 3000 {
			return
		}
		desk.t = t
		state, id := desk.open(rounds % 4)
		if follow && len(packet) > 1 && rounds%4 > 0 {
			packet = bytes.Clone(packet)
			packet[1] = id // else nearly all would end at their Identifier
		}
		reply := desk.ask(packet, state)
		if n := testutil.ToFloat64(desk.meters.panics); n != 0 {
			t.Fatalf("%v panics", n)
		}
		if len(reply) < headerSize || len(reply) > maxPacket || reply[headerSize] != typeMessageAuthenticator {
			t.Fatalf("a bad reply: % x", reply)
		}
		answer := found(reply, typeEAPMessage)
		if len(answer) < 4 || int(binary.BigEndian.Uint16(answer[2:])) != len(answer) || len(found(reply, typeReplyMessage)) > 0 {
			t.Fatalf("a bad EAP packet: % x", answer)
		}
		switch code := eap.Code(answer[0]); {
		case reply[0] == codeAccessChallenge && code == eap.Request && len(found(reply, typeState)) == eap.StateSize:
		case reply[0] == codeAccessReject && code == eap.Failure:
		case reply[0] == codeAccessReject && code == eap.Response && eap.Code(packet[0]) == eap.Request:
		default:
			t.Fatalf("code %d with EAP code %d", reply[0], code)
		}
	})
}

// fuzzDesk is a desk of a server that has no sockets and few conversations.
func fuzzDesk(f *testing.F) *desk {
	f.Helper()
	t := &testing.T{}
	a := newAuthority(t)
	client, err := NewClient(ClientConfig{Name: "lobby", Secret: rigSecret})
	if err != nil {
		f.Fatal(err)
	}
	clients, err := NewClients([]ClientEntry{{netip.MustParsePrefix("127.0.0.0/8"), client}})
	if err != nil {
		f.Fatal(err)
	}
	s, err := New(Config{
		Tables: Tables{Clients: clients, Members: rigMembers(), EAP: a.methods(eap.PEAP, eap.TTLS, eap.TLS, eap.MSCHAPv2)},
		Log:    quiet(), Conversations: 64,
	})
	if err != nil {
		f.Fatal(err)
	}
	r := &rig{t: t, Server: s}
	return r.desk()
}

// open takes a conversation some rounds far and returns its State and the
// Identifier that is asked for.
func (d *desk) open(rounds byte) (state []byte, id byte) {
	methods := []eap.Type{eap.PEAP, eap.MSCHAPv2, eap.TTLS}
	for i := range rounds {
		packet := []byte{2, 9, 0, 8, 1, 'b', 'o', 'b'}
		if i == 1 {
			packet = []byte{2, id, 0, 6, 3, byte(methods[rounds-1])}
		}
		if i == 2 {
			packet = []byte{2, id, 0, 10, 21, flagLength | flagMore, 0, 0, 1, 0}
			packet = append(packet, 22)
			packet[3]++
		}
		reply := d.ask(packet, state)
		state, id = found(reply, typeState), found(reply, typeEAPMessage)[1]
	}
	return state, id
}
