package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"iter"
	"math/big"
	"testing"
	"time"

	"memberradius/mschap"
)

// A server is just enough of one for a peer to be tried with: it asks what the
// test says, right or wrong.
type server struct {
	t        testing.TB
	peer     *Peer
	kind     Type
	fragment int
	ident    byte
	config   *tls.Config
	wire     *wire
	conn     *tls.Conn
	next     func() (struct{}, bool)
	err      error
	failed   error // the peer's
}

// newServer meets a peer that has said who it is.
func newServer(t testing.TB, c Config, config *tls.Config) *server {
	t.Helper()
	if c.Login == "" {
		c.Login, c.Password = "anna", "correct horse"
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	s := &server{t: t, peer: p, kind: c.Method.kind(), fragment: 900, ident: 7, config: config, wire: &wire{}}
	if identity, err := ParsePacket(p.Identity(7)); err != nil || identity.Type != TypeIdentity || identity.Identifier != 7 {
		t.Fatalf("%+v, %v", identity, err)
	}
	s.conn = tls.Server(s.wire, config)
	next, stop := iter.Pull(func(yield func(struct{}) bool) {
		s.wire.yield = func() bool { return yield(struct{}{}) }
		s.err = s.conn.Handshake()
	})
	s.next = next
	t.Cleanup(stop)
	return s
}

// request sends one and returns the type and type-data of the response.
func (s *server) request(kind Type, data []byte) (Type, []byte) {
	s.t.Helper()
	s.ident++
	answer, err := s.peer.Answer(Packet{Request, s.ident, kind, data}.Append(nil))
	if err != nil {
		s.failed = err
		return 0, nil
	}
	response, err := ParsePacket(answer)
	if err != nil || response.Code != Response || response.Identifier != s.ident {
		s.t.Fatalf("response %x: %v", answer, err)
	}
	return response.Type, response.Data
}

// send sends a message of TLS in fragments and returns the peer's, whole.
func (s *server) send(message []byte) []byte {
	s.t.Helper()
	out := outbox{size: s.fragment}
	out.put(message)
	var in assembly
	data := out.next()
	for range 1000 {
		kind, answer := s.request(s.kind, data)
		if s.failed != nil {
			return nil
		}
		f, err := parseFragment(answer)
		if kind != s.kind || err != nil {
			s.t.Fatalf("%s %x: %v", kind, answer, err)
		}
		if out.pending() {
			data = out.next()
			continue
		}
		got, whole, fault, err := in.add(f)
		if err != nil || fault != "" {
			s.t.Fatalf("%v %s", err, fault)
		}
		if whole {
			return got
		}
		data = []byte{0}
	}
	s.t.Fatal("the message does not end")
	return nil
}

// shake holds the handshake and returns what the peer said after it.
func (s *server) shake() []byte {
	s.t.Helper()
	message := s.reply([]byte{flagStart})
	for s.failed == nil {
		s.wire.feed(message)
		if _, more := s.next(); more {
			message = s.send(s.wire.flush())
			continue
		}
		s.wire.yield = nil
		// In TLS 1.3 the handshake ends with the peer, so that the server asks on.
		if out := s.wire.flush(); len(out) > 0 || s.conn.ConnectionState().Version == tls.VersionTLS13 {
			return s.send(out)
		}
		return nil
	}
	return nil
}

// reply sends a raw fragment and returns the message that begins with the answer.
func (s *server) reply(data []byte) []byte {
	s.t.Helper()
	_, answer := s.request(s.kind, data)
	if s.failed != nil {
		return nil
	}
	var in assembly
	for {
		f, err := parseFragment(answer)
		if err != nil {
			s.t.Fatal(err)
		}
		message, whole, _, err := in.add(f)
		if err != nil {
			s.t.Fatal(err)
		}
		if whole {
			return message
		}
		_, answer = s.request(s.kind, []byte{0})
	}
}

// hear returns what a message says inside the tunnel.
func (s *server) hear(message []byte) []byte {
	s.t.Helper()
	s.wire.feed(message)
	b := make([]byte, 4096)
	n, err := s.conn.Read(b)
	if err != nil && n == 0 {
		return nil
	}
	return b[:n]
}

// say says something inside the tunnel and returns the answer.
func (s *server) say(plain []byte) []byte {
	s.t.Helper()
	if _, err := s.conn.Write(plain); err != nil {
		s.t.Fatal(err)
	}
	return s.hear(s.send(s.wire.flush()))
}

// end sends the verdict.
func (s *server) end(code Code) {
	s.t.Helper()
	if _, err := s.peer.Answer(Packet{Code: code, Identifier: s.ident}.Append(nil)); err != nil {
		s.t.Error(err)
	}
}

// material is what both sides' keys come from.
func (s *server) material() []byte {
	s.t.Helper()
	state := s.conn.ConnectionState()
	label, context := map[Type]string{TypeTTLS: "ttls keying material", TypePEAP: "client EAP encryption", TypeTLS: "client EAP encryption"}[s.kind], []byte(nil)
	if state.Version == tls.VersionTLS13 {
		label, context = "EXPORTER_EAP_TLS_Key_Material", []byte{byte(s.kind)}
	}
	b, err := state.ExportKeyingMaterial(label, context, 128)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// mschapv2 runs EAP-MSCHAPv2 by ask, and returns the keys of the inner method.
func (s *server) mschapv2(password string, ask func(data []byte) []byte) []byte {
	s.t.Helper()
	challenge := [16]byte([]byte("sixteen octets !"))
	answer := ask(append([]byte{1, 9, 0, 5 + 16 + 4, 16}, append(challenge[:], "test"...)...))
	if len(answer) < 5+49 || answer[0] != 2 || answer[1] != 9 || int(binary.BigEndian.Uint16(answer[2:])) != len(answer) || answer[4] != 49 {
		s.t.Fatalf("EAP-MSCHAPv2 response %x", answer)
	}
	nt := mschap.NTHash(password)
	hash := mschap.ChallengeHash([16]byte(answer[5:]), challenge, string(answer[5+49:]))
	response := [24]byte(answer[5+24:])
	if !mschap.Verify(hash, nt, response) {
		ask(append([]byte{4, 9, 0, 4 + 13}, "E=691 R=0 V=3"...))
		return nil
	}
	hashHash := mschap.HashHash(nt)
	proof := mschap.AuthenticatorResponse(hashHash, response, hash)
	if got := ask(append([]byte{3, 9, 0, 4 + 42 + 9}, string(proof[:])+" M=Hello."...)); len(got) != 1 || got[0] != 3 {
		s.t.Fatalf("success is answered by %x", got)
	}
	send, recv := mschap.MasterKeys(hashHash, response)
	return append(recv[:], send[:]...)
}

// identify returns a certificate by itself for a name, and a pool that trusts it.
func identify(t testing.TB, name string, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:        true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}
