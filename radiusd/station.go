package radiusd

import "unsafe"

// alias returns b as a string without a copy: it holds as long as b does.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// macSize is the length of a MAC address as "aa:bb:cc:dd:ee:ff".
const macSize = 17

// readMAC reads a MAC address at the beginning of value in any of the ways in
// which controllers write it (AA-BB-CC-DD-EE-FF as RFC 3580 §3.20 asks,
// aa:bb:.., aabb.ccdd.eeff, aabbccddeeff) and returns how many octets it took;
// 0 where there is none.
func readMAC(mac *[macSize]byte, value []byte) int {
	digits := 0
	for i, c := range value {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f':
		case 'A' <= c && c <= 'F':
			c += 'a' - 'A'
		case c == '-' || c == ':' || c == '.':
			if digits == 0 || digits%2 != 0 {
				return 0
			}
			continue
		default:
			return 0
		}
		mac[digits+digits/2] = c
		if digits%2 == 1 && digits < 11 {
			mac[digits+digits/2+1] = ':'
		}
		if digits++; digits == 12 {
			return i + 1
		}
	}
	return 0
}

// ssid returns the network's name. RFC 3580 §3.20 puts it behind the access
// point's MAC address and a colon in Called-Station-Id; Aruba and Ruckus send
// it in an attribute of their own too, which wins.
func (r *request) ssid() []byte {
	if r.vendorSSID != nil {
		return r.vendorSSID
	}
	var mac [macSize]byte
	n := readMAC(&mac, r.calledStation)
	if n == 0 || n == len(r.calledStation) || r.calledStation[n] != ':' {
		return nil
	}
	return r.calledStation[n+1:]
}
