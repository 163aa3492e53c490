package peer

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"memberradius/member"
)

// A Method is the EAP method that a device logs in with.
type Method string

// The methods of a peer. Their texts are what an operator types.
const (
	PEAP     Method = "peap"         // version 0: draft-kamath-pppext-peapv0, MS-PEAP
	TTLS     Method = "ttls"         // RFC 5281
	TLS      Method = "tls"          // RFC 5216, RFC 9190
	MSCHAPv2 Method = "eap-mschapv2" // draft-kamath-pppext-eap-mschapv2, without a tunnel
)

func (m Method) kind() Type {
	switch m {
	case PEAP:
		return TypePEAP
	case TTLS:
		return TypeTTLS
	case TLS:
		return TypeTLS
	case MSCHAPv2:
		return TypeMSCHAPv2
	}
	return 0
}

// An Inner is what proves the password inside a tunnel.
type Inner string

// What PEAP (the last two, which it runs as EAP methods; "mschapv2" is there
// another word for "eap-mschapv2") and TTLS can have inside. The first four
// are attributes of RFC 5281 §11.2.
const (
	InnerPAP         Inner = "pap"
	InnerCHAP        Inner = "chap"
	InnerMSCHAP      Inner = "mschap"
	InnerMSCHAPv2    Inner = "mschapv2"
	InnerEAPMSCHAPv2 Inner = "eap-mschapv2"
	InnerGTC         Inner = "gtc"
)

// Inners returns what the method can have inside, the default first; nothing
// where it has no tunnel for it.
func (m Method) Inners() []Inner {
	switch m {
	case PEAP:
		return []Inner{InnerEAPMSCHAPv2, InnerMSCHAPv2, InnerGTC}
	case TTLS:
		return []Inner{InnerPAP, InnerCHAP, InnerMSCHAP, InnerMSCHAPv2, InnerEAPMSCHAPv2, InnerGTC}
	}
	return nil
}

// Options are how a device is set up, apart from its method, login and
// password. The zero value takes any server.
type Options struct {
	// Inner is what PEAP and TTLS have inside; empty is the first of Method.Inners.
	Inner Inner
	// Anonymous is the identity outside the tunnel; empty is the login.
	Anonymous string
	// CA are the roots that the server's certificate must come from; nil takes
	// any certificate. ServerName, where it is set, must be one of its dNSNames.
	CA         *x509.CertPool
	ServerName string
	// Certificate is the device's own, for EAP-TLS.
	Certificate *tls.Certificate
	// MinTLS and MaxTLS bound the version (0: TLS 1.2 and 1.3).
	MinTLS, MaxTLS uint16
	// CipherSuites are those of TLS up to 1.2 (nil: Go's choice). Curves are the
	// groups in the order of preference (nil: X25519, P-256, P-384).
	CipherSuites []uint16
	Curves       []tls.CurveID
	// FragmentSize is how many octets of TLS a packet carries (0: 1,000).
	FragmentSize int
	// MTU is the Framed-MTU that the access point announces (0: 1,400). No
	// packet of the server may exceed it, nor 1,024 octets.
	MTU int
	// Session, where it is set, offers to resume the session that it holds, and
	// holds the new one afterwards.
	Session *Session
	// IgnoreBinding leaves a Crypto-Binding TLV unanswered, as devices do that do
	// not know it. RequireBinding hangs up without one, as Windows can be told to.
	IgnoreBinding, RequireBinding bool
	// Early sends TTLS's attributes in one message with the end of a TLS 1.3
	// handshake (RFC 5281 §7.4 calls it piggybacking).
	Early bool
	// Start begins with an EAP-Start (RFC 3579 §2.1) and not with the identity.
	Start bool
	// StopInside hangs up where the password would be next: so an attacker gets a
	// TLS session without one (CVE-2017-9148). The error is ErrStopped.
	StopInside bool
}

// A Config is a device, and who uses it.
type Config struct {
	Options
	Method   Method
	Login    string
	Password member.Secret
	// ChallengeName is what MS-CHAPv2 hashes instead of Login without its "DOMAIN\".
	ChallengeName string
	// Rand and Now default to crypto/rand and time.Now.
	Rand io.Reader
	Now  func() time.Time
}

const (
	defaultFragment = 1000
	defaultMTU      = 1400
	// housePacket is the longest packet that a server should send: it passes
	// every path, and is what FreeRADIUS and others send by default.
	housePacket = 1024
)

var (
	errNoCertificate = errors.New("peer: EAP-TLS needs a client certificate")
	errNoLogin       = errors.New("peer: there is no login")
)

// complete fills in the defaults and says what does not fit.
func (c *Config) complete() error {
	if c.Method.kind() == 0 {
		return fmt.Errorf("peer: method %q is unknown: peap, ttls, tls or eap-mschapv2 is needed", string(c.Method))
	}
	inners := c.Method.Inners()
	if c.Inner == "" && len(inners) > 0 {
		c.Inner = inners[0]
	}
	if c.Inner != "" && !holds(inners, c.Inner) {
		return fmt.Errorf("peer: %s has no %q inside: possible are %s", c.Method, string(c.Inner), list(inners))
	}
	if c.Method == PEAP && c.Inner == InnerMSCHAPv2 {
		c.Inner = InnerEAPMSCHAPv2
	}
	switch {
	case c.Login == "" && c.Anonymous == "":
		return errNoLogin
	case c.Method == TLS && c.Certificate == nil:
		return errNoCertificate
	case c.FragmentSize < 0 || c.FragmentSize > maxPacket-typedSize-frameSize || c.MTU < 0 || c.MTU > maxPacket:
		return fmt.Errorf("peer: a fragment size of %d or an MTU of %d octets is not possible", c.FragmentSize, c.MTU)
	}
	if c.FragmentSize == 0 {
		c.FragmentSize = defaultFragment
	}
	if c.MTU == 0 {
		c.MTU = defaultMTU
	}
	if c.MinTLS == 0 {
		c.MinTLS = min(tls.VersionTLS12, max(c.MaxTLS, tls.VersionTLS10))
		if c.MaxTLS == 0 {
			c.MinTLS = tls.VersionTLS12
		}
	}
	if c.Curves == nil {
		// Not Go's default, which begins with ML-KEM: its key shares of 1,216 octets
		// and more cost a round trip each, and no supplicant sends them.
		c.Curves = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

func holds[T comparable](all []T, one T) bool {
	for _, a := range all {
		if a == one {
			return true
		}
	}
	return false
}

func list[T ~string](all []T) string {
	texts := make([]string, len(all))
	for i, a := range all {
		texts[i] = string(a)
	}
	return strings.Join(texts, ", ")
}

// limit is the most octets that a packet of the server may have.
func (c *Config) limit() int { return min(c.MTU, housePacket) }

// outer is the identity outside of the tunnel.
func (c *Config) outer() string {
	if c.Anonymous != "" {
		return c.Anonymous
	}
	return c.Login
}
