package me

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"time"

	"memberradius/member"
	"memberradius/onboard"
	"memberradius/web/caller"
)

// ErrNoLink says that a link or a session is unknown, used up or has run out.
var ErrNoLink = errors.New("no such link")

// A Refusal is why something can't be done at the moment, in words for the
// operator; the member reads a sentence in her own language. It is an error.
type Refusal struct{ Words string }

// Error implements error.
func (r *Refusal) Error() string { return r.Words }

// sessionLife is how long a member may look at her page after she opened it.
const sessionLife = 30 * time.Minute

// Who is a member.
type Who struct{ Backend, Login string }

// Links are one-time links and the sessions that they begin. Each error is
// ErrNoLink or a fault of this server.
type Links interface {
	// Peek says whether a link is good, and leaves it good: mail scanners open links.
	Peek(ctx context.Context, link member.Secret) error
	// Take uses the link up, and returns a session that lasts for life.
	Take(ctx context.Context, link member.Secret, life time.Duration) (session member.Secret, err error)
	// Session returns whose a session is.
	Session(ctx context.Context, session member.Secret) (Who, error)
}

// A Sheet is what a member sees of hers.
type Sheet struct {
	// Network is the Wi-Fi of her site; nil: no SSID is configured, and there are
	// no profiles.
	Network *onboard.Network
	// Access is what she comes in with. An empty Password is one that her member
	// system keeps for her.
	Access onboard.Access
	// Renewable says that she can have a new password made here.
	Renewable bool
	// Ended says that she would be refused at the moment: her membership has
	// ended, has not begun or is suspended.
	Ended bool
}

// Members are those whose pages these are.
type Members interface {
	// Sheet returns what w sees. member.ErrUnknown: she is gone.
	Sheet(ctx context.Context, w Who) (*Sheet, error)
	// Renew makes her a new password; the old one proves nobody any more. A
	// *Refusal: it can't be done.
	Renew(ctx context.Context, w Who) error
}

// Config is what New needs: Links and Members, and what there is of the rest.
type Config struct {
	Links   Links
	Members Members
	// Sign signs Apple's profiles; nil leaves them unsigned.
	Sign *tls.Certificate
	// PublicURL is where members reach us, as "https://wifi.example.com"; "": as they did.
	PublicURL string
	// Space is what people call the place. Contact is whom to ask for a new link,
	// a mail address or anything that can be read; both may be empty.
	Space, Contact string
	// Proxies are the operator's own.
	Proxies caller.Proxies
	// Fault hears of faults of this server that a member met. They hold no
	// secret. It must not wait. Nil hears nothing.
	Fault func(error)
	// Now is the clock, Rand the randomness; nil are time.Now and crypto/rand.
	Now  func() time.Time
	Rand io.Reader
}

// A desk serves the pages.
type desk struct {
	Config
	pages       *template.Template
	style, icon asset
	guesses     *caller.Guesses
	hands       *handovers
}

// New returns the handler of /me and everything below.
func New(c Config) (http.Handler, error) {
	if c.Links == nil || c.Members == nil {
		return nil, errors.New("me: Links and Members must be set")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Fault == nil {
		c.Fault = func(error) {}
	}
	d := &desk{Config: c, guesses: caller.NewGuesses(c.Now), hands: newHandovers(c.Now, c.Rand)}
	if err := d.load(); err != nil {
		return nil, fmt.Errorf("me: %w", err)
	}
	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(d.stranger))
	if c.PublicURL != "" {
		origin, err := originOf(c.PublicURL)
		if err == nil {
			err = origins.AddTrustedOrigin(origin)
		}
		if err != nil {
			return nil, fmt.Errorf("me: public_url: %w", err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /me", d.sheet)
	mux.HandleFunc("GET /me/{link}", d.door)
	mux.HandleFunc("POST /me/{link}", d.enter)
	mux.HandleFunc("POST /me/password", d.renew)
	mux.HandleFunc("GET /me/profile/{kind}", d.profile)
	mux.HandleFunc("GET "+d.style.path, d.style.serve)
	mux.HandleFunc("GET "+d.icon.path, d.icon.serve)
	return dress(origins.Handler(mux)), nil
}

// policy lets the pages load what lies here, and nothing run.
const policy = "default-src 'self'; script-src 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// dress sets what the pages need and nothing more: their one style sheet, and
// the Origin header of their forms, which the policy no-referrer would empty.
func dress(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Referrer-Policy", "same-origin")
		header.Set("X-Robots-Tag", "noindex")
		h.ServeHTTP(w, r)
	})
}
