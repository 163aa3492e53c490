package tunnel

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"sync/atomic"
	"time"

	"memberradius/eap"
)

// A Config is what the sessions of one method are made from. Its zero values
// refuse: no certificate is no handshake.
type Config struct {
	// Type is the method's: eap.TLS, eap.TTLS or eap.PEAP.
	Type eap.Type
	// MaxTLS is the highest version to speak; the lowest is TLS 1.2.
	MaxTLS uint16
	// Identity returns who the server is; asked once for each conversation.
	Identity func() *Identity
	// ClientCertificate asks the device for one, and ends without it.
	ClientCertificate bool
	// Tickets keeps what fast reconnect needs; nil: there is none. Resume is how
	// long after a full handshake it works.
	Tickets Tickets
	Resume  time.Duration
	// AllowNoEMS lets in TLS 1.2 peers without Extended Master Secret (RFC 7627).
	AllowNoEMS bool
	// Rand is crypto/rand where nil.
	Rand io.Reader
	// Coroutines are shared by all methods; nil: each handshake has its own.
	Coroutines *Coroutines

	base atomic.Pointer[prepared]
}

// An Identity is who the server is, and whom it takes for a client. It does not
// change; a new certificate is a new Identity.
type Identity struct {
	Certificate tls.Certificate
	// ClientCAs sign the certificates of devices. Verify looks whether one is
	// revoked: an error refuses.
	ClientCAs *x509.CertPool
	Verify    func(chains [][]*x509.Certificate) error
}

// prepared is the TLS configuration of an Identity.
type prepared struct {
	identity *Identity
	tls      *tls.Config
}

// suites are TLS 1.2's, the best first. Those with AES-CBC and SHA-1 are for
// devices that have nothing else; without forward secrecy there are none.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
}

// curves leave out the hybrid of ML-KEM: its keys make a flight of 1,500 octets
// each way, a fragment or two more, for a secret that lives as long as a login.
var curves = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}

// cheapCurves are for devices whose curve the server chooses.
var cheapCurves = []tls.CurveID{tls.CurveP256, tls.CurveP384}

// prepare returns the TLS configuration of the identity that holds now.
func (c *Config) prepare() *prepared {
	identity := c.Identity()
	if p := c.base.Load(); p != nil && p.identity == identity {
		return p
	}
	t := &tls.Config{
		MinVersion: tls.VersionTLS12, MaxVersion: c.MaxTLS,
		CipherSuites: suites, CurvePreferences: curves,
		Certificates:           []tls.Certificate{identity.Certificate},
		SessionTicketsDisabled: c.Tickets == nil || c.Resume <= 0,
		Rand:                   c.Rand,
	}
	if c.ClientCertificate {
		t.ClientAuth, t.ClientCAs = tls.RequireAndVerifyClientCert, identity.ClientCAs
		if t.ClientCAs == nil {
			t.ClientCAs = x509.NewCertPool() // none: nil would be those of the system
		}
	}
	if !t.SessionTicketsDisabled {
		// Tickets are sealed by nobody: they are numbers. This keeps crypto/tls
		// from making keys for each conversation.
		var key [32]byte
		if _, err := io.ReadFull(c.random(), key[:]); err == nil {
			t.SetSessionTicketKeys([][32]byte{key})
		}
	}
	p := &prepared{identity, t}
	c.base.Store(p)
	return p
}

func (c *Config) random() io.Reader {
	if c.Rand != nil {
		return c.Rand
	}
	return rand.Reader
}
