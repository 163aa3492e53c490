package outward

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

// connectTimeout bounds the dialling and, apart from it, the TLS handshake.
const connectTimeout = 2 * time.Second

// A Way is how a member system is reached.
type Way struct {
	Target *url.URL
	// Private allows a host name that leads to a private or loopback address.
	Private bool
	// Timeout bounds the wait for an answer's header, Idle how long a connection
	// without work is kept.
	Timeout, Idle time.Duration
	// MaxHeader bounds that header in octets.
	MaxHeader int64
	// Connections is how many there are at the same time; 0 is no bound.
	Connections int
}

// Transport prepares a way: HTTP/1.1, TLS 1.2 and later, no compression, and no
// proxy from the environment, since the address that the guard sees must be the
// system's own.
func (w *Way) Transport() *http.Transport {
	dialer := &net.Dialer{Timeout: connectTimeout, Control: GuardFor(w.Target.Hostname(), w.Private).Control}
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    connectTimeout,
		ResponseHeaderTimeout:  w.Timeout,
		MaxResponseHeaderBytes: w.MaxHeader,
		MaxIdleConnsPerHost:    w.Connections,
		MaxConnsPerHost:        w.Connections,
		IdleConnTimeout:        w.Idle,
		DisableCompression:     true, // a bomb of gzip is small on the wire
		Protocols:              &http1,
	}
}

// remedy says what to do about what went wrong on the way to a system; "" where
// the error does not tell.
func remedy(err error) string {
	var (
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		foreign x509.UnknownAuthorityError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &dns):
		return "the host's name can't be resolved: see its spelling in url, and this host's DNS"
	case errors.As(err, &foreign):
		return "its certificate is signed by a CA that this host does not trust: install that CA on this host, or get a public certificate"
	case errors.As(err, &cert):
		return "its certificate is not valid for this host name or at this time: see the certificate, the name in url, and both clocks"
	case errors.As(err, &record):
		return "it does not speak TLS on this port: see scheme and port of url"
	case errors.Is(err, ErrAddress):
		return "see where the name leads; an address on site needs private = true"
	}
	return ""
}
