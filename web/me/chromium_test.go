package me

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shots is where the screenshots are kept, to be looked at.
var shots = flag.String("screenshots", "", "the folder to keep screenshots in; empty: they are not kept")

// chromium returns the browser, or skips the test where there is none.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("chromium is missing, so no real browser opens the page (Debian: apt-get install chromium)")
	return ""
}

// A screen is a device as the browser plays it.
type screen struct {
	name, agent   string
	width, height int
	dark          bool
	language      string
}

const (
	iPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	pixel  = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36"
	laptop = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
)

// run has the browser do what flags say with a page, in a profile of its own.
func (s *screen) run(t *testing.T, address string, flags ...string) (out, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	// Not t.TempDir: a child of the browser may still write while it is removed.
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(profile) }()
	args := []string{
		"--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-dev-shm-usage",
		"--user-data-dir=" + profile, "--user-agent=" + s.agent, "--accept-lang=" + s.language, fmt.Sprintf("--window-size=%d,%d", s.width, s.height),
	}
	if s.dark {
		args = append(args, "--blink-settings=preferredColorScheme=0")
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium's sandbox does not run as root
	}
	cmd := exec.CommandContext(ctx, chromium(t), append(append(args, flags...), address)...)
	var errs strings.Builder
	cmd.Stderr = &errs
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", s.name, err, errs.String())
	}
	return string(stdout), errs.String()
}

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

func (s *screen) shoot(t *testing.T, address, name string) {
	t.Helper()
	dir := *shots
	if dir == "" {
		dir = t.TempDir()
	}
	path := filepath.Join(dir, name+"-"+s.name+".png")
	s.run(t, address, "--screenshot="+path)
	if info, err := os.Stat(path); err != nil || info.Size() < 5000 {
		t.Errorf("%s: no picture, or an empty one: %v", path, err)
	}
}

// TestRealBrowser: Chromium shows the page, takes its style, and finds nothing
// that the policy forbids.
func TestRealBrowser(t *testing.T) {
	t.Parallel()
	s := screen{"phone-light", iPhone, 390, 844, false, "en"}
	address := signedIn(t, newWorld(t))
	dom, said := s.run(t, address+"/me", "--dump-dom", "--enable-logging=stderr")
	for _, want := range []string{anna.Login, password, english.ThisDevice, "<svg"} {
		if !strings.Contains(dom, want) {
			t.Errorf("the browser's page lacks %q", want)
		}
	}
	for line := range strings.Lines(said) {
		if strings.Contains(line, "CONSOLE") || strings.Contains(line, "Content Security Policy") {
			t.Errorf("the browser complains: %s", line)
		}
	}
	s.shoot(t, address+"/me", "sheet")
}

// TestPictures makes pictures of every page, for people to look at.
func TestPictures(t *testing.T) {
	t.Parallel()
	if *shots == "" {
		t.Skip("pictures are made for people: go test ./web/me -run TestPictures -screenshots FOLDER")
	}
	for _, s := range []screen{
		{"phone-light", iPhone, 390, 844, false, "en"},
		{"phone-dark", pixel, 390, 844, true, "de"},
		{"desktop", laptop, 1280, 900, false, "en"},
		{"phone-whole", iPhone, 390, 1900, true, "en"},
		{"android-whole", pixel, 390, 2600, false, "de"},
		{"desktop-whole", laptop, 1280, 1600, true, "de"},
	} {
		w := newWorld(t)
		address := signedIn(t, w)
		w.links["good-link"] = noon.Add(time.Hour)
		s.shoot(t, address+"/me?renewed", "sheet")
		s.shoot(t, address+"/me/good-link", "door")
		s.shoot(t, w.browse(t).base+"/me/never-was", "gone")
	}
}
