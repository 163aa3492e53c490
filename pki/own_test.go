package pki

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"testing"
)

// server writes an operator's own certificate with its chain, and its key.
func (m *maker) server(t *testing.T, change func(*x509.Certificate)) (cert, key string) {
	t.Helper()
	return m.serverOf(t, testKey(t), change)
}

func (m *maker) serverOf(t *testing.T, key crypto.Signer, change func(*x509.Certificate)) (cert, keyFile string) {
	t.Helper()
	template := &x509.Certificate{DNSNames: []string{"radius.example.com"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if change != nil {
		change(template)
	}
	var text []byte
	for _, c := range m.chain(m.sign(template, key)) {
		text = append(text, certificatePEM(c.Raw)...)
	}
	return file(t, "server.pem", text), file(t, "server.key", keyPEM(t, key))
}

func keyPEM(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der})
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Skip("this crypto/rsa makes no such key: ", err)
	}
	return key
}

func TestOwnCertificate(t *testing.T) {
	t.Parallel()
	c := newClock()
	root := newMaker(t, "root", nil)
	ca := newMaker(t, "issuing", root)
	cert, key := ca.server(t, nil)
	k := open(t, Config{Dir: t.TempDir(), ServerName: "radius.example.com", Certificate: cert, Key: key, Now: c.now})
	i := k.Identity()
	if i.Made || !i.CA.Equal(root.cert) || len(i.Certificate.Certificate) != 3 || i.Certificate.Leaf.DNSNames[0] != "radius.example.com" {
		t.Errorf("%v", i)
	}
	if found := k.Findings(); len(found) > 0 {
		t.Errorf("%v", found)
	}
	if err := k.Renew(); err == nil {
		t.Error("an operator's own certificate was renewed")
	}
	// A new one in its place, and then one that can't be used.
	next, nextKey := ca.server(t, nil)
	for from, to := range map[string]string{next: cert, nextKey: key} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		put(t, to, text)
	}
	reload(t, k)
	if k.Identity().Certificate.Leaf.Equal(i.Certificate.Leaf) {
		t.Error("the new certificate was not read")
	}
	now := k.Identity()
	put(t, key, keyPEM(t, testKey(t)))
	if err := k.Reload(t.Context()); !isProblem(err, KeyCertificate, "private key does not match public key") || k.Identity() != now {
		t.Errorf("%v", err)
	}
}

func TestOwnCertificateProblems(t *testing.T) {
	t.Parallel()
	c := newClock()
	root := newMaker(t, "root", nil)
	ca := newMaker(t, "issuing", root)
	leaf := ca.sign(&x509.Certificate{DNSNames: []string{"a.example.com"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, root.key)
	impostor := newMaker(t, "issuing", nil)
	of := func(change func(*x509.Certificate)) func() (string, string) {
		return func() (string, string) { return ca.server(t, change) }
	}
	keyOf := func(cert func() (string, string), text []byte) func() (string, string) {
		return func() (string, string) {
			path, _ := cert()
			return path, file(t, "other.key", text)
		}
	}
	join := func(all ...*x509.Certificate) func() (string, string) {
		return func() (string, string) {
			var text []byte
			for _, c := range all {
				text = append(text, certificatePEM(c.Raw)...)
			}
			return file(t, "c.pem", text), file(t, "k.pem", keyPEM(t, root.key))
		}
	}
	for _, tt := range []struct {
		name  string
		files func() (cert, key string)
		want  string
	}{
		{"another's key", keyOf(of(nil), keyPEM(t, testKey(t))), "does not match"},
		{"no key", keyOf(of(nil), nil), "failed to find any PEM data in key input"},
		{"key with a password", keyOf(of(nil), []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")), "the key has a password"},
		{"not there", func() (string, string) { return "none.pem", "none.key" }, "no such file"},
		{"no certificate", func() (string, string) { f := file(t, "x", []byte("text")); return f, f }, "there is no certificate in PEM"},
		{"too large", func() (string, string) { f := file(t, "x", make([]byte, maxPEM+1)); return f, f }, "larger than"},
		{"ended", of(func(c *x509.Certificate) { c.NotAfter = newClock().now().Add(-1) }), "it ended on 2026-11-22"},
		{"later", of(func(c *x509.Certificate) { c.NotBefore = newClock().now().Add(days) }), "it begins on 2026-11-23"},
		{"no name", of(func(c *x509.Certificate) { c.DNSNames = nil }), "no dNSName"},
		{"for clients", of(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), "serverAuth"},
		{"for nothing", of(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), "serverAuth"},
		{"order", join(leaf, root.cert, ca.cert), "put the server's first"},
		{"impostor", join(leaf, impostor.cert), "did not sign the one before it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cert, key := tt.files()
			_, err := Open(t.Context(), Config{Dir: t.TempDir(), Certificate: cert, Key: key, Now: c.now})
			if !isProblem(err, KeyCertificate, tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestOwnCertificateWarnings(t *testing.T) {
	t.Parallel()
	ca := newMaker(t, "root", nil)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	short := func(t *testing.T) (string, string) {
		t.Helper()
		cert, key := ca.server(t, nil)
		text, err := os.ReadFile(cert)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		put(t, cert, pem.EncodeToMemory(block))
		return cert, key
	}
	for _, tt := range []struct {
		name  string
		files func(t *testing.T) (string, string)
		want  string
	}{
		{"RSA", func(t *testing.T) (string, string) { return ca.serverOf(t, rsaKey(t, 2048), nil) }, "RSA key of 2048 bits"},
		{"Ed25519", func(t *testing.T) (string, string) { return ca.serverOf(t, edKey, nil) }, "most devices can't use"},
		{"wildcard", func(t *testing.T) (string, string) {
			return ca.server(t, func(c *x509.Certificate) { c.DNSNames = []string{"*.example.com"} })
		}, "wildcard"},
		{"name", func(t *testing.T) (string, string) {
			return ca.server(t, func(c *x509.Certificate) { c.DNSNames = []string{"b.example.com"} })
		}, `server_name is "radius.example.com", and the certificate is for b.example.com`},
		{"chain", short, "has no chain"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cert, key := tt.files(t)
			k := open(t, Config{Dir: t.TempDir(), ServerName: "radius.example.com", Certificate: cert, Key: key, Now: newClock().now})
			if f := said(k.Findings(), tt.want); f == nil || f.Wrong || f.Remedy == "" {
				t.Errorf("%v", k.Findings())
			}
			if k.Identity().CA == nil && tt.name != "chain" {
				t.Error("no CA")
			}
		})
	}
}

func TestShortRSA(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	ca := newMaker(t, "root", nil)
	cert, key := ca.serverOf(t, rsaKey(t, 1024), nil)
	_, err := Open(t.Context(), Config{Dir: t.TempDir(), Certificate: cert, Key: key, Now: newClock().now})
	if !isProblem(err, KeyCertificate, "has 1024 bits") {
		t.Errorf("%v", err)
	}
}

func TestClientCA(t *testing.T) {
	t.Parallel()
	one, two := newMaker(t, "one", nil), newMaker(t, "two", nil)
	c := Config{Dir: t.TempDir(), Now: newClock().now, ClientCA: file(t, "ca.pem", certificatePEM(one.cert.Raw), certificatePEM(two.cert.Raw))}
	i := open(t, c).Identity()
	for _, m := range []*maker{one, two} {
		leaf := m.client("bob")
		chains, err := leaf.Verify(x509.VerifyOptions{Roots: i.ClientCAs, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, CurrentTime: c.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if err := i.Verify(chains); err != nil {
			t.Error(err)
		}
	}
	if i.Takes(i.CA) || !i.Takes(two.cert) {
		t.Error("which CAs are taken is mistaken")
	}
	for text, want := range map[string]string{
		"nothing": "there is no certificate in PEM",
		string(certificatePEM(one.client("bob").Raw)): "is no CA",
	} {
		c.ClientCA = file(t, "bad.pem", []byte(text))
		if _, err := Open(t.Context(), c); !isProblem(err, KeyClientCA, want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
