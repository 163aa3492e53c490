// Package pki keeps the certificates that WPA-Enterprise stands on: the one
// that the server shows to devices, the private CA behind it, and what decides
// whether a device's own certificate is good (EAP-TLS): client CAs, revocation
// lists, and the login that a certificate names.
//
// It does not own TLS, EAP or who is a member. It logs nothing: what an operator
// should know is a Finding or an error.
package pki

import (
	"errors"
	"io/fs"
	"net/http"
	"time"
)

// Config says where certificates come from. Only Dir is needed.
type Config struct {
	// Dir is where the private CA and all that it made lie. It is made with
	// mode 0700; files that hold a key have 0600.
	Dir string
	// ServerName is the dNSName of the server's certificate, which devices
	// compare. Empty: the one that the certificate has already, and for a first
	// certificate the host's name, or radius.local where the host has none.
	ServerName string
	// Certificate and Key are PEM files of the operator's own certificate,
	// followed by its chain, and of its key. Empty: both are made here.
	Certificate, Key string
	// ClientCA is a PEM file of the CAs whose certificates devices may show.
	// Empty: the private CA's.
	ClientCA string
	// CRL is a file or an http or https URL of revocation lists: one in DER, or
	// any number in PEM. Once there is one, every certificate of a device's
	// chain must be covered by a list in force. Empty: only what Revoke revoked.
	CRL string
	// OCSP is a file of a DER OCSP response to staple (RFC 6066 section 8).
	OCSP string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Fetch gets the CRL of a URL; nil is a client that gives up after
	// FetchTimeout. At most MaxCRL octets are read either way.
	Fetch *http.Client
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Fetch == nil {
		c.Fetch = newFetcher()
	}
	return c
}

// Key names that a Finding may carry: those of [eap] in a configuration file.
const (
	KeyCertificate = "certificate"
	KeyKey         = "key"
	KeyClientCA    = "client_ca"
	KeyServerName  = "server_name"
	KeyCRL         = "crl"
	KeyOCSP        = "ocsp"
)

// A Finding is one thing that an operator should know, and what to do about it.
type Finding struct {
	// What happened or is about to, and Remedy, what to do.
	What, Remedy string
	// Wrong says that somebody is refused for it now; else it is a warning.
	Wrong bool
	// Key is the setting that it is about, one of the Key constants; empty
	// where it is about what was made in Dir.
	Key string
}

// A Problem is what Open, Reload and the others return where a file or a
// setting can't be used: a Finding, and its cause.
type Problem struct {
	Finding
	Err error // may be nil
}

// Error implements error.
func (p *Problem) Error() string { return "pki: " + p.What + "; " + p.Remedy }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// problem makes a Problem of what can't be used, and why.
func problem(key, what, remedy string, err error) *Problem {
	if err != nil {
		what += ": " + err.Error()
	}
	if errors.Is(err, fs.ErrPermission) {
		remedy = "let the server's user read it, or run this as that user or as root"
	}
	return &Problem{Finding{What: what, Remedy: remedy, Wrong: true, Key: key}, err}
}
