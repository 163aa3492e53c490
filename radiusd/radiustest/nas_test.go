package radiustest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/mschap"
)

// open opens the NAS for the time of the test.
func open(tb testing.TB, n *NAS) *NAS {
	tb.Helper()
	if err := n.Open(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := n.Close(); err != nil {
			tb.Error(err)
		}
	})
	return n
}

// quick tries n times within a moment.
func quick(n int) Timing {
	return Timing{Initial: 5 * time.Millisecond, Longest: 5 * time.Millisecond, Count: n}
}

func anna() *oneMember {
	return &oneMember{secret: testSecret, login: "anna", password: "correct horse"}
}

func TestNAS_Methods(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		nas := open(t, &NAS{Server: respondAt(t, address, anna().answer).addr(), Secret: testSecret})
		for _, c := range []struct {
			method        Method
			login         string
			success, keys Check
		}{
			{PAP, "anna", Missing, Missing},
			{MSCHAP, "anna", Missing, Right},
			{MSCHAPv2, "anna", Right, Right},
			{MSCHAPv2, `CORP\anna`, Right, Right},
		} {
			for _, password := range []member.Secret{"correct horse", "wrong"} {
				reply, err := nas.Do(t.Context(), &Request{Method: c.method, Login: c.login, Password: password})
				if err != nil {
					t.Fatalf("%s: %v", c.method, err)
				}
				want, success, keys := AccessAccept, c.success, c.keys
				if password == "wrong" {
					want, success, keys = AccessReject, Missing, Missing
				}
				if reply.Code != want || reply.Success != success || reply.Keys != keys || len(reply.Faults) != 0 || !reply.SignedFirst {
					t.Errorf("%s as %s: %s, success %s, keys %s, signed first %t, faults %q",
						c.method, c.login, reply.Code, reply.Success, reply.Keys, reply.SignedFirst, reply.Faults)
				}
				if refused := c.method == MSCHAPv2 && want == AccessReject; refused != (reply.Error != nil) {
					t.Errorf("%s: MS-CHAP-Error %v", c.method, reply.Error)
				}
				if reply.OK() != (want == AccessAccept) || reply.Tries != 1 {
					t.Errorf("%s: OK %t after %d tries", c.method, reply.OK(), reply.Tries)
				}
			}
		}
	}
}

// TestNAS_Faults is replies that verify as packets and are wrong all the same.
func TestNAS_Faults(t *testing.T) {
	t.Parallel()
	stranger := mschap.NTHash("not her password")
	for _, c := range []struct {
		name   string
		server *oneMember
		want   string
	}{
		{"a server that does not know the password", &oneMember{secret: testSecret, login: "anna", password: "correct horse", hash: &stranger}, "does not show that the server knows the password"},
		{"no success", &oneMember{secret: testSecret, edit: func(p *Packet) {
			*p = *(&Packet{Code: AccessAccept, Identifier: p.Identifier}).AddMessageAuthenticator()
		}}, "MS-CHAP2-Success is missing"},
		{"success in a reject", &oneMember{secret: testSecret, login: "anna", password: "correct horse", edit: func(p *Packet) { p.Code = AccessReject }}, "stands in an Access-Reject"},
		{"a salt without its highest bit", &oneMember{secret: testSecret, login: "anna", password: "correct horse", salts: &[2][2]byte{{0x80, 1}, {0x7f, 2}}}, "lacks its highest bit"},
		{"the same salt twice", &oneMember{secret: testSecret, login: "anna", password: "correct horse", salts: &[2][2]byte{{0x80, 1}, {0x80, 1}}}, "the same salt"},
		{"signature last", &oneMember{secret: testSecret, login: "anna", password: "correct horse", edit: func(p *Packet) {
			p.attributes, p.macs = p.attributes[18:], nil
			p.AddMessageAuthenticator()
		}}, "not the first attribute"},
		{"other error identifier", &oneMember{secret: testSecret, edit: func(p *Packet) {
			*p = *(&Packet{Code: AccessReject, Identifier: p.Identifier}).AddMessageAuthenticator()
			p.AddVendor(311, 2, []byte("\x00E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=no"))
		}}, "another identifier"},
		{"error without challenge", &oneMember{secret: testSecret, edit: func(p *Packet) {
			*p = *(&Packet{Code: AccessReject, Identifier: p.Identifier}).AddMessageAuthenticator()
			p.AddVendor(311, 2, []byte("\x00E=691 R=0 V=3"))
		}}, "no challenge of 32 digits"},
		{"keys of another login", &oneMember{secret: testSecret, login: "anna", password: "correct horse", edit: func(p *Packet) {
			s := newSigner(testSecret)
			*p = *(&Packet{Code: AccessAccept, Identifier: p.Identifier}).AddMessageAuthenticator()
			p.AddVendor(311, 16, s.encryptKey(make([]byte, 16), make([]byte, 16), [2]byte{0, 1}))
			p.AddVendor(311, 17, s.encryptKey(make([]byte, 16), make([]byte, 16), [2]byte{0, 1}))
		}}, "MPPE keys"},
	} {
		nas := open(t, &NAS{Server: respond(t, c.server.answer).addr(), Secret: testSecret})
		reply, err := nas.Do(t.Context(), &Request{Method: MSCHAPv2, Login: "anna", Password: "correct horse"})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if faults := strings.Join(reply.Faults, "\n"); !strings.Contains(faults, c.want) || reply.OK() {
			t.Errorf("%s: OK %t, faults %q, want %q", c.name, reply.OK(), faults, c.want)
		}
	}
}

// TestNAS_Retransmits: the same octets until a reply comes (RFC 5080 §2.2.1).
func TestNAS_Retransmits(t *testing.T) {
	t.Parallel()
	var calls int
	server := respond(t, func(request []byte) [][]byte {
		if calls++; calls < 3 {
			return nil
		}
		return anna().answer(request)
	})
	nas := open(t, &NAS{Server: server.addr(), Secret: testSecret, Timing: quick(0)})
	reply, err := nas.Do(t.Context(), &Request{Method: PAP, Login: "anna", Password: "correct horse"})
	if err != nil || reply.Tries < 3 {
		t.Fatalf("%+v, %v", reply, err)
	}
	for _, again := range server.requests()[1:] {
		if !bytes.Equal(again, server.requests()[0]) {
			t.Error("a retransmission differs")
		}
	}
}

// TestNAS_Distrusts: a reply that does not verify is ignored, counted and told.
func TestNAS_Distrusts(t *testing.T) {
	t.Parallel()
	good := func(request []byte) []byte { return anna().answer(request)[0] }
	for _, c := range []struct {
		name  string
		forge func(request []byte) []byte
		want  string
	}{
		{"other secret", func(r []byte) []byte {
			return (&oneMember{secret: "other", edit: func(p *Packet) { p.attributes, p.macs = nil, nil }}).answer(r)[0]
		}, "came with a wrong Response Authenticator: is the secret the same"},
		{"one bit", func(r []byte) []byte { b := good(r); b[4] ^= 1; return b }, "came with a wrong Response Authenticator"},
		{"broken signature", func(r []byte) []byte {
			return (&oneMember{secret: testSecret, edit: func(p *Packet) { p.macs[0].broken = true }}).answer(r)[0]
		}, "came with a wrong Message-Authenticator"},
		{"two signatures", func(r []byte) []byte {
			return (&oneMember{secret: testSecret, edit: func(p *Packet) { p.AddMessageAuthenticator() }}).answer(r)[0]
		}, "came with a wrong Message-Authenticator"},
		{"no signature", func(r []byte) []byte {
			return (&oneMember{secret: testSecret, edit: func(p *Packet) { p.attributes, p.macs = nil, nil }}).answer(r)[0]
		}, "came without Message-Authenticator"},
		{"other code", func(r []byte) []byte {
			return (&oneMember{secret: testSecret, edit: func(p *Packet) { p.Code = AccountingResponse }}).answer(r)[0]
		}, "came with a code that does not answer"},
		{"cut short", func(r []byte) []byte { b := good(r); return b[:len(b)-1] }, "came malformed"},
		{"attribute of length 0", func(r []byte) []byte {
			return (&oneMember{secret: testSecret, edit: func(p *Packet) { p.AddOctets(26, 0) }}).answer(r)[0]
		}, "came malformed"},
	} {
		server := respond(t, func(request []byte) [][]byte { return [][]byte{c.forge(request), c.forge(request), c.forge(request)} })
		nas := open(t, &NAS{Server: server.addr(), Secret: testSecret, Timing: Timing{Initial: 50 * time.Millisecond, Count: 1}})
		request := &Request{Method: PAP, Login: "anna", Password: "correct horse"}
		_, err := nas.Do(t.Context(), request)
		var failure *NoReplyError
		if !errors.As(err, &failure) || !strings.Contains(err.Error(), "3 replies "+c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if strings.Contains(fmt.Sprint(err), "horse") || strings.Contains(fmt.Sprint(err), string(testSecret)) {
			t.Errorf("%s: the error shows a secret: %v", c.name, err)
		}
		// And the right one after three wrong ones is taken.
		server = respond(t, func(r []byte) [][]byte { return [][]byte{c.forge(r), c.forge(r), c.forge(r), good(r)} })
		nas = open(t, &NAS{Server: server.addr(), Secret: testSecret})
		if reply, err := nas.Do(t.Context(), request); err != nil || reply.Code != AccessAccept {
			t.Errorf("%s, then a right one: %+v, %v", c.name, reply, err)
		}
	}
}

// TestNAS_Parallel has more requests than one socket has identifiers.
func TestNAS_Parallel(t *testing.T) {
	t.Parallel()
	nas := open(t, &NAS{Server: respond(t, anna().answer).addr(), Secret: testSecret, Timing: Timing{Initial: time.Second, Most: 20 * time.Second}})
	var all sync.WaitGroup
	for i := range 2 * identifiers {
		all.Go(func() {
			password, want := member.Secret("correct horse"), AccessAccept
			if i%2 == 1 {
				password, want = "wrong", AccessReject
			}
			reply, err := nas.Do(t.Context(), &Request{Method: MSCHAPv2, Login: "anna", Password: password})
			if err != nil || reply.Code != want || len(reply.Faults) > 0 {
				t.Errorf("request %d: %+v, %v", i, reply, err)
			}
		})
	}
	all.Wait()
	if len(nas.free) != identifiers {
		t.Errorf("%d identifiers are free in the end", len(nas.free))
	}
	for identifier, waiting := range nas.waiting {
		if waiting != nil {
			t.Errorf("identifier %d is waited for in the end", identifier)
		}
	}
}

func TestNAS_Ends(t *testing.T) {
	t.Parallel()
	silent := respond(t, func([]byte) [][]byte { return nil })
	request := &Request{Method: PAP, Login: "anna", Password: "x"}
	begun := make(chan struct{}, 1)
	waiting := respond(t, func([]byte) [][]byte { begun <- struct{}{}; return nil })

	nas := open(t, &NAS{Server: silent.addr(), Secret: testSecret, Timing: Timing{Initial: time.Hour, Most: time.Millisecond}})
	if _, err := nas.Do(t.Context(), request); err == nil || !strings.Contains(err.Error(), "does it know this address") {
		t.Errorf("after Most: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := nas.Do(ctx, request); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	closing := &NAS{Server: waiting.addr(), Secret: testSecret}
	if err := closing.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := closing.Open(t.Context()); err == nil {
		t.Error("a second Open succeeds")
	}
	failed := make(chan error, 1)
	go func() {
		_, err := closing.Do(t.Context(), request)
		failed <- err
	}()
	<-begun
	if err := closing.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, ErrNotOpen) {
		t.Errorf("closed: %v", err)
	}
}

func TestNAS_Refuses(t *testing.T) {
	t.Parallel()
	server := netip.MustParseAddrPort("127.0.0.1:1812")
	for _, n := range []*NAS{{Secret: testSecret}, {Server: server}} {
		if err := n.Open(t.Context()); err == nil {
			t.Errorf("%s opens", n.Server)
		}
	}
	if _, err := (&NAS{Server: server, Secret: testSecret}).Do(t.Context(), &Request{Method: PAP}); !errors.Is(err, ErrNotOpen) {
		t.Errorf("not open: %v", err)
	}
	nas := &NAS{Server: server, Secret: testSecret}
	for _, r := range []*Request{{}, {Method: "eap"}, {Method: NoProof, Attributes: []member.Attribute{{Name: "Nonsense"}}}} {
		if _, err := nas.Sign(r, 1); err == nil {
			t.Errorf("%+v is signed", r)
		}
	}
}

func TestNAS_NothingListens(t *testing.T) {
	t.Parallel()
	w, err := Dial(netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("127.0.0.1:9"))
	if err != nil {
		t.Fatal(err)
	}
	// A socket that is connected elsewhere refuses datagrams of others.
	defer func() { _ = w.Close() }()
	nas := open(t, &NAS{Server: w.Addr(), Secret: testSecret, Timing: quick(3)})
	_, err = nas.Do(t.Context(), &Request{Method: Status})
	if err == nil || !strings.Contains(err.Error(), "nothing listens") {
		t.Errorf("%v", err)
	}
}

func TestParseMethod(t *testing.T) {
	t.Parallel()
	for _, m := range Methods() {
		if got, err := ParseMethod(string(m)); got != m || err != nil {
			t.Errorf("%s: %s, %v", m, got, err)
		}
	}
	if _, err := ParseMethod("md5"); err == nil || !strings.Contains(err.Error(), "pap chap mschap mschapv2") {
		t.Errorf("%v", err)
	}
}
