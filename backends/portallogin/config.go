package portallogin

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"memberradius/backends"
	"memberradius/backends/outward"
	"memberradius/member"

	"golang.org/x/time/rate"
)

const (
	// DefaultTimeout bounds one call, from dialling to the last octet of the body.
	DefaultTimeout = 3 * time.Second
	// leastTimeout is below what any network needs: a smaller one is a typing error.
	leastTimeout = 10 * time.Millisecond
	// resource is where the API has logins, with the slash at its end.
	resource = "/portal_login/"
)

// Config is the part of a [[backend]] that is kind "portal_login"'s own.
type Config struct {
	// URL is where the API begins, as "https://gate.example.com/api/v1". It must
	// be https, or lead to this host.
	URL string `toml:"url"`
	// Token is sent as Bearer; it is the secret itself, already read from "file:" or "env:".
	Token member.Secret `toml:"token"`
	// Site is the [[site]] whose logins it is told; empty: every site's.
	Site string `toml:"site"`
	// Timeout bounds one call (0: DefaultTimeout).
	Timeout time.Duration `toml:"timeout"`
	// Private allows a host name that leads to a private or loopback address.
	Private bool `toml:"private"`
	// Insecure allows http to any host. The token then travels in clear.
	Insecure bool `toml:"insecure"`
}

// Open checks c and returns a *Backend, without a call to the system. The error
// is a *backends.KeyError.
func (c Config) Open(d backends.Deps) (backends.Backend, error) {
	target, err := c.target()
	if err != nil {
		return nil, err
	}
	if err := outward.CheckToken(c.Token); err != nil {
		return nil, backends.Wrong("token", "%w", err)
	}
	if c.Timeout != 0 && c.Timeout < leastTimeout {
		return nil, backends.Wrong("timeout", "%s is too short for any network; write \"3s\"", c.Timeout)
	}
	b := &Backend{name: d.Name, site: c.Site, now: d.Clock(), say: d.Say, timeout: c.Timeout}
	if b.timeout == 0 {
		b.timeout = DefaultTimeout
	}
	way := outward.Way{Target: target, Private: c.Private, Timeout: b.timeout, Idle: idleTimeout, MaxHeader: maxHeader, Connections: connections}
	b.line = way.Line(c.Token)
	b.loud = rate.Sometimes{First: 1, Interval: loudEvery}
	return b, nil
}

// target checks the address and leads it to the logins.
func (c Config) target() (*url.URL, error) {
	if c.URL == "" {
		return nil, backends.Wrong("url", `is missing; write url = "https://gate.example.com/api/v1"`)
	}
	u, err := outward.Address(c.URL, c.Insecure)
	switch {
	case err != nil:
		return nil, backends.Wrong("url", "%w", err)
	case u.RawQuery != "" || u.ForceQuery:
		return nil, backends.Wrong("url", "%w", errQuery)
	case strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(resource, "/")):
		return nil, backends.Wrong("url", "%w", errResource)
	}
	if u.Path == "" {
		u.Path = "/" // else JoinPath would make a path that does not begin with one
	}
	return u.JoinPath(resource), nil
}

var (
	errQuery    = errors.New(`holds a "?": the API begins at an address without one`)
	errResource = errors.New("ends in portal_login, which is added by itself; leave it out")
)
