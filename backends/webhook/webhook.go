package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"memberradius/backends"
	"memberradius/backends/local"
	"memberradius/member"

	"golang.org/x/time/rate"
)

// Config is the part of a [[backend]] that is kind "webhook"'s own.
type Config struct {
	// WebhookSecret is what pushes are signed with: "whsec_" and base64 of 24
	// octets or more. While one replaces another both stand here, with a blank or
	// a line break in between, up to eight.
	WebhookSecret member.Secret `toml:"webhook_secret"`
	// Secret says where passwords come from: "generate" (the default) makes one
	// here for each member, "given" takes the one in the push.
	Secret string `toml:"secret"`
}

// Open checks c and returns the backend over d.Directory. Where c is wrong the
// error is a *backends.KeyError.
func (c Config) Open(d backends.Deps) (backends.Backend, error) {
	keys, err := parseSecrets(c.WebhookSecret)
	if err != nil {
		return nil, &backends.KeyError{Key: "webhook_secret", Err: err}
	}
	b := &Backend{
		name: d.Name, keys: keys, now: d.Clock(), say: d.Say,
		unsigned: rate.Sometimes{First: 1, Interval: sayEvery}, late: rate.Sometimes{First: 1, Interval: sayEvery},
	}
	switch c.Secret {
	case "", "generate":
	case "given":
		b.given = true
	default:
		return nil, backends.Wrong("secret", `%q is not known; write "generate" or "given"`, c.Secret)
	}
	b.decoder = decoder{backend: d.Name, given: b.given, ntHash: d.NTHash}
	if d.Directory == nil {
		return nil, errors.New("webhook: there is no embedded store to keep members in: set [server] data")
	}
	memory, err := local.Config{}.Open(d)
	if err != nil {
		return nil, err
	}
	b.Backend = memory.(*local.Backend)
	return b, nil
}

// sayEvery is how often the operator hears of pushes that fail alike: whoever
// reaches the server can send some.
const sayEvery = time.Minute

// A Backend answers from the members that were pushed.
type Backend struct {
	*local.Backend
	name           string
	keys           []key
	given          bool
	decoder        decoder
	now            func() time.Time
	say            func(backends.Finding)
	unsigned, late rate.Sometimes
}

var (
	_ backends.Backend     = (*Backend)(nil)
	_ backends.Knower      = (*Backend)(nil)
	_ backends.Expecter    = (*Backend)(nil)
	_ backends.Notified    = (*Backend)(nil)
	_ backends.Provisioner = (*Backend)(nil)
	_ backends.Checker     = (*Backend)(nil)
)

// Secrecy implements backends.Provisioner.
func (b *Backend) Secrecy() backends.Secrecy {
	if b.given {
		return backends.Brought
	}
	return backends.Generated
}

// Check implements backends.Checker. There is nobody to ask: the system asks us.
func (b *Backend) Check(context.Context) []backends.Finding {
	if len(b.keys) == 1 {
		return nil
	}
	return []backends.Finding{{
		What:   fmt.Sprintf("backend %s: webhook_secret holds %d secrets, and a push signed with any of them is taken", b.name, len(b.keys)),
		Remedy: "remove the old one as soon as the system signs with the new one",
	}}
}
