package peer

import (
	"bytes"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"
)

// newAlone returns a peer of EAP-MSCHAPv2 at a server.
func newAlone(t testing.TB) *server {
	t.Helper()
	return newServer(t, Config{Method: MSCHAPv2}, nil)
}

// TestMSCHAPv2 is the method without a tunnel.
func TestMSCHAPv2(t *testing.T) {
	t.Parallel()
	s := newAlone(t)
	key := s.mschapv2("correct horse", func(data []byte) []byte {
		_, answer := s.request(TypeMSCHAPv2, data)
		return answer
	})
	s.end(Success)
	checkEnd(t, s.peer, Accepted, "", "")
	if want := append(slices.Clone(key), make([]byte, 32)...); !bytes.Equal(s.peer.MSK(), want) || s.peer.Message() != "Hello." {
		t.Errorf("MSK %x, message %q", s.peer.MSK(), s.peer.Message())
	}
	if s.peer.Tunnel() != nil || s.peer.SessionID() != nil {
		t.Error("it has no tunnel")
	}
}

// TestMSCHAPv2_Wrong is what a server can do wrong in it.
func TestMSCHAPv2_Wrong(t *testing.T) {
	t.Parallel()
	challenge := append([]byte{1, 9, 0, 25, 16}, "sixteen octets !test"...)
	for name, c := range map[string]struct {
		data          [][]byte
		fault, broken string
		party         Party
		diagnosis     string
	}{
		"short":          {data: [][]byte{append([]byte{1, 9, 0, 20}, challenge[4:20]...)}, broken: "challenge: malformed", party: PartyServer, diagnosis: "broke the protocol"},
		"empty":          {data: [][]byte{{}}, broken: "without an OpCode", party: PartyServer, diagnosis: "broke the protocol"},
		"value size":     {data: [][]byte{append([]byte{1, 9, 0, 25, 15}, challenge[5:]...)}, broken: "challenge: malformed", party: PartyServer, diagnosis: "broke the protocol"},
		"MS-Length":      {data: [][]byte{append([]byte{1, 9, 0, 26, 16}, challenge[5:]...)}, fault: "MS-Length is 26", party: PartyLogin, diagnosis: "wrong password"},
		"success first":  {data: [][]byte{append([]byte{3, 9, 0, 46}, "S="+strings.Repeat("0", 40)...)}, broken: "CVE-2006-1354", party: PartyServer, diagnosis: "broke the protocol"},
		"wrong proof":    {data: [][]byte{challenge, append([]byte{3, 9, 0, 46}, "S="+strings.Repeat("0", 40)...)}, broken: "does not know the password", party: PartyServer, diagnosis: "does not prove"},
		"short proof":    {data: [][]byte{challenge, {3, 9, 0, 4}}, broken: "does not know the password", party: PartyServer, diagnosis: "does not prove"},
		"wrong password": {data: [][]byte{challenge, append([]byte{4, 9, 0, 13}, "E=691 R=0"...)}, party: PartyLogin, diagnosis: "wrong password, or no such member"},
		"disabled":       {data: [][]byte{challenge, append([]byte{4, 9, 0, 13}, "E=647 R=0"...)}, party: PartyLogin, diagnosis: "disabled"},
		"other ident":    {data: [][]byte{challenge, append([]byte{4, 8, 0, 13}, "E=691 R=0"...)}, fault: "MS-CHAPv2-ID", party: PartyLogin, diagnosis: "wrong password"},
		"no number":      {data: [][]byte{challenge, append([]byte{4, 9, 0, 10}, "Go away."...)}, fault: "does not begin with E=", party: PartyLogin, diagnosis: "refused"},
		"OpCode":         {data: [][]byte{{7, 9, 0, 4}}, broken: "OpCode 7", party: PartyServer, diagnosis: "broke the protocol"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newAlone(t)
			for _, data := range c.data {
				s.request(TypeMSCHAPv2, data)
			}
			if (s.failed != nil) != (c.broken != "") || s.failed != nil && !strings.Contains(s.failed.Error(), c.broken) {
				t.Errorf("%v, want %q", s.failed, c.broken)
			}
			if faults := strings.Join(s.peer.Faults(), "; "); !strings.Contains(faults, c.fault) || (faults == "") != (c.fault == "") {
				t.Errorf("faults %q, want %q", faults, c.fault)
			}
			if s.failed == nil {
				s.end(Failure)
			}
			checkEnd(t, s.peer, Rejected, c.party, c.diagnosis)
			if s.peer.MSK() != nil {
				t.Error("there are keys without a proof")
			}
		})
	}
}

// TestNak: a peer asks for its own method, and says in the end what was offered.
func TestNak(t *testing.T) {
	t.Parallel()
	s := newServer(t, Config{Method: PEAP}, nil)
	if kind, data := s.request(TypeNotification, []byte("Closed on Sunday")); kind != TypeNotification || len(data) != 0 {
		t.Errorf("notification is answered by %s %x", kind, data)
	}
	if kind, data := s.request(TypeIdentity, nil); kind != TypeIdentity || string(data) != "anna" {
		t.Errorf("identity is answered by %s %q", kind, data)
	}
	if kind, data := s.request(TypeMD5, []byte("x")); kind != TypeNak || !bytes.Equal(data, []byte{25}) {
		t.Errorf("MD5 is answered by %s %x", kind, data)
	}
	if kind, data := s.request(TypeExpanded, []byte("1234567")); kind != TypeExpanded || !bytes.Equal(data, []byte{0, 0, 0, 0, 0, 0, 3, 254, 0, 0, 0, 0, 0, 0, 25}) {
		t.Errorf("an expanded type is answered by %s %x", kind, data)
	}
	s.end(Failure)
	checkEnd(t, s.peer, Rejected, PartyServer, "does not offer PEAP: offers MD5, type 254")
	if s.peer.Message() != "Closed on Sunday" || s.peer.Verdict() != Failure {
		t.Errorf("%q, %s", s.peer.Message(), s.peer.Verdict())
	}
}

// TestProtocol is what a server can do wrong outside of a tunnel.
func TestProtocol(t *testing.T) {
	t.Parallel()
	long := make([]byte, 1020)
	long[0] = flagMore
	for name, c := range map[string]struct {
		packets       [][]byte
		fault, broken string
	}{
		"length":           {packets: [][]byte{{1, 8, 0, 9, 1}}, broken: "its Length is another"},
		"code":             {packets: [][]byte{{9, 8, 0, 5, 1}}, broken: "EAP code 9 is unknown"},
		"response":         {packets: [][]byte{{2, 8, 0, 5, 1}}, broken: "sends an EAP-Response"},
		"Nak":              {packets: [][]byte{{1, 8, 0, 5, 3}}, broken: "requests a Nak"},
		"no type":          {packets: [][]byte{{1, 8, 0, 4}}, broken: "without a type"},
		"long success":     {packets: [][]byte{{3, 8, 0, 5, 0}}, broken: "EAP-Success of 5 octets"},
		"same identifier":  {packets: [][]byte{{1, 7, 0, 5, 1}}, fault: "has the Identifier 7 of the one before"},
		"other identifier": {packets: [][]byte{{4, 8, 0, 4}}, fault: "EAP-Failure has Identifier 8"},
		"early success":    {packets: [][]byte{{3, 7, 0, 4}}, fault: "EAP-Success comes before the end of the TLS handshake"},
		"after the end":    {packets: [][]byte{{4, 7, 0, 4}, {1, 8, 0, 5, 1}}, broken: "after EAP-Failure"},
		"no flags":         {packets: [][]byte{{1, 8, 0, 5, 21}}, broken: "without flags"},
		"no start":         {packets: [][]byte{{1, 8, 0, 6, 21, 0}}, broken: "no start flag"},
		"start twice":      {packets: [][]byte{{1, 8, 0, 6, 21, 0x20}, {1, 9, 0, 6, 21, 0x60}}, fault: "in the midst"},
		"change":           {packets: [][]byte{{1, 8, 0, 6, 21, 0x20}, {1, 9, 0, 6, 25, 0x20}}, broken: "changes from TTLS to PEAP"},
		"reserved bits":    {packets: [][]byte{{1, 8, 0, 6, 21, 0x30}}, fault: "reserved bits"},
		"version":          {packets: [][]byte{{1, 8, 0, 6, 21, 0x21}, {1, 9, 0, 7, 21, 0x41, 22}}, fault: "goes on with version 1"},
		"no total":         {packets: [][]byte{{1, 8, 0, 6, 21, 0x20}, {1, 9, 0, 7, 21, 0x40, 22}}, fault: "does not say how long"},
		"too long":         {packets: [][]byte{{1, 8, 0, 6, 21, 0x20}, Packet{Request, 9, TypeTTLS, long}.Append(nil)}, fault: "is longer than the 1024"},
		"huge":             {packets: [][]byte{{1, 8, 0, 6, 21, 0x20}, {1, 9, 0, 10, 21, 0xc0, 1, 0, 0, 0}}, broken: "16777216 octets announced"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newServer(t, Config{Method: TTLS}, nil).peer
			var failed error
			for _, packet := range c.packets {
				_, failed = p.Answer(packet)
			}
			if (failed != nil) != (c.broken != "") || failed != nil && !strings.Contains(failed.Error(), c.broken) {
				t.Errorf("%v, want %q", failed, c.broken)
			}
			if faults := strings.Join(p.Faults(), "; "); !strings.Contains(faults, c.fault) {
				t.Errorf("faults %q, want %q", faults, c.fault)
			}
			if failed != nil {
				checkEnd(t, p, Accepted, PartyServer, "broke the protocol at")
			}
		})
	}
}

// TestDiagnose is what a peer can tell of a server that says nothing.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	certificate, _ := identify(t, "radius.test", soon())
	old := serve(t, certificate, tls.VersionTLS12)
	for name, c := range map[string]struct {
		options Options
		config  *tls.Config
		end     End
		party   Party
		words   string
	}{
		"nothing in common": {Options{MinTLS: tls.VersionTLS13}, old, Rejected, PartyDevice, "the server takes no TLS version that the device offers: TLS 1.3"},
		"old device":        {Options{MaxTLS: tls.VersionTLS11}, old, Rejected, PartyDevice, "that the device offers: TLS 1.1"},
		"no cipher": {Options{MaxTLS: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}, old, Rejected, PartyDevice,
			"no cipher, curve or signature in common"},
		"refused inside": {Options{}, old, Rejected, PartyLogin, "wrong password, or the member is refused"},
		"silent inside":  {Options{}, old, Unanswered, PartyServer, "stopped answering at inner"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, Config{Method: TTLS, Options: c.options}, c.config)
			s.shake()
			if c.end == Rejected {
				s.end(Failure)
			}
			checkEnd(t, s.peer, c.end, c.party, c.words)
		})
	}
	s := newServer(t, Config{Method: TTLS}, nil)
	checkEnd(t, s.peer, Unanswered, PartyNetwork, "did not answer the first packet")
	s = newServer(t, Config{Method: TTLS}, nil)
	s.end(Failure)
	checkEnd(t, s.peer, Rejected, PartyServer, `refused "anna" before any EAP method began`)
	s = newServer(t, Config{Method: TTLS}, nil)
	s.request(TypeTTLS, []byte{flagStart})
	checkEnd(t, s.peer, Unanswered, PartyNetwork, "a certificate too large for the MTU")
	s = newServer(t, Config{Method: TTLS}, nil)
	s.request(TypeTTLS, []byte{flagStart})
	s.end(Failure)
	checkEnd(t, s.peer, Rejected, PartyDevice, "takes nothing of what the device offers for TLS (TLS 1.2 to 1.3)")
}

// TestConfig is what New refuses.
func TestConfig(t *testing.T) {
	t.Parallel()
	for words, c := range map[string]Config{
		`method "" is unknown`:     {Login: "anna"},
		"there is no login":        {Method: PEAP},
		`peap has no "pap" inside`: {Method: PEAP, Login: "anna", Options: Options{Inner: InnerPAP}},
		`tls has no "pap" inside`:  {Method: TLS, Login: "anna", Options: Options{Inner: InnerPAP}},
		"needs a client":           {Method: TLS, Login: "anna"},
		"fragment size of -1":      {Method: TTLS, Login: "anna", Options: Options{FragmentSize: -1}},
		"fragment size of 65535":   {Method: TTLS, Login: "anna", Options: Options{FragmentSize: 65535}},
		"an MTU of -1":             {Method: TTLS, Login: "anna", Options: Options{MTU: -1}},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
	}
}

// TestClose: a login that is given up in its handshake leaves nothing running.
func TestClose(t *testing.T) {
	t.Parallel()
	s := newServer(t, Config{Method: TTLS}, nil)
	s.request(TypeTTLS, []byte{flagStart})
	if s.peer.tls.tunnel.err != nil {
		t.Fatalf("the handshake has ended: %v", s.peer.tls.tunnel.err)
	}
	s.peer.Close()
	if err := s.peer.tls.tunnel.err; !errors.Is(err, errAbandoned) {
		t.Errorf("the handshake ended with %v", err)
	}
	unused, err := New(Config{Method: PEAP, Login: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	unused.Close()
	unused.Close()
}
