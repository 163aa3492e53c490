package eaptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"flag"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "make the certificates that are not there")

// A template is what a file of testdata was made from.
type template struct {
	name, signer string
	x509.Certificate
}

// templates are all of testdata, signers first.
func templates() []template {
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	authority := x509.Certificate{
		NotBefore: year(2000), NotAfter: year(2100),
		KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	ca, other := authority, authority
	ca.Subject, other.Subject = pkix.Name{CommonName: CA}, pkix.Name{CommonName: OtherCA}
	leaf := x509.Certificate{
		NotBefore: year(2000), NotAfter: year(2100), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	host, phone := leaf, leaf
	host.DNSNames, host.ExtKeyUsage = []string{ServerName}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	phone.EmailAddresses = []string{Login}
	expired := phone
	expired.NotAfter = year(2001)
	return []template{
		{CA, CA, ca}, {OtherCA, OtherCA, other}, {Host, CA, host}, {Phone, CA, phone},
		{Expired, CA, expired}, {Foreign, OtherCA, phone}, {Nameless, CA, leaf},
	}
}

// TestPairs makes what is missing with -update, and else sees that each is
// signed by the one that it should be. What is there stays: the recorded
// conversations have it inside.
func TestPairs(t *testing.T) {
	t.Parallel()
	for i, c := range templates() {
		file, signer := filepath.Join("testdata", c.name+".pem"), filepath.Join("testdata", c.signer+".pem")
		if _, err := os.Stat(file); *update && errors.Is(err, fs.ErrNotExist) {
			c.SerialNumber = big.NewInt(int64(i + 1))
			write(t, file, signer, &c.Certificate)
		}
		pair, err := tls.LoadX509KeyPair(file, file)
		if err != nil {
			t.Fatalf("%v; go test -update makes it", err)
		}
		authority, err := tls.LoadX509KeyPair(signer, signer)
		if err != nil {
			t.Fatal(err)
		}
		if err := pair.Leaf.CheckSignatureFrom(authority.Leaf); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func write(t *testing.T, file, signer string, template *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, private := template, any(key)
	if file != signer {
		authority, err := tls.LoadX509KeyPair(signer, signer)
		if err != nil {
			t.Fatal(err)
		}
		parent, private = authority.Leaf, authority.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
