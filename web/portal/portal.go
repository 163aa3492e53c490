package portal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"memberradius/member"
	"memberradius/web/caller"
)

// Config is what New needs: Sites, Grants and Log, and of the rest what the
// sites' methods and kinds ask for.
type Config struct {
	// Sites returns the sites that have a portal. It is asked at each request, so
	// that a reload holds at once.
	Sites func() []*Site
	// Auth is for the method login, Vouchers for voucher.
	Auth     Authenticator
	Vouchers Vouchers
	Grants   Grants
	// Tickets are for the kinds that are handed one, Nudge for kind MAC.
	Tickets Tickets
	Nudge   Nudge
	// Quotas tells the captive-portal API and UniFi controllers how much is left;
	// nil: nothing is bounded.
	Quotas Quotas
	// Plans returns a plan by its name, nil where there is none: UniFi controllers are
	// told its bandwidth. Nil knows no plans.
	Plans func(name string) *member.Plan
	Log   Log
	// PublicURL is where guests reach us, as "https://wifi.example.com"; "": as they did.
	PublicURL string
	// Proxies are the operator's own.
	Proxies caller.Proxies
	// Key signs what pages carry, 32 octets or more; "" makes one up, and then
	// pages that are open at a restart must be opened again.
	Key member.Secret
	// Fault hears of faults of this server that a guest met. They hold no
	// secret. It must not wait. Nil hears nothing.
	Fault func(error)
	// Now is the clock, Rand the randomness; nil are time.Now and crypto/rand.
	Now  func() time.Time
	Rand io.Reader
}

// Places for attempts in work at the same time: of all, and of one address,
// which may be that of a whole site.
const (
	allPlaces     = 256
	addressPlaces = 64
	keySize       = 32
)

// A desk serves the pages.
type desk struct {
	Config
	key                       []byte
	pages                     *template.Template
	style, icon               []byte
	gate                      *caller.Gate
	byDevice, byLogin, byAddr *brake
	clicks                    *brake
}

// New returns the handler of /portal/ and of /guest/s/, where UniFi controllers
// send their guests.
func New(c Config) (http.Handler, error) {
	if c.Sites == nil || c.Grants == nil || c.Log == nil {
		return nil, errors.New("portal: Sites, Grants and Log must be set")
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
	if c.Plans == nil {
		c.Plans = func(string) *member.Plan { return nil }
	}
	d := &desk{
		Config: c, key: []byte(c.Key), gate: caller.NewGate(allPlaces, addressPlaces),
		byDevice: newBrake(devicePace(), c.Now), byLogin: newBrake(loginPace(), c.Now), byAddr: newBrake(addressPace(), c.Now), clicks: newBrake(clickPace(), c.Now),
	}
	if len(d.key) == 0 {
		d.key = make([]byte, keySize)
		if _, err := io.ReadFull(c.Rand, d.key); err != nil {
			return nil, fmt.Errorf("portal: no randomness for a key: %w", err)
		}
	}
	if len(d.key) < keySize {
		return nil, fmt.Errorf("portal: Key has %d octets, at least %d are needed", len(d.key), keySize)
	}
	if err := d.load(); err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(d.stranger))
	if c.PublicURL != "" {
		if err := origins.AddTrustedOrigin(originOf(c.PublicURL)); err != nil {
			return nil, fmt.Errorf("portal: public_url: %w", err)
		}
	}
	return dress(origins.Handler(d.routes())), nil
}

func (d *desk) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /portal/{site}", d.toRoot)
	mux.HandleFunc("GET /portal/{site}/{$}", d.at(d.splash))
	for _, how := range []Method{Login, Voucher, Click} {
		mux.HandleFunc("POST /portal/{site}/"+string(how), d.at(d.enter(how)))
		// A page that is loaded again, or opened from the history of a small browser.
		mux.HandleFunc("GET /portal/{site}/"+string(how), d.toRoot)
	}
	mux.HandleFunc("GET /portal/{site}/status", d.at(d.status))
	mux.HandleFunc("POST /portal/{site}/logout", d.at(d.logout))
	mux.HandleFunc("GET /portal/{site}/logout", d.toRoot)
	mux.HandleFunc("GET /portal/{site}/api", d.at(d.captive))
	mux.HandleFunc("GET /portal/{site}/style.css", d.at(d.sendStyle))
	mux.HandleFunc("GET /portal/{site}/logo", d.at(d.sendLogo))
	mux.HandleFunc("GET /portal/{site}/icon.svg", d.at(d.sendIcon))
	mux.HandleFunc("GET /guest/s/{unifi}/", d.fromUniFi)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { d.none(w, r) })
	return mux
}

// A page serves a request to a site that there is.
type page func(w http.ResponseWriter, r *http.Request, s *Site)

// at finds the site that a request names.
func (d *desk) at(p page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s := d.site(r.PathValue("site")); s != nil {
			p(w, r, s)
			return
		}
		d.none(w, r)
	}
}

func (d *desk) site(name string) *Site {
	for _, s := range d.Sites() {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// toRoot sends a browser to the login page, with what it brought.
func (d *desk) toRoot(w http.ResponseWriter, r *http.Request) {
	s := d.site(r.PathValue("site"))
	if s == nil {
		d.none(w, r)
		return
	}
	redirect(w, r, s.root(), r.URL.RawQuery)
}

// fromUniFi takes a UniFi controller's redirect: the path is fixed there, and
// names the controller's own site.
func (d *desk) fromUniFi(w http.ResponseWriter, r *http.Request) {
	for _, s := range d.Sites() {
		if s.Kind == UniFi && s.UniFiSite == r.PathValue("unifi") {
			redirect(w, r, s.root(), r.URL.RawQuery)
			return
		}
	}
	d.none(w, r)
}

// redirect goes to a path of ours, never to another host.
func redirect(w http.ResponseWriter, r *http.Request, path, query string) {
	to := url.URL{Path: path, RawQuery: query}
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}

// root is where the site's portal begins.
func (s *Site) root() string { return "/portal/" + s.Name + "/" }

// statusPath is the page that shows a device where it stands.
func (s *Site) statusPath() string { return s.root() + "status" }

// base is this server's origin as the browser knows it.
func (d *desk) base(r *http.Request) string {
	if d.PublicURL != "" {
		return strings.TrimSuffix(d.PublicURL, "/")
	}
	if d.secure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// secure says whether the page that the browser has came over TLS.
func (d *desk) secure(r *http.Request) bool { return d.Proxies.Secure(r) }

// policy is what every page may load: its style and its images. Where forms may
// go besides is the hand-off's to say.
func policy(forms ...string) string {
	return "default-src 'none'; style-src 'self'; img-src 'self'; form-action " + strings.Join(append([]string{"'self'"}, forms...), " ") +
		"; frame-ancestors 'none'; base-uri 'none'"
}

// dress sets what the pages need and nothing more: their one style sheet, and
// the Origin header of their forms, which the policy no-referrer would empty.
func dress(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy())
		header.Set("Referrer-Policy", "same-origin")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-store")
		header.Set("X-Robots-Tag", "noindex")
		h.ServeHTTP(w, r)
	})
}
