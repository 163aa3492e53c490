package me

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"memberradius/onboard"
)

func TestLinkIsUsedUpByTheButtonAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browse(t)
	for range 3 { // a mail scanner, a preview, and she
		if p := b.get(t, "/me/good-link"); p.StatusCode != http.StatusOK || !strings.Contains(p.body, "<button") || strings.Contains(p.body, "anna") {
			t.Fatalf("the door: %d %s", p.StatusCode, p.body)
		}
	}
	p := b.do(t, http.MethodPost, "/me/good-link", nil)
	cookies := p.Cookies()
	if p.StatusCode != http.StatusSeeOther || p.Header.Get("Location") != "/me" || len(cookies) != 1 {
		t.Fatalf("entered: %d to %q, %d cookies", p.StatusCode, p.Header.Get("Location"), len(cookies))
	}
	if c := cookies[0]; !c.HttpOnly || c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/me" || c.MaxAge != 1800 {
		t.Errorf("cookie %v", c)
	}
	if p := b.get(t, "/me"); p.StatusCode != http.StatusOK || !strings.Contains(p.body, password) {
		t.Errorf("her page: %d", p.StatusCode)
	}
	if p := b.get(t, "/me/good-link"); p.StatusCode != http.StatusSeeOther || p.Header.Get("Location") != "/me" {
		t.Errorf("her own used link, while she is in: %d", p.StatusCode)
	}
	stranger := newBrowser(t, b.base)
	for _, link := range []string{"good-link", "old-link", "never-was", strings.Repeat("x", 600)} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			p := stranger.do(t, method, "/me/"+link, nil)
			if p.StatusCode != http.StatusNotFound || !strings.Contains(p.body, english.GoneTitle) || !strings.Contains(p.body, "mailto:hello@loft.example") || len(p.Cookies()) != 0 {
				t.Errorf("%s %s: %d", method, link, p.StatusCode)
			}
		}
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browse(t)
	if p := b.get(t, "/me"); p.StatusCode != http.StatusForbidden {
		t.Errorf("without a session: %d", p.StatusCode)
	}
	b.enter(t)
	w.mu.Lock()
	w.now = w.now.Add(30 * time.Minute)
	w.mu.Unlock()
	for _, path := range []string{"/me", "/me/profile/apple"} {
		if p := b.get(t, path); p.StatusCode != http.StatusForbidden || strings.Contains(p.body, password) || !strings.Contains(p.body, english.GoneTitle) {
			t.Errorf("%s after 30 minutes: %d", path, p.StatusCode)
		}
	}
}

func TestCookieIsSecureWhereThereIsTLS(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"public_url":      func(c *Config) { c.PublicURL = "https://wifi.example.com" },
		"a trusted proxy": func(c *Config) { c.Proxies = proxies("127.0.0.1/32") },
	} {
		b := newWorld(t).browse(t, change)
		b.proto = "https"
		if c := b.do(t, http.MethodPost, "/me/good-link", nil).Cookies(); len(c) != 1 || !c[0].Secure {
			t.Errorf("%s: cookies %v", name, c)
		}
	}
}

func TestNewPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browse(t)
	form := b.enter(t).token(t)
	refused := func(what string, p *page) {
		if p.StatusCode != http.StatusForbidden || w.renewed != 0 {
			t.Errorf("%s: %d, %d passwords made", what, p.StatusCode, w.renewed)
		}
	}
	refused("no token", b.do(t, http.MethodPost, "/me/password", nil))
	refused("another's token", b.do(t, http.MethodPost, "/me/password", url.Values{"token": {formToken("session-9")}}))
	refused("no session", newBrowser(t, b.base).do(t, http.MethodPost, "/me/password", form))
	b.from = "cross-site"
	refused("a form of another site", b.do(t, http.MethodPost, "/me/password", form))
	b.from = ""
	p := b.do(t, http.MethodPost, "/me/password", form)
	if p.StatusCode != http.StatusSeeOther || w.renewed != 1 {
		t.Fatalf("%d, %d made", p.StatusCode, w.renewed)
	}
	p = b.get(t, p.Header.Get("Location"))
	if !strings.Contains(p.body, "nova-nova-nova-nova") || strings.Contains(p.body, password) || !strings.Contains(p.body, "Install the profile again") {
		t.Errorf("the page does not show the new password, or not what to do: %s", p.body)
	}
}

func TestNewPasswordRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browse(t)
	form := b.enter(t).token(t)
	w.fault = &Refusal{"it is kept in Nexudus"}
	if p := b.do(t, http.MethodPost, "/me/password", form); p.StatusCode != http.StatusConflict || !strings.Contains(p.body, english.RefusedTitle) || len(w.faults) != 1 {
		t.Errorf("%d, told %v", p.StatusCode, w.faults)
	}
	w.fault, w.sheet.Renewable = nil, false
	if p := b.do(t, http.MethodPost, "/me/password", form); p.StatusCode != http.StatusConflict || w.renewed != 0 {
		t.Errorf("hers is kept elsewhere: %d", p.StatusCode)
	}
	if p := b.get(t, "/me"); strings.Contains(p.body, "/me/password") {
		t.Error("a new password is offered that can't be made")
	}
}

func TestHandover(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	desktop := w.browse(t, func(c *Config) { c.Rand = strings.NewReader(strings.Repeat("a", 32) + strings.Repeat("b", 32)) })
	link := func(letter string) string {
		return "/me/" + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
	}
	if p := desktop.enter(t); !strings.Contains(p.body, "<svg xmlns") {
		t.Fatal("the page has no code to scan")
	}
	phone := newBrowser(t, desktop.base)
	if p := phone.get(t, link("a")); p.StatusCode != http.StatusOK || strings.Contains(p.body, "anna") {
		t.Fatalf("the scanned link: %d", p.StatusCode)
	}
	if p := phone.do(t, http.MethodPost, link("a"), nil); p.StatusCode != http.StatusSeeOther {
		t.Fatalf("entered by the scanned link: %d", p.StatusCode)
	}
	stranger := newBrowser(t, desktop.base)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if p := stranger.do(t, method, link("a"), nil); p.StatusCode != http.StatusNotFound {
			t.Errorf("%s of a code that was used: %d", method, p.StatusCode)
		}
	}
	if p := phone.get(t, "/me"); !strings.Contains(p.body, password) { // and offers the link b
		t.Errorf("her page on the phone: %d", p.StatusCode)
	}
	w.mu.Lock()
	w.now = w.now.Add(10 * time.Minute)
	w.mu.Unlock()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if p := stranger.do(t, method, link("b"), nil); p.StatusCode != http.StatusNotFound {
			t.Errorf("%s of a code of ten minutes ago: %d", method, p.StatusCode)
		}
	}
	if p := desktop.get(t, "/me"); p.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without randomness: %d", p.StatusCode)
	}
}

func TestHandoversAreBounded(t *testing.T) {
	t.Parallel()
	now := noon
	h := newHandovers(func() time.Time { return now }, randomness{})
	first, err := h.offer("session-0")
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := h.offer("session-0"); h.peek(first) || !h.peek(second) || len(h.held) != 1 || len(h.of) != 1 {
		t.Errorf("a session has two codes: %d, %d", len(h.held), len(h.of))
	}
	for i := range maxHandovers + 50 {
		now = now.Add(time.Millisecond)
		if _, err := h.offer(secretOf(i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.held) != maxHandovers || len(h.of) != maxHandovers {
		t.Errorf("%d codes of %d sessions are held, want %d", len(h.held), len(h.of), maxHandovers)
	}
	now = now.Add(handoverLife)
	if _, err := h.offer("one more"); err != nil || len(h.held) != 1 || len(h.of) != 1 {
		t.Errorf("%d codes of %d sessions are held after all have run out, %v", len(h.held), len(h.of), err)
	}
	h.rand = iotest.ErrReader(errStore)
	if link, err := h.offer("none"); err == nil || link != "" {
		t.Errorf("without randomness: %v", err)
	}
}

func TestWrongLinksAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browse(t)
	tried := 0
	for b.get(t, "/me/wrong").StatusCode == http.StatusNotFound {
		if tried++; tried > 30 {
			t.Fatal("one address may try links without end")
		}
	}
	p := b.get(t, "/me/good-link")
	if p.StatusCode != http.StatusTooManyRequests || p.Header.Get("Retry-After") == "" || tried < 10 {
		t.Errorf("after %d wrong links: %d", tried, p.StatusCode)
	}
	w.mu.Lock()
	w.now = w.now.Add(time.Minute)
	w.mu.Unlock()
	if p := b.get(t, "/me/good-link"); p.StatusCode != http.StatusOK {
		t.Errorf("a minute later: %d", p.StatusCode)
	}
}

func TestFaultsAreOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browse(t)
	w.fault = errStore
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		p := b.do(t, method, "/me/good-link", nil)
		if p.StatusCode != http.StatusServiceUnavailable || strings.Contains(p.body, "disk") || p.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", method, p.StatusCode, p.body)
		}
	}
	if len(w.faults) != 2 {
		t.Errorf("the operator heard %v", w.faults)
	}
	w.fault = nil
	b.enter(t)
	w.mu.Lock()
	w.gone = true
	w.mu.Unlock()
	if p := b.get(t, "/me"); p.StatusCode != http.StatusForbidden {
		t.Errorf("a member who is gone: %d", p.StatusCode)
	}
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browse(t)
	if p := b.get(t, "/me/profile/apple"); p.StatusCode != http.StatusForbidden {
		t.Errorf("without a session: %d", p.StatusCode)
	}
	b.enter(t)
	for _, tt := range []struct{ kind, mime, file, holds string }{
		{"apple", onboard.AppleType, "loft-garden-wifi.mobileconfig", "anna@example.com"},
		{"onc", onboard.ONCType, "loft-garden-wifi.onc", "anna@example.com"},
		{"windows", onboard.WindowsType, "loft-garden-wifi.xml", "radius.loft.example"},
		{"ca", onboard.CAType, "loft-garden-wifi.crt", string(w.sheet.Network.CA.Raw)},
	} {
		p := b.get(t, "/me/profile/"+tt.kind)
		if p.StatusCode != http.StatusOK || p.Header.Get("Content-Type") != tt.mime || !strings.Contains(p.body, tt.holds) ||
			p.Header.Get("Content-Disposition") != `attachment; filename="`+tt.file+`"` {
			t.Errorf("%s: %d %v", tt.kind, p.StatusCode, p.Header)
		}
	}
	if p := b.get(t, "/me/profile/amiga"); p.StatusCode != http.StatusSeeOther {
		t.Errorf("a device that there is not: %d", p.StatusCode)
	}
	w.sheet.Network.SSID = "\xff\xfe"
	if p := b.get(t, "/me/profile/apple"); p.StatusCode != http.StatusConflict || !strings.Contains(p.body, english.UnfitTitle) {
		t.Errorf("an SSID that is no text: %d", p.StatusCode)
	}
	w.sheet.Ended = true
	if p := b.get(t, "/me/profile/onc"); p.StatusCode != http.StatusSeeOther || p.Header.Get("Location") != "/me" {
		t.Errorf("a membership that has ended: %d", p.StatusCode)
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	for want, n := range map[string]onboard.Network{
		"loft-garden-wifi": {Space: "Loft & Garden"}, "members-wifi": {SSID: "Members"}, "wifi": {Space: "工作"},
		"x-wifi": {Space: "../x\"\r\n"},
	} {
		if got := fileName(&n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := fileName(&onboard.Network{Space: strings.Repeat("long ", 50)}); len(got) > 60 {
		t.Errorf("%d characters", len(got))
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]Config{"no Links": {Members: w}, "no Members": {Links: w}, "a public_url that is none": {Links: w, Members: w, PublicURL: "https://%"}} {
		if _, err := New(c); err == nil {
			t.Errorf("New takes %s", name)
		}
	}
}
