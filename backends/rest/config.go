package rest

import (
	"errors"
	"net/url"
	"slices"
	"time"

	"memberradius/backends"
	"memberradius/backends/outward"
	"memberradius/member"

	"golang.org/x/time/rate"
)

// DefaultTimeout bounds one call, from dialling to the last octet of the body.
const DefaultTimeout = 3 * time.Second

// Config is the part of a [[backend]] that is kind "rest"'s own.
type Config struct {
	// URL is where to POST. It must be https, or lead to this host.
	URL string `toml:"url"`
	// Token is sent as Bearer; it is the secret itself, already read from "file:" or "env:".
	Token member.Secret `toml:"token"`
	// Timeout bounds one call (0: DefaultTimeout).
	Timeout time.Duration `toml:"timeout"`
	// InFlight is how many calls may be under way at the same time, and so how
	// many connections are kept (0: backends.DefaultInFlight). The bound itself is backends.Bulkhead.
	InFlight int `toml:"in_flight"`
	// DenyOn are statuses of 4xx that refuse whatever their body says. 401 and
	// 403 mean that our token is refused unless they stand here.
	DenyOn []int `toml:"deny_on"`
	// UnknownOn are statuses of 4xx that mean an unknown login (nil: 404 and 410).
	UnknownOn []int `toml:"unknown_on"`
	// MSCHAP says what mschap_challenge and mschap_response hold: "challenge-hash"
	// (the default: 8-octet ChallengeHash and 24-octet NT-Response) or "raw"
	// (the challenge and the 50-octet response as the NAS sent them).
	MSCHAP string `toml:"mschap"`
	// Zone is the time zone of dates that name none, as "Europe/Berlin" (empty: UTC).
	Zone string `toml:"zone"`
	// Private allows a host name that leads to a private or loopback address.
	Private bool `toml:"private"`
	// Insecure allows http to any host. The token and passwords then travel in clear.
	Insecure bool `toml:"insecure"`
}

// Open checks c and returns the backend, without a call to the system. The
// error is a *backends.KeyError.
func (c Config) Open(d backends.Deps) (backends.Backend, error) {
	target, err := c.target()
	if err != nil {
		return nil, err
	}
	if err := outward.CheckToken(c.Token); err != nil {
		return nil, backends.Wrong("token", "%w", err)
	}
	if err := c.checkStatuses(); err != nil {
		return nil, err
	}
	if c.Timeout < 0 || c.InFlight < 0 {
		return nil, backends.Wrong("timeout", "and in_flight can't be negative")
	}
	zone, err := time.LoadLocation(c.Zone) // empty is UTC
	if err != nil {
		return nil, backends.Wrong("zone", "%q is no time zone of this host; write it as \"Europe/Berlin\"", c.Zone)
	}
	r := &REST{name: d.Name, now: d.Clock(), say: d.Say, zone: zone, timeout: c.Timeout, denyOn: c.DenyOn, unknownOn: c.UnknownOn}
	switch c.MSCHAP {
	case "", "challenge-hash":
	case "raw":
		r.raw = true
	default:
		return nil, backends.Wrong("mschap", "%q is not known; write \"challenge-hash\" or \"raw\"", c.MSCHAP)
	}
	if r.timeout == 0 {
		r.timeout = DefaultTimeout
	}
	if r.unknownOn == nil {
		r.unknownOn = []int{404, 410}
	}
	if c.InFlight == 0 {
		c.InFlight = backends.DefaultInFlight
	}
	way := outward.Way{Target: target, Private: c.Private, Timeout: r.timeout, Idle: idleTimeout, MaxHeader: maxHeader, Connections: c.InFlight}
	r.line = way.Line(c.Token)
	r.loud = rate.Sometimes{First: 1, Interval: loudEvery}
	return r, nil
}

// target checks the address.
func (c Config) target() (*url.URL, error) {
	if c.URL == "" {
		return nil, backends.Wrong("url", `is missing; write url = "https://api.example.com/wifi"`)
	}
	u, err := outward.Address(c.URL, c.Insecure)
	if err != nil {
		return nil, backends.Wrong("url", "%w", err)
	}
	return u, nil
}

var errStatus = errors.New("only statuses from 400 to 499 may stand here, and neither 408 nor 429, which never are an answer about a member")

func (c Config) checkStatuses() error {
	for _, list := range []struct {
		key   string
		codes []int
	}{{"deny_on", c.DenyOn}, {"unknown_on", c.UnknownOn}} {
		for _, code := range list.codes {
			if code < 400 || code > 499 || code == 408 || code == 429 {
				return backends.Wrong(list.key, "%d: %w", code, errStatus)
			}
		}
	}
	for _, code := range c.DenyOn {
		if slices.Contains(c.UnknownOn, code) {
			return backends.Wrong("unknown_on", "%d stands in deny_on as well; it can mean one of the two", code)
		}
	}
	return nil
}
