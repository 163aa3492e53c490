package radiusd

import (
	"bytes"
	"crypto/md5"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"
)

// A device is a peer of EAP behind an access point whose every packet a test
// can see, repeat and spoil. Each reply that it gets is held against the rules
// that hold for all of them.
type device struct {
	*rig
	peer *peer.Peer
	wire *radiustest.Wire
	// packet is the EAP packet to send next, state the State that goes with it.
	packet, state []byte
	identifier    byte // of the next request
	// station is the device's address; add is what the access point adds to each
	// request, mtu its Framed-MTU (nil: none).
	station []byte
	add     []byte
	mtu     []byte
	// last is the last request that went out, reply what came back.
	last   *radiustest.Sent
	reply  *radiustest.Reply
	rounds int
}

// device returns the device of bob by a method, about to say who it is.
func (r *rig) device(method radiustest.Method, options radiustest.EAP) *device {
	r.t.Helper()
	return r.newDevice(peer.Config{Method: peer.Method(method), Login: "bob", Password: "hello", Options: options})
}

func (r *rig) newDevice(c peer.Config) *device {
	r.t.Helper()
	p, err := peer.New(c)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(p.Close)
	d := &device{
		rig: r, peer: p, wire: r.wire(0), identifier: 1,
		station: []byte{2, 0, 0, 0, 0, 7}, mtu: binary.BigEndian.AppendUint32(nil, 1400),
	}
	d.packet = p.Identity(9)
	return d
}

// attributes are the EAP-Messages and the State of a round.
func attributes(packet, state []byte) []byte {
	var b []byte
	if len(packet) == 0 {
		b = append(b, typeEAPMessage, 2)
	}
	for part := range slices.Chunk(packet, maxValue) {
		b = append(append(b, typeEAPMessage, byte(2+len(part))), part...)
	}
	if state != nil {
		b = append(append(b, typeState, byte(2+len(state))), state...)
	}
	return b
}

// sign makes the next request: other octets than the one before, though it may
// carry the same EAP packet.
func (d *device) sign() *radiustest.Sent {
	d.t.Helper()
	octets := slices.Concat(attributes(d.packet, d.state), d.add)
	if d.mtu != nil {
		octets = append(append(octets, typeFramedMTU, byte(2+len(d.mtu))), d.mtu...)
	}
	d.last = d.rig.sign(&radiustest.Request{
		Method: radiustest.NoProof, Login: d.peer.OuterIdentity(), Octets: octets,
		AccessPoint: radiustest.AccessPoint{SSID: "Members", Station: d.station},
	}, d.identifier)
	d.identifier++
	return d.last
}

// ask sends the next request and returns its reply.
func (d *device) ask() *radiustest.Reply {
	d.t.Helper()
	d.send(d.sign())
	return d.hear()
}

func (d *device) send(sent *radiustest.Sent) {
	d.t.Helper()
	if err := d.wire.Send(sent.Bytes); err != nil {
		d.t.Fatal(err)
	}
}

// raw returns the next datagram.
func (d *device) raw() []byte {
	d.t.Helper()
	datagram, err := d.wire.Receive(5 * time.Second)
	if err != nil {
		d.t.Fatalf("round %d: %v\n%s", d.rounds, err, d.log)
	}
	return datagram
}

// hear takes the reply to the last request.
func (d *device) hear() *radiustest.Reply {
	d.t.Helper()
	return d.take(d.raw())
}

func (d *device) take(datagram []byte) *radiustest.Reply {
	d.t.Helper()
	reply, err := d.last.Read(datagram)
	if err != nil {
		d.t.Fatal(err)
	}
	d.lawful(reply)
	d.reply, d.rounds = reply, d.rounds+1
	if states := reply.Values(typeState); len(states) == 1 {
		d.state = states[0]
	}
	return reply
}

// next does one round: it asks, and lets the peer answer what comes. It says
// whether the conversation goes on.
func (d *device) next() bool {
	d.t.Helper()
	d.ask()
	return d.answer()
}

// answer lets the peer answer the reply.
func (d *device) answer() bool {
	d.t.Helper()
	packet, err := d.peer.Answer(message(d.reply))
	if err != nil && !errors.Is(err, peer.ErrStopped) {
		d.t.Fatal(err)
	}
	d.packet = packet
	return packet != nil
}

// run does all rounds and returns the last reply.
func (d *device) run() *radiustest.Reply {
	d.t.Helper()
	for d.next() {
	}
	return d.reply
}

// reach does rounds until n have been answered.
func (d *device) reach(n int) *device {
	d.t.Helper()
	for d.rounds < n {
		if !d.next() {
			d.t.Fatalf("the conversation ended after %d rounds", d.rounds)
		}
	}
	return d
}

// message is the EAP packet of a reply.
func message(r *radiustest.Reply) []byte { return slices.Concat(r.Values(typeEAPMessage)...) }

// limit is the longest EAP packet that the access point lets through, as E3 has it.
func (d *device) limit() int {
	if len(d.mtu) != 4 {
		return maxEAP
	}
	return int(min(max(binary.BigEndian.Uint32(d.mtu), minEAP), maxEAP))
}

// lawful holds a reply against what holds for every one of EAP: E2, E3, E6, E7, E12, B1.
func (d *device) lawful(r *radiustest.Reply) {
	t := d.t
	t.Helper()
	for _, fault := range r.Faults {
		t.Errorf("reply: %s", fault)
	}
	if !r.SignedFirst {
		t.Error("B1: Message-Authenticator is not first")
	}
	packet := message(r)
	if len(packet) < 4 || int(binary.BigEndian.Uint16(packet[2:])) != len(packet) {
		t.Fatalf("E7: %v with the EAP packet % x", r.Code, packet)
	}
	if len(packet) > d.limit() {
		t.Errorf("E3: an EAP packet of %d octets, at most %d", len(packet), d.limit())
	}
	if r.Message != "" {
		t.Errorf("E6: Reply-Message %q beside EAP-Message", r.Message)
	}
	d.paired(r, packet)
	d.placed(r)
	keys := len(r.VendorValues(vendorMicrosoft, msMPPERecvKey)) + len(r.VendorValues(vendorMicrosoft, msMPPESendKey))
	if r.Code != radiustest.AccessAccept && keys > 0 {
		t.Errorf("an %v with keys", r.Code)
	}
	if r.Code != radiustest.AccessChallenge {
		return
	}
	if states := r.Values(typeState); len(states) != 1 || len(states[0]) != eap.StateSize || d.state != nil && !bytes.Equal(states[0], d.state) {
		t.Errorf("D9: a Challenge with %d States", len(states))
	}
	for _, kind := range []byte{1, typeClass, 27, 28, 64, 65, 81, 89} {
		if r.Values(kind) != nil {
			t.Errorf("E12: a Challenge with attribute %d, which is the member's", kind)
		}
	}
}

// paired is E7: each code has its own kind of EAP packet. Where the device
// asked instead of answering it is told Nak (E5).
func (d *device) paired(r *radiustest.Reply, packet []byte) {
	d.t.Helper()
	want, id := eap.Code(0), byte(0)
	if len(d.packet) > 1 {
		id = d.packet[1]
	}
	switch r.Code {
	case radiustest.AccessAccept:
		want = eap.Success
	case radiustest.AccessReject:
		want = eap.Failure
		if len(d.packet) > 4 && eap.Code(d.packet[0]) == eap.Request && int(binary.BigEndian.Uint16(d.packet[2:])) <= len(d.packet) {
			want = eap.Response
		}
	case radiustest.AccessChallenge:
		want = eap.Request
	}
	if got := eap.Code(packet[0]); got != want {
		d.t.Errorf("E7: %v with EAP code %d, want %d", r.Code, got, want)
	}
	if want != eap.Request && packet[1] != id {
		d.t.Errorf("%v: EAP code %d has Identifier %d, the device's packet %d", r.Code, packet[0], packet[1], id)
	}
}

// placed is E2 of our own: EAP-Messages follow each other, all but the last are full.
func (d *device) placed(r *radiustest.Reply) {
	d.t.Helper()
	var places []int
	var sizes []int
	n := 0
	for at := headerSize; at < len(r.Raw); at += int(r.Raw[at+1]) {
		if r.Raw[at] == typeEAPMessage {
			places, sizes = append(places, n), append(sizes, int(r.Raw[at+1])-2)
		}
		n++
	}
	for i := range places {
		if places[i] != places[0]+i || i < len(sizes)-1 && sizes[i] != maxValue {
			d.t.Errorf("E2: EAP-Messages at %v of sizes %v", places, sizes)
			return
		}
	}
}

// mppeKey reads a key of MS-MPPE-*-Key (RFC 2548 §2.4.2) of the reply.
func (d *device) mppeKey(kind byte) []byte {
	d.t.Helper()
	values := d.reply.VendorValues(vendorMicrosoft, kind)
	if len(values) != 1 || len(values[0])%16 != 2 {
		d.t.Fatalf("%d values of attribute %d of Microsoft", len(values), kind)
	}
	salt, hidden := values[0][:2], values[0][2:]
	before := slices.Concat(d.last.Bytes[4:headerSize], salt)
	var plain []byte
	for ; len(hidden) > 0; hidden = hidden[16:] {
		mask := md5.Sum(append([]byte(rigSecret), before...))
		for i, b := range hidden[:16] {
			plain = append(plain, b^mask[i])
		}
		before = hidden[:16]
	}
	return plain[1 : 1+plain[0]]
}

// why is the one decision about a login, once it is made.
func (r *rig) why(login string) Decision {
	r.t.Helper()
	eventually(r.t, "a decision about "+login, func() bool { return len(r.Why(login, 2)) > 0 })
	all := r.Why(login, 99)
	if len(all) != 1 {
		r.t.Errorf("%d decisions about %s, want 1", len(all), login)
	}
	return all[0]
}

// every tries each way in.
func every(t *testing.T, f func(t *testing.T, method radiustest.Method, options radiustest.EAP)) {
	t.Helper()
	for _, way := range []struct {
		method radiustest.Method
		inner  peer.Inner
	}{
		{radiustest.PEAP, peer.InnerEAPMSCHAPv2}, {radiustest.PEAP, peer.InnerGTC}, {radiustest.TTLS, peer.InnerPAP},
		{radiustest.TTLS, peer.InnerMSCHAPv2}, {radiustest.TTLS, peer.InnerEAPMSCHAPv2}, {radiustest.TLS, ""}, {radiustest.EAPMSCHAPv2, ""},
	} {
		t.Run(string(way.method)+" "+string(way.inner), func(t *testing.T) {
			t.Parallel()
			f(t, way.method, radiustest.EAP{Inner: way.inner})
		})
	}
}

// Those that every device may have.
var versions = []uint16{tls.VersionTLS12, tls.VersionTLS13}

// silence sends what it is given and wants no reply to it: neither from the
// reader, which a Status-Server shows, nor from the pool, which then rests.
func (d *device) silence(sent *radiustest.Sent) {
	d.t.Helper()
	if reply := d.exchange(d.wire, sent.Bytes); reply != nil {
		d.t.Errorf("round %d: answered by code %d", d.rounds+1, reply[0])
	}
	eventually(d.t, "the pool rests", func() bool {
		working, waiting := d.pool.load()
		return working+waiting == 0
	})
	fence := d.rig.sign(&radiustest.Request{Method: radiustest.Status}, 0xfd)
	if reply := d.exchange(d.wire, fence.Bytes); reply == nil || reply[1] != 0xfd {
		d.t.Errorf("round %d: answered late by code %d", d.rounds+1, reply[0])
	}
}
