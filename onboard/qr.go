package onboard

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"

	"github.com/boombuler/barcode/qr"
)

// quietZone is the light margin of a QR code in modules, without which cameras
// do not find it (ISO/IEC 18004 §6.3.8).
const quietZone = 4

// QR returns a text of at most 2,331 octets as a QR code in SVG, to be written
// into a page or served as image/svg+xml. It has no size of its own and no
// style that a content security policy would forbid, and is dark on light
// whatever is around it: many cameras read no inverted code.
//
// Its error does not repeat the text, which may be a secret.
func QR(text string) ([]byte, error) {
	// Level M restores 15 %: a screen is not torn or dirty, but small.
	code, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		return nil, errors.New("onboard: QR code: the text is too long for one")
	}
	size := code.Bounds().Dx()
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %[1]d" role="img" aria-label="QR code" shape-rendering="crispEdges">`, size+2*quietZone)
	b.WriteString(`<rect width="100%" height="100%" fill="#fff"/><path fill="#000" d="`)
	for y := range size {
		for x := 0; x < size; x++ {
			from := x
			for x < size && code.At(x, y) == color.Black {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%[3]dz", from+quietZone, y+quietZone, x-from)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes(), nil
}
