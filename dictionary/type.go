package dictionary

import "strings"

// A Type is the form of an attribute's value (RFC 8044 §3).
type Type uint8

const (
	// Unsupported is a type whose attributes are known by name only. Their
	// values are shown as octets and never written. It is the zero value.
	Unsupported Type = iota
	// String is text, or octets that are mostly text: 1 octet or more.
	String
	// Octets is opaque: 1 octet or more, written as "0x" and hex digits.
	Octets
	// Byte is unsigned, 1 octet.
	Byte
	// Short is unsigned, 2 octets.
	Short
	// Integer is unsigned, 4 octets; where it is tagged, the first is the tag.
	Integer
	// Integer64 is unsigned, 8 octets.
	Integer64
	// Signed is a signed integer of 4 octets.
	Signed
	// Date is seconds since 1970 in 4 octets.
	Date
	// IPAddr is an IPv4 address, 4 octets.
	IPAddr
	// IPv4Prefix is a reserved octet, a length and 4 octets.
	IPv4Prefix
	// IPv6Addr is an IPv6 address, 16 octets.
	IPv6Addr
	// IPv6Prefix is a reserved octet, a length and up to 16 octets.
	IPv6Prefix
	// IFID is an IPv6 interface identifier, 8 octets.
	IFID
	// Ether is a MAC address, 6 octets.
	Ether
	// TLV holds attributes; it is never written.
	TLV
	// VSA is Vendor-Specific itself; its attributes are written instead.
	VSA
)

var typeNames = [...]string{
	Unsupported: "unsupported", String: "string", Octets: "octets", Byte: "byte", Short: "short",
	Integer: "integer", Integer64: "integer64", Signed: "signed", Date: "date", IPAddr: "ipaddr",
	IPv4Prefix: "ipv4prefix", IPv6Addr: "ipv6addr", IPv6Prefix: "ipv6prefix", IFID: "ifid",
	Ether: "ether", TLV: "tlv", VSA: "vsa",
}

// otherNames are the further spellings that FreeRADIUS 3 dictionaries have,
// and its types that no attribute of a Wi-Fi reply needs.
var otherNames = map[string]Type{
	"uint8": Byte, "uint16": Short, "uint32": Integer, "uint64": Integer64, "int32": Signed,
	"ipv4addr": IPAddr, "text": String,
	"abinary": Unsupported, "combo-ip": Unsupported, "combo-prefix": Unsupported,
	"extended": Unsupported, "long-extended": Unsupported, "evs": Unsupported,
	"struct": Unsupported, "bool": Unsupported, "time_delta": Unsupported,
}

// String returns the type as dictionaries spell it.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return typeNames[Unsupported]
}

// parseType reads a type's name. It returns false for a name that no
// FreeRADIUS 3 dictionary uses.
func parseType(s string) (Type, bool) {
	s = strings.ToLower(s)
	for t := String; int(t) < len(typeNames); t++ {
		if typeNames[t] == s {
			return t, true
		}
	}
	t, ok := otherNames[s]
	return t, ok
}

// bits returns how wide an integer type is, 0 for all others.
func (t Type) bits() int {
	switch t {
	case Byte:
		return 8
	case Short:
		return 16
	case Integer, Signed, Date:
		return 32
	case Integer64:
		return 64
	}
	return 0
}
