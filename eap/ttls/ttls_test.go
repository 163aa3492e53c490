package ttls

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/eap/eaptls"
	"memberradius/eap/gtc"
	"memberradius/eap/mschapv2"
	"memberradius/eap/tunnel"
	"memberradius/member"
	"memberradius/mschap"
)

const (
	login    = "Anna@example.org"
	password = "pässword 😀"
	outer    = "anonymous@example.org"
)

type world struct {
	*eaptest.Server
	members *eaptest.Members
}

func newWorld() *world {
	identity := &tunnel.Identity{Certificate: eaptest.Pair(eaptest.Host)}
	members := &eaptest.Members{Passwords: map[string]string{login: password}}
	m := &Method{
		Inner: []eap.Method{&mschapv2.Method{Name: "radius"}, gtc.Method{}},
		Tunnel: &tunnel.Config{
			Type: eap.TTLS, MaxTLS: tls.VersionTLS13, Identity: func() *tunnel.Identity { return identity },
			Tickets: tunnel.NewMemory(10), Resume: time.Hour,
		},
	}
	return &world{eaptest.NewServer(rand.Reader, members, m), members}
}

// inside is what a device says inside the tunnel.
type inside func(d *eaptest.Device, heard []byte) []byte

// login is one conversation; what stays of it is on the device.
func (w *world) login(version uint16, say inside) (*eaptest.Device, eap.Outcome) {
	d := eaptest.NewDevice(eap.TTLS, version)
	defer d.Close()
	d.TLS.Time, d.Inside = eaptest.Now, say
	return d, w.Converse(d.Peer(outer))
}

// once says something the first time, and nothing then.
func once(say func(d *eaptest.Device) []byte) inside {
	said := false
	return func(d *eaptest.Device, _ []byte) []byte {
		if said {
			return nil
		}
		said = true
		return say(d)
	}
}

func eachVersion(t *testing.T, run func(t *testing.T, version uint16)) {
	t.Helper()
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			run(t, version)
		})
	}
}

func name(login string) eaptest.AVP {
	return eaptest.AVP{Code: eaptest.CodeUserName, Data: []byte(login)}
}

func microsoft(code uint32, data []byte) eaptest.AVP {
	return eaptest.AVP{Vendor: eaptest.Microsoft, Code: code, Data: data}
}

// challenge is the implicit one of RFC 5281 §11.1, as the device has it, with
// its Ident behind it; change makes another one of it.
func challenge(d *eaptest.Device, size int, change func([]byte)) (text []byte, ident byte) {
	all := d.Export("ttls challenge", nil, size+1)
	if change != nil {
		change(all)
	}
	return all[:size], all[size]
}

// The ways to prove a login inside; change spoils the challenge.
func sayCHAP(secret string, change func([]byte)) inside {
	return once(func(d *eaptest.Device) []byte {
		text, ident := challenge(d, 16, change)
		sum := md5.Sum(slices.Concat([]byte{ident}, []byte(secret), text))
		return eaptest.AVPs(name(login), eaptest.AVP{Code: eaptest.CodeChallenge, Data: text},
			eaptest.AVP{Code: eaptest.CodeCHAPPassword, Data: append([]byte{ident}, sum[:]...)})
	})
}

func sayMSCHAP(secret string, change func([]byte)) inside {
	return once(func(d *eaptest.Device) []byte {
		text, ident := challenge(d, 8, change)
		nt := mschap.ChallengeResponse([8]byte(text), mschap.NTHash(secret))
		response := append([]byte{ident, 1}, make([]byte, 24)...)
		return eaptest.AVPs(name(login), microsoft(eaptest.CodeMSChallenge, text),
			microsoft(eaptest.CodeMSResponse, append(response, nt[:]...)))
	})
}

func sayMSCHAPv2(secret string, change func([]byte)) inside {
	return once(func(d *eaptest.Device) []byte {
		text, ident := challenge(d, 16, change)
		peer := [16]byte{1, 2, 3}
		nt := mschap.ChallengeResponse(mschap.ChallengeHash(peer, [16]byte(text), login), mschap.NTHash(secret))
		response := slices.Concat([]byte{ident, 0}, peer[:], make([]byte, 8), nt[:])
		return eaptest.AVPs(name(login), microsoft(eaptest.CodeMSChallenge, text), microsoft(eaptest.CodeMS2Response, response))
	})
}

// sayEAP answers EAP inside; without password and token it has no method.
func sayEAP(m *eaptest.MSCHAPv2, token string) inside {
	p := &eaptest.Peer{Identity: login, Type: eap.MSCHAPv2}
	switch {
	case m != nil:
		p.Method = m.Answer
	case token != "":
		p.Type, p.Method = eap.GTC, func([]byte) []byte { return []byte(token) }
	default:
		p.Type = eap.MD5
	}
	return sayPeer(p)
}

func sayPeer(p *eaptest.Peer) inside {
	begun := false
	return func(_ *eaptest.Device, heard []byte) []byte {
		packet := eap.Packet{Code: eap.Response, Type: eap.Identity, Data: []byte(login)}.Append(nil)
		if begun {
			all, err := parseAVPs(heard)
			if err != nil || len(all) == 0 {
				return nil
			}
			if packet = p.Answer(all[0].data); packet == nil {
				return nil
			}
		}
		begun = true
		half := len(packet) / 2 // one packet may lie in several AVPs
		return eaptest.AVPs(eaptest.AVP{Code: eaptest.CodeEAPMessage, Data: packet[:half]}, eaptest.AVP{Code: eaptest.CodeEAPMessage, Data: packet[half:]})
	}
}

// ways are all that TTLS takes, each with a secret.
func ways() map[string]func(secret string) inside {
	return map[string]func(secret string) inside{
		"ttls/pap":          func(s string) inside { return eaptest.PAP(login, s) },
		"ttls/chap":         func(s string) inside { return sayCHAP(s, nil) },
		"ttls/mschap":       func(s string) inside { return sayMSCHAP(s, nil) },
		"ttls/mschapv2":     func(s string) inside { return sayMSCHAPv2(s, nil) },
		"ttls/eap-mschapv2": func(s string) inside { return sayEAP(&eaptest.MSCHAPv2{Name: login, Password: s}, "") },
		"ttls/eap-gtc":      func(s string) inside { return sayEAP(nil, s) },
	}
}

func TestWaysToProve(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		for how, say := range ways() {
			w := newWorld()
			d, o := w.login(version, say(password))
			if o.Kind != eap.Accept || o.Result.How != how || o.Result.Decision.Login != login || !bytes.Equal(o.Result.MSK, d.Material()[:64]) {
				t.Errorf("%s: %+v", how, o)
			}
			if got := w.members.Asked(); !slices.Equal(got, []string{login}) || o.Identity != outer {
				t.Errorf("%s: asked for %q, identity %q", how, got, o.Identity)
			}
			w = newWorld()
			_, o = w.login(version, say("wrong"))
			if o.Kind != eap.Reject || o.Result.Decision.Reason != member.ReasonWrongProof || o.Result.How != how || len(o.Result.MSK) > 0 {
				t.Errorf("%s, wrong: %+v", how, o)
			}
			w = newWorld()
			w.members.Silence()
			if _, o = w.login(version, say(password)); o.Kind != eap.Unanswered || o.Packet != nil {
				t.Errorf("%s, members who can't say: %+v", how, o)
			}
		}
	})
}

// TestT9MSCHAPv2Success: the server proves itself inside, and waits for the
// device to agree before it says Success (RFC 5281 §11.2.4).
func TestT9MSCHAPv2Success(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		w := newWorld()
		var sent []bool
		w.Watch = func(fromServer bool, packet []byte) {
			sent = append(sent, fromServer && packet[0] == byte(eap.Success))
		}
		d, o := w.login(version, sayMSCHAPv2(password, nil))
		all, err := parseAVPs(d.Heard)
		if err != nil || len(all) != 1 || all[0].vendor != vendorMicrosoft || all[0].code != codeMS2Success || !all[0].mandatory || len(all[0].data) != 43 {
			t.Fatalf("the device heard %x, %v, %+v", d.Heard, err, o)
		}
		text, ident := challenge(d, 16, nil)
		hash := mschap.ChallengeHash([16]byte{1, 2, 3}, [16]byte(text), login)
		nt := mschap.NTHash(password)
		want := mschap.AuthenticatorResponse(mschap.HashHash(nt), mschap.ChallengeResponse(hash, nt), hash)
		if all[0].data[0] != ident || !bytes.Equal(all[0].data[1:], want[:]) {
			t.Errorf("the server's proof is %q, want %q", all[0].data, want)
		}
		if n := len(sent); !sent[n-1] || slices.Contains(sent[:n-1], true) {
			t.Errorf("Success came at %v", sent)
		}
		// A device that does not believe it says so by falling silent: no Success.
		w = newWorld()
		d = eaptest.NewDevice(eap.TTLS, version)
		defer d.Close()
		d.Inside = sayMSCHAPv2(password, nil)
		p := d.Peer(outer)
		p.Method = func(data []byte) []byte {
			if answer := d.Answer(data); len(d.Heard) == 0 {
				return answer
			}
			return nil
		}
		if o = w.Converse(p); o.Kind != eap.Ask {
			t.Errorf("before the device agreed: %+v", o)
		}
	})
}

// TestPAPPadding: NULs at the end are padding (RFC 5281 §11.2.5), one inside is not.
func TestPAPPadding(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]eap.Kind{
		password: eap.Accept, password + strings.Repeat("\x00", 100): eap.Accept, "\x00" + password: eap.Reject, "": eap.Reject,
	} {
		w := newWorld()
		_, o := w.login(tls.VersionTLS13, once(func(*eaptest.Device) []byte {
			return eaptest.AVPs(name(login), eaptest.AVP{Code: eaptest.CodeUserPassword, Data: []byte(sent)})
		}))
		if o.Kind != want {
			t.Errorf("%q: %+v", sent, o)
		}
	}
}

func TestFragments(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		for _, limit := range []int{64, 100, 255, 600, 1024} {
			w := newWorld()
			w.Limit = limit
			w.Watch = func(fromServer bool, packet []byte) {
				if fromServer && len(packet) > limit {
					t.Errorf("a packet of %d octets where %d is the most", len(packet), limit)
				}
			}
			d := eaptest.NewDevice(eap.TTLS, version)
			d.Fragment, d.Inside = limit-10, sayEAP(&eaptest.MSCHAPv2{Name: login, Password: password}, "")
			if o := w.Converse(d.Peer(outer)); o.Kind != eap.Accept || !bytes.Equal(o.Result.MSK, d.Material()[:64]) {
				t.Errorf("limit %d: %+v", limit, o)
			}
		}
	})
}

// TestT10SuccessOctet: 0x00 comes with a fast reconnect on TLS 1.3, and only there
// (RFC 9427 §3.1, rule T10).
func TestT10SuccessOctet(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		w, cache := newWorld(), tls.NewLRUClientSessionCache(1)
		for _, want := range [][]byte{nil, {0}} {
			d := eaptest.NewDevice(eap.TTLS, version)
			d.TLS.Time, d.TLS.ClientSessionCache, d.Inside = eaptest.Now, cache, eaptest.PAP(login, password)
			if o := w.Converse(d.Peer(outer)); o.Kind != eap.Accept || o.Result.Resumed != (want != nil) {
				t.Fatalf("ended with %+v", o)
			}
			if version == tls.VersionTLS12 {
				want = nil
			}
			if !bytes.Equal(d.Heard, want) {
				t.Errorf("the device heard %x, want %x", d.Heard, want)
			}
		}
	})
}

// TestEAPTLSInside: a certificate inside, with a tunnel of its own.
func TestEAPTLSInside(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		w := newWorld()
		identity := &tunnel.Identity{Certificate: eaptest.Pair(eaptest.Host), ClientCAs: eaptest.Pool(eaptest.CA)}
		m := w.Methods[0].(*Method)
		m.Inner = []eap.Method{&eaptls.Method{
			Tunnel: &tunnel.Config{Type: eap.TLS, MaxTLS: tls.VersionTLS13, Identity: func() *tunnel.Identity { return identity }, ClientCertificate: true},
			Login:  func(c *x509.Certificate) string { return c.EmailAddresses[0] },
		}}
		w.members.Passwords[eaptest.Login] = ""
		within := eaptest.NewDevice(eap.TLS, version)
		within.TLS.Certificates = []tls.Certificate{eaptest.Pair(eaptest.Phone)}
		defer within.Close()
		d, o := w.login(version, sayPeer(within.Peer(login)))
		if o.Kind != eap.Accept || o.Result.How != "ttls/tls" || o.Result.Decision.Login != eaptest.Login || !bytes.Equal(o.Result.MSK, d.Material()[:64]) {
			t.Errorf("ended with %+v", o)
		}
	})
}
