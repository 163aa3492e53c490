package peer

import (
	"bytes"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"
)

// versions are those that every method is tried with.
func versions() map[string]uint16 {
	return map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13}
}

func serve(t testing.TB, certificate tls.Certificate, version uint16) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, MaxVersion: version}
}

func soon() time.Time { return time.Now().Add(24 * time.Hour) }

// checkEnd checks how a login ended: without a fault and a diagnosis, or with them.
func checkEnd(t *testing.T, p *Peer, end End, party Party, words string) {
	t.Helper()
	d := p.Diagnose(end)
	switch {
	case words == "" && (d != nil || len(p.Faults()) > 0):
		t.Errorf("%+v, faults %q", d, p.Faults())
	case words != "" && (d == nil || d.Party != party || !strings.Contains(d.Text, words)):
		t.Errorf("%+v, want %s and %q", d, party, words)
	}
}

// TestPEAP runs PEAP with EAP-MSCHAPv2 and with GTC at a server that binds.
func TestPEAP(t *testing.T) {
	t.Parallel()
	certificate, ca := identify(t, "radius.test", soon())
	for name, version := range versions() {
		for _, c := range []struct {
			name     string
			config   Config
			fragment int
			binding  func(value []byte) []byte // what the server makes of its TLV
			bound    bool
			words    string
			party    Party
		}{
			{name: "bound", bound: true},
			{name: "small fragments", config: Config{Options: Options{FragmentSize: 60}}, fragment: 80, bound: true},
			{name: "GTC", config: Config{Options: Options{Inner: InnerGTC}}, bound: true},
			{name: "ignored", config: Config{Options: Options{IgnoreBinding: true}}},
			{name: "not sent", binding: func([]byte) []byte { return nil }},
			{name: "required", config: Config{Options: Options{RequireBinding: true}}, binding: func([]byte) []byte { return nil },
				words: "insists", party: PartyServer},
			{name: "wrong", binding: func(v []byte) []byte { v[50] ^= 1; return v }, words: "Crypto-Binding TLV is wrong", party: PartyServer},
			{name: "short", binding: func(v []byte) []byte { return v[:40] }, words: "Crypto-Binding TLV is wrong", party: PartyServer},
			{name: "wrong password", config: Config{Login: "anna", Password: "wrong"}, words: "wrong password", party: PartyLogin},
		} {
			t.Run(name+" "+c.name, func(t *testing.T) {
				t.Parallel()
				c.config.Method, c.config.CA, c.config.ServerName = PEAP, ca, "radius.test"
				s := newServer(t, c.config, serve(t, certificate, version))
				if c.fragment > 0 {
					s.fragment = c.fragment
				}
				s.shake()
				key, ok := s.peapInside()
				if !ok {
					s.end(Failure)
					checkEnd(t, s.peer, Rejected, c.party, c.words)
					return
				}
				agreed, bound := s.peapResult(key, c.binding)
				if agreed != (c.words == "") || bound != c.bound {
					t.Fatalf("agreed %t, bound %t", agreed, bound)
				}
				if !agreed {
					s.end(Failure)
					checkEnd(t, s.peer, Rejected, c.party, c.words)
					return
				}
				s.end(Success)
				checkEnd(t, s.peer, Accepted, "", "")
				want := s.material()[:64]
				if bound {
					k := bind([tunnelKeySize]byte(s.material()), key, false)
					msk := k.msk()
					want = msk[:]
				}
				if !bytes.Equal(s.peer.MSK(), want) || s.peer.Tunnel().Bound != c.bound {
					t.Error("the peer has another MSK")
				}
			})
		}
	}
}

// peapInside asks for identity and password, and says whether it was right.
func (s *server) peapInside() (key []byte, ok bool) {
	s.t.Helper()
	if got := s.say([]byte{byte(TypeIdentity)}); string(got) != "\x01anna" {
		s.t.Fatalf("inner identity %q", got)
	}
	if s.peer.Config().Inner == InnerGTC {
		if got := s.say([]byte{byte(TypeMSCHAPv2), 1}); !bytes.Equal(got, []byte{byte(TypeNak), byte(TypeGTC)}) {
			s.t.Fatalf("inner Nak %x", got)
		}
		got := s.say([]byte("\x06Password: "))
		return make([]byte, 32), string(got) == "\x06correct horse"
	}
	key = s.mschapv2("correct horse", func(data []byte) []byte {
		got := s.say(append([]byte{byte(TypeMSCHAPv2)}, data...))
		if len(got) < 2 || Type(got[0]) != TypeMSCHAPv2 {
			s.t.Fatalf("inner response %x", got)
		}
		return got[1:]
	})
	return key, key != nil
}

// peapResult sends the Result TLV of success, with a Crypto-Binding TLV.
func (s *server) peapResult(key []byte, change func([]byte) []byte) (agreed, bound bool) {
	s.t.Helper()
	k := bind([tunnelKeySize]byte(s.material()), key, false)
	value := append(make([]byte, 4), bytes.Repeat([]byte{7}, 32)...)
	value = append(value, k.sum(append(value, make([]byte, 20)...))...)
	if change != nil {
		value = change(value)
	}
	data := []byte{0x80, 3, 0, 2, 0, 1}
	if value != nil {
		data = append(append(data, 0, 12, 0, byte(len(value))), value...)
	}
	got := s.say(Packet{Request, 99, TypeTLV, data}.Append(nil))
	response, err := ParsePacket(got)
	if err != nil || response.Code != Response || response.Identifier != 99 || response.Type != TypeTLV {
		s.t.Fatalf("TLVs are answered by %x: %v", got, err)
	}
	all, err := parseTLVs(response.Data)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, one := range all {
		switch one.Kind {
		case 3:
			agreed = one.Mandatory && bytes.Equal(one.Value, []byte{0, 1})
		case 12:
			bound = len(one.Value) == 56 && one.Value[3] == 1 && bytes.Equal(one.Value[36:], k.sum(one.Value))
		}
	}
	return agreed, bound
}

// TestTTLS_AVPs checks what a peer says inside, octet by octet where it can be known.
func TestTTLS_AVPs(t *testing.T) {
	t.Parallel()
	certificate, _ := identify(t, "radius.test", soon())
	for name, version := range versions() {
		for _, early := range []bool{false, true} {
			s := newServer(t, Config{Method: TTLS, Options: Options{Anonymous: "anonymous", Early: early}}, serve(t, certificate, version))
			message := s.shake()
			if early && version == tls.VersionTLS13 {
				message = nil // it came with the end of the handshake, and lies in the wire
			}
			pairs, err := parseAVPs(s.hear(message))
			if err != nil || len(pairs) != 2 || pairs[0].Code != 1 || string(pairs[0].Data) != "anna" ||
				pairs[1].Code != 2 || string(pairs[1].Data) != "correct horse\x00\x00\x00" || !pairs[0].Mandatory {
				t.Fatalf("%s: %+v, %v", name, pairs, err)
			}
			s.end(Success)
			checkEnd(t, s.peer, Accepted, "", "")
			if s.peer.OuterIdentity() != "anonymous" || !bytes.Equal(s.peer.MSK(), s.material()[:64]) || s.peer.Step() != StepResult {
				t.Errorf("%s: %s, %s", name, s.peer.OuterIdentity(), s.peer.Step())
			}
		}
	}
}

// TestTLS_Indication: TLS 1.3 needs 0x00 before success, TLS 1.2 nothing.
func TestTLS_Indication(t *testing.T) {
	t.Parallel()
	certificate, ca := identify(t, "radius.test", soon())
	for name, version := range versions() {
		for _, indicate := range []bool{true, false} {
			config := serve(t, certificate, version)
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, ca
			s := newServer(t, Config{Method: TLS, Options: Options{Certificate: &certificate, FragmentSize: 100}}, config)
			s.shake()
			modern := version == tls.VersionTLS13
			if indicate && modern {
				if got := s.say([]byte{0}); len(got) > 0 {
					t.Errorf("%s: 0x00 is answered by %x", name, got)
				}
			}
			s.end(Success)
			if faulty := len(s.peer.Faults()) > 0; faulty != (modern && !indicate) {
				t.Errorf("%s, indication %t: faults %q", name, indicate, s.peer.Faults())
			}
			if s.peer.SessionID()[0] != 13 || len(s.peer.SessionID()) != 65 {
				t.Errorf("%s: Session-Id %x", name, s.peer.SessionID())
			}
		}
	}
}

// TestResumption: a session is resumed at a server that keeps it, and inside
// there is then no password.
func TestResumption(t *testing.T) {
	t.Parallel()
	certificate, _ := identify(t, "radius.test", soon())
	for name, version := range versions() {
		config := serve(t, certificate, version)
		session := &Session{}
		for _, resumed := range []bool{false, true, true} {
			s := newServer(t, Config{Method: TTLS, Options: Options{Session: session}}, config)
			message := s.shake()
			if !resumed && len(s.hear(message)) == 0 || !session.Held() {
				t.Errorf("%s: no password, or no session", name)
			}
			if resumed && version == tls.VersionTLS13 {
				s.say([]byte{0})
			}
			s.end(Success)
			checkEnd(t, s.peer, Accepted, "", "")
			if s.peer.Tunnel().Resumed != resumed || !bytes.Equal(s.peer.MSK(), s.material()[:64]) {
				t.Errorf("%s: resumed %t", name, s.peer.Tunnel().Resumed)
			}
		}
	}
}

// TestStopInside: an attacker gets a session without a password.
func TestStopInside(t *testing.T) {
	t.Parallel()
	certificate, _ := identify(t, "radius.test", soon())
	for name, version := range versions() {
		session := &Session{}
		s := newServer(t, Config{Method: TTLS, Options: Options{Session: session, StopInside: true}}, serve(t, certificate, version))
		s.shake()
		if !errors.Is(s.failed, ErrStopped) || !session.Held() {
			t.Errorf("%s: %v, session %t", name, s.failed, session.Held())
		}
	}
}

// TestTrust: the device hangs up on certificates that it does not trust, and says why.
func TestTrust(t *testing.T) {
	t.Parallel()
	certificate, ca := identify(t, "radius.test", soon())
	_, otherCA := identify(t, "other.test", soon())
	expired, expiredCA := identify(t, "radius.test", time.Now().Add(-time.Hour))
	for _, c := range []struct {
		name        string
		certificate tls.Certificate
		options     Options
		words       string
	}{
		{"right", certificate, Options{CA: ca, ServerName: "radius.test"}, ""},
		{"anything goes", expired, Options{}, ""},
		{"other CA", certificate, Options{CA: otherCA}, "is not the CA that the device trusts"},
		{"other name", certificate, Options{ServerName: "other.test"}, `for "radius.test", and "other.test" is expected`},
		{"expired", expired, Options{CA: expiredCA}, "is valid from"},
	} {
		for name, version := range versions() {
			s := newServer(t, Config{Method: TTLS, Options: c.options}, serve(t, c.certificate, version))
			s.shake()
			if c.words == "" {
				if s.failed != nil || s.err != nil {
					t.Errorf("%s, %s: %v, %v", c.name, name, s.failed, s.err)
				}
				continue
			}
			if s.err == nil {
				t.Errorf("%s, %s: the server got no alert", c.name, name)
			}
			s.end(Failure)
			checkEnd(t, s.peer, Rejected, PartyServer, c.words)
		}
	}
}
