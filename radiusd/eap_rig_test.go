package radiusd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/eap/eaptls"
	"memberradius/eap/gtc"
	eapmschapv2 "memberradius/eap/mschapv2"
	"memberradius/eap/peap"
	"memberradius/eap/ttls"
	"memberradius/eap/tunnel"
	"memberradius/radiusd/radiustest"
)

// serverName is what the server's certificate is for.
const serverName = "radius.example.com"

// An authority is a CA of a test's own, and what the EAP methods of a rig are made with.
type authority struct {
	t     *testing.T
	key   *ecdsa.PrivateKey
	ca    *x509.Certificate
	roots *x509.CertPool
	// tickets and resume are those of all methods; maxTLS is the highest version.
	tickets tunnel.Tickets
	resume  time.Duration
	maxTLS  uint16
	// inner are the methods of EAP inside the tunnels.
	inner []eap.Method
	// revoked says whether certificates of devices are refused.
	revoked  atomic.Bool
	identity *tunnel.Identity
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, tickets: tunnel.NewMemory(1024), resume: 24 * time.Hour, maxTLS: tls.VersionTLS13, roots: x509.NewCertPool()}
	a.inner = []eap.Method{&eapmschapv2.Method{Name: serverName}, gtc.Method{}}
	a.key = newKeyPair(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.ca, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.roots.AddCert(a.ca)
	a.identity = &tunnel.Identity{Certificate: *a.issue(serverName, x509.ExtKeyUsageServerAuth), ClientCAs: a.roots, Verify: a.verify}
	return a
}

func newKeyPair(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var errRevoked = errors.New("it is revoked")

// verify is the look-up of revocations.
func (a *authority) verify([][]*x509.Certificate) error {
	if a.revoked.Load() {
		return errRevoked
	}
	return nil
}

// issue makes a certificate and its key: of a server, or of the device of a login.
func (a *authority) issue(name string, usage x509.ExtKeyUsage) *tls.Certificate {
	a.t.Helper()
	key := newKeyPair(a.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0), ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.ca, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// device makes the certificate of a login's device.
func (a *authority) device(login string) *tls.Certificate {
	a.t.Helper()
	return a.issue(login, x509.ExtKeyUsageClientAuth)
}

func (a *authority) tunnel(kind eap.Type) *tunnel.Config {
	return &tunnel.Config{
		Type: kind, MaxTLS: a.maxTLS, Identity: func() *tunnel.Identity { return a.identity },
		ClientCertificate: kind == eap.TLS, Tickets: a.tickets, Resume: a.resume, AllowNoEMS: true,
	}
}

// methods makes the methods of these types, as they are offered.
func (a *authority) methods(kinds ...eap.Type) (methods []eap.Method) {
	for _, kind := range kinds {
		switch kind {
		case eap.PEAP:
			methods = append(methods, &peap.Method{Tunnel: a.tunnel(kind), Inner: a.inner})
		case eap.TTLS:
			methods = append(methods, &ttls.Method{Tunnel: a.tunnel(kind), Inner: a.inner})
		case eap.TLS:
			methods = append(methods, &eaptls.Method{
				Tunnel: a.tunnel(kind), Login: func(c *x509.Certificate) string { return c.Subject.CommonName },
			})
		case eap.MSCHAPv2:
			methods = append(methods, &eapmschapv2.Method{Name: serverName})
		}
	}
	return methods
}

// offer gives a rig EAP.
func (a *authority) offer(kinds ...eap.Type) setting {
	return func(c *Config, _ *ClientConfig, _ *members) { c.Tables.EAP = a.methods(kinds...) }
}

// startEAP starts a rig that offers PEAP, TTLS, EAP-TLS and EAP-MSCHAPv2.
func startEAP(t *testing.T, settings ...setting) (*rig, *authority) {
	t.Helper()
	a := newAuthority(t)
	return startRig(t, slices.Concat([]setting{quick, a.offer(eap.PEAP, eap.TTLS, eap.TLS, eap.MSCHAPv2)}, settings)...), a
}

// bobBy is bob's login by a method.
func bobBy(method radiustest.Method, options radiustest.EAP) *radiustest.Request {
	return &radiustest.Request{
		Method: method, Login: "bob", Password: "hello", EAP: &options,
		AccessPoint: radiustest.AccessPoint{SSID: "Members", Station: []byte{2, 0, 0, 0, 0, 7}},
	}
}

// A hand moves a rig's clock.
type hand struct{ ahead atomic.Int64 }

func (h *hand) forward(d time.Duration) { h.ahead.Add(int64(d)) }

func (h *hand) now() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }

// set gives the hand the clock of a rig.
func (h *hand) set(c *Config, _ *ClientConfig, _ *members) { c.Now = h.now }
