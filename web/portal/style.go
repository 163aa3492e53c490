package portal

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strconv"
)

//go:embed assets
var files embed.FS

// load reads the templates, the style sheet and the icon.
func (d *desk) load() (err error) {
	if d.style, err = files.ReadFile("assets/style.css"); err != nil {
		return err
	}
	if d.icon, err = files.ReadFile("assets/icon.svg"); err != nil {
		return err
	}
	d.pages, err = template.ParseFS(files, "assets/*.html")
	return err
}

// version tells two contents apart in an address, so that a browser keeps each for good.
func version(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:6])
}

func (d *desk) styleURL(s *Site) string {
	return s.root() + "style.css?v=" + version(append([]byte(s.Accent), d.style...))
}

// sendStyle sends the style sheet in the site's colour.
func (d *desk) sendStyle(w http.ResponseWriter, _ *http.Request, s *Site) {
	send(w, "text/css; charset=utf-8", append(append([]byte{}, d.style...), paint(s.Accent)...))
}

func (d *desk) sendIcon(w http.ResponseWriter, _ *http.Request, _ *Site) {
	send(w, "image/svg+xml", d.icon)
}

// sendLogo sends the operator's logo. An SVG can hold a script: as an image it
// does not run, and opened by itself it may do nothing.
func (d *desk) sendLogo(w http.ResponseWriter, r *http.Request, s *Site) {
	if len(s.Logo.Data) == 0 {
		d.none(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	send(w, s.Logo.Type, s.Logo.Data)
}

func send(w http.ResponseWriter, mime string, content []byte) {
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(content)
}

// A rgb is a colour, each part from 0 to 1.
type rgb [3]float64

// Grounds that text stands on, and how much it must stand out (WCAG 2.2 §1.4.3).
const readable = 4.5

// paint is the part of the style sheet that is the site's: its colour on
// buttons, and shades of it for links that can be read on light and on dark.
func paint(accent string) string {
	c, ok := parseColour(accent)
	if !ok {
		return ""
	}
	white, black := rgb{1, 1, 1}, rgb{}
	ink := white
	if contrast(c, white) < contrast(c, black) {
		ink = black
	}
	light, dark := toward(c, black, white), toward(c, white, rgb{0.102, 0.125, 0.165})
	return fmt.Sprintf("\n:root { --button: %s; --on-button: %s; --link: %s; }\n@media (prefers-color-scheme: dark) { :root { --link: %s; } }\n", c, ink, light, dark)
}

func parseColour(s string) (c rgb, ok bool) {
	if !colour.MatchString(s) {
		return c, false
	}
	for i := range c {
		n, err := strconv.ParseUint(s[1+2*i:3+2*i], 16, 8)
		if err != nil {
			return c, false
		}
		c[i] = float64(n) / 255
	}
	return c, true
}

// String writes the colour as a style sheet takes it.
func (c rgb) String() string {
	octet := func(x float64) int { return int(math.Round(255 * x)) }
	return fmt.Sprintf("#%02x%02x%02x", octet(c[0]), octet(c[1]), octet(c[2]))
}

// toward mixes c with another colour until it can be read on ground.
func toward(c, other, ground rgb) rgb {
	for mix := 0.0; mix < 1; mix += 0.05 {
		var out rgb
		for i := range out {
			out[i] = c[i] + (other[i]-c[i])*mix
		}
		if contrast(out, ground) >= readable {
			return out
		}
	}
	return other
}

// contrast is the ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b rgb) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c rgb) float64 {
	linear := func(x float64) float64 {
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}
