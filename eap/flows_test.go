package eap_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/eap/eaptls"
	"memberradius/eap/mschapv2"
	"memberradius/eap/peap"
	"memberradius/eap/ttls"
	"memberradius/eap/tunnel"
)

var update = flag.Bool("update", false, "write the recorded conversations anew")

const (
	login    = eaptest.Login
	password = "correct horse"
)

// A world is a server with all methods, and the members that it asks.
type world struct {
	*eaptest.Server
	members *eaptest.Members
	tickets *tunnel.Memory
}

// newWorld offers methods in the order of types; all of them where there are none.
func newWorld(types ...eap.Type) *world {
	w := &world{members: &eaptest.Members{Passwords: map[string]string{login: password}}, tickets: tunnel.NewMemory(100)}
	if len(types) == 0 {
		types = []eap.Type{eap.PEAP, eap.TTLS, eap.TLS}
	}
	inner := []eap.Method{&mschapv2.Method{Name: "radius"}}
	var methods []eap.Method
	for _, kind := range types {
		identity := &tunnel.Identity{Certificate: eaptest.Pair(eaptest.Host), ClientCAs: eaptest.Pool(eaptest.CA)}
		c := &tunnel.Config{
			Type: kind, MaxTLS: tls.VersionTLS13, Identity: func() *tunnel.Identity { return identity },
			ClientCertificate: kind == eap.TLS, Tickets: w.tickets, Resume: time.Hour,
		}
		switch kind {
		case eap.PEAP:
			methods = append(methods, &peap.Method{Tunnel: c, Inner: inner})
		case eap.TTLS:
			methods = append(methods, &ttls.Method{Tunnel: c, Inner: inner})
		case eap.TLS:
			methods = append(methods, &eaptls.Method{Tunnel: c, Login: mailOf})
		}
	}
	w.Server = eaptest.NewServer(rand.Reader, w.members, methods...)
	return w
}

// mailOf finds the login in a certificate as pki.Login does first.
func mailOf(c *x509.Certificate) string {
	if len(c.EmailAddresses) == 0 {
		return ""
	}
	return c.EmailAddresses[0]
}

// A device is a flow's other end.
func device(kind eap.Type, version uint16, secret string) *eaptest.Device {
	d := eaptest.NewDevice(kind, version)
	d.TLS.Time = eaptest.Now
	d.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	switch kind {
	case eap.PEAP:
		d.Inside = (&eaptest.PEAP{Identity: login, MSCHAPv2: &eaptest.MSCHAPv2{Name: login, Password: secret}}).Inside
	case eap.TTLS:
		d.Inside = eaptest.PAP(login, secret)
	case eap.TLS:
		d.TLS.Certificates = []tls.Certificate{eaptest.Pair(eaptest.Phone)}
	}
	return d
}

// TestFlows has whole conversations octet for octet: what differs was meant to,
// and then -update writes it anew, or was not. All randomness comes of one seed,
// so that it can't be parallel.
func TestFlows(t *testing.T) {
	for _, version := range []struct {
		name   string
		number uint16
	}{{"tls12", tls.VersionTLS12}, {"tls13", tls.VersionTLS13}} {
		for _, flow := range []struct {
			name   string
			kind   eap.Type
			secret string
			again  bool
			want   eap.Kind
		}{
			{"peap-mschapv2", eap.PEAP, password, false, eap.Accept},
			{"peap-mschapv2-wrong-password", eap.PEAP, "wrong", false, eap.Reject},
			{"peap-resumption", eap.PEAP, password, true, eap.Accept},
			{"ttls-pap", eap.TTLS, password, false, eap.Accept},
			{"ttls-pap-wrong-password", eap.TTLS, "wrong", false, eap.Reject},
			{"ttls-resumption", eap.TTLS, password, true, eap.Accept},
			{"tls", eap.TLS, "", false, eap.Accept},
			{"tls-resumption", eap.TLS, "", true, eap.Accept},
		} {
			t.Run(flow.name+"-"+version.name, func(t *testing.T) {
				cryptotest.SetGlobalRandom(t, 1)
				w, log := newWorld(), &recorder{}
				d := device(flow.kind, version.number, flow.secret)
				if flow.again { // the first, full one is recorded elsewhere
					if o := w.Converse(d.Peer("anonymous")); o.Kind != eap.Accept {
						t.Fatalf("the first conversation ended with %d, %+v", o.Kind, o.Result.Fault)
					}
					cache := d.TLS.ClientSessionCache
					d = device(flow.kind, version.number, flow.secret)
					d.TLS.ClientSessionCache = cache
				}
				w.Watch = log.note
				o := w.Converse(d.Peer("anonymous"))
				if o.Kind != flow.want || o.Result.Resumed != flow.again {
					t.Fatalf("ended with %d, resumed %t, %+v", o.Kind, o.Result.Resumed, o.Result.Fault)
				}
				if d.Client.State().CipherSuite == tls.TLS_CHACHA20_POLY1305_SHA256 {
					t.Skip("recorded where the CPU has AES; crypto/tls prefers another cipher here")
				}
				compare(t, flow.name+"-"+version.name, log.text.String())
			})
		}
	}
}

// compare does so with testdata/flows, or writes there.
func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "flows", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if got == string(want) {
		return
	}
	lines, wanted := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(lines), len(wanted)) {
		if lines[i] != wanted[i] {
			t.Fatalf("%s:%d: %q is now %q; if that is meant, go test -update writes it anew", path, i+1, wanted[i], lines[i])
		}
	}
	t.Fatalf("%s has %d lines, now %d; if that is meant, go test -update writes it anew", path, len(wanted), len(lines))
}

// A recorder writes packets as people read them: direction, code, Identifier,
// type, length, what TLS says of it, and the octets.
type recorder struct {
	text  strings.Builder
	count int
	// encrypted: what the sender's records hold can't be told from outside.
	encrypted [2]bool
	joined    [2][]byte // fragments of one flight
}

func (r *recorder) note(fromServer bool, packet []byte) {
	p, err := eap.Parse(packet)
	if err != nil {
		panic(err)
	}
	r.count++
	arrow, from := ">>> device to server", 0
	if fromServer {
		arrow, from = "<<< server to device", 1
	}
	fmt.Fprintf(&r.text, "%s, packet %d: %s, id %d", arrow, r.count, codeName(p.Code), p.ID)
	if p.Type != 0 {
		fmt.Fprintf(&r.text, ", %s", p.Type)
	}
	fmt.Fprintf(&r.text, ", %d octets\n", len(packet))
	if p.Type == eap.TLS || p.Type == eap.TTLS || p.Type == eap.PEAP {
		r.tunnel(from, p.Data)
	}
	for _, line := range strings.SplitAfter(hex.Dump(packet), "\n") {
		r.text.WriteString(strings.TrimRight("    "+line, " "))
	}
	r.text.WriteString("\n")
}

func codeName(c eap.Code) string {
	return map[eap.Code]string{eap.Request: "Request", eap.Response: "Response", eap.Success: "Success", eap.Failure: "Failure"}[c]
}

// tunnel says what lies in EAP-TLS type-data.
func (r *recorder) tunnel(from int, data []byte) {
	flags, rest := data[0], data[1:]
	var words []string
	if flags&0x80 != 0 {
		words = append(words, fmt.Sprintf("length %d", int(rest[0])<<24|int(rest[1])<<16|int(rest[2])<<8|int(rest[3])))
		rest = rest[4:]
	}
	if flags&0x40 != 0 {
		words = append(words, "more follows")
	}
	if flags&0x20 != 0 {
		words = append(words, "start")
	}
	if len(words) == 0 && len(rest) == 0 {
		words = append(words, "acknowledgement")
	}
	if len(words) > 0 {
		fmt.Fprintf(&r.text, "    flags: %s\n", strings.Join(words, ", "))
	}
	r.joined[from] = append(r.joined[from], rest...)
	if flags&0x40 != 0 {
		return
	}
	flight := r.joined[from]
	r.joined[from] = nil
	for len(flight) >= 5 {
		n := int(flight[3])<<8 | int(flight[4])
		r.record(from, flight[0], flight[5:5+n])
		flight = flight[5+n:]
	}
}

var (
	recordNames    = map[byte]string{20: "ChangeCipherSpec", 21: "Alert", 22: "Handshake", 23: "ApplicationData"}
	handshakeNames = map[byte]string{
		1: "ClientHello", 2: "ServerHello", 4: "NewSessionTicket", 11: "Certificate", 12: "ServerKeyExchange",
		13: "CertificateRequest", 14: "ServerHelloDone", 15: "CertificateVerify", 16: "ClientKeyExchange", 20: "Finished",
	}
)

func (r *recorder) record(from int, kind byte, body []byte) {
	var inside []string
	if kind == 22 && !r.encrypted[from] {
		for b := body; len(b) >= 4; {
			n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
			inside = append(inside, handshakeNames[b[0]])
			b = b[4+n:]
		}
	} else if kind != 20 {
		inside = append(inside, "encrypted")
	}
	if kind == 20 || kind == 23 {
		r.encrypted[from] = true
	}
	fmt.Fprintf(&r.text, "    record: %s, %d octets", recordNames[kind], len(body))
	if len(inside) > 0 {
		fmt.Fprintf(&r.text, ": %s", strings.Join(inside, ", "))
	}
	r.text.WriteString("\n")
}
