package portal

import (
	"crypto/md5"
	"encoding/hex"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"memberradius/internal/chromium"
	"memberradius/member"
)

// shots is where the screenshots are kept, to be looked at.
var shots = flag.String("screenshots", "", "the folder to keep screenshots in; empty: they are not kept")

// A gateway is a hotspot's controller: it sends whoever is not logged in to the
// portal, and lets in who brings the ticket, as RADIUS would tell it.
type gateway struct {
	kind   Kind
	portal string
	*httptest.Server

	mu      sync.Mutex
	open    bool
	refused int
}

const gatewaySecret = "greatsecret"

const gatewayChallenge = "532b80e14b14505accd24c79e35004e6"

func newGateway(t *testing.T, kind Kind, portal string) *gateway {
	t.Helper()
	g := &gateway{kind: kind, portal: portal}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_ = r.ParseForm()
	back := ""
	switch {
	case g.kind == Chilli && r.Method == http.MethodGet && r.URL.Path == "/logon":
		g.open, back = r.Form.Get("username") == "t-user" && r.Form.Get("response") == chilliResponse(ticket), r.Form.Get("userurl")
	case g.kind == MikroTik && r.URL.Path == "/login" && r.Form.Has("username"):
		g.open, back = r.Form.Get("username") == "t-user" && r.Form.Get("password") == ticket, r.Form.Get("dst")
	case g.kind == Cisco && r.Method == http.MethodPost && r.URL.Path == "/login.html":
		g.open = r.PostForm.Get("username") == "t-user" && r.PostForm.Get("password") == ticket && r.PostForm.Get("buttonClicked") == "4"
		back = r.PostForm.Get("redirect_url")
	}
	switch {
	case g.open && back != "":
		http.Redirect(w, r, back, http.StatusFound)
	case back != "":
		g.refused++
		fallthrough
	default:
		http.Redirect(w, r, g.redirect(), http.StatusFound)
	}
}

// chilliResponse is computed as the RADIUS server would check it: CHAP with the
// identifier 0 and the challenge that chilli makes of its own and the secret.
func chilliResponse(password string) string {
	challenge, _ := hex.DecodeString(gatewayChallenge)
	key := md5.Sum(append(challenge, gatewaySecret...))
	sum := md5.Sum(append(append([]byte{0}, password...), key[:]...))
	return hex.EncodeToString(sum[:])
}

func (g *gateway) redirect() string {
	u, _ := url.Parse(g.URL)
	q := url.Values{}
	switch g.kind {
	case Chilli:
		q = url.Values{"res": {"notyet"}, "uamip": {u.Hostname()}, "uamport": {u.Port()}, "challenge": {gatewayChallenge}, "mac": {"28-CF-E9-13-47-CB"}, "ip": {"10.1.0.2"}, "userurl": {"http://example.org/"}}
	case MikroTik:
		q = url.Values{"mac": {device}, "ip": {"10.5.50.2"}, "link-login-only": {g.URL + "/login"}, "link-orig": {"http://example.org/"}}
	case Cisco:
		q = url.Values{"switch_url": {g.URL + "/login.html"}, "ap_mac": {ap}, "client_mac": {device}, "wlan": {"Loft Guests"}, "redirect": {"example.org/"}}
	}
	return g.portal + "/portal/berlin/?" + q.Encode()
}

// rig is a portal and a gateway that listen, of which each finds the other.
func rig(t *testing.T, w *world, kind Kind) (*gateway, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(w.handler(t))
	t.Cleanup(server.Close)
	w.sites[0].UAMSecret = gatewaySecret
	return newGateway(t, kind, server.URL), server
}

// TestRealBrowser goes the whole way in Chromium without JavaScript: captured by
// the gateway, a wrong password, the right one, handed over, online, logged out.
func TestRealBrowser(t *testing.T) {
	t.Parallel()
	c := chromium.Phone().Open(t)
	for _, tt := range []struct {
		kind   Kind
		button bool // the ticket is posted by a button; else the browser goes by itself
	}{{Chilli, false}, {Cisco, true}, {MikroTik, true}} {
		w := newWorld(func(s *Site) { s.Terms = map[string]string{"en": "Be kind."} })
		gate, _ := rig(t, w, tt.kind)
		c.Visit(gate.URL+"/generate_204", english.Welcome)
		login := `form[action*="/login"] `
		c.Fill(login+`[name="user"]`, "anna@example.com")
		c.Fill(login+`[name="password"]`, "not hers")
		c.Click(login + `[name="terms"]`)
		c.Click(login + "button")
		c.Await(english.Wrong) // with the login still in its field
		c.Fill(login+`[name="password"]`, password)
		c.Click(login + `[name="terms"]`)
		c.Click(login + "button")
		if tt.button {
			c.Await(english.HandTitle)
			c.Click(`form button`)
		}
		c.Await(english.OnTitle)
		if text := c.Eval("document.body.innerText"); !strings.Contains(text, "2 h") || !strings.Contains(text, "example.org") {
			t.Errorf("%s: the last page says\n%s", tt.kind, text)
		}
		if !gate.open || gate.refused != 0 {
			t.Errorf("%s: the gateway let nobody in", tt.kind)
		}
		c.Shoot(*shots, "online-"+string(tt.kind))
		c.Click(`form[action*="/logout"] button`)
		c.Await(english.OffTitle)
		if len(w.ended) != 1 || w.ended[0] != "logout" {
			t.Errorf("%s: ended %v", tt.kind, w.ended)
		}
		if len(w.asked) != 2 || len(w.log) != 2 || w.log[0].Outcome != member.Deny || w.log[1].Outcome != member.Allow {
			t.Errorf("%s: asked %d times, logged %+v", tt.kind, len(w.asked), w.log)
		}
	}
}

// TestPictures makes pictures of every page, for people to look at.
func TestPictures(t *testing.T) {
	t.Parallel()
	if *shots == "" {
		t.Skip("pictures are made for people: go test ./web/portal -run TestPictures -screenshots FOLDER")
	}
	for _, s := range []chromium.Screen{
		chromium.Phone(),
		{Name: "phone-dark", Agent: chromium.Pixel, Language: "de", Width: 390, Height: 844, Dark: true},
		{Name: "desktop", Agent: chromium.Laptop, Language: "en", Width: 1280, Height: 900},
		{Name: "desktop-dark", Agent: chromium.Laptop, Language: "fr", Width: 1280, Height: 900, Dark: true},
	} {
		w := newWorld(func(s *Site) {
			s.Languages, s.Accent = nil, "#0a7d5a"
			s.Terms = map[string]string{"en": "Be kind.\nDo not share your password.", "de": "Sei nett.\nGib dein Passwort nicht weiter."}
		})
		gate, server := rig(t, w, Cisco)
		text := wordsIn(s.Language)
		c := s.Open(t)
		c.Visit(gate.URL, text.Welcome)
		c.Shoot(*shots, "splash")
		c.Fill(`[name="user"]`, "anna@example.com")
		c.Fill(`[name="password"]`, "not hers")
		c.Click(`[name="terms"]`)
		c.Click("form button")
		c.Await(text.Wrong)
		c.Shoot(*shots, "wrong")
		c.Fill(`[name="password"]`, password)
		c.Click(`[name="terms"]`)
		c.Click("form button")
		c.Await(text.HandTitle)
		c.Shoot(*shots, "hand")
		c.Click("form button")
		c.Await(text.OnTitle)
		c.Shoot(*shots, "online")
		c.Click("form button")
		c.Await(text.OffTitle)
		c.Shoot(*shots, "offline")
		c.Visit(server.URL+"/portal/berlin/", text.NoDeviceTitle)
		c.Shoot(*shots, "no-device")
		c.Visit(gate.URL, text.Welcome)
		c.Fill(`[name="user"]`, "down@example.com")
		c.Fill(`[name="password"]`, password)
		c.Click(`[name="terms"]`)
		c.Click("form button")
		c.Await(text.LaterTitle)
		c.Shoot(*shots, "later")
	}
}
