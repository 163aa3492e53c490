package dictionary

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

const (
	maxAttribute = 255 // the length octet's (RFC 2865 §5)
	headerSize   = 2
	vendorSize   = 4
	// firstText is the first octet that can't be taken for a tag (RFC 2868 §3.1).
	firstText = 0x20
)

// A ValueError says that text is no value of an attribute.
type ValueError struct {
	// Attribute is the attribute's name.
	Attribute string
	// Value is the text, escaped; "[redacted]" for secret attributes.
	Value string
	// Need says what is needed, and never holds the value.
	Need string
}

// Error names attribute and value and says what is needed. It is safe for a log.
func (e *ValueError) Error() string {
	return fmt.Sprintf("dictionary: %s: %q: %s", e.Attribute, e.Value, e.Need)
}

// Append appends the whole attribute with this value: header, the vendor's
// header where it has one, and value. Values with a name may be written by it
// or by number, decimal or 0x and hex digits. A tagged number gets the tag
// 0x00, a tagged text none (RFC 2868 §3.1). Where it fails, dst comes back as it
// was, and the error, a *ValueError, says what is needed. It allocates only
// for errors, MAC addresses and where dst is too small.
func (a *Attribute) Append(dst []byte, value string) ([]byte, error) {
	out, need := a.append(dst, value)
	if need == "" {
		return out, nil
	}
	shown := escape(value)
	if a.Secret {
		shown = redacted
	}
	return dst, &ValueError{Attribute: a.Name, Value: shown, Need: need}
}

func (a *Attribute) append(dst []byte, value string) (out []byte, need string) {
	if a.forbidden != "" {
		return dst, "it can't be sent: " + a.forbidden
	}
	start := len(dst)
	dst = a.appendHeader(dst)
	from := len(dst)
	if dst, need = a.appendValue(dst, value); need != "" {
		return dst, need
	}
	if len(dst) == from {
		return dst, "at least 1 octet is needed: an empty attribute is never sent (RFC 2865 §5)"
	}
	if n := len(dst) - start; n > maxAttribute {
		return dst, fmt.Sprintf("%d octets: at most %d are needed", len(dst)-from, maxAttribute-(from-start))
	}
	a.setLengths(dst[start:])
	return dst, ""
}

// appendHeader appends the header, its lengths still 0.
func (a *Attribute) appendHeader(dst []byte) []byte {
	v := a.vendor
	if v == nil {
		return append(dst, byte(a.Number), 0)
	}
	dst = append(dst, vendorSpecific, 0)
	dst = binary.BigEndian.AppendUint32(dst, v.number)
	switch v.typeSize {
	case 1:
		dst = append(dst, byte(a.Number))
	case 2:
		dst = binary.BigEndian.AppendUint16(dst, uint16(a.Number))
	default:
		dst = binary.BigEndian.AppendUint32(dst, a.Number)
	}
	return append(dst, make([]byte, v.lengthSize)...)
}

func (a *Attribute) setLengths(attribute []byte) {
	attribute[1] = byte(len(attribute))
	v := a.vendor
	if v == nil || v.lengthSize == 0 {
		return
	}
	// The vendor's length counts its own header. Of two octets the first stays 0.
	attribute[headerSize+vendorSize+v.typeSize+v.lengthSize-1] = byte(len(attribute) - headerSize - vendorSize)
}

// appendValue appends the value alone.
func (a *Attribute) appendValue(dst []byte, s string) (out []byte, need string) {
	switch a.Type {
	case String:
		if a.Tagged && s != "" && s[0] < firstText {
			return dst, "a text whose first octet is under 0x20 would be taken for a tag (RFC 2868 §3.1)"
		}
		return append(dst, s...), ""
	case Octets:
		return a.appendOctets(dst, s)
	case Byte, Short, Integer, Integer64, Signed, Date:
		return a.appendNumber(dst, s)
	case Ether:
		mac, err := net.ParseMAC(s)
		if err != nil || len(mac) != 6 {
			return dst, "a MAC address is needed, as aa:bb:cc:dd:ee:ff"
		}
		return append(dst, mac...), ""
	case IFID:
		return appendIFID(dst, s)
	}
	return appendAddress(dst, a.Type, s)
}

func (a *Attribute) appendOctets(dst []byte, s string) (out []byte, need string) {
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok {
		return dst, "octets are needed as 0x and hex digits"
	}
	from := len(dst)
	dst, err := hex.AppendDecode(dst, []byte(digits))
	if err != nil {
		return dst, "octets are needed as 0x and an even number of hex digits"
	}
	if n := len(dst) - from; a.size != 0 && n != a.size {
		return dst, fmt.Sprintf("%d octets: %d are needed", n, a.size)
	}
	if a.Tagged && len(dst) > from && dst[from] < firstText {
		return dst, "a first octet under 0x20 would be taken for a tag (RFC 2868 §3.1)"
	}
	return dst, ""
}

func (a *Attribute) appendNumber(dst []byte, s string) (out []byte, need string) {
	n, ok := a.number(s)
	if !ok {
		return dst, a.numberNeed()
	}
	switch a.Type.bits() {
	case 8:
		return append(dst, byte(n)), ""
	case 16:
		return binary.BigEndian.AppendUint16(dst, uint16(n)), ""
	case 32:
		return binary.BigEndian.AppendUint32(dst, uint32(n)), ""
	}
	return binary.BigEndian.AppendUint64(dst, n), ""
}

// number reads a value's name, or a number within the type's bounds.
func (a *Attribute) number(s string) (uint64, bool) {
	for i := range a.values {
		if strings.EqualFold(a.values[i].name, s) {
			n := a.values[i].number
			return n, n <= a.most()
		}
	}
	switch a.Type {
	case Signed:
		n, err := strconv.ParseInt(s, 10, 32)
		return uint64(uint32(n)), err == nil
	case Date:
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			return uint64(t.Unix()), t.Unix() >= 0 && t.Unix() <= math.MaxUint32
		}
	}
	n, err := parseNumber(s, 64)
	return n, err == nil && n <= a.most()
}

// most is the largest number that the value can hold.
func (a *Attribute) most() uint64 {
	bits := a.Type.bits()
	if a.Tagged && a.Type == Integer {
		bits = 24 // the first octet is the tag's
	}
	return 1<<bits - 1
}

func (a *Attribute) numberNeed() string {
	switch a.Type {
	case Signed:
		return "a number from -2147483648 to 2147483647 is needed"
	case Date:
		return "a time is needed, as 2006-01-02T15:04:05Z, or seconds since 1970"
	}
	need := fmt.Sprintf("a number from 0 to %d is needed", a.most())
	if len(a.values) == 0 {
		return need
	}
	// Eight names say what kind of value it is; Acct-Terminate-Cause alone has twenty.
	names := make([]string, 0, 8)
	for i := range min(len(a.values), cap(names)) {
		names = append(names, a.values[i].name)
	}
	need += ", or one of its names: " + strings.Join(names, ", ")
	if len(a.values) > len(names) {
		need += " ..."
	}
	return need
}

// appendIFID reads four groups of hex digits, as 1:2:3:4.
func appendIFID(dst []byte, s string) (out []byte, need string) {
	groups := 0
	for group := range strings.SplitSeq(s, ":") {
		n, err := strconv.ParseUint(group, 16, 16)
		if err != nil || groups == 4 {
			return dst, needIFID
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
		groups++
	}
	if groups != 4 {
		return dst, needIFID
	}
	return dst, ""
}

const needIFID = "an interface identifier is needed, as 0:0:0:1"

func appendAddress(dst []byte, t Type, s string) (out []byte, need string) {
	switch t {
	case IPAddr:
		if ip, err := netip.ParseAddr(s); err == nil && ip.Is4() {
			b := ip.As4()
			return append(dst, b[:]...), ""
		}
		return dst, "an IPv4 address is needed"
	case IPv6Addr:
		if ip, err := netip.ParseAddr(s); err == nil && ip.Is6() && ip.Zone() == "" {
			b := ip.As16()
			return append(dst, b[:]...), ""
		}
		return dst, "an IPv6 address is needed"
	}
	p, err := netip.ParsePrefix(s)
	is4 := t == IPv4Prefix
	switch {
	case err != nil || p.Addr().Is4() != is4:
		if is4 {
			return dst, "an IPv4 prefix is needed, as 192.0.2.0/24"
		}
		return dst, "an IPv6 prefix is needed, as 2001:db8::/64"
	case p.Masked() != p:
		return dst, "the bits behind the prefix must be 0 (RFC 8044 §3.10, §3.11)"
	}
	dst = append(dst, 0, byte(p.Bits()))
	return append(dst, p.Addr().AsSlice()...), ""
}
