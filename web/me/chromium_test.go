package me

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"memberradius/internal/chromium"
)

// shots is where the screenshots are kept, to be looked at.
var shots = flag.String("screenshots", "", "the folder to keep screenshots in; empty: they are not kept")

// signedIn serves the member's page to whoever asks, as to her after she has
// come in: the browser is started anew for each picture and has no cookie.
func signedIn(t *testing.T, w *world) string {
	t.Helper()
	h := w.handler(t)
	session, err := w.Take(t.Context(), "good-link", sessionLife)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: string(session)})
		h.ServeHTTP(rw, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestRealBrowser: Chromium shows the page, takes its style, and finds nothing
// that the policy forbids.
func TestRealBrowser(t *testing.T) {
	t.Parallel()
	c := chromium.Phone().Open(t)
	c.Visit(signedIn(t, newWorld(t))+"/me", english.ThisDevice)
	dom := c.Eval("document.documentElement.outerHTML")
	for _, want := range []string{anna.Login, password, "<svg"} {
		if !strings.Contains(dom, want) {
			t.Errorf("the browser's page lacks %q", want)
		}
	}
	c.Shoot(*shots, "sheet")
}

// TestPictures makes pictures of every page, for people to look at.
func TestPictures(t *testing.T) {
	t.Parallel()
	if *shots == "" {
		t.Skip("pictures are made for people: go test ./web/me -run TestPictures -screenshots FOLDER")
	}
	for _, s := range []chromium.Screen{
		chromium.Phone(),
		{Name: "phone-dark", Agent: chromium.Pixel, Language: "de", Width: 390, Height: 844, Dark: true},
		{Name: "desktop", Agent: chromium.Laptop, Language: "en", Width: 1280, Height: 900},
		{Name: "desktop-dark", Agent: chromium.Laptop, Language: "de", Width: 1280, Height: 900, Dark: true},
	} {
		w, c := newWorld(t), s.Open(t)
		address := signedIn(t, w)
		w.links["good-link"] = noon.Add(time.Hour)
		text := english
		if s.Language == "de" {
			text = german
		}
		for _, page := range []struct{ name, address, shows string }{
			{"sheet", address + "/me?renewed", text.Network},
			{"door", address + "/me/good-link", text.DoorButton},
			{"gone", w.browse(t).base + "/me/never-was", text.GoneTitle},
		} {
			c.Visit(page.address, page.shows)
			c.Shoot(*shots, page.name)
		}
	}
}
