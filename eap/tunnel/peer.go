package tunnel

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"

	"memberradius/eap"
	"memberradius/member"
)

// A refusedError is a certificate that is revoked, or that can't be looked up.
type refusedError struct{ cause error }

func (e *refusedError) Error() string { return e.cause.Error() }
func (e *refusedError) Unwrap() error { return e.cause }

// A peer is what is known of the device's side, to say whose fault it was.
type peer struct {
	versions []uint16
	alerted  bool
	alert    byte
}

// hello is crypto/tls's GetConfigForClient. In TLS 1.2 the server chooses the
// curve, and P-256 costs it half of what X25519 does; in TLS 1.3 the device has
// chosen already, and another curve would cost a round trip. Only TLS 1.2 has
// peers whose keys come by way of the key log.
func (s *Session) hello(h *tls.ClientHelloInfo, t *tls.Config) *tls.Config {
	s.peer.versions = append(s.peer.versions[:0], h.SupportedVersions...)
	if slices.Contains(h.SupportedVersions, tls.VersionTLS13) && t.MaxVersion >= tls.VersionTLS13 {
		return nil
	}
	t = t.Clone()
	t.KeyLogWriter = &s.keys
	if slices.Contains(h.SupportedCurves, tls.CurveP256) {
		t.CurvePreferences = cheapCurves
	}
	return t
}

const (
	recordHeader = 5
	recordAlert  = 21
	alertSize    = 2
)

// flight looks for an alert in clear. OpenSSL sends one in TLS 1.3 too where it
// refuses the server's certificate, and crypto/tls takes it for a broken record.
func (p *peer) flight(flight []byte) {
	for len(flight) >= recordHeader {
		n := int(flight[3])<<8 | int(flight[4])
		if n > len(flight)-recordHeader {
			return
		}
		if flight[0] == recordAlert && n == alertSize {
			p.alerted, p.alert = true, flight[recordHeader+1]
		}
		flight = flight[recordHeader+n:]
	}
}

// Alerts of RFC 8446 §6 that say something about a certificate of ours.
var distrust = map[byte]string{
	42: "bad certificate", 43: "unsupported certificate", 44: "certificate revoked", 45: "certificate expired",
	46: "certificate unknown", 48: "unknown CA", 49: "access denied",
}

var alerts = map[byte]string{
	0: "close notify", 10: "unexpected message", 20: "bad record MAC", 40: "handshake failure", 47: "illegal parameter",
	50: "decode error", 51: "decrypt error", 70: "protocol version", 71: "insufficient security", 80: "internal error, which wpa_supplicant says of a server whose name is not the one that it expects",
	90: "user canceled", 109: "missing extension", 112: "unrecognized name", 116: "certificate required",
}

// fault says in words why TLS failed, and whose fault it was.
func (p *peer) fault(err error) eap.Fault {
	p.remote(err)
	if p.alerted {
		if text, ok := distrust[p.alert]; ok {
			return eap.Fault{Reason: member.ReasonNotTrusted, Detail: text}
		}
		text, ok := alerts[p.alert]
		if !ok {
			text = fmt.Sprintf("alert %d", p.alert)
		}
		return eap.Fault{Reason: member.ReasonTLS, Detail: "the device ended it: " + text}
	}
	var refused *refusedError
	var invalid *tls.CertificateVerificationError
	text := strings.TrimPrefix(err.Error(), "tls: ")
	switch {
	case errors.As(err, &refused):
		return eap.Fault{Reason: member.ReasonCertificate, Detail: refused.Error()}
	case errors.As(err, &invalid), isX509(err), strings.Contains(text, "client certificate"):
		return eap.Fault{Reason: member.ReasonCertificate, Detail: verification(err)}
	case strings.Contains(text, "didn't provide a certificate"):
		return eap.Fault{Reason: member.ReasonCertificate, Detail: "it sent none"}
	case strings.Contains(text, "unsupported versions"):
		return eap.Fault{Reason: member.ReasonTLS, Detail: "the device offers only " + p.offers()}
	}
	return eap.Fault{Reason: member.ReasonTLS, Detail: text}
}

// remote finds an alert that came encrypted.
func (p *peer) remote(err error) {
	var op *net.OpError
	if p.alerted || !errors.As(err, &op) || op.Op != "remote error" {
		return
	}
	// crypto/tls keeps the type of its alerts to itself: an octet.
	if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
		p.alerted, p.alert = true, byte(v.Uint())
	}
}

func isX509(err error) bool {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &unknown) || errors.As(err, &invalid)
}

// verification says what is wrong with a certificate of a device.
func verification(err error) string {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return "nobody who is trusted here has signed it"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it has expired, or is not valid yet"
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return "it is not for clients"
	}
	return strings.TrimPrefix(err.Error(), "tls: ")
}

// offers names the versions of the ClientHello.
func (p *peer) offers() string {
	names := make([]string, 0, len(p.versions))
	for _, v := range p.versions {
		names = append(names, tls.VersionName(v))
	}
	if len(names) == 0 {
		return "unknown versions of TLS"
	}
	return strings.Join(names, ", ")
}
