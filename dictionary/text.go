package dictionary

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"
)

const redacted = "[redacted]"

// Text shows a value to people: names for numbers that have one, text with
// every control character and every one that is invisible or turns the
// direction of writing escaped, octets in hex, and "[redacted]" for secrets. A
// value of the wrong length is shown in hex.
func (a *Attribute) Text(value []byte) string {
	if a.Secret {
		return redacted
	}
	value, tag := a.cutTag(value)
	s := a.text(value)
	if tag != 0 {
		s = fmt.Sprintf("%s (tag %d)", s, tag)
	}
	return s
}

// cutTag takes the tag off a tagged value (RFC 2868 §3.1); 0 is none.
func (a *Attribute) cutTag(value []byte) (rest []byte, tag byte) {
	if !a.Tagged || len(value) == 0 || value[0] >= firstText {
		return value, 0
	}
	tag = value[0]
	if a.Type != Integer {
		return value[1:], tag
	}
	if len(value) != 4 {
		return value, 0
	}
	return []byte{0, value[1], value[2], value[3]}, tag
}

func (a *Attribute) text(v []byte) string {
	switch a.Type {
	case String:
		return escape(string(v))
	case Byte, Short, Integer, Integer64, Signed, Date:
		return a.numberText(v)
	case IPAddr:
		if len(v) == 4 {
			return netip.AddrFrom4([4]byte(v)).String()
		}
	case IPv6Addr:
		if len(v) == 16 {
			return netip.AddrFrom16([16]byte(v)).String()
		}
	case IPv4Prefix:
		if len(v) == 6 && v[1] <= 32 {
			return netip.PrefixFrom(netip.AddrFrom4([4]byte(v[2:])), int(v[1])).String()
		}
	case IPv6Prefix:
		// RFC 3162 §2.3: no more octets than the prefix needs.
		if len(v) >= 2 && len(v) <= 18 && v[1] <= 128 && 8*(len(v)-2) >= int(v[1]) {
			var b [16]byte
			copy(b[:], v[2:])
			return netip.PrefixFrom(netip.AddrFrom16(b), int(v[1])).String()
		}
	case IFID:
		if len(v) == 8 {
			return fmt.Sprintf("%x:%x:%x:%x", binary.BigEndian.Uint16(v), binary.BigEndian.Uint16(v[2:]),
				binary.BigEndian.Uint16(v[4:]), binary.BigEndian.Uint16(v[6:]))
		}
	case Ether:
		if len(v) == 6 {
			return net.HardwareAddr(v).String()
		}
	}
	return "0x" + hex.EncodeToString(v)
}

func (a *Attribute) numberText(v []byte) string {
	if len(v)*8 != a.Type.bits() {
		return "0x" + hex.EncodeToString(v)
	}
	var n uint64
	for _, b := range v {
		n = n<<8 | uint64(b)
	}
	for i := range a.values {
		if a.values[i].number == n {
			return a.values[i].name
		}
	}
	switch a.Type {
	case Signed:
		return strconv.FormatInt(int64(int32(n)), 10)
	case Date:
		return time.Unix(int64(n), 0).UTC().Format(time.RFC3339)
	}
	return strconv.FormatUint(n, 10)
}

// escape makes text safe for a terminal, a log and a browser's text: what
// strconv does not call printable, bidirectional controls among it, becomes
// \n, \x1b or \u202e, and a backslash is doubled.
func escape(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '\\' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(b, `\x`...)
			b = hex.AppendEncode(b, []byte{s[0]})
		case r == '"':
			b = append(b, '"')
		case r == '\'':
			b = append(b, '\'')
		default:
			q := strconv.AppendQuoteRune(nil, r)
			b = append(b, q[1:len(q)-1]...)
		}
		s = s[n:]
	}
	return string(b)
}
