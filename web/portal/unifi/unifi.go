// Package unifi is a client of a UniFi controller's API: it lets guests' devices
// in and out. It speaks with the Network application by itself and inside a
// UniFi OS console.
//
// It does not own who may come in, nor the portal that asks.
package unifi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"memberradius/member"
)

// Config is what New needs.
type Config struct {
	// URL is the controller's, as "https://192.168.1.1" or "https://unifi.example.com:8443".
	URL string
	// Site is the controller's own short name, as in the addresses of its pages; "" is "default".
	Site string
	// Username and Password are of a local administrator without a second factor.
	// APIKey stands for both where the console has one.
	Username string
	Password member.Secret
	APIKey   member.Secret
	// CA is who signed the controller's certificate; nil is the system's. Fingerprint is
	// SHA-256 of the certificate itself, in hexadecimal, colons or not: with one, the
	// certificate needs nobody's signature. A controller makes its own on first start.
	CA          *x509.CertPool
	Fingerprint string
	// Timeout bounds each call with all its requests; 0 is 5 s.
	Timeout time.Duration
	// Dial opens connections; nil is net.Dialer's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// ErrRefused says that the controller refuses our user or key.
var ErrRefused = errors.New("the controller refuses the user, its password or the key")

// A Guest is a device to let in.
type Guest struct {
	// MAC is the device, AccessPoint where it is ("": not known; with it the
	// controller is quicker), as "aa:bb:cc:dd:ee:ff".
	MAC, AccessPoint string
	// For is how long, in whole minutes, rounded up. At least one: without a time the
	// controller takes 480 minutes of its own.
	For time.Duration
	// Up and Down are in kbit/s, Megabytes is all the traffic; 0 is no bound.
	Up, Down, Megabytes uint32
}

// A Client speaks with one controller. It may be used by many at once.
type Client struct {
	base   *url.URL
	site   string
	config Config
	http   *http.Client

	mu      sync.Mutex
	session *session
	// refused is when the controller last refused us: a wrong password is not tried
	// again at once, since consoles lock the user out.
	refused time.Time
}

const (
	defaultTimeout = 5 * time.Second
	// afterRefusal is how long a refused login is not tried again.
	afterRefusal = time.Minute
	// maxAnswer bounds an answer; those that are used have a few hundred octets.
	maxAnswer = 64 << 10
)

// New checks c. It opens no connection.
func New(c Config) (*Client, error) {
	base, err := url.Parse(c.URL)
	if err != nil || base.Scheme != "https" || base.Host == "" || base.User != nil || strings.Trim(base.Path, "/") != "" {
		return nil, fmt.Errorf("unifi: url: %q is no address as https://192.168.1.1", c.URL)
	}
	if c.APIKey == "" && (c.Username == "" || c.Password == "") {
		return nil, errors.New("unifi: a username with a password is needed, or an API key")
	}
	if c.Site == "" {
		c.Site = "default"
	}
	if strings.ContainsFunc(c.Site, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	}) {
		return nil, fmt.Errorf("unifi: site: %q is none: take the short name from the address of the controller's pages, /manage/NAME/", c.Site)
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	secure, err := trust(&c)
	if err != nil {
		return nil, err
	}
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: c.Timeout}).DialContext
	}
	return &Client{
		base: &url.URL{Scheme: base.Scheme, Host: base.Host}, site: c.Site, config: c,
		http: &http.Client{
			Timeout: c.Timeout,
			// A redirect would take our cookie elsewhere; the API has none.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				DialContext: dial, TLSClientConfig: secure, TLSHandshakeTimeout: c.Timeout,
				MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 32 << 10,
			},
		},
	}, nil
}

// trust is how the controller's certificate is judged.
func trust(c *Config) (*tls.Config, error) {
	out := &tls.Config{RootCAs: c.CA, MinVersion: tls.VersionTLS12}
	if c.Fingerprint == "" {
		return out, nil
	}
	want, err := hex.DecodeString(strings.ReplaceAll(c.Fingerprint, ":", ""))
	if err != nil || len(want) != sha256.Size {
		return nil, fmt.Errorf("unifi: fingerprint: %q is no SHA-256 in hexadecimal", c.Fingerprint)
	}
	// The pin replaces chain and name: VerifyConnection runs in their place, at resumptions too.
	out.InsecureSkipVerify = true
	out.VerifyConnection = func(s tls.ConnectionState) error {
		got := sha256.Sum256(s.PeerCertificates[0].Raw)
		if subtle.ConstantTimeCompare(got[:], want) != 1 {
			return errors.New("the certificate is not the one of the fingerprint")
		}
		return nil
	}
	return out, nil
}

// Close gives idle connections back.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}
