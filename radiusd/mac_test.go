package radiusd

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

const (
	printer = "02:0a:bb:cc:de:f0" // belongs to bob
	phone   = "02:00:00:00:00:07" // came by the portal, and belongs to nobody
)

// doors opens for these two and closes for others, as a store of grants does.
type doors struct {
	*members
	mu    sync.Mutex
	asked []member.Attempt
}

func newDoors() *doors {
	d := &doors{members: rigMembers()}
	d.answers = map[string]member.Answer{
		printer:             {Verdict: member.Allow, Proved: true, Source: "device", Member: member.Member{Backend: "rig", Login: "bob", Plans: []string{"Hot Desk"}}},
		phone:               {Verdict: member.Allow, Proved: true, Guest: true, Source: "portal", Member: member.Member{ValidUntil: time.Now().Add(time.Hour)}, Attributes: []member.Attribute{{Name: "Idle-Timeout", Value: "900"}}},
		"02:00:00:00:00:b1": {Verdict: member.Deny, Reason: member.ReasonBlockedDevice},
		"02:00:00:00:00:b2": {Verdict: member.Deny, Reason: member.ReasonBlockedDevice, Proved: true},
		"02:00:00:00:00:d0": {Verdict: member.Deny, Reason: member.ReasonDevices, Proved: true, Message: "Log one of your devices off."},
		"02:00:00:00:00:c0": {Verdict: member.Allow, Credential: &member.Credential{Password: "0200000000c0"}},
		"02:00:00:00:00:c1": {Verdict: member.Allow},
		"02:00:00:00:00:dd": {Reason: member.ReasonTimeout},
	}
	d.members.attempt = func(a member.Attempt) {
		d.mu.Lock()
		defer d.mu.Unlock()
		a.Login, a.StationMAC, a.SSID = strings.Clone(a.Login), strings.Clone(a.StationMAC), strings.Clone(a.SSID)
		d.asked = append(d.asked, a)
	}
	return d
}

// Known refuses like a store of grants whom nobody has let in.
func (d *doors) Known(a *member.Attempt, out *member.Answer) bool {
	ok := d.members.Known(a, out)
	if ok && out.Reason == member.ReasonUnknownLogin {
		out.Reason = member.ReasonUnknownDevice
	}
	return ok
}

// attempts returns what it was asked since the last time.
func (d *doors) attempts() []member.Attempt {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.asked
	d.asked = nil
	return asked
}

// behind gives a rig these doors, and its client the methods.
func (d *doors) behind(methods ...string) setting {
	return func(c *Config, cc *ClientConfig, _ *members) { c.Tables.Doors, cc.Methods = d, methods }
}

func hardware(t *testing.T, mac string) net.HardwareAddr {
	t.Helper()
	a, err := net.ParseMAC(mac)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// forms are all ways in which a NAS asks for a device.
func forms() (all []radiustest.MACForm) {
	for _, user := range radiustest.Spellings() {
		for formality := radiustest.AddressPassword; formality <= radiustest.NoPassword; formality++ {
			all = append(all, radiustest.MACForm{User: user, Formality: formality}, radiustest.MACForm{User: user, Formality: formality, CHAP: true})
		}
		for _, password := range radiustest.Spellings() {
			all = append(all, radiustest.MACForm{User: user, Password: password}, radiustest.MACForm{User: user, Password: password, CHAP: true})
		}
	}
	return all
}

// Every spelling of every controller, with every password that stands for none,
// by PAP and by CHAP: the doors are asked for the same device, with no password.
func TestMACSpellings(t *testing.T) {
	t.Parallel()
	d := newDoors()
	r := startRig(t, quick, d.behind("pap", "chap", "mac"))
	for i, form := range forms() {
		for _, at := range []radiustest.AccessPoint{{}, {SSID: "Guests", Station: hardware(t, printer)}} {
			login := form.User.Write(hardware(t, printer))
			q := &radiustest.Request{Method: radiustest.MAC, Form: form, AccessPoint: at}
			if at.Station == nil {
				q.Login = login
			}
			if reply := r.ask(q); reply.Code != radiustest.AccessAccept {
				t.Fatalf("%d: %s, %+v: %v, %s", i, login, form, reply.Code, r.Why(printer, 1)[0].Sentence())
			}
			asked := d.attempts()
			if len(asked) != 1 {
				t.Fatalf("%s: asked %d times", login, len(asked))
			}
			a := asked[0]
			if a.Login != printer || a.StationMAC != printer || a.Proof != (member.Proof{Kind: member.MAC}) || a.Site != "berlin" || a.SSID != at.SSID {
				t.Fatalf("%s: asked with %+v", login, a)
			}
		}
	}
	why := r.Why(printer, 1)[0]
	if why.Method != "mac" || why.Login != printer || why.StationMAC != printer || why.Verdict != member.Allow || why.Source != "device" {
		t.Errorf("%+v", why)
	}
	r.logged("method=mac")
	if n := r.counter("memberradius_decisions_total", "method", "mac", "verdict", "allow"); n != float64(2*len(forms())) {
		t.Errorf("%v decisions by mac, want %d", n, 2*len(forms()))
	}
	if log := r.log.String(); strings.Contains(log, rigSecret) {
		t.Error("the secret, sent as a password, is in the log")
	}
	for _, form := range radiustest.Spellings() {
		if got := r.Why(form.Write(hardware(t, printer)), 1); len(got) != 1 {
			t.Errorf("why %s finds %d decisions", form.Write(hardware(t, printer)), len(got))
		}
	}
}

// readMAC reads what radiustest spells, and nothing that is no address.
func TestReadMACSpellings(t *testing.T) {
	t.Parallel()
	var mac [macSize]byte
	for _, s := range radiustest.Spellings() {
		text := s.Write(hardware(t, printer))
		if n := readMAC(&mac, text); n != len(text) || string(mac[:]) != printer {
			t.Errorf("%s reads as %s of %d octets", text, mac, n)
		}
		for n := range text {
			if readMAC(&mac, text[:n]) != 0 {
				t.Errorf("%s is an address", text[:n])
			}
		}
	}
	written := map[string]bool{}
	var room [2 * macSize]byte
	for _, s := range spellings {
		written[string(s.spell(room[:0], (*[macSize]byte)([]byte(printer))))] = true
	}
	for _, s := range radiustest.Spellings() {
		if text := s.Write(hardware(t, printer)); !written[text] {
			t.Errorf("%s is not tried for CHAP", text)
		}
	}
	if len(written) != len(radiustest.Spellings()) || len(written) != len(spellings) {
		t.Errorf("%d spellings for CHAP, %d of controllers", len(written), len(radiustest.Spellings()))
	}
	for _, text := range []string{"a:a-:bb:cc:dd:ee:ff", "a:ab:bc:cd:de:ef:f", "a-a-b-b-c-c-d-d-e-e-ff", "aa bb cc dd ee ff", "aa::bb:cc:dd:ee:ff", "bob", "gabbccddeeff"} {
		if n := readMAC(&mac, text); n == len(text) {
			t.Errorf("%s is an address", text)
		}
	}
}

// A login that is another device's address than the one that asks is refused,
// and so is one beside a Calling-Station-Id that is no address.
func TestMACSpoof(t *testing.T) {
	t.Parallel()
	d := newDoors()
	r := startRig(t, quick, d.behind("pap", "chap", "mac"))
	for i, form := range forms() {
		if i%7 > 0 {
			continue
		}
		q := &radiustest.Request{Method: radiustest.MAC, Form: form, Login: form.User.Write(hardware(t, printer)), AccessPoint: radiustest.AccessPoint{Station: hardware(t, phone)}}
		q.Form.Password = radiustest.Spelling{} // as the login
		reply := r.ask(q)
		if reply.Code != radiustest.AccessReject || reply.Message != "This is another device." {
			t.Fatalf("%+v: %v %q", form, reply.Code, reply.Message)
		}
		if why := r.Why(phone, 1)[0]; why.Reason != member.ReasonOtherDevice || why.Login != printer || why.StationMAC != phone || why.Method != "mac" {
			t.Fatalf("%+v", why)
		}
	}
	for _, calling := range []string{"192.0.2.7", "02-0A-BB-CC-DE", "x"} {
		q := &radiustest.Request{Method: radiustest.MAC, Login: printer, Attributes: []member.Attribute{{Name: "Calling-Station-Id", Value: calling}}}
		if reply := r.ask(q); reply.Code != radiustest.AccessReject || r.Why(printer, 1)[0].Reason != member.ReasonOtherDevice {
			t.Errorf("Calling-Station-Id %q: %v", calling, reply.Code)
		}
	}
	q := &radiustest.Request{Method: radiustest.MAC, Login: printer, Octets: []byte{typeCallingStationID, 2}}
	if reply := r.ask(q); reply.Code != radiustest.AccessAccept {
		t.Errorf("an empty Calling-Station-Id: %v", reply.Code)
	}
	if asked := d.attempts(); len(asked) != 1 {
		t.Errorf("the doors are asked %d times, for one device that may be it", len(asked))
	}
}

// What is no MAC authentication stays what it is without it.
func TestMACElse(t *testing.T) {
	t.Parallel()
	withMember := func(_ *Config, _ *ClientConfig, m *members) {
		m.records["020abbccdef0"] = &member.Record{Credential: member.Credential{Password: "hello"}}
		m.records["020abbccdef1"] = &member.Record{Credential: member.Credential{Password: "020abbccdef1"}}
	}
	d := newDoors()
	all := startRig(t, quick, d.behind("pap", "chap", "mschapv2", "eap", "mac"), withMember)
	alone := startRig(t, quick, d.behind("mac"), withMember)
	without := startRig(t, quick, d.behind("pap", "chap", "eap"), withMember)
	const login = "020abbccdef0" // printer
	tests := []struct {
		name   string
		rig    *rig
		q      radiustest.Request
		method string
		reason member.Reason
	}{
		{"a member whose login looks like an address", all, radiustest.Request{Method: radiustest.PAP, Login: login, Password: "hello"}, "pap", member.ReasonNone},
		{"by CHAP", all, radiustest.Request{Method: radiustest.CHAP, Login: login, Password: "hello"}, "chap", member.ReasonNone},
		{"by MS-CHAPv2", all, radiustest.Request{Method: radiustest.MSCHAPv2, Login: login, Password: "hello"}, "mschapv2", member.ReasonNone},
		{"her password is wrong", all, radiustest.Request{Method: radiustest.PAP, Login: login, Password: "wrong"}, "pap", member.ReasonWrongProof},
		{"another device's address for a password", all, radiustest.Request{Method: radiustest.PAP, Login: login, Password: "020000000007"}, "pap", member.ReasonWrongProof},
		{"the address and more", all, radiustest.Request{Method: radiustest.PAP, Login: login, Password: login + "0"}, "pap", member.ReasonWrongProof},
		{"almost the secret", all, radiustest.Request{Method: radiustest.PAP, Login: login, Password: member.Secret(rigSecret[1:])}, "pap", member.ReasonWrongProof},
		{"a login that only begins like one", all, radiustest.Request{Method: radiustest.PAP, Login: login + "x", Password: login + "x"}, "pap", member.ReasonUnknownLogin},
		{"a password that is its address", all, radiustest.Request{Method: radiustest.PAP, Login: login + "x", Password: login}, "pap", member.ReasonUnknownLogin},
		{"no password, and not asked for a device", all, radiustest.Request{Method: radiustest.NoProof, Login: login}, "none", member.ReasonMethodUnknown},
		{"no password, and another service", all, radiustest.Request{Method: radiustest.NoProof, Login: login, Attributes: []member.Attribute{{Name: "Service-Type", Value: "Framed-User"}}}, "none", member.ReasonMethodUnknown},
		{"asked for a device that is none", all, radiustest.Request{Method: radiustest.NoProof, Login: "bob", Attributes: []member.Attribute{{Name: "Service-Type", Value: "Call-Check"}}}, "none", member.ReasonMethodUnknown},
		{"EAP", all, radiustest.Request{Method: radiustest.NoProof, Login: login, Octets: []byte{typeEAPMessage, 6, 2, 77, 0, 4}}, "eap", member.ReasonMethodUnknown},
		{"another password where only mac is allowed", alone, radiustest.Request{Method: radiustest.PAP, Login: login, Password: "hello"}, "mac", member.ReasonWrongProof},
		{"another CHAP password", alone, radiustest.Request{Method: radiustest.CHAP, Login: login, Password: "hello"}, "mac", member.ReasonWrongProof},
		{"a member where only mac is allowed", alone, radiustest.Request{Method: radiustest.PAP, Login: "bob", Password: "hello"}, "pap", member.ReasonMethodNotAllowed},
		{"where mac is not allowed it is PAP", without, radiustest.Request{Method: radiustest.PAP, Login: "020abbccdef1", Password: "020abbccdef1"}, "pap", member.ReasonNone},
		{"or CHAP", without, radiustest.Request{Method: radiustest.CHAP, Login: "020abbccdef1", Password: "020abbccdef1"}, "chap", member.ReasonNone},
		{"or nothing", without, radiustest.Request{Method: radiustest.MAC, Login: login, Form: radiustest.MACForm{Formality: radiustest.NoPassword}}, "none", member.ReasonMethodUnknown},
		{"CHAP of a wrong size", all, radiustest.Request{Method: radiustest.NoProof, Login: login, Octets: []byte{typeCHAPPassword, 3, 1}}, "mac", member.ReasonMalformed},
		{"PAP of a wrong size", all, radiustest.Request{Method: radiustest.NoProof, Login: login, Octets: []byte{typeUserPassword, 3, 1}}, "mac", member.ReasonMalformed},
	}
	for _, tt := range tests {
		reply := tt.rig.ask(&tt.q)
		why := tt.rig.Why(tt.q.Login, 1)[0]
		if why.Method != tt.method || why.Reason != tt.reason || (reply.Code == radiustest.AccessAccept) != (tt.reason == member.ReasonNone) {
			t.Errorf("%s: %v, %s by %s; want %v by %s", tt.name, reply.Code, why.Reason, why.Method, tt.reason, tt.method)
		}
	}
	if asked := d.attempts(); len(asked) != 0 {
		t.Errorf("the doors are asked for %+v", asked)
	}
}

// A request without a password needs a Message-Authenticator; two proofs are
// dropped, here as elsewhere.
func TestMACDropped(t *testing.T) {
	t.Parallel()
	d := newDoors()
	r := startRig(t, quick, tolerate, d.behind("pap", "chap", "eap", "mac"))
	bare := r.sign(&radiustest.Request{Method: radiustest.MAC, Login: phone, Form: radiustest.MACForm{Formality: radiustest.NoPassword}, MessageAuthenticator: radiustest.Absent}, 1)
	if reply := r.exchange(r.wire(0), bare.Bytes); reply != nil {
		t.Errorf("without a password and a Message-Authenticator: % x", reply)
	}
	part := r.sign(&radiustest.Request{Method: radiustest.MAC, Login: phone, Form: radiustest.MACForm{Formality: radiustest.NoPassword}, MessageAuthenticator: radiustest.Absent, Octets: []byte{typeState, 3, 1}}, 2)
	if reply := r.exchange(r.wire(0), part.Bytes); reply == nil || reply[0] != codeAccessReject || len(d.attempts()) != 0 {
		t.Errorf("the same with a State: % x", reply)
	}
	kinds := []func(*radiustest.Packet){
		func(p *radiustest.Packet) { p.AddPassword(phone) },
		func(p *radiustest.Packet) { p.Add(typeCHAPPassword, make([]byte, 17)) },
		func(p *radiustest.Packet) {
			p.AddVendor(vendorMicrosoft, msCHAPChallenge, make([]byte, 16)).AddVendor(vendorMicrosoft, msCHAP2Response, make([]byte, 50))
		},
		func(p *radiustest.Packet) { p.Add(typeEAPMessage, []byte{2, 1, 0, 4}) },
	}
	for i := range kinds {
		for j := range i {
			p := access().Add(typeUserName, []byte(phone)).Add(typeServiceType, []byte{0, 0, 0, callCheck})
			kinds[i](p)
			kinds[j](p)
			if code := r.code(p); code != 0 {
				t.Errorf("proofs %d and %d: %v", j, i, code)
			}
		}
	}
	unsigned := &radiustest.Request{Method: radiustest.MAC, Login: phone, MessageAuthenticator: radiustest.Absent}
	if reply := r.ask(unsigned); reply.Code != radiustest.AccessAccept {
		t.Errorf("PAP of a client that need not sign: %v", reply.Code)
	}
}
