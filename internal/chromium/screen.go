package chromium

import (
	"os"
	"os/exec"
	"testing"
)

// A Screen is a device as the browser plays it.
type Screen struct {
	// Name tells its pictures from those of others.
	Name string
	// Agent is its User-Agent, Language its Accept-Language.
	Agent, Language string
	// Width and Height are in CSS pixels; below 600 wide it is a phone's.
	Width, Height int
	// Dark prefers dark colours.
	Dark bool
	// World is the host and port that all names lead to; "": they lead nowhere, and
	// the browser reaches loopback addresses alone.
	World string
}

// User-Agents of the small browsers that open by themselves before a portal, and
// of a laptop's own.
const (
	IPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
	Pixel  = "Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0.0.0 Mobile Safari/537.36"
	Laptop = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
)

// names has Chromium's names lead to the test's own world, since the browser asks its
// maker for this and that by itself.
func (s *Screen) names() string {
	if s.World != "" {
		return "MAP * " + s.World + ", EXCLUDE 127.0.0.1"
	}
	return "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
}

// Phone is an iPhone in English.
func Phone() Screen {
	return Screen{Name: "phone-light", Agent: IPhone, Language: "en", Width: 390, Height: 844}
}

// Program returns where Chromium is. Without it the test is skipped, or fails where
// the environment says CI=true.
func Program(tb testing.TB) string {
	tb.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const how = "chromium is missing, so no real browser opens the pages (Debian: apt-get install chromium)"
	if os.Getenv("CI") == "true" {
		tb.Fatal(how)
	}
	tb.Skip(how)
	return ""
}
