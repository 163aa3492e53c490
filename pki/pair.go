package pki

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Types of PEM blocks (RFC 7468).
const (
	pemCertificate = "CERTIFICATE"
	pemKey         = "PRIVATE KEY"
	pemCRL         = "X509 CRL"
)

// pairPEM writes a certificate and its key.
func pairPEM(der []byte, key crypto.Signer) ([]byte, error) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("pki: key: %w", err)
	}
	return append(certificatePEM(der), pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: pkcs8})...), nil
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: der})
}

// readPair reads a certificate with its chain, and its key, which may be in the
// same file. Chain are all certificates of the file, parsed.
func readPair(certificate, key string) (pair tls.Certificate, chain []*x509.Certificate, err error) {
	text, err := readFile(certificate, maxPEM)
	if err != nil {
		return pair, nil, err
	}
	keyText := text
	if key != certificate {
		if keyText, err = readFile(key, maxPEM); err != nil {
			return pair, nil, err
		}
	}
	if chain, err = certificates(text); err != nil {
		return pair, nil, fmt.Errorf("%s: %w", certificate, err)
	}
	if encrypted(keyText) {
		return pair, nil, fmt.Errorf("%s: the key has a password; write it without one: openssl pkey -in %s -out FILE", key, key)
	}
	pair, err = tls.X509KeyPair(text, keyText)
	if err != nil {
		return pair, nil, fmt.Errorf("%s: %s", key, strings.TrimPrefix(err.Error(), "tls: "))
	}
	pair.Leaf = chain[0]
	return pair, chain, nil
}

// certificates reads all certificates of a PEM file; there must be one.
func certificates(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != pemCertificate {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(all)+1, err)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no certificate in PEM in it (-----BEGIN CERTIFICATE-----)")
	}
	return all, nil
}

// encrypted says whether a PEM file has a key under a password.
func encrypted(text []byte) bool {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return false
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.HasSuffix(block.Type, pemKey) && block.Headers["DEK-Info"] != "" {
			return true
		}
	}
}

// selfIssued says whether a certificate names itself as its issuer.
func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }

// issuerOf returns the certificate of all that signed c, nil where none did.
func issuerOf(c *x509.Certificate, all []*x509.Certificate) *x509.Certificate {
	for _, p := range all {
		if bytes.Equal(p.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(p) == nil {
			return p
		}
	}
	return nil
}

// nameOf is how people know a certificate.
func nameOf(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return fmt.Sprintf("%q", c.Subject.CommonName)
	}
	return fmt.Sprintf("%q", c.Subject.String())
}
