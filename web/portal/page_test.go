package portal

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// TestNothingRuns: what comes with the redirect, in whatever parameter, is text
// on every page.
func TestNothingRuns(t *testing.T) {
	t.Parallel()
	const attack = `"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.Words}}javascript:alert(1)`
	names := []string{"mac", "client_mac", "ip", "uip", "ssid", "wlan", "essid", "network", "url", "link-orig", "userurl", "redirect", "continue_url", "error", "res", "statusCode", "ap_mac", "link-login-only", "switch_url", "uamip", "sip", "login_url", "challenge", "chap-id", "lang", "s", "g", "new"}
	for _, kind := range []Kind{UAM, MikroTik, Chilli, Aruba, Cisco, Ruckus, Meraki, UniFi, MAC} {
		w := newWorld(func(s *Site) {
			s.Kind, s.Title, s.Contact, s.Terms = kind, attack, attack, map[string]string{"en": attack}
		})
		b := w.browse(t)
		for _, base := range redirects {
			if base.kind != kind {
				continue
			}
			for _, name := range names {
				q, _ := url.ParseQuery(base.query)
				q.Set(name, attack)
				inert(t, fmt.Sprint(kind, " ", name), b.get(t, "/portal/berlin/?"+q.Encode()))
				inert(t, fmt.Sprint(kind, " status ", name), b.get(t, "/portal/berlin/status?"+q.Encode()))
			}
		}
	}
	// An SSID may have any octets: those of one that is shown stay text.
	w := newWorld(func(s *Site) { s.Kind = MAC })
	b := w.browse(t)
	p := b.get(t, "/portal/berlin/?"+url.Values{"mac": {device}, "ssid": {"<b onx=1>&\xff"}}.Encode())
	inert(t, "ssid", p)
	if !strings.Contains(p.body, "&lt;b onx=1&gt;") {
		t.Errorf("the network's name is not shown:\n%s", p.body)
	}
	p = b.do(t, http.MethodPost, "/portal/berlin/login", with(b.open(t, macRedirect), "user", `"><script>`, "password", ""))
	inert(t, "user", p)
	if !strings.Contains(p.body, `value="&#34;&gt;&lt;script&gt;"`) {
		t.Errorf("the login is not kept:\n%s", p.body)
	}
}

// inert fails for a page in which something could run.
func inert(t *testing.T, what string, p *reply) {
	t.Helper()
	csp := p.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'") || strings.Contains(csp, "unsafe") || strings.Count(csp, ";") != 5 {
		t.Errorf("%s: policy %q", what, csp)
	}
	for _, h := range p.Header {
		for _, v := range h {
			if strings.ContainsAny(v, "\r\n") {
				t.Errorf("%s: header %q", what, v)
			}
		}
	}
	z := html.NewTokenizer(strings.NewReader(p.body))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		tag := z.Token()
		if tag.Data == "script" || tag.Data == "iframe" || tag.Data == "object" || tag.Data == "base" || tag.Data == "b" {
			t.Errorf("%s: the page has a %s", what, tag.Data)
		}
		for _, a := range tag.Attr {
			v := strings.ToLower(strings.TrimSpace(a.Val))
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || (a.Key == "href" || a.Key == "src" || a.Key == "action") && (strings.HasPrefix(v, "javascript:") || strings.HasPrefix(v, "data:") || strings.HasPrefix(v, "//")) {
				t.Errorf("%s: %s has %s=%q", what, tag.Data, a.Key, a.Val)
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	b := newWorld().browse(t)
	for _, path := range []string{chilliRedirect, "/portal/berlin/status", "/portal/nowhere/", "/portal/berlin/nothing", "/portal/", "/guest/s/elsewhere/", "/guest/s/default/?id=" + device} {
		p := b.get(t, path)
		for k, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex"} {
			if p.Header.Get(k) != want {
				t.Errorf("%s: %s is %q", path, k, p.Header.Get(k))
			}
		}
		if csp := p.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "script-src") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if len(p.Cookies()) != 0 {
			t.Errorf("%s: a cookie", path)
		}
	}
}

func TestPathsThatAreNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := w.browse(t)
	for _, path := range []string{"/portal/nowhere/", "/portal/nowhere", "/portal/berlin/nothing", "/portal/", "/guest/s/default/", "/guest/s/other/", "/portal/berlin/logo", "/me"} {
		if p := b.get(t, path); p.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, p.StatusCode)
		}
	}
	if p := b.do(t, http.MethodPost, "/portal/nowhere/login", nil); p.StatusCode != http.StatusNotFound {
		t.Errorf("a form for a site that there is not: %d", p.StatusCode)
	}
	b.fetch = "cross-site"
	if p := b.do(t, http.MethodPost, "/portal/nowhere/login", nil); p.StatusCode != http.StatusNotFound {
		t.Errorf("a strange form for a site that there is not: %d", p.StatusCode)
	}
	w.sites[0].Kind = UniFi
	p := b.get(t, "/guest/s/default/?id=28:cf:e9:13:47:cb&ap=94:2a:6f:d0:30:57&t=1&url=http://example.org%2F&ssid=Loft")
	if p.StatusCode != http.StatusSeeOther || p.Header.Get("Location") != "/portal/berlin/?id=28:cf:e9:13:47:cb&ap=94:2a:6f:d0:30:57&t=1&url=http://example.org%2F&ssid=Loft" {
		t.Errorf("UniFi's path: %d to %s", p.StatusCode, p.Header.Get("Location"))
	}
	if p = b.get(t, p.Header.Get("Location")); p.StatusCode != http.StatusOK || !strings.Contains(p.body, "Loft") {
		t.Errorf("UniFi's page: %d", p.StatusCode)
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	w := newWorld(func(s *Site) { s.Languages = nil })
	b := w.browse(t)
	for asked, want := range map[string]*words{
		"": &english, "de-AT,de;q=0.8": &german, "fr-CA": &french, "es-MX,en;q=0.2": &spanish, "it": &italian, "nl-BE": &dutch, "pt-BR": &portuguese, "ja": &english, "\x80;;q=x": &english,
	} {
		b.language = asked
		p := b.get(t, chilliRedirect)
		if p.Header.Get("Content-Language") != want.Lang || !strings.Contains(p.body, `<html lang="`+want.Lang+`">`) || !strings.Contains(p.body, want.LogIn) {
			t.Errorf("Accept-Language %q: %s", asked, p.Header.Get("Content-Language"))
		}
		if n := strings.Count(p.body, "hreflang="); n != 6 {
			t.Errorf("Accept-Language %q: %d other languages are offered", asked, n)
		}
	}
	b.language = "de"
	for lang, want := range map[string]string{"fr": "fr", "xx": "de", "": "de"} {
		if p := b.get(t, chilliRedirect+"&lang="+lang); p.Header.Get("Content-Language") != want {
			t.Errorf("lang=%s: %s", lang, p.Header.Get("Content-Language"))
		}
	}
	// The language stays over the whole way.
	form := b.open(t, chilliRedirect+"&lang=fr")
	if p := b.do(t, http.MethodPost, "/portal/berlin/login?lang=fr", with(form, "user", "anna@example.com", "password", password)); !strings.Contains(p.body, french.Connect) {
		t.Errorf("the hand-off is in %s", p.Header.Get("Content-Language"))
	}
	w.sites[0].Languages = []string{"nl"}
	b.language = "de"
	if p := b.get(t, chilliRedirect); p.Header.Get("Content-Language") != "nl" || strings.Contains(p.body, "hreflang") {
		t.Errorf("the operator's one language: %s", p.Header.Get("Content-Language"))
	}
}

// TestWordsAreWhole: no text of any language is missing, or left in English.
func TestWordsAreWhole(t *testing.T) {
	t.Parallel()
	if len(all()) != 7 {
		t.Errorf("%d languages", len(all()))
	}
	for _, w := range all() {
		v, en := reflect.ValueOf(*w), reflect.ValueOf(english)
		for i := range v.NumField() {
			name, text := v.Type().Field(i).Name, v.Field(i).String()
			if text == "" {
				t.Errorf("%s.%s is empty", w.Lang, name)
			}
			if w != &english && len(text) > 20 && text == en.Field(i).String() {
				t.Errorf("%s.%s is English", w.Lang, name)
			}
		}
		if when := noon.Format(w.Clock); !strings.Contains(when, "12:00") {
			t.Errorf("%s writes noon as %s", w.Lang, when)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "1 s", 100 * time.Millisecond: "1 s", 59 * time.Second: "59 s", time.Minute: "1 min", 90 * time.Second: "1 min 30 s", 10*time.Minute + 5*time.Second: "10 min",
		time.Hour: "1 h", 2*time.Hour + 5*time.Minute: "2 h 5 min", 30 * time.Hour: "30 h",
	} {
		if got := english.span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestLogoAndStyle(t *testing.T) {
	t.Parallel()
	w := newWorld(func(s *Site) {
		s.Logo = Logo{"image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)}
		s.Accent = "#ffd400"
	})
	b := w.browse(t)
	page := b.get(t, chilliRedirect).body
	at := func(mark string) string {
		t.Helper()
		_, rest, _ := strings.Cut(page, mark)
		path, _, _ := strings.Cut(rest, `"`)
		return path
	}
	logo := b.get(t, at(`<img src="`))
	if logo.StatusCode != http.StatusOK || logo.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(logo.Header.Get("Content-Security-Policy"), "sandbox") || !strings.Contains(logo.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("the logo: %d %v", logo.StatusCode, logo.Header)
	}
	style := at(`<link rel="stylesheet" href="`)
	p := b.get(t, style)
	if p.StatusCode != http.StatusOK || !strings.Contains(p.body, "--button: #ffd400; --on-button: #000000;") {
		t.Errorf("the style: %d %s", p.StatusCode, p.body[max(0, len(p.body)-300):])
	}
	w.sites[0].Accent = "#000000"
	if page = b.get(t, chilliRedirect).body; at(`<link rel="stylesheet" href="`) == style {
		t.Error("another colour has the same address")
	}
}

// TestColoursCanBeRead: whatever colour the operator takes.
func TestColoursCanBeRead(t *testing.T) {
	t.Parallel()
	white, black := rgb{1, 1, 1}, rgb{}
	dark := rgb{0.102, 0.125, 0.165}
	for r := 0; r <= 255; r += 51 {
		for g := 0; g <= 255; g += 51 {
			for b := 0; b <= 255; b += 51 {
				c, ok := parseColour(fmt.Sprintf("#%02x%02x%02x", r, g, b))
				if !ok {
					t.Fatal("no colour")
				}
				if on := max(contrast(c, white), contrast(c, black)); on < readable {
					t.Errorf("%v: text on a button has %.1f", c, on)
				}
				for _, ground := range []rgb{white, dark} {
					other := black
					if ground == dark {
						other = white
					}
					if got := contrast(toward(c, other, ground), ground); got < readable {
						t.Errorf("%v: a link has %.1f", c, got)
					}
				}
			}
		}
	}
	for _, s := range []string{"", "red", "#fff", "#12345g", "#1234567", "#123456;}"} {
		if paint(s) != "" {
			t.Errorf("%q paints %s", s, paint(s))
		}
	}
}

func TestContact(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := w.browse(t)
	for contact, want := range map[string]string{
		"hello@loft.example": `<a href="mailto:hello@loft.example">hello@loft.example</a>`, "Ask Anna": `Questions? Ask Anna</p>`, "": "",
		`a@b?subject=x"`: `Questions? a@b?subject=x&#34;</p>`,
	} {
		w.sites[0].Contact = contact
		if page := b.get(t, chilliRedirect).body; !strings.Contains(page, want) || want == "" && strings.Contains(page, english.Ask) {
			t.Errorf("%q:\n%s", contact, page)
		}
	}
}
