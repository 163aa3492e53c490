package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A clock is what time it is in a test.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

const days = 24 * time.Hour

func open(t *testing.T, c Config) *Keeper {
	t.Helper()
	k, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func reload(t *testing.T, k *Keeper) {
	t.Helper()
	if err := k.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// said returns the first finding that holds text.
func said(found []Finding, text string) *Finding {
	for i := range found {
		if strings.Contains(found[i].What, text) {
			return &found[i]
		}
	}
	return nil
}

// A maker is a CA of somebody else's, in a test.
type maker struct {
	t    testing.TB
	cert *x509.Certificate
	key  crypto.Signer
	up   *maker
}

func testKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newMaker makes a CA, a root where up is nil.
func newMaker(t testing.TB, name string, up *maker) *maker {
	t.Helper()
	m := &maker{t: t, key: testKey(t), up: up}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if up == nil {
		m.up = m
	}
	m.cert = m.up.sign(template, m.key)
	m.up = up
	return m
}

// sign makes a certificate of a template whose empty fields are filled.
func (m *maker) sign(template *x509.Certificate, key crypto.Signer) *x509.Certificate {
	m.t.Helper()
	if template.SerialNumber == nil {
		_, template.SerialNumber, _ = newKey()
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = newClock().now().Add(3650 * days)
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = newClock().now().Add(-days)
	}
	parent := m.cert
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), m.key)
	if err != nil {
		m.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		m.t.Fatal(err)
	}
	return c
}

// client makes a certificate of a device.
func (m *maker) client(name string) *x509.Certificate {
	m.t.Helper()
	return m.sign(&x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, testKey(m.t))
}

// chain returns c and the CAs above it.
func (m *maker) chain(c *x509.Certificate) []*x509.Certificate {
	out := []*x509.Certificate{c}
	for ; m != nil; m = m.up {
		out = append(out, m.cert)
	}
	return out
}

// crl makes a revocation list that holds a week from at.
func (m *maker) crl(at time.Time, revoked ...*x509.Certificate) []byte {
	m.t.Helper()
	return m.crlOf(&x509.RevocationList{Number: big.NewInt(at.Unix()), ThisUpdate: at, NextUpdate: at.Add(7 * days)}, revoked...)
}

func (m *maker) crlOf(list *x509.RevocationList, revoked ...*x509.Certificate) []byte {
	m.t.Helper()
	for _, c := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: list.ThisUpdate})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, m.cert, m.key)
	if err != nil {
		m.t.Fatal(err)
	}
	return der
}

// file writes a file of a test and returns its path.
func file(t *testing.T, name string, parts ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	put(t, path, parts...)
	return path
}

func put(t *testing.T, path string, parts ...[]byte) {
	t.Helper()
	var text []byte
	for _, p := range parts {
		text = append(text, p...)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

// isProblem says whether err is a Problem about key that says text.
func isProblem(err error, key, text string) bool {
	var p *Problem
	return errors.As(err, &p) && p.Key == key && strings.Contains(p.Error(), text) && p.Remedy != ""
}
