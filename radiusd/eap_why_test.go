package radiusd

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/member"
	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"
)

// explained wants the last decision about bob to say why, and no more than one.
func (r *rig) explained(verdict member.Verdict, sentence string) {
	r.t.Helper()
	d := r.why("bob")
	if d.Verdict != verdict || !strings.Contains(d.Sentence(), sentence) {
		r.t.Errorf("%v: %s\nwant %v: %s", d.Verdict, d.Sentence(), verdict, sentence)
	}
	if d.Took < 0 || d.Took > time.Minute {
		r.t.Errorf("it took %v", d.Took)
	}
}

// Why says what broke and whose fault it was, in one sentence.
func TestEAPDiagnosis(t *testing.T) {
	t.Parallel()
	stranger := newAuthority(t)
	for _, tt := range []struct {
		name   string
		change func(q *radiustest.Request)
		inner  bool // the server has MSCHAPv2 inside and nothing else
		want   string
	}{
		{"another CA", func(q *radiustest.Request) { q.EAP.CA = stranger.roots }, false,
			"her device does not trust this server's certificate (bad certificate)"},
		{"TLS 1.0", func(q *radiustest.Request) { q.EAP.MaxTLS = tls.VersionTLS10 }, false,
			"the TLS handshake failed (the device offers only TLS 1.0)"},
		{"TLS 1.1", func(q *radiustest.Request) { q.EAP.MinTLS, q.EAP.MaxTLS = tls.VersionTLS10, tls.VersionTLS11 }, false,
			"the TLS handshake failed (the device offers only TLS 1.1, TLS 1.0)"},
		{"no cipher", func(q *radiustest.Request) {
			q.EAP.MaxTLS, q.EAP.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}, false, "the TLS handshake failed ("},
		{"wrong password", func(q *radiustest.Request) { q.Password = "Hello" }, false, "the password is wrong"},
		{"wrong password by TTLS", func(q *radiustest.Request) { q.Method, q.Password = radiustest.TTLS, "Hello" }, false, "ttls/pap): the password is wrong"},
		{"no inner method", func(q *radiustest.Request) { q.EAP.Inner = peer.InnerGTC }, true,
			"no inner method in common (the device offers GTC, this server MSCHAPv2)"},
		{"no inner method in TTLS", func(q *radiustest.Request) { q.Method, q.EAP.Inner = radiustest.TTLS, peer.InnerGTC }, true,
			"no inner method in common (the device offers GTC, this server MSCHAPv2)"},
		{"a stranger's certificate", func(q *radiustest.Request) { q.Method, q.EAP.Certificate = radiustest.TLS, stranger.device("bob") }, false,
			"her device's certificate is not accepted (nobody who is trusted here has signed it)"},
	} {
		for _, version := range versions {
			r, a := startEAP(t)
			if tt.inner {
				a.inner = a.inner[:1]
				tables := *r.tables.Load()
				tables.EAP = a.methods(eap.PEAP, eap.TTLS)
				r.Swap(tables)
			}
			q := bobBy(radiustest.PEAP, radiustest.EAP{MaxTLS: version})
			if tt.change(q); r.ask(q).Code != radiustest.AccessReject {
				t.Errorf("%s: let in", tt.name)
			}
			r.explained(member.Deny, tt.want)
		}
	}
}

// A device that refuses the certificate with an alert in clear, as OpenSSL does
// in TLS 1.3 too.
func TestEAPDiagnosisOfAlerts(t *testing.T) {
	t.Parallel()
	for alert, want := range map[byte]string{
		48: "her device does not trust this server's certificate (unknown CA)", 45: "her device does not trust this server's certificate (certificate expired)",
		40: "the TLS handshake failed (the device ended it: handshake failure)", 200: "the TLS handshake failed (the device ended it: alert 200)",
	} {
		for _, version := range versions {
			r, _ := startEAP(t)
			d := r.device(radiustest.PEAP, radiustest.EAP{MaxTLS: version}).certified()
			d.packet = d.typed(0, 21, 3, 3, 0, 2, 2, alert)
			if reply := d.ask(); reply.Code != radiustest.AccessReject {
				t.Errorf("alert %d: %v", alert, reply.Code)
			}
			r.explained(member.Deny, want)
		}
	}
}

// certified goes on until the server's certificate has come.
func (d *device) certified() *device {
	d.t.Helper()
	for d.next() && len(message(d.reply)) < 500 {
	}
	if len(message(d.reply)) < 500 {
		d.t.Fatal("no certificate came")
	}
	return d
}

// A device that stops answering is explained by how far it came; one that stops
// since it heard that its password is wrong, by that. Its conversation is over.
func TestEAPDiagnosisOfSilence(t *testing.T) {
	t.Parallel()
	type stop struct {
		where   func(d *device)
		verdict member.Verdict
		want    string
	}
	stops := map[string]stop{
		"at once":            {func(d *device) { d.packet = nil; d.ask() }, member.Unanswered, ", eap): her device stopped answering (before it said who it is)"},
		"when offered":       {func(d *device) { d.reach(1) }, member.Unanswered, "her device stopped answering (when it was offered PEAP)"},
		"at the certificate": {func(d *device) { d.certified() }, member.Unanswered, "her device stopped answering (after this server's certificate: it does not trust it, asks its user, or fragments are lost on the way (MTU))"},
		"inside":             {func(d *device) { d.certified().reach(d.rounds + 2) }, member.Unanswered, "her device stopped answering (inside the tunnel)"},
	}
	for name, s := range stops {
		h := &hand{}
		h.forward(time.Hour) // what is left of older requests would show in Took
		r, _ := startEAP(t, h.set)
		d := r.device(radiustest.PEAP, radiustest.EAP{})
		s.where(d)
		r.expireNow(h)
		r.explained(s.verdict, s.want)
		if reply := d.ask(); reply.Code == radiustest.AccessAccept || d.state != nil && d.packet != nil && reply.Code != radiustest.AccessReject {
			t.Errorf("%s: goes on with %v", name, reply.Code)
		}
	}
	for _, method := range []radiustest.Method{radiustest.PEAP, radiustest.EAPMSCHAPv2} {
		h := &hand{}
		r, _ := startEAP(t, h.set)
		d := r.newDevice(peer.Config{Method: peer.Method(method), Login: "bob", Password: "wrong"})
		for d.next() && d.peer.Diagnose(peer.Accepted) == nil {
		}
		r.expireNow(h)
		r.explained(member.Deny, fmt.Sprintf("%s): the password is wrong (and her device did not wait for the end)", method))
	}
}

// expireNow lets the time of all conversations run out.
func (r *rig) expireNow(h *hand) {
	r.t.Helper()
	h.forward(idleConversation + time.Second)
	r.lose(r.engine.Expire(r.Server.clock())) // unless the server's own tick was first
	eventually(r.t, "no conversation is open", func() bool { n, _ := r.engine.Open(); return n == 0 })
}
