package portal

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestAdmits(t *testing.T) {
	t.Parallel()
	s := &Site{Controllers: []string{"wlc.loft.example", "gate.loft.example:8443", "*.hot.example", "*.tls.example:443", "1.1.1.1", "[2001:db8::1]"}}
	admitted := map[string]Kind{
		"http://10.5.50.1/login": MikroTik, "http://172.16.0.1:64873/login": MikroTik, "https://192.168.88.1/login?x=1": MikroTik, "http://100.64.0.1/": Chilli,
		"http://[fd00::1]/login": MikroTik, "http://[::ffff:10.0.0.1]/login": MikroTik, "https://wlc.loft.example/login.html": Cisco, "https://WLC.loft.example:9/login.html": Cisco,
		"https://gate.loft.example:8443/x": Cisco, "https://a.hot.example/login": MikroTik, "https://a.b.hot.example/login": MikroTik, "https://a.tls.example:443/": MikroTik,
		"http://1.1.1.1/login.html": Cisco, "http://[2001:db8::1]/login": MikroTik, "https://n1.network-auth.com/splash/login": Meraki,
		"https://securelogin.arubanetworks.com/cgi-bin/login": Aruba, "https://192.0.2.1/login.html": Cisco,
	}
	for page, kind := range admitted {
		if s.admits(kind, page) == "" {
			t.Errorf("%s is refused for %s", page, kind)
		}
	}
	for _, page := range []string{
		"", "javascript:alert(1)", "data:text/html,x", "ftp://10.0.0.1/", "//10.0.0.1/login", "/login", "10.0.0.1/login", "http:10.0.0.1", "http://", "http:///login",
		"https://evil.example/login", "https://evil.example/?wlc.loft.example", "https://wlc.loft.example.evil.example/", "https://evilhot.example/", "https://hot.example/",
		"https://wlc.loft.example@evil.example/", "https://10.0.0.1@evil.example/", "https://user:pw@10.0.0.1/", "https://gate.loft.example/", "https://gate.loft.example:444/", "https://a.tls.example/",
		"http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://0.0.0.0/", "http://8.8.8.8/login",
		"http://10.0.0.1:0/", "http://10.0.0.1:99999/", "http://10.0.0.1 /", "http://10.0.0.1\\@evil.example/", "http://10.0.0.1\n/", "http://10.0.0.1;script-src/", "http://10.0.0.1'/",
		"http://0x0a000001/", "http://167772161/", "http://10.1/", "https://n1.network-auth.com.evil.example/", "https://192.0.2.1/login.html", "https://n1.network-auth.com/", "http://" + strings.Repeat("a", 3000),
	} {
		if got := s.admits(MikroTik, page); got != "" {
			t.Errorf("%q is admitted as %s", page, got)
		}
	}
	if got := s.admits(MikroTik, "http://10.0.0.1/login#x"); got != "http://10.0.0.1/login" {
		t.Errorf("a fragment stays: %s", got)
	}
}

func TestWebAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://example.org/", "https://example.org:8443/a?b=c#d"} {
		if webAddress(address) != address {
			t.Errorf("%s is refused", address)
		}
	}
	for _, address := range []string{"", "example.org", "javascript:alert(1)//http://x", "JaVaScRiPt:alert(1)", "data:text/html,x", "http:example.org", "//example.org", "http://user:pw@example.org/", "http://ex ample.org", "http://example.org/\r\nSet-Cookie: a=b", "http://", "file:///etc/passwd", "http://example.org\\@x/"} {
		if got := webAddress(address); got != "" {
			t.Errorf("%q is taken as %s", address, got)
		}
	}
}

// TestOpenRedirect: no address of the redirect is ever followed, nor posted to,
// unless it is an admitted controller's.
func TestOpenRedirect(t *testing.T) {
	t.Parallel()
	evil := "https://evil.example/x"
	for _, tt := range []struct {
		kind Kind
		q    url.Values
	}{
		{MikroTik, url.Values{"mac": {device}, "link-login-only": {evil}, "link-login": {evil}, "link-orig": {evil}}},
		{Chilli, url.Values{"mac": {device}, "uamip": {"evil.example"}, "uamport": {"443"}, "challenge": {strings.Repeat("ab", 16)}, "userurl": {evil}}},
		{Chilli, url.Values{"mac": {device}, "uamip": {"10.0.0.1@evil.example"}, "uamport": {"443"}, "challenge": {strings.Repeat("ab", 16)}}},
		{Chilli, url.Values{"mac": {device}, "uamip": {"10.0.0.1"}, "uamport": {"80@evil.example"}, "challenge": {strings.Repeat("ab", 16)}}},
		{Aruba, url.Values{"mac": {device}, "switchip": {"evil.example"}, "url": {evil}}},
		{Aruba, url.Values{"mac": {device}, "switchip": {"evil.example/securelogin.arubanetworks.com"}}},
		{Cisco, url.Values{"client_mac": {device}, "switch_url": {evil}, "redirect": {evil}}},
		{Ruckus, url.Values{"client_mac": {device}, "sip": {"evil.example"}, "url": {evil}}},
		{Meraki, url.Values{"client_mac": {device}, "login_url": {evil}, "continue_url": {evil}}},
		{Meraki, url.Values{"client_mac": {device}, "login_url": {"http://n1.network-auth.com/splash/login"}}},
		{Meraki, url.Values{"client_mac": {device}, "base_grant_url": {evil}}},
	} {
		w := newWorld(func(s *Site) { s.Kind = tt.kind })
		p := w.browse(t).get(t, "/portal/berlin/?"+tt.q.Encode())
		if p.StatusCode != http.StatusBadRequest || strings.Contains(p.body, "evil.example") || strings.Contains(p.Header.Get("Content-Security-Policy"), "evil") || p.Header.Get("Location") != "" {
			t.Errorf("%s %v: %d\n%s", tt.kind, tt.q, p.StatusCode, p.body)
		}
	}
	// Where it wanted to go is a link on the last page, and nothing more.
	w := newWorld(func(s *Site) { s.Kind = MAC })
	b := w.browse(t)
	p := b.logIn(t, "/portal/berlin/?"+url.Values{"mac": {device}, "url": {evil}}.Encode(), "anna@example.com", password)
	if p.StatusCode != http.StatusSeeOther || strings.Contains(p.Header.Get("Location"), "evil") {
		t.Fatalf("%d to %s", p.StatusCode, p.Header.Get("Location"))
	}
	if last := b.get(t, p.Header.Get("Location")); !strings.Contains(last.body, `href="https://evil.example/x" rel="noreferrer nofollow">Continue to evil.example</a>`) || strings.Contains(last.body, "http-equiv") {
		t.Errorf("the last page:\n%s", last.body)
	}
	w.sites[0].Landing = "https://loft.example/welcome"
	if last := b.get(t, p.Header.Get("Location")); !strings.Contains(last.body, `content="3; url=https://loft.example/welcome"`) || strings.Contains(last.body, "evil") {
		t.Errorf("the last page with a landing page:\n%s", last.body)
	}
	for _, path := range []string{"/portal/berlin/login?next=" + evil, "/portal/berlin?" + evil, "/guest/s/default/?" + evil} {
		if to := b.get(t, path).Header.Get("Location"); to != "" && !strings.HasPrefix(to, "/portal/berlin/") {
			t.Errorf("%s leads to %s", path, to)
		}
	}
	if to := b.get(t, "/portal//evil.example").Header.Get("Location"); strings.HasPrefix(to, "//") || strings.HasPrefix(to, "http") {
		t.Errorf("leads to %s", to)
	}
}

// TestReloadTakesAControllerOff: what was admitted when the page was made is not
// admitted for good.
func TestReloadTakesAControllerOff(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := w.browse(t)
	form := b.open(t, ciscoRedirect)
	w.sites[0].Controllers = nil
	p := b.do(t, http.MethodPost, "/portal/berlin/login", with(form, "user", "anna@example.com", "password", password))
	if p.StatusCode != http.StatusBadRequest || len(w.asked) != 0 {
		t.Errorf("%d, asked %d times", p.StatusCode, len(w.asked))
	}
}
