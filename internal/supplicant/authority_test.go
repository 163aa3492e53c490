//go:build linux

package supplicant

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/ocsp"
)

// serverName is the dNSName of the server's certificate.
const serverName = "radius.example.com"

// An authority signs certificates, all of them P-256.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	serial      int64
}

// A folder is where the certificates of a run lie as PEM files: what makes them
// keeps its first error, and save returns it.
type folder struct {
	dir string
	err error
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f *folder) write(name string, octets []byte) {
	if f.err == nil {
		f.err = os.WriteFile(f.path(name), octets, 0o600)
	}
}

func (f *folder) key(name string, key *ecdsa.PrivateKey) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		f.err = err
		return
	}
	f.write(name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func encode(certificates ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certificates {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // a Buffer takes everything
	}
	return b.Bytes()
}

// sign makes a certificate of the template; a nil authority signs itself.
func (f *folder) sign(a *authority, template x509.Certificate) *authority {
	if f.err != nil {
		return a
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.err = err
		return a
	}
	made := &authority{key: key}
	if a == nil {
		a = &authority{certificate: &template, key: key}
	}
	a.serial++
	template.SerialNumber = big.NewInt(a.serial)
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
		template.NotAfter = time.Now().AddDate(1, 0, 0)
	}
	template.BasicConstraintsValid = true
	der, err := x509.CreateCertificate(rand.Reader, &template, a.certificate, &key.PublicKey, a.key)
	if err == nil {
		made.certificate, err = x509.ParseCertificate(der)
	}
	f.err = err
	return made
}

// authority makes a CA below another, or a root.
func (f *folder) authority(parent *authority, name string) *authority {
	return f.sign(parent, x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	})
}

// client makes a device's certificate for a login and writes it as name.pem
// with name.key.
func (f *folder) client(a *authority, name, login string, until time.Time) *authority {
	made := f.sign(a, x509.Certificate{
		Subject: pkix.Name{CommonName: login}, EmailAddresses: []string{login},
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if f.err == nil {
		f.write(name+".pem", encode(made.certificate))
		f.key(name+".key", made.key)
	}
	return made
}

// makeCertificates writes everything that servers and devices of a run need:
// ca.pem, server.pem (with its intermediate) and server.key, server.ocsp,
// clients.pem, clients.crl, and the devices' own.
func makeCertificates(dir string) error {
	f := &folder{dir: dir}
	root := f.authority(nil, "Test CA")
	between := f.authority(root, "Test CA, servers")
	server := f.sign(between, x509.Certificate{
		Subject: pkix.Name{CommonName: serverName}, DNSNames: []string{serverName},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	other := f.authority(nil, "Another CA")
	clients := f.authority(nil, "Test CA of clients")
	if f.err != nil {
		return f.err
	}
	f.write("ca.pem", encode(root.certificate))
	f.write("other.pem", encode(other.certificate))
	f.write("server.pem", encode(server.certificate, between.certificate))
	f.key("server.key", server.key)
	f.write("clients.pem", encode(clients.certificate))
	later := time.Now().AddDate(0, 6, 0)
	for login, name := range map[string]string{bob.Login: "bob", dora.Login: "dora", "stranger@example.com": "stranger"} {
		f.client(clients, name, login, later)
	}
	f.client(clients, "expired", bob.Login, time.Now().Add(-24*time.Hour))
	f.client(other, "foreign", bob.Login, later)
	f.revoke(clients, f.client(clients, "revoked", bob.Login, later))
	f.staple(between, server)
	return f.err
}

// revoke writes the list of revoked certificates, as clients.crl and, behind
// its CA as FreeRADIUS wants it, as clients-and-crl.pem.
func (f *folder) revoke(a, revoked *authority) {
	if f.err != nil {
		return
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(24 * time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{
			SerialNumber: revoked.certificate.SerialNumber, RevocationTime: time.Now().Add(-time.Minute),
		}},
	}, a.certificate, a.key)
	if err != nil {
		f.err = fmt.Errorf("revocation list: %w", err)
		return
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list})
	f.write("clients.crl", text)
	f.write("clients-and-crl.pem", append(encode(a.certificate), text...))
}

// staple writes the OCSP response for the server's certificate (RFC 6960 §4.2.1).
func (f *folder) staple(issuer, server *authority) {
	if f.err != nil {
		return
	}
	response, err := ocsp.CreateResponse(issuer.certificate, issuer.certificate, ocsp.Response{
		Status: ocsp.Good, SerialNumber: server.certificate.SerialNumber,
		ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(24 * time.Hour),
	}, issuer.key)
	if err != nil {
		f.err = fmt.Errorf("OCSP: %w", err)
		return
	}
	f.write("server.ocsp", response)
}
