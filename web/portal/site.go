package portal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"memberradius/member"
	"memberradius/web/portal/unifi"
)

// A Method is a way in.
type Method string

// The methods.
const (
	// Login is a member's login and password.
	Login Method = "login"
	// Voucher is a code.
	Voucher Method = "voucher"
	// Click is a button: whoever accepts the terms comes in.
	Click Method = "click"
)

// grant is the kind of the grants that it leads to.
func (m Method) grant() string {
	if m == Login {
		return "portal"
	}
	return string(m)
}

// A Kind says how a device is handed to its controller.
type Kind string

// The kinds. UAM reads from the redirect which of MikroTik, Chilli, Aruba, Cisco
// and Ruckus it is.
const (
	UAM      Kind = "uam"
	MikroTik Kind = "mikrotik"
	Chilli   Kind = "chilli"
	Aruba    Kind = "aruba"
	Cisco    Kind = "cisco"
	Ruckus   Kind = "ruckus"
	Meraki   Kind = "meraki"
	UniFi    Kind = "unifi"
	// MAC hands nothing over: the grant admits the MAC, and a CoA has the
	// controller ask again.
	MAC Kind = "mac"
)

// A Site is the portal of one [[site]]. Its fields are not changed once it is served.
type Site struct {
	// Name is the site's own, as in its address; Title what people read.
	Name, Title string
	Logo        Logo
	// Accent is the colour of buttons and links as "#rrggbb"; "" is a blue.
	// Shades of it are made where it would be hard to read.
	Accent string
	// Terms are what guests accept, by language ("en"); a language that is missing
	// shows those of the first of Languages. None: nothing is to be accepted.
	Terms map[string]string
	// Languages are offered, the first where the browser asks for no other; none: all.
	Languages []string
	// Methods are the ways in. None lets nobody in.
	Methods []Method
	// Kind is the controller's.
	Kind Kind
	// Controllers are the hosts that a browser may be sent to with a ticket: "host",
	// "host:port" or "*.domain". Private addresses (RFC 1918, RFC 6598, RFC 4193)
	// need not be listed.
	Controllers []string
	// ControllerTLS speaks TLS with a controller whose redirect does not say the scheme
	// (Ruckus, Chilli).
	ControllerTLS bool
	// UAMSecret is CoovaChilli's uamsecret; "": it has none.
	UAMSecret member.Secret
	// Guests authorises devices at a UniFi controller; for kind UniFi alone.
	// UniFiSite is the controller's name for the site, as in its redirects.
	Guests    Guests
	UniFiSite string
	// Session and Idle hold where neither plan nor voucher says; Session 0 is 8 hours.
	Session, Idle time.Duration
	// Landing is where guests go once they are in; "": nowhere. Venue is the operator's page on the place.
	Landing, Venue string
	// Contact is whom to ask: a mail address or any text.
	Contact string
	// Zone is what times are shown in; nil is this server's.
	Zone *time.Location
}

// Guests is a UniFi controller; *unifi.Client is one.
type Guests interface {
	Authorize(ctx context.Context, g *unifi.Guest) error
	Withdraw(ctx context.Context, mac string) error
}

var _ Guests = (*unifi.Client)(nil)

// A Logo is an image; the zero value is none.
type Logo struct {
	// Type is its media type, Data at most 256 KiB.
	Type string
	Data []byte
}

// LogoOf finds out what kind of image data is. One that is none has a Type that
// Check refuses.
func LogoOf(data []byte) Logo {
	kind, _, _ := strings.Cut(http.DetectContentType(data), ";")
	// An SVG is text to whoever looks at its first octets alone.
	if (kind == "text/xml" || kind == "text/plain") && bytes.Contains(data, []byte("<svg")) {
		kind = "image/svg+xml"
	}
	return Logo{Type: kind, Data: data}
}

const (
	defaultSession = 8 * time.Hour
	maxLogo        = 256 << 10
	maxTerms       = 64 << 10
)

var (
	siteName    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	colour      = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	hostPattern = regexp.MustCompile(`^(\*\.)?[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?$|^\[[0-9a-fA-F:]+\](:[0-9]{1,5})?$`)
)

// Check says what is wrong with a site, all of it at once.
func (s *Site) Check() error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("portal: site %q: "+format, append([]any{s.Name}, args...)...))
	}
	if !siteName.MatchString(s.Name) {
		wrong("a name of lower-case letters, digits and - is needed, since it stands in the address")
	}
	if len(s.Methods) == 0 {
		wrong("methods: at least one of login, voucher, click is needed")
	}
	for _, m := range s.Methods {
		if m != Login && m != Voucher && m != Click {
			wrong("methods: %q is none of login, voucher, click", m)
		}
	}
	if vendors()[s.Kind] == nil && s.Kind != UAM {
		wrong("controller: %q is none of %s", s.Kind, strings.Join(kindWords(), ", "))
	}
	if s.Kind == UniFi && s.Guests == nil {
		wrong("controller: unifi needs the controller's URL and a user")
	}
	if s.Accent != "" && !colour.MatchString(s.Accent) {
		wrong("accent: %q is no colour as #1f5fbf", s.Accent)
	}
	if s.Session < 0 || s.Idle < 0 {
		wrong("session and idle can't be negative")
	}
	for _, c := range s.Controllers {
		if !hostPattern.MatchString(c) {
			wrong("controllers: %q is no host, host:port or *.domain", c)
		}
	}
	s.checkTexts(wrong)
	return errors.Join(errs...)
}

func (s *Site) checkTexts(wrong func(format string, args ...any)) {
	for _, l := range s.Languages {
		if wordsIn(l) == nil {
			wrong("languages: %q is none of %s", l, strings.Join(languageTags(), ", "))
		}
	}
	for l, text := range s.Terms {
		if wordsIn(l) == nil || len(text) > maxTerms {
			wrong("terms: %q is no language of the portal, or its text is longer than 64 KiB", l)
		}
	}
	for _, u := range []struct{ key, address string }{{"landing", s.Landing}, {"venue", s.Venue}} {
		if u.address != "" && webAddress(u.address) == "" {
			wrong("%s: %q is no http or https address", u.key, u.address)
		}
	}
	if len(s.Logo.Data) > maxLogo || len(s.Logo.Data) > 0 && !slices.Contains(logoTypes(), s.Logo.Type) {
		wrong("logo: an image of at most 256 KiB is needed, PNG, JPEG, GIF, WebP or SVG")
	}
}

func logoTypes() []string {
	return []string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"}
}

// offers says whether the operator allows a way in.
func (s *Site) offers(m Method) bool { return slices.Contains(s.Methods, m) }

// session returns how long one may stay whom a plan gives so much.
func (s *Site) session(plan time.Duration) time.Duration {
	switch {
	case plan > 0:
		return plan
	case s.Session > 0:
		return s.Session
	}
	return defaultSession
}

// idle is the same for the time without traffic; 0 is no bound.
func (s *Site) idle(plan time.Duration) time.Duration {
	if plan > 0 {
		return plan
	}
	return s.Idle
}

// terms returns what is to be accepted, in this language where there is a text in it.
func (s *Site) terms(lang string) string {
	if text, ok := s.Terms[lang]; ok {
		return text
	}
	for _, l := range s.languages() {
		if text, ok := s.Terms[l]; ok {
			return text
		}
	}
	return ""
}

func (s *Site) languages() []string {
	if len(s.Languages) > 0 {
		return s.Languages
	}
	return languageTags()
}

// title is what people call the place.
func (s *Site) title() string {
	if s.Title != "" {
		return s.Title
	}
	return s.Name
}

// maxAddress is the longest address that is kept; Meraki's login_url has about 500 octets.
const maxAddress = 2048

// webAddress returns an address that a browser may be shown a link to, as it is
// normally written; "" for what is no absolute http or https address.
func webAddress(address string) string {
	if address == "" || len(address) > maxAddress || strings.ContainsFunc(address, unprintable) {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return ""
	}
	return u.String()
}

func unprintable(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }
