package portal

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/web/caller"
	"memberradius/web/portal/unifi"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	password = "kuma-tefo-rilo-9xwd"
	device   = "28:cf:e9:13:47:cb"
	ap       = "b8:be:bf:14:41:90"
)

var errDisk = errors.New("disk is full at /var/lib")

// A world is what the portal is handed: a member, a voucher, grants, tickets, and
// what all of them are asked to do.
type world struct {
	mu    sync.Mutex
	now   time.Time
	sites []*Site

	out      map[string]Outcome // by login
	asked    []Attempt
	grants   []*Grant
	refuse   error // what Grant answers
	fault    error // what the rest answers
	ended    []string
	tickets  int
	nudged   int
	nudge    error
	guests   []unifi.Guest
	withdraw []string
	left     uint64
	log      []Entry
	faults   []error
}

func newWorld(change ...func(*Site)) *world {
	w := &world{now: noon, out: map[string]Outcome{
		"anna@example.com": {
			Verdict: member.Allow, Proved: true, Member: member.Member{Backend: "coworks", Login: "anna@example.com"},
			Backend: "coworks", Plan: "hot-desk", Session: 2 * time.Hour, Idle: time.Minute, Status: 200, Took: 80 * time.Millisecond,
		},
		"late@example.com": {Verdict: member.Deny, Proved: true, Reason: member.ReasonExpired, Backend: "coworks", Status: 403, Message: "Renew at the desk."},
		"down@example.com": {Reason: member.ReasonTimeout, Backend: "coworks"},
	}}
	s := &Site{
		Name: "berlin", Title: "Loft & Garden", Methods: []Method{Login, Voucher, Click}, Kind: UAM,
		Controllers: []string{"127.0.0.1", "1.1.1.1"}, Guests: w, UniFiSite: "default", Contact: "hello@loft.example", Zone: time.UTC,
		Languages: []string{"en", "de"},
	}
	for _, f := range change {
		f(s)
	}
	w.sites = []*Site{s, {Name: "other", Methods: []Method{Click}, Kind: MAC}}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) Login(_ context.Context, a *Attempt) Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, *a)
	out, known := w.out[a.Login]
	if !known || a.Password != password {
		reason := member.ReasonWrongProof
		if !known {
			reason = member.ReasonUnknownLogin
		}
		return Outcome{Verdict: member.Deny, Reason: reason, Backend: "coworks", Status: 401}
	}
	return out
}

func (w *world) Grant(_ context.Context, g *Grant) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		return w.refuse
	}
	for _, old := range w.grants {
		if old.MAC == g.MAC && old.Site == g.Site && w.now.Before(old.Expires) {
			old.Expires = w.now // it is replaced
		}
	}
	g.PageID, g.Created, g.Expires = int64(len(w.grants)+1), w.now, w.now.Add(g.SessionTimeout)
	kept := *g
	w.grants = append(w.grants, &kept)
	return nil
}

func (w *world) Live(_ context.Context, d Device) (*Grant, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault != nil {
		return nil, w.fault
	}
	for i := len(w.grants) - 1; i >= 0; i-- {
		g := w.grants[i]
		if g.Site == d.Site && w.now.Before(g.Expires) && (d.MAC != "" && g.MAC == d.MAC || d.Address.IsValid() && g.Address == d.Address) {
			found := *g
			return &found, nil
		}
	}
	return nil, ErrNoGrant
}

func (w *world) End(_ context.Context, pageID int64, why string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault != nil {
		return w.fault
	}
	w.ended = append(w.ended, why)
	for _, g := range w.grants {
		if g.PageID == pageID {
			g.Expires = w.now
		}
	}
	return nil
}

func (w *world) Take(_ context.Context, site string, code member.Secret, mac string) (VoucherTaken, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.fault != nil:
		return VoucherTaken{}, w.fault
	case site != "berlin" || code != "DAYPASS-7" || mac != device:
		return VoucherTaken{}, ErrNoVoucher
	}
	return VoucherTaken{ID: "v-17", Plan: "day", Session: time.Hour}, nil
}

const ticket = "t-canary-secret"

func (w *world) Make(context.Context, *Grant) (string, member.Secret, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault != nil {
		return "", "", w.fault
	}
	w.tickets++
	return "t-user", ticket, nil
}

func (w *world) AskAgain(context.Context, *Grant) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nudged++
	return w.nudge
}

func (w *world) Authorize(_ context.Context, g *unifi.Guest) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.guests = append(w.guests, *g)
	return w.nudge
}

func (w *world) Withdraw(_ context.Context, mac string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.withdraw = append(w.withdraw, mac)
	return nil
}

func (w *world) Left(context.Context, *Grant) (uint64, bool, error) { return w.left, w.left > 0, nil }

func (w *world) Note(_ context.Context, e *Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, *e)
	return nil
}

func (w *world) handler(t *testing.T, change ...func(*Config)) http.Handler {
	t.Helper()
	c := Config{
		Sites: func() []*Site { return w.sites }, Auth: w, Grants: w, Vouchers: w, Tickets: w, Nudge: w, Quotas: w, Log: w, Now: w.clock,
		Fault: func(err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.faults = append(w.faults, err)
		},
	}
	for _, f := range change {
		f(&c)
	}
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A browser has no cookies and follows no redirects by itself, as the small ones
// that phones open on such networks.
type browser struct {
	h http.Handler
	// from is where it calls from, fetch what it says of where a form comes from.
	from, fetch, language string
	tls                   bool
}

func (w *world) browse(t *testing.T, change ...func(*Config)) *browser {
	t.Helper()
	return &browser{h: w.handler(t, change...), from: "203.0.113.9:4711"}
}

// A reply is what came back.
type reply struct {
	*http.Response
	body string
}

func (b *browser) do(t *testing.T, method, path string, form url.Values) *reply {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://wifi.example.com"+path, strings.NewReader(form.Encode()))
	r.RemoteAddr = b.from
	if b.tls {
		r.Header.Set("X-Forwarded-Proto", "https")
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", cmp.Or(b.fetch, "same-origin"))
	}
	if b.language != "" {
		r.Header.Set("Accept-Language", b.language)
	}
	rec := httptest.NewRecorder()
	b.h.ServeHTTP(rec, r)
	body, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &reply{rec.Result(), string(body)}
}

func (b *browser) get(t *testing.T, path string) *reply {
	t.Helper()
	return b.do(t, http.MethodGet, path, nil)
}

// Redirects, as controllers send them.
var (
	ciscoRedirect  = "/portal/berlin/?" + url.Values{"switch_url": {"http://1.1.1.1/login.html"}, "ap_mac": {ap}, "client_mac": {device}, "wlan": {"Loft"}, "redirect": {"example.org/news"}}.Encode()
	chilliRedirect = "/portal/berlin/?" + url.Values{"res": {"notyet"}, "uamip": {"10.1.0.1"}, "uamport": {"3990"}, "challenge": {"532b80e14b14505accd24c79e35004e6"}, "mac": {"28-CF-E9-13-47-CB"}, "ip": {"10.1.0.2"}, "userurl": {"http://example.org/"}}.Encode()
	macRedirect    = "/portal/berlin/?" + url.Values{"mac": {device}, "ap_mac": {ap}, "url": {"http://example.org/"}}.Encode()
)

var tokenIn = regexp.MustCompile(`name="token" value="([^"]+)"`)

// open loads the login page and returns what its forms bring.
func (b *browser) open(t *testing.T, path string) url.Values {
	t.Helper()
	p := b.get(t, path)
	m := tokenIn.FindStringSubmatch(p.body)
	if p.StatusCode != http.StatusOK || m == nil {
		t.Fatalf("%s: %d, no form with a token: %s", path, p.StatusCode, p.body)
	}
	return url.Values{"token": {m[1]}}
}

// with adds fields to a form.
func with(form url.Values, fields ...string) url.Values {
	out := url.Values{}
	for k, v := range form {
		out[k] = v
	}
	for i := 0; i < len(fields); i += 2 {
		out.Set(fields[i], fields[i+1])
	}
	return out
}

// logIn sends the login form of a fresh page.
func (b *browser) logIn(t *testing.T, path, user, password string) *reply {
	t.Helper()
	return b.do(t, http.MethodPost, "/portal/berlin/login", with(b.open(t, path), "user", user, "password", password))
}

// last returns the newest entry of the log.
func (w *world) last(t *testing.T) Entry {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.log) == 0 {
		t.Fatal("nothing was logged")
	}
	return w.log[len(w.log)-1]
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func proxies(prefix string) caller.Proxies { return caller.Proxies{netip.MustParsePrefix(prefix)} }
