package me

import (
	"fmt"
	"math"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"memberradius/internal/chromium"
	"memberradius/onboard"
)

func TestPageIsInHerLanguage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browse(t)
	b.enter(t)
	for asked, want := range map[string]*words{
		"": &english, "de": &german, "de-AT,de;q=0.8,en;q=0.5": &german, "en-GB": &english, "fr-FR,fr;q=0.9": &english, "fr,de;q=0.5": &german, "\x80;;q=x": &english,
	} {
		b.language = asked
		p := b.get(t, "/me")
		if p.Header.Get("Content-Language") != want.Lang || !strings.Contains(p.body, `<html lang="`+want.Lang+`">`) || !strings.Contains(p.body, want.Show) {
			t.Errorf("Accept-Language %q: %s", asked, p.Header.Get("Content-Language"))
		}
	}
}

// TestWordsAreWhole: no text of any language is missing.
func TestWordsAreWhole(t *testing.T) {
	t.Parallel()
	for _, w := range []*words{&english, &german} {
		checkWords(t, w.Lang, reflect.ValueOf(*w))
	}
	for _, n := range []onboard.Network{
		{SSID: "x", ServerName: "a.example", CA: authority(t)}, {SSID: "x", ServerName: "a.example", Method: onboard.TTLS, TTLSInner: onboard.PAP},
	} {
		for _, line := range byHand(&german, &n, &onboard.Access{Login: "x"}) {
			if other, ok := german.Settings[line.Name]; ok && other != line.Name {
				t.Errorf("%q is not translated", line.Name)
			}
		}
		for _, step := range onboard.ByHand(&n, &onboard.Access{Login: "x"}) {
			for _, f := range step.Fields {
				if same := []string{"Domain"}; step.System == "android" && german.Settings[f.Name] == "" && !slices.Contains(same, f.Name) {
					t.Errorf("german has no words for %q", f.Name)
				}
			}
		}
	}
}

func checkWords(t *testing.T, at string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		if v.String() == "" {
			t.Errorf("%s is empty", at)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			checkWords(t, at+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkWords(t, fmt.Sprint(at, i), v.Index(i))
		}
	}
}

func TestDeviceInHerHandComesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browse(t)
	b.enter(t)
	links := regexp.MustCompile(`/me/profile/(\w+)`)
	for agent, first := range map[string]string{
		chromium.IPhone: "apple", chromium.Laptop: "ca", chromium.Pixel: "ca", "curl/8": "ca",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)": "apple", "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)": "onc",
	} {
		b.agent = agent
		p := b.get(t, "/me")
		var offered []string
		for _, m := range links.FindAllStringSubmatch(p.body, -1) {
			offered = append(offered, m[1])
		}
		if offered[0] != first {
			t.Errorf("%s: %v, want %s first", agent, offered, first)
		}
		for _, kind := range []string{"apple", "onc", "windows", "ca"} {
			if !slices.Contains(offered, kind) {
				t.Errorf("%s: %s is not offered", agent, kind)
			}
		}
		if this := strings.Index(p.body, english.ThisDevice); (this >= 0) != (agent != chromium.Pixel && agent != "curl/8") {
			t.Errorf("%s: a profile for this device is offered: %v", agent, this >= 0)
		}
	}
}

func TestPageWithoutProfiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browse(t)
	b.enter(t)
	w.sheet.Ended = true
	if p := b.get(t, "/me"); strings.Contains(p.body, "/me/profile/") || !strings.Contains(p.body, english.EndedTitle) {
		t.Error("a membership that has ended is offered profiles, or does not hear why not")
	}
	w.sheet.Ended, w.sheet.Network = false, nil
	if p := b.get(t, "/me"); strings.Contains(p.body, "/me/profile/") || !strings.Contains(p.body, password) {
		t.Error("without a network there is a profile, or no password")
	}
	w.sheet.Access.Password = ""
	if p := b.get(t, "/me"); !strings.Contains(p.body, english.OwnPassword) {
		t.Error("it does not say which password is hers")
	}
}

// TestPagesAreSafe: nothing runs, nothing is loaded from elsewhere, nothing is
// kept, and what others wrote stays text.
func TestPagesAreSafe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const evil = `"><script>alert(1)</script><img src=//evil.example>`
	w.sheet.Access.Name, w.sheet.Access.Login, w.sheet.Network.SSID, w.sheet.Network.Space = evil, evil, evil[:30], evil
	b := w.browse(t, func(c *Config) { c.Space, c.Contact = evil, "javascript:alert(1)@x" })
	b.enter(t)
	w.links["good-link"] = noon.Add(time.Hour)
	for _, path := range []string{"/me", "/me/good-link"} {
		p := b.get(t, path)
		for _, bad := range []string{"<script", "<img", "javascript:alert(1)@x\"", " style=", " onclick=", "http://", "https://"} {
			if strings.Contains(strings.ReplaceAll(p.body, `xmlns="http://www.w3.org/2000/svg"`, ""), bad) {
				t.Errorf("%s holds %q", path, bad)
			}
		}
		if csp := p.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'self'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if p.Header.Get("Referrer-Policy") != "same-origin" || p.Header.Get("X-Robots-Tag") != "noindex" {
			t.Errorf("%s: headers %v", path, p.Header)
		}
	}
}

func TestAssetsAreServed(t *testing.T) {
	t.Parallel()
	b := newWorld(t).browse(t)
	door := b.get(t, "/me/good-link")
	found := regexp.MustCompile(`href="(/me/assets/[^"]+)"`).FindAllStringSubmatch(door.body, -1)
	if len(found) != 2 {
		t.Fatalf("the page loads %v", found)
	}
	for _, m := range found {
		p := b.get(t, m[1])
		if p.StatusCode != http.StatusOK || p.body == "" || !strings.Contains(p.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", m[1], p.StatusCode, p.Header)
		}
	}
}

// TestContrast: texts can be read in both colour schemes (WCAG 2.2, 1.4.3: 4.5 to 1).
func TestContrast(t *testing.T) {
	t.Parallel()
	css, err := files.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(css), "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("there is no dark scheme")
	}
	dark, _, _ = strings.Cut(dark, "\n}")
	for name, scheme := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(scheme, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, pair := range [][2]string{
			{"text", "ground"}, {"text", "card"}, {"soft", "ground"}, {"soft", "card"}, {"soft", "field"}, {"text", "field"}, {"accent", "ground"}, {"accent", "card"},
			{"accent", "field"}, {"on-accent", "accent"}, {"on-accent", "press"}, {"on-good", "good"}, {"on-bad", "bad"}, {"risk", "card"}, {"risk", "field"},
		} {
			a, b := colours[pair[0]], colours[pair[1]]
			if ratio := (max(a, b) + .05) / (min(a, b) + .05); ratio < 4.5 {
				t.Errorf("%s: %s on %s is %.1f to 1", name, pair[0], pair[1], ratio)
			}
		}
	}
}

// luminance is the relative luminance of a colour (WCAG 2.2).
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{.2126, .7152, .0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
