package portal

import (
	"encoding/json"
	"html"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// online logs a device in and returns its status page's address.
func (b *browser) online(t *testing.T, redirect string) string {
	t.Helper()
	p := b.logIn(t, redirect, "anna@example.com", password)
	if p.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d\n%s", p.StatusCode, p.body)
	}
	return p.Header.Get("Location")
}

var statusTokenIn = regexp.MustCompile(`name="g" value="([^"]+)"`)

func TestStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(func(s *Site) { s.Kind = MAC })
	b := w.browse(t)
	at := b.online(t, macRedirect)
	p := b.get(t, at)
	for _, want := range []string{english.OnTitle, "2 h", "22 November, 14:00", english.LogOut, english.Extend, english.Hint, "Continue to example.org"} {
		if p.StatusCode != http.StatusOK || !strings.Contains(p.body, want) {
			t.Errorf("the page lacks %q: %d\n%s", want, p.StatusCode, p.body)
		}
	}
	w.pass(90*time.Minute + 30*time.Second)
	if p = b.get(t, strings.Replace(at, "lang=en", "lang=de", 1)); !strings.Contains(p.body, "29 Min.") || !strings.Contains(p.body, german.LogOut) {
		t.Errorf("90 minutes later:\n%s", p.body)
	}
	// Whoever has no link sees a state at the most, and ends nothing.
	stranger := *b
	for _, path := range []string{"/portal/berlin/status", "/portal/berlin/status?g=x", "/portal/berlin/status?mac=" + device} {
		if p = stranger.get(t, path); !strings.Contains(p.body, english.OffTitle) || statusTokenIn.FindString(p.body) != "" {
			t.Errorf("%s:\n%s", path, p.body)
		}
	}
	for name, g := range map[string]string{"nothing": "", "garbage": "x.y", "a form's token": b.open(t, macRedirect).Get("token")} {
		if p = b.do(t, http.MethodPost, "/portal/berlin/logout", url.Values{"g": {g}}); p.StatusCode != http.StatusForbidden || len(w.ended) != 0 {
			t.Errorf("log out with %s: %d", name, p.StatusCode)
		}
	}
	form := url.Values{"g": {statusTokenIn.FindStringSubmatch(b.get(t, at).body)[1]}}
	b.fetch = "cross-site"
	if p = b.do(t, http.MethodPost, "/portal/berlin/logout", form); p.StatusCode != http.StatusForbidden || len(w.ended) != 0 {
		t.Errorf("log out by another site: %d", p.StatusCode)
	}
	b.fetch = ""
	if p = b.do(t, http.MethodPost, "/portal/other/logout", form); p.StatusCode != http.StatusForbidden || len(w.ended) != 0 {
		t.Errorf("log out at another site: %d", p.StatusCode)
	}
	if p = b.do(t, http.MethodPost, "/portal/berlin/logout", form); p.StatusCode != http.StatusOK || !strings.Contains(p.body, english.OffTitle) || len(w.ended) != 1 || w.ended[0] != "logout" {
		t.Errorf("log out: %d, ended %v", p.StatusCode, w.ended)
	}
	if p = b.get(t, at); !strings.Contains(p.body, english.OffTitle) {
		t.Errorf("after logging out:\n%s", p.body)
	}
}

func TestStatusOfAnotherGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(func(s *Site) { s.Kind = UniFi })
	b := w.browse(t)
	redirect := "/portal/berlin/?id=" + device
	first := b.online(t, redirect)
	second := b.online(t, redirect)
	if p := b.get(t, first); !strings.Contains(p.body, english.OnTitle) || statusTokenIn.FindString(p.body) != "" {
		t.Errorf("the link of a grant that was replaced:\n%s", p.body)
	}
	token := statusTokenIn.FindStringSubmatch(b.get(t, second).body)[1]
	w.fault = errDisk
	if p := b.do(t, http.MethodPost, "/portal/berlin/logout", url.Values{"g": {token}}); p.StatusCode != http.StatusServiceUnavailable || strings.Contains(p.body, "disk") {
		t.Errorf("a fault: %d", p.StatusCode)
	}
	w.fault = nil
	if p := b.do(t, http.MethodPost, "/portal/berlin/logout", url.Values{"g": {token}}); p.StatusCode != http.StatusOK || w.withdraw[len(w.withdraw)-1] != device {
		t.Errorf("log out: %d, withdrawn %v", p.StatusCode, w.withdraw)
	}
}

// TestExtend: more time without being sent by the controller again.
func TestExtend(t *testing.T) {
	t.Parallel()
	w := newWorld(func(s *Site) { s.Kind = MAC })
	b := w.browse(t)
	page := b.get(t, b.online(t, macRedirect)).body
	m := regexp.MustCompile(`href="(/portal/berlin/\?lang=en&amp;s=[^"]+)">` + english.Extend).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no way to stay longer:\n%s", page)
	}
	w.pass(time.Hour)
	p := b.logIn(t, html.UnescapeString(m[1]), "anna@example.com", password)
	if p.StatusCode != http.StatusSeeOther || len(w.grants) != 2 || w.grants[1].AccessPoint != ap {
		t.Fatalf("%d, %d grants", p.StatusCode, len(w.grants))
	}
	// And again once it is over, or she has logged out.
	at := p.Header.Get("Location")
	out := b.do(t, http.MethodPost, "/portal/berlin/logout", url.Values{"g": {statusTokenIn.FindStringSubmatch(b.get(t, at).body)[1]}})
	for i, body := range []string{out.body, b.get(t, at).body} {
		m := regexp.MustCompile(`href="(/portal/berlin/\?lang=en&amp;s=[^"]+)">` + english.LogInAgain).FindStringSubmatch(body)
		if m == nil {
			t.Fatalf("no way to log in again:\n%s", body)
		}
		if p := b.logIn(t, html.UnescapeString(m[1]), "anna@example.com", password); p.StatusCode != http.StatusSeeOther || len(w.grants) != 3+i {
			t.Errorf("again: %d, %d grants", p.StatusCode, len(w.grants))
		}
		w.pass(2 * time.Hour)
	}
}

func TestControllerSendsBack(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := w.browse(t)
	b.logIn(t, chilliRedirect, "anna@example.com", password)
	done := strings.Replace(chilliRedirect, "notyet", "success", 1)
	if p := b.get(t, done); p.StatusCode != http.StatusOK || !strings.Contains(p.body, english.OnTitle) || !strings.Contains(p.body, "2 h") || statusTokenIn.FindString(p.body) != "" {
		t.Errorf("success:\n%s", p.body)
	}
	// The way back that the gateway was given is followed; nobody else's is.
	sent := func(userurl string) *reply {
		return b.get(t, "/portal/berlin/?"+url.Values{"res": {"success"}, "uamip": {"10.1.0.1"}, "mac": {"28-CF-E9-13-47-CB"}, "userurl": {userurl}}.Encode())
	}
	const home, back = "http://wifi.example.com", "/portal/berlin/status?g=x&new=1"
	if p := sent(home + back); p.StatusCode != http.StatusSeeOther || p.Header.Get("Location") != back {
		t.Errorf("success with the way back: %d, %s", p.StatusCode, p.Header.Get("Location"))
	}
	for _, other := range []string{"http://evil.example" + back, home + ".evil.example" + back, home + "@evil.example" + back, home + "/portal/berlin/logout?g=x"} {
		if p := sent(other); p.StatusCode != http.StatusOK {
			t.Errorf("success with %s: %d, %s", other, p.StatusCode, p.Header.Get("Location"))
		}
	}
	w.pass(3 * time.Hour)
	if p := b.get(t, "/portal/berlin/?res=success&uamip=10.1.0.1&uamport=3990&mac=28-CF-E9-13-47-CB"); p.StatusCode != http.StatusOK || !strings.Contains(p.body, english.OffTitle) {
		t.Errorf("success without a grant:\n%s", p.body)
	}
	if p := b.get(t, ciscoRedirect+"&statusCode=1"); p.StatusCode != http.StatusOK || tokenIn.FindString(p.body) == "" || strings.Contains(p.body, english.NotTaken) {
		t.Errorf("a device that the controller alone knows:\n%s", p.body)
	}
	if p := b.get(t, strings.Replace(chilliRedirect, "notyet", "failed", 1)); p.StatusCode != http.StatusOK || !strings.Contains(p.body, english.NotTaken) || tokenIn.FindString(p.body) == "" {
		t.Errorf("failed:\n%s", p.body)
	}
}

// TestNoDevice: the page that is opened by itself, and by a device on this very network.
func TestNoDevice(t *testing.T) {
	t.Parallel()
	w := newWorld(func(s *Site) { s.Kind = MAC })
	b := w.browse(t)
	if p := b.get(t, "/portal/berlin/"); p.StatusCode != http.StatusBadRequest || !strings.Contains(p.body, english.NoDeviceTitle) {
		t.Errorf("no device: %d\n%s", p.StatusCode, p.body)
	}
	b.from = "10.0.0.23:5"
	b.online(t, macRedirect)
	if p := b.get(t, "/portal/berlin/"); p.StatusCode != http.StatusOK || !strings.Contains(p.body, english.OnTitle) || statusTokenIn.FindString(p.body) != "" {
		t.Errorf("a device known by its address: %d\n%s", p.StatusCode, p.body)
	}
	if got := w.grants[0].Address; got != addr("10.0.0.23") {
		t.Errorf("the grant has the address %v", got)
	}
}

func TestDeviceAddress(t *testing.T) {
	t.Parallel()
	var none netip.Addr
	for _, tt := range []struct{ said, from, want netip.Addr }{
		{addr("10.0.0.2"), addr("10.0.0.2"), addr("10.0.0.2")}, {none, addr("10.0.0.2"), addr("10.0.0.2")}, {addr("10.0.0.2"), addr("203.0.113.9"), addr("10.0.0.2")},
		{none, addr("203.0.113.9"), none}, {addr("10.0.0.2"), addr("172.17.0.1"), none}, {none, none, none},
	} {
		if got := deviceAddress(tt.said, tt.from); got != tt.want {
			t.Errorf("said %v, from %v: %v, want %v", tt.said, tt.from, got, tt.want)
		}
	}
}

// TestStateThatCouldNotBeSaid: a fault of the store is never "you are not online".
func TestStateThatCouldNotBeSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(func(s *Site) { s.Kind = MAC })
	b := w.browse(t)
	at := b.online(t, macRedirect)
	w.fault = errDisk
	for i, path := range []string{at, "/portal/berlin/status", "/portal/berlin/"} {
		if p := b.get(t, path); p.StatusCode != http.StatusServiceUnavailable || !strings.Contains(p.body, english.LaterTitle) || strings.Contains(p.body, "disk") || len(w.faults) != i+1 {
			t.Errorf("%s: %d, %v", path, p.StatusCode, w.faults)
		}
	}
	w.sites[0].Kind = Chilli
	if p := b.get(t, strings.Replace(chilliRedirect, "notyet", "success", 1)); p.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("success: %d", p.StatusCode)
	}
}

func TestCaptivePortalAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(func(s *Site) { s.Kind, s.Venue = MAC, "https://loft.example/" })
	b := w.browse(t, func(c *Config) { c.PublicURL = "https://wifi.example.com" })
	ask := func(path string) map[string]any {
		t.Helper()
		p := b.get(t, path)
		var out map[string]any
		if err := json.Unmarshal([]byte(p.body), &out); err != nil || p.StatusCode != http.StatusOK || p.Header.Get("Content-Type") != "application/captive+json" || p.Header.Get("Cache-Control") != "private, no-store" {
			t.Fatalf("%s: %d %v %v %s", path, p.StatusCode, p.Header, err, p.body)
		}
		return out
	}
	check := func(what string, got map[string]any, want map[string]any) {
		t.Helper()
		if len(got) != len(want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%s: %s is %v, want %v", what, k, got[k], v)
			}
		}
	}
	const portal, venue = "https://wifi.example.com/portal/berlin/", "https://loft.example/"
	check("nobody", ask("/portal/berlin/api"), map[string]any{"captive": true, "user-portal-url": portal, "venue-info-url": venue})
	check("a MAC that is not in", ask("/portal/berlin/api?mac=28-CF-E9-13-47-CB"), map[string]any{"captive": true, "user-portal-url": portal + "?mac=28%3Acf%3Ae9%3A13%3A47%3Acb", "venue-info-url": venue})

	b.from = "10.0.0.23:5"
	b.online(t, macRedirect)
	w.pass(time.Hour)
	in := map[string]any{"captive": false, "user-portal-url": portal, "venue-info-url": venue, "can-extend-session": true, "seconds-remaining": 3600.0}
	check("by address", ask("/portal/berlin/api"), in)
	w.left = 5 << 20
	in["bytes-remaining"] = 5242880.0
	check("with a quota", ask("/portal/berlin/api"), in)
	b.from = "203.0.113.9:5"
	in["user-portal-url"] = portal + "?mac=28%3Acf%3Ae9%3A13%3A47%3Acb"
	check("by MAC", ask("/portal/berlin/api?mac="+device), in)
	check("behind NAT", ask("/portal/berlin/api"), map[string]any{"captive": true, "user-portal-url": portal, "venue-info-url": venue})
	w.pass(time.Hour)
	check("when the time is over", ask("/portal/berlin/api?mac="+device), map[string]any{"captive": true, "user-portal-url": in["user-portal-url"], "venue-info-url": venue})
	w.fault = errDisk
	if p := b.get(t, "/portal/berlin/api"); p.StatusCode != http.StatusServiceUnavailable || p.body != "" || len(w.faults) != 1 {
		t.Errorf("a fault: %d %s", p.StatusCode, p.body)
	}
	w.fault = nil

	// RFC 8908 §5: the user's portal is one that is accessed over TLS.
	plain := w.browse(t)
	if p := plain.get(t, "/portal/berlin/api"); strings.Contains(p.body, "user-portal-url") {
		t.Errorf("without TLS: %s", p.body)
	}
	if got := APIURL(w.sites[0], "https://wifi.example.com/"); got != "https://wifi.example.com/portal/berlin/api" {
		t.Errorf("option 114 says %s", got)
	}
}

func TestTheAPIOfUAM(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := w.browse(t)
	b.logIn(t, chilliRedirect, "anna@example.com", password)
	if p := b.get(t, "/portal/berlin/api?mac="+device); !strings.Contains(p.body, `"can-extend-session":false`) {
		t.Errorf("a controller that hands out challenges: %s", p.body)
	}
}
