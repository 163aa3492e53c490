package store

import (
	"errors"
	"fmt"
)

// macSize is the length of "aa:bb:cc:dd:ee:ff".
const macSize = 17

// macNumber reads a device's address as this package spells it, in lower case
// and with colons, as a number.
func macNumber(s string) (n uint64, ok bool) {
	if len(s) != macSize {
		return 0, false
	}
	for i := range macSize {
		c := s[i]
		switch {
		case i%3 == 2:
			if c != ':' {
				return 0, false
			}
			continue
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		default:
			return 0, false
		}
		n = n<<4 | uint64(c)
	}
	return n, true
}

// broadcast is the broadcast address (IEEE 802).
const broadcast = 1<<48 - 1

var errNoDeviceMAC = errors.New("no device has it: one that is neither all zero nor the broadcast address is needed")

// checkMAC takes the address of one device.
func checkMAC(s string) error {
	n, ok := macNumber(s)
	if !ok {
		return fmt.Errorf("MAC address %q: write it as aa:bb:cc:dd:ee:ff", s)
	}
	// Other addresses with the group bit no device has either, but documents of
	// portals show such ones, and who tries them out must not fail for it.
	if n == 0 || n == broadcast {
		return fmt.Errorf("MAC address %q: %w", s, errNoDeviceMAC)
	}
	return nil
}
