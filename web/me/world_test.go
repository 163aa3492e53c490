package me

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/onboard"
	"memberradius/web/caller"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const password = "kuma-tefo-rilo-9xwd"

// A world is what the pages are handed: one member, her links and sessions.
type world struct {
	mu       sync.Mutex
	now      time.Time
	links    map[member.Secret]time.Time
	sessions map[member.Secret]time.Time
	made     int
	sheet    Sheet
	gone     bool
	fault    error
	renewed  int
	faults   []error
}

var anna = Who{Backend: "nexudus", Login: "anna@example.com"}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{
		now: noon, links: map[member.Secret]time.Time{"good-link": noon.Add(time.Hour), "old-link": noon.Add(-time.Second)}, sessions: map[member.Secret]time.Time{},
		sheet: Sheet{
			Network:   &onboard.Network{Space: "Loft & Garden", SSID: "Loft Members", ServerName: "radius.loft.example", CA: authority(t)},
			Access:    onboard.Access{Login: anna.Login, Name: "Anna Müller", Password: password, Changed: noon.Add(-72 * time.Hour)},
			Renewable: true,
		},
	}
}

// authority makes a CA.
func authority(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Loft & Garden Wi-Fi CA"}, NotBefore: noon, NotAfter: noon.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) Peek(_ context.Context, link member.Secret) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault != nil {
		return w.fault
	}
	if !w.now.Before(w.links[link]) {
		return ErrNoLink
	}
	return nil
}

func (w *world) Take(ctx context.Context, link member.Secret, life time.Duration) (member.Secret, error) {
	if err := w.Peek(ctx, link); err != nil {
		return "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.links, link)
	w.made++
	session := member.Secret(fmt.Sprintf("session-%d", w.made))
	w.sessions[session] = w.now.Add(life)
	return session, nil
}

func (w *world) Session(_ context.Context, session member.Secret) (Who, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.now.Before(w.sessions[session]) {
		return Who{}, ErrNoLink
	}
	return anna, nil
}

func (w *world) Sheet(context.Context, Who) (*Sheet, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return nil, member.ErrUnknown
	}
	s := w.sheet
	return &s, nil
}

func (w *world) Renew(context.Context, Who) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault != nil {
		return w.fault
	}
	w.renewed++
	w.sheet.Access.Password = "nova-nova-nova-nova"
	return nil
}

func (w *world) handler(t *testing.T, change ...func(*Config)) http.Handler {
	t.Helper()
	c := Config{
		Links: w, Members: w, Space: "Loft & Garden", Contact: "hello@loft.example", Now: w.clock,
		Fault: func(err error) { w.faults = append(w.faults, err) },
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

// A browser is a client with cookies that follows no redirects by itself.
type browser struct {
	*http.Client
	base, agent, language string
	// proto is what a proxy says of TLS; from is where forms come from, "" is our own page.
	proto, from string
}

func (w *world) browse(t *testing.T, change ...func(*Config)) *browser {
	t.Helper()
	s := httptest.NewServer(w.handler(t, change...))
	t.Cleanup(s.Close)
	return newBrowser(t, s.URL)
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{base: base, Client: &http.Client{
		Jar: jar, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// A page is what came back.
type page struct {
	*http.Response
	body string
}

func (b *browser) do(t *testing.T, method, path string, form url.Values) *page {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", cmp.Or(b.from, "same-origin"))
	}
	if b.proto != "" {
		r.Header.Set("X-Forwarded-Proto", b.proto)
	}
	r.Header.Set("User-Agent", b.agent)
	r.Header.Set("Accept-Language", b.language)
	resp, err := b.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &page{resp, string(body)}
}

func (b *browser) get(t *testing.T, path string) *page {
	t.Helper()
	return b.do(t, http.MethodGet, path, nil)
}

// enter opens the page by the good link.
func (b *browser) enter(t *testing.T) *page {
	t.Helper()
	if p := b.do(t, http.MethodPost, "/me/good-link", nil); p.StatusCode != http.StatusSeeOther || p.Header.Get("Location") != "/me" {
		t.Fatalf("the link answers %d to %q", p.StatusCode, p.Header.Get("Location"))
	}
	return b.get(t, "/me")
}

var formTokenIn = regexp.MustCompile(`name="token" value="([^"]+)"`)

// token is what the page's forms bring.
func (p *page) token(t *testing.T) url.Values {
	t.Helper()
	m := formTokenIn.FindStringSubmatch(p.body)
	if m == nil {
		t.Fatal("the page has no form with a token")
	}
	return url.Values{"token": {m[1]}}
}

var errStore = errors.New("disk is full at /var/lib")

func proxies(prefix string) caller.Proxies { return caller.Proxies{netip.MustParsePrefix(prefix)} }

// randomness is crypto/rand.
type randomness struct{}

func (randomness) Read(p []byte) (int, error) { return rand.Read(p) }

func secretOf(i int) member.Secret { return member.Secret(fmt.Sprint("session-", i)) }
