package member

import (
	"fmt"
	"strconv"
)

// A VLAN is what Tunnel-Private-Group-Id says (RFC 3580 §3.31): a number from
// 1 to 4094 in decimal digits, or the name of a VLAN as the NAS knows it. The
// zero value is no VLAN.
type VLAN string

// ParseVLAN checks s. A name has 1 to 32 printable ASCII characters.
func ParseVLAN(s string) (VLAN, error) {
	if n, err := strconv.Atoi(s); err == nil {
		if n < 1 || n > 4094 {
			return "", fmt.Errorf("VLAN %d: a number from 1 to 4094 is needed", n)
		}
		return VLAN(strconv.Itoa(n)), nil
	}
	if s == "" || len(s) > 32 {
		return "", fmt.Errorf("VLAN name of %d characters: 1 to 32 are needed", len(s))
	}
	for _, c := range []byte(s) {
		if c < 0x20 || c > 0x7e {
			return "", fmt.Errorf("VLAN name %q: printable ASCII is needed", s)
		}
	}
	return VLAN(s), nil
}

// Number returns the VLAN's number where it is one.
func (v VLAN) Number() (uint16, bool) {
	if v == "" || v[0] < '0' || v[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(v), 10, 16)
	return uint16(n), err == nil
}
