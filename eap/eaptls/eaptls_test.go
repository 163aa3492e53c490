package eaptls

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/eap/tunnel"
	"memberradius/member"
)

type world struct {
	*eaptest.Server
	members *eaptest.Members
}

func newWorld() *world {
	identity := &tunnel.Identity{Certificate: eaptest.Pair(eaptest.Host), ClientCAs: eaptest.Pool(eaptest.CA)}
	members := &eaptest.Members{Passwords: map[string]string{eaptest.Login: ""}}
	m := &Method{
		Tunnel: &tunnel.Config{
			Type: eap.TLS, MaxTLS: tls.VersionTLS13, Identity: func() *tunnel.Identity { return identity },
			ClientCertificate: true, Tickets: tunnel.NewMemory(10), Resume: time.Hour,
		},
		Login: func(c *x509.Certificate) string {
			if len(c.EmailAddresses) == 0 {
				return ""
			}
			return c.EmailAddresses[0]
		},
	}
	return &world{eaptest.NewServer(rand.Reader, members, m), members}
}

// newPhone returns a device that shows this certificate, whatever it is asked for.
func newPhone(version uint16, name string) *eaptest.Device {
	d := eaptest.NewDevice(eap.TLS, version)
	pair := eaptest.Pair(name)
	d.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	d.TLS.Time, d.TLS.ClientSessionCache = eaptest.Now, tls.NewLRUClientSessionCache(1)
	return d
}

func (w *world) login(d *eaptest.Device) eap.Outcome {
	defer d.Close()
	return w.Converse(d.Peer("anonymous"))
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

// TestT4SuccessIsSaidAfterTheDecision: the octet 0x00 (RFC 9190 §2.5) comes when
// the member may come in, and then nothing but EAP-Success; one who may not never
// sees it, nor does one of whom nobody can say.
func TestT4SuccessIsSaidAfterTheDecision(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		success := []byte(nil)
		if version == tls.VersionTLS13 {
			success = []byte{0}
		}
		w, d := newWorld(), newPhone(version, eaptest.Phone)
		for _, resumed := range []bool{false, true} {
			o := w.login(d)
			if o.Kind != eap.Accept || o.Result.Resumed != resumed || !bytes.Equal(d.Heard, success) || !bytes.Equal(o.Result.MSK, d.Material()[:64]) {
				t.Errorf("resumed %t: the device heard %x, %+v", resumed, d.Heard, o)
			}
			if o.Result.How != "tls" || o.Result.Decision.Login != eaptest.Login || o.Result.SessionID[0] != byte(eap.TLS) {
				t.Errorf("resumed %t: %+v", resumed, o.Result)
			}
			cache := d.TLS.ClientSessionCache
			d = newPhone(version, eaptest.Phone)
			d.TLS.ClientSessionCache = cache
		}
		w.members.Refuse(eaptest.Login, member.ReasonDisabled)
		if o := w.login(d); o.Kind != eap.Reject || o.Result.Decision.Reason != member.ReasonDisabled || len(d.Heard) != 0 || o.Result.How != "tls" {
			t.Errorf("a cancelled member heard %x, %+v", d.Heard, o)
		}
		d = newPhone(version, eaptest.Phone)
		w.members.Silence()
		if o := w.login(d); o.Kind != eap.Unanswered || o.Packet != nil || len(d.Heard) != 0 {
			t.Errorf("members who can't say: heard %x, %+v", d.Heard, o)
		}
	})
}

// TestCertificateNamesTheLogin, and the identity in clear does not.
func TestCertificateNamesTheLogin(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		w := newWorld()
		o := w.Converse(newPhone(version, eaptest.Phone).Peer("boss@example.org"))
		if got := w.members.Asked(); o.Kind != eap.Accept || !slices.Equal(got, []string{eaptest.Login}) {
			t.Errorf("asked for %q, %+v", got, o)
		}
		want := eap.Fault{Reason: member.ReasonCertificate, Detail: "it names no login: neither mail address nor UPN nor CN"}
		if o := w.login(newPhone(version, eaptest.Nameless)); o.Kind != eap.Reject || o.Result.Fault != want {
			t.Errorf("a certificate without a name: %+v", o)
		}
		for _, name := range []string{eaptest.Expired, eaptest.Foreign, eaptest.Host} {
			if o := w.login(newPhone(version, name)); o.Kind != eap.Reject || o.Result.Fault.Reason != member.ReasonCertificate {
				t.Errorf("%s: %+v", name, o)
			}
		}
		if got := w.members.Asked(); len(got) != 1 {
			t.Errorf("asked for %q", got)
		}
	})
}

func TestSomethingSaidInside(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		w, d := newWorld(), newPhone(version, eaptest.Phone)
		d.Inside = func(*eaptest.Device, []byte) []byte { return []byte("hello") }
		o := w.login(d)
		if o.Kind != eap.Reject || o.Result.Fault.Detail != "EAP-TLS: the device said something inside the tunnel" {
			t.Errorf("ended with %+v", o)
		}
		again := newPhone(version, eaptest.Phone)
		again.TLS.ClientSessionCache = d.TLS.ClientSessionCache
		if o := w.login(again); o.Kind != eap.Accept || o.Result.Resumed {
			t.Errorf("with the ticket of a refused login: %+v", o)
		}
	})
}

func TestFragments(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		for _, limit := range []int{64, 100, 255, 600, 1024} {
			w, d := newWorld(), newPhone(version, eaptest.Phone)
			w.Limit, d.Fragment = limit, limit-10
			w.Watch = func(fromServer bool, packet []byte) {
				if fromServer && len(packet) > limit {
					t.Errorf("a packet of %d octets where %d is the most", len(packet), limit)
				}
			}
			if o := w.login(d); o.Kind != eap.Accept || !bytes.Equal(o.Result.MSK, d.Material()[:64]) {
				t.Errorf("limit %d: %+v", limit, o)
			}
		}
	})
}
