package portal

import (
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestSiteCheck(t *testing.T) {
	t.Parallel()
	good := newWorld().sites[0]
	if err := good.Check(); err != nil {
		t.Errorf("a good site: %v", err)
	}
	for key, spoil := range map[string]func(*Site){
		"name": func(s *Site) { s.Name = "Berlin/x" }, "methods: at least": func(s *Site) { s.Methods = nil }, `methods: "none"`: func(s *Site) { s.Methods = []Method{"none"} },
		`controller: "cisco9"`: func(s *Site) { s.Kind = "cisco9" }, "controller: unifi needs": func(s *Site) { s.Kind, s.Guests = UniFi, nil }, "accent": func(s *Site) { s.Accent = "red; }" },
		"session": func(s *Site) { s.Session = -time.Second }, "controllers": func(s *Site) { s.Controllers = []string{"https://wlc/"} }, "controllers: \"a;b\"": func(s *Site) { s.Controllers = []string{"a;b"} },
		"languages": func(s *Site) { s.Languages = []string{"xx"} }, "terms": func(s *Site) { s.Terms = map[string]string{"xx": "y"} }, "landing": func(s *Site) { s.Landing = "javascript:alert(1)" },
		"venue": func(s *Site) { s.Venue = "loft.example" }, "logo": func(s *Site) { s.Logo = Logo{"text/html", []byte("<html>")} }, "logo: an image": func(s *Site) { s.Logo = Logo{"image/png", make([]byte, maxLogo+1)} },
	} {
		s := *good
		spoil(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestLogoOf(t *testing.T) {
	t.Parallel()
	for kind, data := range map[string]string{
		"image/png": "\x89PNG\r\n\x1a\n", "image/gif": "GIF89a", "image/webp": "RIFF\x00\x00\x00\x00WEBPVP8 ", "image/jpeg": "\xff\xd8\xff",
		"image/svg+xml": `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`, "text/html": "<html><svg></svg>", "text/plain": "logo",
	} {
		if got := LogoOf([]byte(data)); got.Type != kind || string(got.Data) != data {
			t.Errorf("%q is %s, want %s", data, got.Type, kind)
		}
	}
	if got := LogoOf([]byte(`<svg viewBox="0 0 1 1"/>`)).Type; got != "image/svg+xml" {
		t.Errorf("an SVG without a prologue is %s", got)
	}
}

func TestSessionAndTerms(t *testing.T) {
	t.Parallel()
	s := &Site{Terms: map[string]string{"de": "Sei nett."}, Languages: []string{"en", "de"}, Idle: time.Minute}
	if s.session(0) != 8*time.Hour || s.session(time.Hour) != time.Hour || s.idle(0) != time.Minute || s.idle(time.Second) != time.Second {
		t.Error("defaults")
	}
	if s.terms("de") != "Sei nett." || s.terms("en") != "Sei nett." || (&Site{}).terms("en") != "" {
		t.Error("terms")
	}
	s.Session = 3 * time.Hour
	if s.session(0) != 3*time.Hour || s.title() != s.Name {
		t.Error("session of the site")
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld()
	sites := func() []*Site { return w.sites }
	for name, c := range map[string]Config{
		"no sites": {Grants: w, Log: w}, "no grants": {Sites: sites, Log: w}, "no log": {Sites: sites, Grants: w}, "a short key": {Sites: sites, Grants: w, Log: w, Key: "short"},
		"no randomness": {Sites: sites, Grants: w, Log: w, Rand: iotest.ErrReader(errors.New("none"))}, "a public_url that is none": {Sites: sites, Grants: w, Log: w, PublicURL: "wifi.example.com"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("New takes %s", name)
		}
	}
}

// TestKeyOutlivesRestart: with a key of the operator's, open pages go on after a restart.
func TestKeyOutlivesRestart(t *testing.T) {
	t.Parallel()
	w := newWorld()
	key := func(c *Config) { c.Key = "0123456789abcdef0123456789abcdef" }
	form := w.browse(t, key).open(t, chilliRedirect)
	if p := w.browse(t, key).do(t, http.MethodPost, "/portal/berlin/click", form); p.StatusCode != http.StatusOK {
		t.Errorf("%d", p.StatusCode)
	}
}

func TestBase(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Config){
		"https://wifi.example.com/portal/berlin/":  func(c *Config) { c.PublicURL = "https://wifi.example.com/" },
		"https://wifi.example.com/portal/berlin/?": func(c *Config) { c.Proxies = proxies("203.0.113.0/24") },
	} {
		b := newWorld(func(s *Site) { s.Kind = MAC }).browse(t, change)
		b.tls = true
		if p := b.get(t, "/portal/berlin/api?mac="+device); !strings.Contains(p.body, want[:len(want)-1]) {
			t.Errorf("%s", p.body)
		}
	}
}

// TestGarden compares with golden files: go test ./web/portal -run TestGarden -update.
func TestGarden(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{UAM, Meraki, UniFi, MAC} {
		got, err := Garden(&Site{Name: "berlin", Kind: kind, UniFiSite: "default"}, "https://wifi.example.com", []string{"pay.example.com", "API.example.com", "wifi.example.com", "pay.example.com"})
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join("testdata", "garden-"+string(kind)+".txt")
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil || string(want) != got {
			t.Errorf("%s differs (%v):\n%s", name, err, got)
		}
	}
	if got, err := Garden(&Site{Name: "berlin", Kind: Cisco}, "http://10.0.0.5:8080", nil); err != nil || !strings.Contains(got, "No DHCP option 114") || !strings.Contains(got, "Cisco") || strings.Contains(got, "MikroTik") {
		t.Errorf("one kind, without TLS: %v\n%s", err, got)
	}
	for _, bad := range []struct {
		url   string
		hosts []string
	}{{"", nil}, {"wifi.example.com", nil}, {"https://wifi.example.com", []string{`x" y`}}} {
		if got, err := Garden(&Site{Kind: MAC}, bad.url, bad.hosts); err == nil {
			t.Errorf("%v: %s", bad, got)
		}
	}
}
