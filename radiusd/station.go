package radiusd

import "unsafe"

// alias returns b as a string without a copy: it holds as long as b does.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// macSize is the length of a MAC address as "aa:bb:cc:dd:ee:ff".
const macSize = 17

// nibbles maps the ASCII of a hexadecimal digit to its lower case, all else to 0.
var nibbles = [256]byte{
	'0': '0', '1': '1', '2': '2', '3': '3', '4': '4', '5': '5', '6': '6', '7': '7', '8': '8', '9': '9',
	'a': 'a', 'b': 'b', 'c': 'c', 'd': 'd', 'e': 'e', 'f': 'f', 'A': 'a', 'B': 'b', 'C': 'c', 'D': 'd', 'E': 'e', 'F': 'f',
}

// readMAC reads a MAC address at the beginning of value in any of the ways in
// which controllers write it (AA-BB-CC-DD-EE-FF as RFC 3580 §3.20 asks,
// aa:bb:.., aabb.ccdd.eeff, aabbcc-ddeeff, aabbccddeeff, Cisco's a:a:b:b:..)
// and returns how many octets it took; 0 where there is none.
func readMAC[T string | []byte](mac *[macSize]byte, value T) int {
	at := 0
	single := len(value) > 1 && isSeparator(value[1]) // then each digit stands alone
	for digit := range 12 {
		if digit > 0 && (single || digit%2 == 0) {
			switch {
			case at < len(value) && isSeparator(value[at]):
				at++
			case single:
				return 0
			}
		}
		if at == len(value) || nibbles[value[at]] == 0 {
			return 0
		}
		mac[digit/2*3+digit%2] = nibbles[value[at]]
		at++
	}
	for octet := range 5 {
		mac[3*octet+2] = ':'
	}
	return at
}

func isSeparator(c byte) bool { return c == '-' || c == ':' || c == '.' }

// ParseMAC reads a MAC address and nothing else, in any of the ways in which
// controllers write it, and returns it as "aa:bb:cc:dd:ee:ff".
func ParseMAC(s string) (mac string, ok bool) {
	var octets [macSize]byte
	if n := readMAC(&octets, s); n == 0 || n != len(s) {
		return "", false
	}
	return string(octets[:]), true
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
