package radiusd

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/member"
	"memberradius/mschap"
	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"
)

// What the plan gives is in EAP's Accept as in any other, with the decision as Class.
func TestEAPReplyAttributes(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t, withPlan)
	every(t, func(t *testing.T, method radiustest.Method, options radiustest.EAP) {
		options.Certificate = a.device("bob")
		d := r.device(method, options)
		reply := d.run()
		class := reply.Values(typeClass)
		if reply.VLAN() != "101" || len(class) != 1 || reply.SessionTimeout() < 59*time.Minute || reply.SessionTimeout() > time.Hour {
			t.Fatalf("VLAN %q, %d Classes, for %v", reply.VLAN(), len(class), reply.SessionTimeout())
		}
		found := slices.ContainsFunc(r.Why("bob", 99), func(d Decision) bool {
			return d.ID == decisionID(class[0]).String() && d.VLAN == "101" && d.Proved && d.StationMAC == "02:00:00:00:00:07"
		})
		if !found {
			t.Error("Class names no decision of hers")
		}
	})
}

// EAP where it is not allowed, or not configured, is refused with EAP-Failure.
func TestEAPNotAllowed(t *testing.T) {
	t.Parallel()
	for want, change := range map[member.Reason]setting{
		member.ReasonMethodNotAllowed: func(_ *Config, cc *ClientConfig, _ *members) { cc.Methods = []string{"pap"} },
		member.ReasonMethodUnknown:    func(c *Config, _ *ClientConfig, _ *members) { c.Tables.EAP = nil },
	} {
		r, _ := startEAP(t, change)
		if reply := r.device(radiustest.PEAP, radiustest.EAP{}).ask(); reply.Code != radiustest.AccessReject || r.why("bob").Reason != want {
			t.Errorf("%v: %v, %v", want, reply.Code, r.why("bob").Reason)
		}
		if n, _ := r.engine.Open(); n != 0 {
			t.Errorf("%v: %d conversations", want, n)
		}
	}
}

// bare is a device in EAP-MSCHAPv2 without a tunnel, whose next packet a test
// makes itself. response is a right one.
func (r *rig) bare(t *testing.T) (d *device, response []byte) {
	t.Helper()
	d = r.device(radiustest.EAPMSCHAPv2, radiustest.EAP{}).reach(2)
	if p, err := eap.Parse(d.packet); err != nil || p.Type != eap.MSCHAPv2 || p.Data[0] != 2 {
		t.Fatalf("no response in % x: %v", d.packet, err)
	}
	return d, d.packet
}

// M6: each field of a response that is off by one ends in EAP-Failure: at once,
// but for what proves something, of which the device is told first (RFC 2759 §6).
func TestM6ResponseFields(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	const data = 5 // what follows the type: OpCode, MS-CHAPv2-ID, MS-Length, Value-Size, Value, Name
	changes := map[string]func([]byte) []byte{
		"nothing":            func(b []byte) []byte { return b },
		"OpCode":             func(b []byte) []byte { b[data]++; return b },
		"MS-CHAPv2-ID":       func(b []byte) []byte { b[data+1]++; return b },
		"MS-Length more":     func(b []byte) []byte { b[data+3]++; return b },
		"MS-Length less":     func(b []byte) []byte { b[data+3]--; return b },
		"MS-Length huge":     func(b []byte) []byte { b[data+2] = 0xff; return b },
		"Value-Size more":    func(b []byte) []byte { b[data+4]++; return b },
		"Value-Size less":    func(b []byte) []byte { b[data+4]--; return b },
		"NT-Response":        func(b []byte) []byte { b[data+5+24]++; return b },
		"challenge":          func(b []byte) []byte { b[data+5]++; return b },
		"Name":               func(b []byte) []byte { b[len(b)-1]++; return b },
		"Name of 257 octets": func(b []byte) []byte { return append(b, make([]byte, 254)...) },
	}
	for n := range data + 5 + 49 {
		changes["cut to "+string(rune('0'+n/10))+string(rune('0'+n%10))] = func(b []byte) []byte { return b[:max(n, data)] }
	}
	for name, change := range changes {
		d, response := r.bare(t)
		packet := change(bytes.Clone(response))
		binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
		if strings.HasPrefix(name, "cut") && len(packet) > data+4 || strings.HasPrefix(name, "Name of") {
			binary.BigEndian.PutUint16(packet[data+2:], uint16(len(packet)-data))
		}
		d.packet = packet
		proved := slices.Contains([]string{"nothing", "NT-Response", "challenge", "Name"}, name)
		if reply := d.ask(); (reply.Code == radiustest.AccessChallenge) != proved {
			t.Errorf("%s: %v at first", name, reply.Code)
			continue
		} else if proved && d.answer() {
			d.ask()
		}
		if want := name == "nothing"; (d.reply.Code == radiustest.AccessAccept) != want || d.reply.Code == radiustest.AccessChallenge {
			t.Errorf("%s: %v", name, d.reply.Code)
		}
	}
}

// M7, CVE-2006-1354: a Success-Response, a Failure-Response or a change of
// password before a verified response never lets in.
func TestM7SuccessBeforeResponse(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	for _, op := range []byte{0, 1, 3, 4, 7, 255} {
		d, response := r.bare(t)
		for _, data := range [][]byte{{op}, append([]byte{op}, response[6:]...)} {
			d.packet = eap.Packet{Code: eap.Response, ID: response[1], Type: eap.MSCHAPv2, Data: data}.Append(nil)
			if reply := d.ask(); reply.Code != radiustest.AccessReject {
				t.Errorf("OpCode %d in the place of a response: %v", op, reply.Code)
			}
		}
	}
	// After a wrong response no success.
	d, response := r.bare(t)
	d.packet = bytes.Clone(response)
	d.packet[40]++
	if d.ask(); d.reply.Code != radiustest.AccessChallenge || message(d.reply)[5] != 4 {
		t.Fatalf("a wrong response: %v", d.reply.Code)
	}
	d.packet = eap.Packet{Code: eap.Response, ID: message(d.reply)[1], Type: eap.MSCHAPv2, Data: []byte{3}}.Append(nil)
	if reply := d.ask(); reply.Code != radiustest.AccessReject {
		t.Errorf("a Success-Response to a Failure-Request: %v", reply.Code)
	}
}

// M8: success is a Success-Request and its acknowledgement; a device that does
// not believe the server, or refuses, is not let in.
func TestM8SuccessRound(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	for op, want := range map[byte]radiustest.Code{3: radiustest.AccessAccept, 4: radiustest.AccessReject, 2: radiustest.AccessReject} {
		d, _ := r.bare(t)
		if d.ask(); d.reply.Code != radiustest.AccessChallenge || message(d.reply)[5] != 3 || !strings.HasPrefix(string(message(d.reply)[9:]), "S=") {
			t.Fatalf("%v with % x", d.reply.Code, message(d.reply))
		}
		d.packet = eap.Packet{Code: eap.Response, ID: message(d.reply)[1], Type: eap.MSCHAPv2, Data: []byte{op}}.Append(nil)
		if reply := d.ask(); reply.Code != want {
			t.Errorf("OpCode %d: %v, want %v", op, reply.Code, want)
		}
	}
}

// M9: the keys of EAP-MSCHAPv2 without a tunnel are those of RFC 3079; with one
// they are TLS's and never MS-CHAP's.
func TestM9Keys(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	keys := func(response []byte) (send, recv [16]byte) {
		return mschap.MasterKeys(mschap.HashHash(mschap.NTHash("hello")), [24]byte(response[10+24:]))
	}
	d, response := r.bare(t)
	d.run()
	send, recv := keys(response)
	if got := d.mppeKey(msMPPERecvKey); !bytes.Equal(got, slices.Concat(recv[:], send[:])) {
		t.Errorf("MS-MPPE-Recv-Key of %d octets is another", len(got))
	}
	if got := d.mppeKey(msMPPESendKey); !bytes.Equal(got, make([]byte, 32)) {
		t.Errorf("MS-MPPE-Send-Key of %d octets is not the second half of the MSK", len(got))
	}
	for _, inner := range []peer.Inner{peer.InnerMSCHAPv2, peer.InnerEAPMSCHAPv2} {
		d := r.device(radiustest.TTLS, radiustest.EAP{Inner: inner})
		if d.run(); !bytes.Equal(d.mppeKey(msMPPERecvKey), d.peer.MSK()[:32]) || len(d.mppeKey(msMPPERecvKey)) != 32 {
			t.Errorf("TTLS with %s: keys that are not TLS's", inner)
		}
	}
}

// M10: PEAP is version 0, whatever a device picks; Crypto-Binding is sent, and
// may be left unanswered or be required.
func TestM10PEAP(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	for version := range byte(8) {
		d := r.device(radiustest.PEAP, radiustest.EAP{}).reach(1)
		if start := message(d.reply); start[4] != 25 || start[5] != 0x20 {
			t.Fatalf("the first Request is % x", start)
		}
		d.packet[5] |= version
		if reply := d.ask(); (reply.Code == radiustest.AccessChallenge) != (version == 0) {
			t.Errorf("version %d: %v", version, reply.Code)
		}
	}
	for _, version := range versions {
		for _, options := range []radiustest.EAP{{RequireBinding: true}, {IgnoreBinding: true}, {Inner: peer.InnerGTC, RequireBinding: true}} {
			options.MaxTLS = version
			reply := r.ask(bobBy(radiustest.PEAP, options))
			if reply.Code != radiustest.AccessAccept || reply.Keys != radiustest.Right || reply.EAP.Tunnel.Bound == options.IgnoreBinding {
				t.Errorf("TLS %#x, %+v: %v, keys %v", version, options, reply.Code, reply.Keys)
			}
		}
	}
}

// T4: the decision comes before the success indication of TLS 1.3, so that a
// device with a right certificate and no membership never sees one.
func TestT4DecisionBeforeSuccess(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t)
	for login, want := range map[string]peer.Step{"bob": peer.StepResult, "disabled": peer.StepInner} {
		c := peer.Config{Method: peer.TLS, Login: login, Options: radiustest.EAP{Certificate: a.device(login), MinTLS: tls.VersionTLS13}}
		d := r.newDevice(c)
		if d.run(); d.peer.Step() != want {
			t.Errorf("%s: %v, the device came to %q, want %q", login, d.reply.Code, d.peer.Step(), want)
		}
	}
}

// T5: a certificate that is revoked, of a stranger, or of a server is refused;
// the identity outside may be anonymous. T6: so is one that was revoked since.
func TestT5Certificates(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t)
	for _, version := range versions {
		try := func(certificate *tls.Certificate, s *peer.Session) *radiustest.Reply {
			return r.ask(&radiustest.Request{Method: radiustest.TLS, Login: "anonymous", EAP: &radiustest.EAP{
				Certificate: certificate, Anonymous: "@example.com", MinTLS: version, MaxTLS: version, Session: s, CA: a.roots, ServerName: serverName,
			}})
		}
		s := &peer.Session{}
		if reply := try(a.device("bob"), s); reply.Code != radiustest.AccessAccept {
			t.Errorf("TLS %#x, anonymous: %v, %+v", version, reply.Code, reply.EAP.Diagnosis)
		}
		if reply := try(a.device("bob"), s); reply.Code != radiustest.AccessAccept || !reply.EAP.Resumed() {
			t.Errorf("TLS %#x, again: %v, resumed %v", version, reply.Code, reply.EAP.Resumed())
		}
		if reply := try(newAuthority(t).device("bob"), nil); reply.Code != radiustest.AccessReject {
			t.Errorf("TLS %#x, of a stranger: %v", version, reply.Code)
		}
		if reply := try(a.issue("bob", 1), nil); reply.Code != radiustest.AccessReject {
			t.Errorf("TLS %#x, of a server: %v", version, reply.Code)
		}
		if reply := try(a.device(""), nil); reply.Code != radiustest.AccessReject {
			t.Errorf("TLS %#x, of nobody: %v", version, reply.Code)
		}
		a.revoked.Store(true)
		for _, session := range []*peer.Session{nil, s} {
			if reply := try(a.device("bob"), session); reply.Code != radiustest.AccessReject {
				t.Errorf("TLS %#x, revoked: %v", version, reply.Code)
			}
		}
		a.revoked.Store(false)
	}
	if d := r.Why("@example.com", 1)[0]; d.Reason != member.ReasonCertificate || !strings.Contains(d.Sentence(), "revoked") {
		t.Errorf("explained: %s", d.Sentence())
	}
}
