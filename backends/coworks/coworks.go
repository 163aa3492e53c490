package coworks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"memberradius/backends"
	"memberradius/backends/rest"
	"memberradius/member"

	"golang.org/x/time/rate"
)

// placeholder is where the space id stands in an address.
const placeholder = "{space_id}"

// Config is the part of a [[backend]] that is kind "coworks"'s own. What it
// shares with kind "rest" means the same: see rest.Config.
type Config struct {
	// URL is where to POST. It holds {space_id}.
	URL string `toml:"url"`
	// SpaceID is the space's id in Coworks: letters, digits and "-._~".
	SpaceID string `toml:"space_id"`
	// Token is Coworks' API key.
	Token     member.Secret `toml:"token"`
	Timeout   time.Duration `toml:"timeout"`
	InFlight  int           `toml:"in_flight"`
	DenyOn    []int         `toml:"deny_on"`
	UnknownOn []int         `toml:"unknown_on"`
	Zone      string        `toml:"zone"`
	Private   bool          `toml:"private"`
	Insecure  bool          `toml:"insecure"`
}

// Open checks c and returns the backend, without a call to Coworks. The error
// is a *backends.KeyError.
func (c Config) Open(d backends.Deps) (backends.Backend, error) {
	if err := c.checkSpace(); err != nil {
		return nil, err
	}
	r, err := c.reach(c.SpaceID, d)
	if err != nil {
		return nil, err
	}
	return &Backend{
		name: d.Name, config: c, asked: r, say: d.Say,
		refused: rate.Sometimes{First: 1, Interval: sayEvery}, mschap: rate.Sometimes{First: 1, Interval: sayEvery},
	}, nil
}

func (c Config) checkSpace() error {
	wrong := func(key, text string) error { return &backends.KeyError{Key: key, Err: errors.New(text)} }
	switch {
	case c.URL == "":
		return wrong("url", `is missing; write Coworks' address for logins with {space_id} in it`)
	case !strings.Contains(c.URL, placeholder):
		return wrong("url", "has no {space_id}; put it where the address names the space, and the id itself into space_id")
	case c.SpaceID == "":
		return wrong("space_id", `is missing; write the Space ID that Coworks shows below Settings > Integrations`)
	case strings.Trim(c.SpaceID, unreserved) != "", strings.Trim(c.SpaceID, ".") == "", len(c.SpaceID) > maxSpaceID:
		return wrong("space_id", fmt.Sprintf("is none: letters, digits, \"-\", \".\", \"_\" and \"~\" are taken, at most %d; copy the Space ID alone, not an address", maxSpaceID))
	}
	return nil
}

const (
	// unreserved are the characters that mean themselves anywhere in an address
	// (RFC 3986 §2.3). Dots alone would climb to another path.
	unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	maxSpaceID = 128
)

// preset returns the settings of kind "rest" for a space.
func (c Config) preset(space string) rest.Config {
	return rest.Config{
		URL:   strings.ReplaceAll(c.URL, placeholder, space),
		Token: c.Token, Timeout: c.Timeout, InFlight: c.InFlight, DenyOn: c.DenyOn, UnknownOn: c.UnknownOn,
		Zone: c.Zone, Private: c.Private, Insecure: c.Insecure,
	}
}

// reach returns what asks about the members of a space.
func (c Config) reach(space string, d backends.Deps) (*rest.REST, error) {
	d.Tell = nil // all that rest tells is a token refused, which Ask says in its own words
	b, err := c.preset(space).Open(d)
	if err != nil {
		return nil, err
	}
	return b.(*rest.REST), nil
}

// sayEvery is how often the same is said of logins that all fail alike.
const sayEvery = time.Minute

// A Backend is a space that Coworks answers for. Close it.
type Backend struct {
	name            string
	config          Config
	asked           *rest.REST
	say             func(backends.Finding)
	refused, mschap rate.Sometimes
}

var (
	_ backends.Backend = (*Backend)(nil)
	_ backends.Checker = (*Backend)(nil)
)

// Close drops the connections that are idle.
func (b *Backend) Close() error { return b.asked.Close() }

// Ask implements backends.Backend with one POST. Coworks checks passwords in
// clear alone, so that MS-CHAP is refused here; a login that is proved already
// is asked about without one.
func (b *Backend) Ask(ctx context.Context, a *member.Attempt) (member.Answer, error) {
	if a.Proof.Kind == member.MSCHAPv1 || a.Proof.Kind == member.MSCHAPv2 {
		b.mschap.Do(func() { b.say(b.mschapFinding()) })
		return member.Answer{Verdict: member.Deny, Reason: member.ReasonNoCredential, Source: b.name}, nil
	}
	ans, err := b.asked.Ask(ctx, a)
	if backends.ClassOf(err) == backends.TokenRefused {
		b.refused.Do(func() { b.say(b.keyFinding(err)) })
	}
	return ans, err
}
