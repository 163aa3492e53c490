package radiusd

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

// access is an Access-Request under construction, signed in the first place.
func access() *radiustest.Packet {
	p := &radiustest.Packet{Code: radiustest.AccessRequest, Identifier: 1}
	_, _ = rand.Read(p.Authenticator[:])
	return p.AddMessageAuthenticator()
}

func papPacket() *radiustest.Packet {
	return access().Add(typeUserName, []byte("bob")).AddPassword("hello")
}

// code sends a packet and returns the code of its reply, 0 for silence.
func (r *rig) code(p *radiustest.Packet) radiustest.Code {
	r.t.Helper()
	b, err := p.Encode(r.nas.Secret)
	if err != nil {
		r.t.Fatal(err)
	}
	reply := r.exchange(r.wire(0), b)
	if reply == nil {
		return 0
	}
	return radiustest.Code(reply[0])
}

// P1: what follows Length is padding and belongs to no signature; a datagram
// shorter than its Length, and a Length out of bounds, is dropped.
func TestP1Length(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	for _, n := range []int{0, 1, 2, 50, 100} {
		p := papPacket()
		p.Padding = bytes.Repeat([]byte{0xff}, n)
		if code := r.code(p); code != radiustest.AccessAccept {
			t.Errorf("%d octets of padding: %v", n, code)
		}
	}
	true1 := len(mustEncode(t, papPacket()))
	for _, length := range []int{0, 19, true1 + 1, 4097, 0xffff} {
		p := papPacket()
		if p.Length = length; length == 0 {
			p.Length = 1
		}
		if code := r.code(p); code != 0 {
			t.Errorf("Length %d: %v", length, code)
		}
	}
	for n := range headerSize {
		if reply := r.exchange(r.wire(0), make([]byte, n)); reply != nil {
			t.Errorf("a datagram of %d octets is answered", n)
		}
	}
}

func mustEncode(t *testing.T, p *radiustest.Packet) []byte {
	t.Helper()
	b, err := p.Encode(rigSecret)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// twoClients knows lobby at 127.0.0.1 and attic, with another secret, at 127.0.0.2.
func twoClients(t *testing.T) setting {
	return func(c *Config, lobby *ClientConfig, _ *members) {
		attic := ClientConfig{Name: "attic", Secret: "another secret of some length", Methods: lobby.Methods}
		a, err := NewClient(*lobby)
		if err != nil {
			t.Fatal(err)
		}
		b, err := NewClient(attic)
		if err != nil {
			t.Fatal(err)
		}
		c.Tables.Clients, err = NewClients([]ClientEntry{{netip.MustParsePrefix("127.0.0.1/32"), a}, {netip.MustParsePrefix("127.0.0.2/31"), b}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// P2: silence for an unknown source, one line in the log, and a count for each.
func TestP2UnknownClient(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, twoClients(t))
	w, err := radiustest.Dial(netip.MustParseAddrPort("127.0.0.9:0"), r.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	sent := r.sign(papRequest(), 1)
	for range 20 {
		if err := w.Send(sent.Bytes); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "20 drops", func() bool {
		return r.counter("memberradius_drops_total", "client", "", "reason", "unknown_client") == 20
	})
	r.logged("no [[client]] has this source address")
	if n := strings.Count(r.log.String(), "unknown_client"); n > 2 {
		t.Errorf("%d log lines for one second of an unknown source", n)
	}
}

// P3: the secret is chosen by the source address, whatever NAS-IP-Address and
// NAS-Identifier say.
func TestP3ClientBySource(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, twoClients(t))
	q := papRequest()
	q.AccessPoint = radiustest.AccessPoint{Address: netip.MustParseAddr("127.0.0.2"), Identifier: "attic"}
	if reply := r.ask(q); reply.Code != radiustest.AccessAccept {
		t.Errorf("lobby that calls itself attic: %v", reply.Code)
	}
	if why := r.Why("bob", 1); why[0].Client != "lobby" || why[0].NAS != "attic" {
		t.Errorf("decided for client %q, NAS %q", why[0].Client, why[0].NAS)
	}
}

// P4: an empty secret is an error; long ones work.
func TestP4Secret(t *testing.T) {
	t.Parallel()
	if _, err := NewClient(ClientConfig{Name: "lobby"}); err == nil || !strings.Contains(err.Error(), "secret is empty") {
		t.Errorf("a client without a secret: %v", err)
	}
	for _, n := range []int{1, 63, 64, 65, 200} {
		r := startRig(t, quick, func(_ *Config, c *ClientConfig, _ *members) {
			c.Secret = member.Secret(strings.Repeat("x", n))
		})
		if reply := r.ask(papRequest()); reply.Code != radiustest.AccessAccept {
			t.Errorf("a secret of %d octets: %v", n, reply.Code)
		}
	}
}

// P5: the kinds of proof exclude each other, and a request with none of them
// must at least be signed.
func TestP5OneMethod(t *testing.T) {
	t.Parallel()
	kinds := []struct {
		name string
		add  func(*radiustest.Packet)
	}{
		{"User-Password", func(p *radiustest.Packet) { p.AddPassword("hello") }},
		{"CHAP-Password", func(p *radiustest.Packet) { p.Add(typeCHAPPassword, make([]byte, 17)) }},
		{"MS-CHAP2-Response", func(p *radiustest.Packet) {
			p.AddVendor(vendorMicrosoft, msCHAPChallenge, make([]byte, 16)).AddVendor(vendorMicrosoft, msCHAP2Response, make([]byte, 50))
		}},
		{"EAP-Message", func(p *radiustest.Packet) { p.Add(typeEAPMessage, []byte{2, 1, 0, 4}) }},
	}
	r := startRig(t, quick, newDoors().behind(Methods()...))
	for _, login := range []string{"bob", phone} { // whose password is another
		for set := range 1 << len(kinds) {
			p := access().Add(typeUserName, []byte(login))
			var names []string
			for i, k := range kinds {
				if set>>i&1 == 1 {
					k.add(p)
					names = append(names, k.name)
				}
			}
			want := radiustest.AccessReject
			switch {
			case len(names) > 1:
				want = 0
			case set == 1 && login == "bob":
				want = radiustest.AccessAccept
			}
			if code := r.code(p); code != want {
				t.Errorf("%s with %v: code %d, want %d", login, names, code, want)
			}
		}
	}
	tolerant := startRig(t, quick, tolerate)
	bare := &radiustest.Packet{Code: radiustest.AccessRequest, Identifier: 1}
	if code := tolerant.code(bare.Add(typeUserName, []byte("bob"))); code != 0 {
		t.Errorf("no proof and no Message-Authenticator: %v", code)
	}
	if n := tolerant.counter("memberradius_drops_total", "client", "lobby", "reason", "no_method"); n != 1 {
		t.Errorf("%v drops for no_method", n)
	}
}

func tolerate(_ *Config, c *ClientConfig, _ *members) { c.TolerateNoMessageAuthenticator = true }

// P6: Proxy-State comes back unchanged, in its order, in every reply.
func TestP6ProxyState(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	for _, n := range []int{0, 1, 10} {
		var states [][]byte
		for i := range n {
			states = append(states, fmt.Appendf(nil, "\x00state %d\xff", n-i))
		}
		for _, password := range []member.Secret{"hello", "wrong"} {
			q := papRequest()
			q.Password, q.ProxyStates = password, states
			reply := r.ask(q)
			if got := reply.Values(typeProxyState); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", states) {
				t.Errorf("%v with %d Proxy-States returns %q", reply.Code, n, got)
			}
		}
	}
	// Status-Server too, and so many that the reply has no room for more.
	many := make([][]byte, 16)
	for i := range many {
		many[i] = bytes.Repeat([]byte{byte(i)}, 240)
	}
	status := &radiustest.Request{Method: radiustest.Status, ProxyStates: many}
	if got := r.ask(status).Values(typeProxyState); len(got) != len(many) {
		t.Errorf("Status-Server returns %d of %d Proxy-States", len(got), len(many))
	}
}

// P7: the order of types does not matter, unknown ones are ignored.
func TestP7Order(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	add := []func(*radiustest.Packet){
		func(p *radiustest.Packet) { p.Add(typeUserName, []byte("bob")) },
		func(p *radiustest.Packet) { p.AddPassword("hello") },
		func(p *radiustest.Packet) { p.Add(250, []byte("what is this")).Add(0, nil).Add(255, []byte{1}) },
		func(p *radiustest.Packet) { p.AddMessageAuthenticator() },
	}
	for first := range add {
		for second := range add {
			p := &radiustest.Packet{Code: radiustest.AccessRequest, Identifier: 1}
			_, _ = rand.Read(p.Authenticator[:])
			if first == second {
				continue
			}
			add[first](p)
			add[second](p)
			for i := range add {
				if i != first && i != second {
					add[i](p)
				}
			}
			if code := r.code(p); code != radiustest.AccessAccept {
				t.Errorf("order %d, %d, ...: %v", first, second, code)
			}
		}
	}
}

// P8: an attribute of length 0 or 1, or one that overruns the packet, drops it,
// and so do more than 200 attributes.
func TestP8AttributeLength(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	for name, octets := range map[string][]byte{
		"length 0":     {typeUserName, 0},
		"length 1":     {typeUserName, 1, 'b'},
		"no length":    {typeUserName},
		"overrun by 1": {typeUserName, 3},
		"overrun":      {typeUserName, 255, 'b'},
		"201 in all":   bytes.Repeat([]byte{250, 2}, maxAttributes-2),
	} {
		if code := r.code(papPacket().AddOctets(octets...)); code != 0 {
			t.Errorf("%s: %v", name, code)
		}
	}
	if code := r.code(papPacket().AddOctets(bytes.Repeat([]byte{250, 2}, maxAttributes-3)...)); code != radiustest.AccessAccept {
		t.Errorf("%d attributes: %v", maxAttributes, code)
	}
}

// P9: User-Password has 16 to 128 octets, a multiple of 16; NULs at the end are padding, inside they count.
func TestP9UserPassword(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a password of 32 octets, exactly", 4)
	r := startRig(t, quick, func(_ *Config, _ *ClientConfig, m *members) {
		for login, password := range map[string]string{"16": long[:16], "32": long[:32], "33": long[:33], "128": long, "nul": "a\x00b"} {
			m.records[login] = &member.Record{Credential: member.Credential{Password: member.Secret(password)}}
		}
	})
	for _, login := range []string{"16", "32", "33", "128", "nul"} {
		p := access().Add(typeUserName, []byte(login)).AddPassword(r.members.records[login].Credential.Password)
		if code := r.code(p); code != radiustest.AccessAccept {
			t.Errorf("password %s: %v", login, code)
		}
	}
	for _, n := range []int{0, 1, 15, 17, 31, 129, 144, 253} {
		p := access().Add(typeUserName, []byte("bob")).Add(typeUserPassword, make([]byte, n))
		if code := r.code(p); code != radiustest.AccessReject {
			t.Errorf("User-Password of %d octets: %v", n, code)
		}
	}
	if code := r.code(access().Add(typeUserName, []byte("nul")).AddPassword("a")); code != radiustest.AccessReject {
		t.Errorf("the part before a NUL lets in: %v", code)
	}
	// Another secret at the NAS, and nothing that signs the request.
	tolerant := startRig(t, quick, tolerate)
	q := papRequest()
	q.MessageAuthenticator = radiustest.Absent
	elsewhere := radiustest.NAS{Server: tolerant.nas.Server, Secret: "not the same secret"}
	sent, err := elsewhere.Sign(q, 1)
	if err != nil {
		t.Fatal(err)
	}
	reply := tolerant.exchange(tolerant.wire(0), sent.Bytes)
	if reply == nil || radiustest.Code(reply[0]) != radiustest.AccessReject {
		t.Errorf("a password hidden by another secret: % x", reply)
	}
	if why := tolerant.Why("bob", 1); len(why) != 1 || !why[0].Garbled || !strings.Contains(why[0].Sentence(), "shared secret") {
		t.Errorf("a password hidden by another secret is explained by %+v", why)
	}
}

// P10: a User-Name of 253 octets works, and no reply has an empty attribute.
func TestP10TextAttributes(t *testing.T) {
	t.Parallel()
	login := strings.Repeat("x", 250) + "@y."
	r := startRig(t, quick, func(_ *Config, _ *ClientConfig, m *members) {
		m.records[login] = &member.Record{Credential: member.Credential{Password: "hello"}}
	})
	for _, password := range []member.Secret{"hello", "wrong"} {
		reply := r.ask(&radiustest.Request{Method: radiustest.PAP, Login: login, Password: password})
		if password == "hello" && reply.Code != radiustest.AccessAccept {
			t.Errorf("a User-Name of %d octets: %v", len(login), reply.Code)
		}
		(&request{raw: reply.Raw}).each(func(kind byte, value []byte) {
			if len(value) == 0 {
				t.Errorf("%v has an empty attribute %d", reply.Code, kind)
			}
		})
	}
}

// P18: an address of the wrong length is an invalid attribute and no reason to drop the packet (RFC 8044).
func TestP18InvalidAttribute(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	for _, a := range [][]byte{{4, 5, 127, 0, 0}, {95, 3, 1}, {5, 3, 1}, {26, 3, 1}, {26, 8, 0, 0, 1, 55, 11, 0}, {26, 8, 0, 0, 1, 55, 11, 9}} {
		if code := r.code(papPacket().AddOctets(a...)); code != radiustest.AccessAccept {
			t.Errorf("attribute % x: %v", a, code)
		}
	}
}

// P20: a login need not be an NAI, and is not decoded (RFC 7542).
func TestP20NAI(t *testing.T) {
	t.Parallel()
	logins := []string{"user", "@realm", "josé@münchen.example", "a%20b@x", "two@at@signs", strings.Repeat("n", 72), "\xff\xfe"}
	r := startRig(t, quick, func(_ *Config, _ *ClientConfig, m *members) {
		for _, l := range logins {
			m.records[member.FoldString(l)] = &member.Record{Credential: member.Credential{Password: "hello"}}
		}
	})
	for _, l := range logins {
		if reply := r.ask(&radiustest.Request{Method: radiustest.PAP, Login: l, Password: "hello"}); reply.Code != radiustest.AccessAccept {
			t.Errorf("%q: %v", l, reply.Code)
		}
	}
}
