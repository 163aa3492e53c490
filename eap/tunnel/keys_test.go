package tunnel

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/member"
)

// unhex reads hexadecimal digits, spaces between them allowed.
func unhex(t testing.TB, digits string) []byte {
	t.Helper()
	octets, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatalf("%q: %v", digits, err)
	}
	return octets
}

// TestPRF has the vectors for TLS 1.2 that were sent to the TLS working group's
// list on 2 November 2010 (msg03416), since RFC 5246 has none.
func TestPRF(t *testing.T) {
	t.Parallel()
	seed := append([]byte("test label"), unhex(t, "a0ba9f936cda311827a6f796ffd5198c")...)
	got := prf(sha256.New, unhex(t, "9bbe436ba940f017b17652849a71db35"), seed, 100)
	want := unhex(t, `e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a`+
		`6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab`+
		`4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66`)
	if !bytes.Equal(got, want) {
		t.Errorf("P_SHA256 = %x, want %x", got, want)
	}
	if got := prf(sha512.New384, []byte("secret"), seed, 7); len(got) != 7 {
		t.Errorf("%d octets, want 7", len(got))
	}
}

// A pair is a session and the device at its other end.
type pair struct {
	config  *Config
	session *Session
	device  *eaptest.Device
}

// newPair returns one that has not begun; the device takes tickets.
func newPair(c *Config, version uint16) *pair {
	d := eaptest.NewDevice(c.Type, version)
	d.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	return &pair{config: c, device: d}
}

func newConfig(kind eap.Type) *Config {
	identity := &Identity{Certificate: eaptest.Pair(eaptest.Host)}
	return &Config{Type: kind, MaxTLS: tls.VersionTLS13, Identity: func() *Identity { return identity }, Tickets: NewMemory(9), Resume: time.Hour}
}

func exchangeAt(now time.Time) *eap.Exchange {
	return &eap.Exchange{Decider: &eaptest.Members{}, Limit: 1024, Now: now}
}

// shake brings the handshake to its end.
func (p *pair) shake(t *testing.T) {
	t.Helper()
	x := exchangeAt(eaptest.Now())
	p.session = p.config.Start()
	t.Cleanup(p.session.End)
	for data := []byte(nil); ; {
		e := p.session.Step(data, x)
		if e.Ready {
			p.device.Answer(p.session.Flush().Data) // the device's Finished check, and a ticket
			return
		}
		if e.Turn.Kind != eap.Ask {
			t.Fatalf("the handshake ended with %+v; the device says %v", e.Turn, p.device.Client.Err)
		}
		data = p.device.Answer(e.Turn.Data)
	}
}

// TestT3Keys: both ends have the same MSK, tunnel key and implicit challenge,
// and Session-Id is what RFC 5247 and RFC 9190 §2.3 make it.
func TestT3Keys(t *testing.T) {
	t.Parallel()
	for _, kind := range []eap.Type{eap.TLS, eap.TTLS, eap.PEAP} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			p := newPair(newConfig(kind), version)
			p.shake(t)
			k, err := p.session.Keys()
			if err != nil {
				t.Fatal(err)
			}
			material := p.device.Material()
			if !bytes.Equal(k.MSK, material[:64]) || !bytes.Equal(k.Tunnel, material[:60]) {
				t.Errorf("%s on %x: MSK %x, tunnel key %x, want of %x", kind, version, k.MSK, k.Tunnel, material)
			}
			id := append([]byte{byte(kind)}, p.session.keys.client[:]...)
			id = append(id, p.session.keys.server[:]...)
			if version == tls.VersionTLS13 {
				id = append([]byte{byte(kind)}, p.device.Export("EXPORTER_EAP_TLS_Method-Id", []byte{byte(kind)}, 64)...)
			}
			if !bytes.Equal(k.SessionID, id) || len(id) != 65 || slices.Max(id[1:33]) == 0 || slices.Max(id[33:]) == 0 {
				t.Errorf("%s on %x: Session-Id %x, want %x", kind, version, k.SessionID, id)
			}
			challenge, err := p.session.Challenge(16)
			if want := p.device.Export("ttls challenge", nil, 17); err != nil || !bytes.Equal(challenge, want) {
				t.Errorf("%s on %x: the challenge is %x, %v, want %x", kind, version, challenge, err, want)
			}
			if p.session.TLS13() != (version == tls.VersionTLS13) {
				t.Errorf("TLS13 says %t of %x", p.session.TLS13(), version)
			}
		}
	}
}

// TestT12KeysWithoutEMS: crypto/tls exports nothing for a TLS 1.2 peer without
// Extended Master Secret. What is derived in its place is checked where it can
// be: on sessions that have it, for which the exporter must say the same.
func TestT12KeysWithoutEMS(t *testing.T) {
	t.Parallel()
	for _, suite := range []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA} {
		p := newPair(newConfig(eap.TTLS), tls.VersionTLS12)
		p.device.TLS.CipherSuites = []uint16{suite}
		p.shake(t)
		with, err := p.session.Keys()
		if err != nil || p.session.keys.noEMS {
			t.Fatalf("crypto/tls without EMS: %v", err)
		}
		challenge, _ := p.session.Challenge(16)

		p.session.keys.noEMS = true
		if _, err := p.session.Keys(); !errors.Is(err, ErrNoEMS) {
			t.Errorf("without EMS, and without leave: %v", err)
		}
		p.config.AllowNoEMS = true
		without, err := p.session.Keys()
		if err != nil || !bytes.Equal(with.MSK, without.MSK) || !bytes.Equal(with.Tunnel, without.Tunnel) || !bytes.Equal(with.SessionID, without.SessionID) {
			t.Errorf("%s: the exporter says %x, the key log %x, %v", tls.CipherSuiteName(suite), with.MSK, without.MSK, err)
		}
		if again, err := p.session.Challenge(16); err != nil || !bytes.Equal(again, challenge) {
			t.Errorf("%s: the challenge is %x and %x, %v", tls.CipherSuiteName(suite), challenge, again, err)
		}

		// Never resumed (RFC 7627 §5.3): its ticket stays closed.
		p.session.Admit(&eap.Decision{Verdict: member.Allow}, "ttls/pap")
		if n := len(p.config.Tickets.(*Memory).all); n != 0 || len(p.session.issued) == 0 {
			t.Errorf("%d tickets of %d are open without EMS", n, len(p.session.issued))
		}
		p.session.keys.secret = nil
		if _, err := p.session.Keys(); !errors.Is(err, ErrNoEMS) {
			t.Errorf("without a master secret: %v", err)
		}
	}
}

// TestKeyLog: crypto/tls writes to the key log; this one keeps the
// master secret of TLS 1.2 alone, and only what is one.
func TestKeyLog(t *testing.T) {
	t.Parallel()
	var k keys
	for _, line := range []string{"", "CLIENT_RANDOM 00", "CLIENT_HANDSHAKE_TRAFFIC_SECRET 00 11\n", "x CLIENT_RANDOM 11"} {
		if n, err := k.Write([]byte(line)); n != len(line) || err != nil || k.secret != nil {
			t.Errorf("%q: %d, %v, kept %x", line, n, err, k.secret)
		}
	}
	if _, _ = k.Write([]byte("CLIENT_RANDOM 0011 aabb\n")); !bytes.Equal(k.secret, []byte{0xaa, 0xbb}) {
		t.Errorf("the secret is %x", k.secret)
	}
}

// TestHelloRandoms: a flight that is cut short, or begins otherwise, has none.
func TestHelloRandoms(t *testing.T) {
	t.Parallel()
	hello := append(unhex(t, "16 0303 0041 02 00003d 0303"), bytes.Repeat([]byte{7}, 32)...)
	for n := range len(hello) {
		var k keys
		k.served(hello[:n])
		if k.answered {
			t.Fatalf("%d octets are a ServerHello", n)
		}
	}
	var k keys
	k.asked(hello)
	if k.client != [32]byte{} {
		t.Error("a ServerHello is taken for the device's")
	}
	if k.served(hello); !k.answered || k.server != [32]byte(hello[11:]) {
		t.Errorf("answered %t, random %x", k.answered, k.server)
	}
	k.served(append(bytes.Clone(hello[:11]), make([]byte, 32)...))
	if k.server != [32]byte(hello[11:]) {
		t.Error("a second ServerHello changes the random")
	}
}
