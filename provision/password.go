package provision

import (
	"fmt"
	"io"

	"memberradius/member"
)

// The form of a password: five groups of four letters, 81.7 bits.
const (
	// letters are typed on a phone without changing its keyboard. None can be
	// taken for another (l and i, q and g, v and u, m for r beside n), and
	// without vowels they make no word that anybody would mind.
	letters   = "bcdfghjknprstwxyz"
	groups    = 5
	groupSize = 4
	// fair is below which an octet names each letter equally often.
	fair = 256 / len(letters) * len(letters)
)

// NewPassword returns a password for the Wi-Fi alone, as "bdfg-hjkn-prst-wxyz-bcdf":
// 20 letters of 17, over 80 bits. Its error is that of random.
func NewPassword(random io.Reader) (member.Secret, error) {
	var text [groups*(groupSize+1) - 1]byte
	var octets [32]byte
	var rest []byte
	for i := range text {
		if i%(groupSize+1) == groupSize {
			text[i] = '-'
			continue
		}
		for text[i] == 0 {
			if len(rest) == 0 {
				if _, err := io.ReadFull(random, octets[:]); err != nil {
					return "", fmt.Errorf("provision: no randomness for a password: %w", err)
				}
				rest = octets[:]
			}
			if int(rest[0]) < fair {
				text[i] = letters[int(rest[0])%len(letters)]
			}
			rest = rest[1:]
		}
	}
	return member.Secret(text[:]), nil
}
