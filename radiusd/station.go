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
// aa:bb:.., aabb.ccdd.eeff, aabbccddeeff) and returns how many octets it took;
// 0 where there is none.
func readMAC(mac *[macSize]byte, value []byte) int {
	at := 0
	for octet := 0; octet < 6; octet++ {
		if octet > 0 {
			mac[3*octet-1] = ':'
			if at < len(value) && (value[at] == '-' || value[at] == ':' || value[at] == '.') {
				at++
			}
		}
		if len(value)-at < 2 {
			return 0
		}
		high, low := nibbles[value[at]], nibbles[value[at+1]]
		if high == 0 || low == 0 {
			return 0
		}
		mac[3*octet], mac[3*octet+1] = high, low
		at += 2
	}
	return at
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
