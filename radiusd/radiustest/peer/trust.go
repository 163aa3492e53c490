package peer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A TrustError says why the server's certificate is not trusted.
type TrustError struct {
	Reason string
	Cause  error
}

// Error returns the reason.
func (e *TrustError) Error() string { return "peer: server's certificate: " + e.Reason }

// Unwrap returns what crypto/x509 said.
func (e *TrustError) Unwrap() error { return e.Cause }

// trust checks the server's certificate, also of a session that is resumed:
// devices do neither by host name alone nor by the system's roots (RFC 5216 §5.3).
func (c *Config) trust(state tls.ConnectionState) error {
	if c.CA == nil && c.ServerName == "" {
		return nil
	}
	if len(state.PeerCertificates) == 0 {
		return &TrustError{Reason: "there is none"}
	}
	leaf := state.PeerCertificates[0]
	if c.CA != nil {
		between := x509.NewCertPool()
		for _, certificate := range state.PeerCertificates[1:] {
			between.AddCert(certificate)
		}
		_, err := leaf.Verify(x509.VerifyOptions{
			Roots: c.CA, Intermediates: between, CurrentTime: c.Now(),
			KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		})
		if err != nil {
			return &TrustError{distrust(leaf, err), err}
		}
	}
	if c.ServerName == "" {
		return nil
	}
	if err := leaf.VerifyHostname(c.ServerName); err != nil {
		return &TrustError{fmt.Sprintf("it is for %q, and %q is expected", strings.Join(leaf.DNSNames, ", "), c.ServerName), err}
	}
	return nil
}

func distrust(leaf *x509.Certificate, err error) string {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return fmt.Sprintf("%q was issued by %q, which is not the CA that the device trusts", leaf.Subject, leaf.Issuer)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("%q is valid from %s to %s only, or its issuer is not valid now", leaf.Subject,
			leaf.NotBefore.UTC().Format(time.DateOnly), leaf.NotAfter.UTC().Format(time.DateOnly))
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return fmt.Sprintf("%q is not for servers: it lacks the extended key usage serverAuth", leaf.Subject)
	}
	return strings.TrimPrefix(err.Error(), "x509: ")
}
