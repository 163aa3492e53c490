package onboard

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"
)

// TestQR draws the path of the SVG again: every module where it belongs, and a
// light margin of four around.
func TestQR(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "https://wifi.example.com/me/AbCdEf0123456789", "Café 😀", strings.Repeat("long ", 400)} {
		svg, err := QR(text)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
			ViewBox string   `xml:"viewBox,attr"`
			Rect    struct {
				Fill string `xml:"fill,attr"`
			} `xml:"rect"`
			Path struct {
				Fill string `xml:"fill,attr"`
				D    string `xml:"d,attr"`
			} `xml:"path"`
		}
		if err := xml.Unmarshal(svg, &doc); err != nil {
			t.Fatal(err)
		}
		code, err := qr.Encode(text, qr.M, qr.Unicode)
		if err != nil {
			t.Fatal(err)
		}
		size := code.Bounds().Dx()
		if want := fmt.Sprintf("0 0 %d %[1]d", size+8); doc.ViewBox != want || doc.Rect.Fill != "#fff" || doc.Path.Fill != "#000" {
			t.Errorf("viewBox %q, want %q; %q on %q", doc.ViewBox, want, doc.Path.Fill, doc.Rect.Fill)
		}
		dark := map[[2]int]bool{}
		for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(doc.Path.D, -1) {
			x, _ := strconv.Atoi(m[1])
			y, _ := strconv.Atoi(m[2])
			n, _ := strconv.Atoi(m[3])
			if m[3] != m[4] || n == 0 {
				t.Fatalf("run %q does not close", m[0])
			}
			for i := range n {
				dark[[2]int{x + i, y}] = true
			}
		}
		for y := range size + 8 {
			for x := range size + 8 {
				inside := x >= 4 && x < size+4 && y >= 4 && y < size+4
				if want := inside && code.At(x-4, y-4) == color.Black; dark[[2]int{x, y}] != want {
					t.Fatalf("%.20q: module %d,%d is %t, want %t", text, x, y, !want, want)
				}
			}
		}
		if strings.Contains(string(svg), "style") || text != "" && len(text) > 3 && strings.Contains(string(svg), text) {
			t.Errorf("a style, or the text itself, is in the picture")
		}
	}
}

func TestQR_TooLong(t *testing.T) {
	t.Parallel()
	const most = 2331 // version 40, level M, octets (ISO/IEC 18004 table 7)
	if _, err := QR(strings.Repeat("s", most)); err != nil {
		t.Error(err)
	}
	if _, err := QR(strings.Repeat("s", most+1)); err == nil || strings.Contains(err.Error(), "ss") {
		t.Errorf("%v", err)
	}
}
