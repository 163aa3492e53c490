package radiustest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest/peer"
)

// TestLoad_EAP drives a server by whole logins, over both transports.
func TestLoad_EAP(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*Load) (*opened, error){"mmsg": openTransport, "portable": openPortable} {
		responder := respond(t, (&eapMember{password: "correct horse"}).answer)
		l := &Load{
			Server: responder.addr(), Secret: testSecret, Mode: EAPMSCHAPv2, Users: users("correct horse", 3),
			InFlight: 150, Count: 600, VerifyEvery: 1, Timeout: 20 * time.Second,
		}
		r, err := runEAP(t.Context(), l, open)
		if err != nil || r.Accepted != 600 || r.Sent != 600 || r.Challenged != 1200 || r.Verified != 600 || r.Lost+r.Wrong+r.Late != 0 || r.Trouble != "" {
			t.Errorf("%s: %+v, %q, %v", name, r.Counts, r.Trouble, err)
		}
		if r.Latency.Count() != 600 || r.Rate == 0 {
			t.Errorf("%s: %d latencies, %.0f/s", name, r.Latency.Count(), r.Rate)
		}
		checkDistinct(t, EAPMSCHAPv2, responder.requests())
	}
}

// users are n of them with one password.
func users(password member.Secret, n int) []User {
	var all []User
	for i := range n {
		all = append(all, User{strings.Repeat("a", i+1), password})
	}
	return all
}

func runEAP(ctx context.Context, l *Load, open func(*Load) (*opened, error)) (*Result, error) {
	c, err := l.complete()
	if err != nil {
		return nil, err
	}
	start, err := c.conversations()
	if err != nil {
		return nil, err
	}
	return c.drive(ctx, start, open)
}

// TestLoad_EAPTrouble: what does not end well is counted, and its first is told of.
func TestLoad_EAPTrouble(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server  *eapMember
		count   func(*Counts) uint64
		trouble string
	}{
		"wrong password": {&eapMember{password: "another"}, func(c *Counts) uint64 { return c.Rejected }, "a: wrong password"},
		"silence":        {&eapMember{password: "correct horse", silent: 2}, func(c *Counts) uint64 { return c.Lost }, "a: the server stopped answering at result"},
		"broken":         {&eapMember{password: "correct horse", edit: func(_ int, p *Packet) { p.attributes[23]++ }}, func(c *Counts) uint64 { return c.Wrong }, "a: the server broke the protocol"},
		"wrong keys":     {&eapMember{password: "correct horse", edit: last(func(p *Packet) { p.attributes[40] ^= 1 })}, func(c *Counts) uint64 { return c.Wrong }, "a: session keys wrong"},
	} {
		responder := respond(t, c.server.answer)
		l := &Load{
			Server: responder.addr(), Secret: testSecret, Mode: EAPMSCHAPv2, Users: users("correct horse", 1),
			InFlight: 20, Count: 20, VerifyEvery: 1, Timeout: 20 * time.Second,
		}
		if c.server.silent > 0 {
			l.Timeout = 500 * time.Millisecond
		}
		r, err := runEAP(t.Context(), l, openTransport)
		if err != nil || c.count(&r.Counts) != 20 || !strings.HasPrefix(r.Trouble, c.trouble) {
			t.Errorf("%s: %+v, %q, %v", name, r.Counts, r.Trouble, err)
		}
	}
}

// TestLoad_EAPRefuses is what is said before anything is sent.
func TestLoad_EAPRefuses(t *testing.T) {
	t.Parallel()
	responder := respond(t, (&eapMember{password: "correct horse"}).answer)
	l := &Load{Server: responder.addr(), Secret: testSecret, Mode: TLS, Users: users("x", 1), Count: 1}
	if _, err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "client certificate") {
		t.Errorf("%v", err)
	}
	l = &Load{Server: responder.addr(), Secret: testSecret, Mode: EAPMSCHAPv2, Users: users("x", 1), Count: 1, Resume: true}
	if _, err := l.Run(t.Context()); !errors.Is(err, errLoadResume) {
		t.Errorf("%v", err)
	}
	refuse := respond(t, (&eapMember{edit: func(_ int, p *Packet) {
		p.Code, p.attributes = AccessReject, append(p.attributes[:18], typeEAPMessage, 6, 4, p.attributes[21], 0, 4)
	}}).answer)
	l = &Load{Server: refuse.addr(), Secret: testSecret, Mode: TTLS, Users: users("wrong", 2), Count: 1, Resume: true, InFlight: 4, Timeout: 20 * time.Second}
	if _, err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "4 of 4 devices could not log in") {
		t.Errorf("%v", err)
	}
}

// TestLoad_FreeRADIUS drives a server that is not ours, in full and by
// sessions that are resumed.
func TestLoad_FreeRADIUS(t *testing.T) {
	t.Parallel()
	pki := newPKI(t)
	server := freeRADIUSWithEAP(t, pki, "1.3", 1000)
	certificate := pki.client(t, "anna")
	for _, c := range []struct {
		mode   Method
		inner  peer.Inner
		tls    uint16
		resume bool
	}{{mode: PEAP}, {mode: TTLS, tls: tls.VersionTLS12}, {mode: TLS}, {mode: TTLS, resume: true}} {
		l := &Load{
			Server: server, Secret: testSecret, Mode: c.mode, Users: []User{{"anna", "correct horse"}},
			EAP: &EAP{CA: pki.pool, Certificate: certificate, MaxTLS: c.tls, Anonymous: "anonymous"}, Resume: c.resume,
			InFlight: 10, Count: 20, VerifyEvery: 1, Timeout: 20 * time.Second,
		}
		r, err := l.Run(t.Context())
		if err != nil {
			t.Errorf("%s: %v", c.mode, err)
			continue
		}
		if r.Accepted != 20 || r.Sent != 20 || r.Lost+r.Late+r.Wrong != 0 || r.Resumed > 0 != c.resume {
			t.Errorf("%s: %+v, %s", c.mode, r.Counts, r.Trouble)
		}
	}
}

// TestLoad_EAPDistrusts: forged replies and repeated ones change nothing.
func TestLoad_EAPDistrusts(t *testing.T) {
	t.Parallel()
	good := (&eapMember{password: "correct horse"}).answer
	for name, c := range map[string]struct {
		answer func([]byte) [][]byte
		count  func(*Counts) uint64
	}{
		"forged": {func(request []byte) [][]byte {
			forged := bytes.Clone(good(request)[0])
			forged[len(forged)-1] ^= 1
			return append([][]byte{forged}, good(request)...)
		}, func(c *Counts) uint64 { return c.Wrong }},
		"twice": {func(request []byte) [][]byte { return append(good(request), good(request)...) }, func(c *Counts) uint64 { return c.Late }},
	} {
		responder := respond(t, c.answer)
		l := &Load{
			Server: responder.addr(), Secret: testSecret, Mode: EAPMSCHAPv2, Users: users("correct horse", 1),
			InFlight: 5, Count: 30, VerifyEvery: 1, Timeout: 20 * time.Second,
		}
		r, err := runEAP(t.Context(), l, openTransport)
		// The last login's second reply may come when nobody listens any more.
		if got := c.count(&r.Counts); err != nil || r.Accepted != 30 || r.Challenged != 60 || got < 80 || got > 90 || r.Trouble != "" {
			t.Errorf("%s: %+v, %q, %v", name, r.Counts, r.Trouble, err)
		}
	}
}
