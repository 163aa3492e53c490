package nexudus

import (
	"fmt"
	"net/url"
	"regexp"
	"time"

	"memberradius/backends"
	"memberradius/backends/outward"
	"memberradius/member"
)

const (
	// DefaultURL is where Nexudus answers its customers' programs.
	DefaultURL = "https://spaces.nexudus.com"
	// DefaultTimeout bounds all tries of one request together.
	DefaultTimeout = 5 * time.Second
	// DefaultFresh is how long a member's own password that Nexudus has taken is used again.
	DefaultFresh = 5 * time.Minute
	// DefaultGrace is how long it is while Nexudus can't be asked.
	DefaultGrace = 24 * time.Hour
	// clientID tells our refresh token from those of other programs and of people.
	clientID = "memberradius"
)

// Config is the part of a [[backend]] that is kind "nexudus"'s own.
type Config struct {
	// URL is the API's address (empty: DefaultURL).
	URL string `toml:"url"`
	// Space is the name in the address of the space, https://{space}.spaces.nexudus.com,
	// where members sign in. MemberURL is that address where it is another one.
	Space     string `toml:"space"`
	MemberURL string `toml:"member_url"`
	// Username and Password are those of a user of Nexudus who has API access.
	// Without them nothing is read, and members come by pushes alone (ACSToken).
	Username string        `toml:"username"`
	Password member.Secret `toml:"password"`
	// Auth is how to sign in: "token" (the default) or "basic".
	Auth string `toml:"auth"`
	// ClientID is what our refresh token is kept under there: one each (empty: "memberradius").
	ClientID string `toml:"client_id"`
	// Login is where the login stands: "email" (the default), "id", "custom1" to "custom30".
	Login string `toml:"login"`
	// Secret is where the password comes from: "generate" (the default),
	// "pincode", "custom1" to "custom30", or "live": Nexudus is asked.
	Secret string `toml:"secret"`
	// WebhookSecret signs hooks; empty, none is taken.
	WebhookSecret member.Secret `toml:"webhook_secret"`
	// ACSToken is the bearer of Custom ACS pushes; empty, none is taken.
	ACSToken member.Secret `toml:"acs_token"`
	// CheckinRequired lets in only who is checked in.
	CheckinRequired bool `toml:"checkin_required"`
	// WriteBack is the custom field that shows a member her Wi-Fi password; empty is none.
	WriteBack string `toml:"write_back"`
	// Live is how a member's own password is asked about: "token" (the default), which
	// signs her in, or "checkin", which also says how long her pass lasts.
	Live string `toml:"live"`
	// Timeout bounds all tries of one request (0: DefaultTimeout).
	Timeout time.Duration `toml:"timeout"`
	// Requests are how many a minute Nexudus takes of us (0: DefaultRequests).
	Requests int `toml:"requests_per_minute"`
	// Fresh, Grace and InFlight are those of a system that is asked live, and
	// hold for members' passwords where Secret is "live".
	Fresh    *time.Duration `toml:"fresh"`
	Grace    *time.Duration `toml:"grace"`
	InFlight int            `toml:"in_flight"`
	// Private allows a host name that leads to a private or loopback address.
	Private bool `toml:"private"`
	// Insecure allows http to any host. The token and passwords then travel in clear.
	Insecure bool `toml:"insecure"`
}

// Open checks c and returns the backend, without a call to Nexudus: a *Synced,
// or a *Backend where there is no user to read by. The error is a *backends.KeyError.
func (c Config) Open(d backends.Deps) (backends.Backend, error) {
	if d.Directory == nil {
		return nil, fmt.Errorf("nexudus: there is no embedded store to keep members in: set [server] data")
	}
	b := &Backend{
		name: d.Name, config: c, directory: d.Directory, synced: d.Synced, now: d.Clock(), teller: newTeller(d.Say, d.Clock()),
		pushed: map[string]time.Time{},
	}
	if b.synced == nil {
		b.synced = func() bool { return true }
	}
	if err := c.fields(b); err != nil {
		return nil, err
	}
	if err := c.bounds(); err != nil {
		return nil, err
	}
	members, err := c.memberAddress()
	if err != nil {
		return nil, err
	}
	if c.Secret == "live" {
		b.live = c.openLive(members, d)
	}
	if c.Username == "" && c.Password == "" {
		return c.pushedOnly(b)
	}
	return c.synced(b, members)
}

// pushedOnly returns b where nothing can be read.
func (c Config) pushedOnly(b *Backend) (backends.Backend, error) {
	switch {
	case c.ACSToken == "":
		return nil, backends.Wrong("username", "is missing; write the email of a user of Nexudus who has API access, and their password")
	case b.login >= fieldCustom:
		return nil, backends.Wrong("login", "can't be a custom field without a username to read it by: a push of Nexudus holds email and id")
	case b.secret >= fieldCustom:
		return nil, backends.Wrong("secret", "can't be a custom field without a username to read it by; write generate or pincode")
	case c.WriteBack != "" || c.CheckinRequired:
		return nil, backends.Wrong("username", "is missing, which write_back and checkin_required need")
	}
	return b, nil
}

// synced returns b with what reads.
func (c Config) synced(b *Backend, members *url.URL) (backends.Backend, error) {
	if c.Username == "" || c.Password == "" {
		return nil, backends.Wrong("password", `and username belong together; write password = "env:NAME" or "file:PATH"`)
	}
	text := c.URL
	if text == "" {
		text = DefaultURL
	}
	base, err := outward.Address(text, c.Insecure)
	if err != nil {
		return nil, backends.Wrong("url", "%w", err)
	}
	s := &Synced{Backend: b, turn: make(chan struct{}, 1), members: members, rule: rule{b.name, c.CheckinRequired}}
	if s.writeBack, err = c.writeBackField(b); err != nil {
		return nil, err
	}
	s.admin = &client{
		name: b.name, base: base, where: base.Scheme + "://" + base.Host, now: b.now,
		transport: newTransport(base, c.Private, c.timeout()), timeout: c.timeout(), pause: firstPause, pace: newPace(c.requests(), b.now),
	}
	switch c.Auth {
	case "", "token":
		id := c.ClientID
		if id == "" {
			id = clientID
		}
		s.admin.login = newBearer(c.Username, c.Password, id)
	case "basic":
		s.admin.login = newBasic(c.Username, c.Password)
	default:
		return nil, backends.Wrong("auth", `%q is not known; write "token" or "basic"`, c.Auth)
	}
	return s, nil
}

// fields reads where logins and passwords stand.
func (c Config) fields(b *Backend) (err error) {
	switch c.Login {
	case "", "email":
		b.login = fieldEmail
	case "id":
		b.login = fieldID
	default:
		if b.login, err = customField(c.Login); err != nil {
			return backends.Wrong("login", "%w, or email, or id", err)
		}
	}
	switch c.Secret {
	case "", "generate":
		b.secrecy = backends.Generated
	case "live":
		b.secrecy = backends.Asked
	case "pincode":
		b.secret = fieldPincode
	default:
		if b.secret, err = customField(c.Secret); err != nil {
			return backends.Wrong("secret", "%w, or generate, pincode or live", err)
		}
		if b.secret == b.login {
			return backends.Wrong("secret", "is the field that the login stands in")
		}
	}
	return nil
}

func (c Config) writeBackField(b *Backend) (field, error) {
	if c.WriteBack == "" {
		return fieldNone, nil
	}
	f, err := customField(c.WriteBack)
	switch {
	case err != nil:
		return f, backends.Wrong("write_back", "%w", err)
	case f == b.login || f == b.secret:
		return f, backends.Wrong("write_back", "is the field that login or secret is read from; take another")
	case b.secrecy != backends.Generated:
		return f, backends.Wrong("write_back", `needs secret = "generate": other passwords come from Nexudus`)
	}
	return f, nil
}

// clientIDs are what a header can hold.
var clientIDs = regexp.MustCompile(`^[!-~]{0,100}$`)

func (c Config) bounds() error {
	switch {
	case c.Timeout < 0 || c.Timeout > 0 && c.Timeout < 100*time.Millisecond:
		return backends.Wrong("timeout", `is less than a request takes; write it with a unit, as "5s"`)
	case c.Requests < 0 || c.Requests > 1_000_000:
		return backends.Wrong("requests_per_minute", "must be from 1 to 1,000,000")
	case c.InFlight < 0 || c.InFlight > 65536:
		return backends.Wrong("in_flight", "must be from 1 to 65,536")
	case c.Fresh != nil && *c.Fresh < 0:
		return backends.Wrong("fresh", "can't be negative")
	case c.Grace != nil && *c.Grace < 0:
		return backends.Wrong("grace", "can't be negative")
	case !clientIDs.MatchString(c.ClientID):
		return backends.Wrong("client_id", "must be up to 100 letters, digits and signs without blanks")
	case c.Live != "" && c.Live != "token" && c.Live != "checkin":
		return backends.Wrong("live", `%q is not known; write "token" or "checkin"`, c.Live)
	}
	return nil
}

// label is one part of a host's name (RFC 1035 §2.3.1).
var label = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// memberAddress returns where members sign in; nil where nobody said.
func (c Config) memberAddress() (*url.URL, error) {
	switch {
	case c.MemberURL != "":
		u, err := outward.Address(c.MemberURL, c.Insecure)
		if err != nil {
			return nil, backends.Wrong("member_url", "%w", err)
		}
		return u, nil
	case c.Space == "" && c.Secret == "live":
		return nil, backends.Wrong("space", `is missing; secret = "live" asks where members sign in, https://{space}.spaces.nexudus.com`)
	case c.Space == "":
		return nil, nil
	case !label.MatchString(c.Space):
		return nil, backends.Wrong("space", `%q is no name of a space; it is what stands before ".spaces.nexudus.com" in its address`, c.Space)
	}
	return &url.URL{Scheme: "https", Host: c.Space + ".spaces.nexudus.com"}, nil
}

func (c Config) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return DefaultTimeout
}

func (c Config) requests() int {
	if c.Requests > 0 {
		return c.Requests
	}
	return DefaultRequests
}
