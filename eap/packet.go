package eap

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A Code says what a packet is (RFC 3748 §4).
type Code byte

// The codes.
const (
	Request  Code = 1
	Response Code = 2
	Success  Code = 3
	Failure  Code = 4
)

// A Type says what a Request or a Response is about (RFC 3748 §5).
type Type byte

// The types that this server knows, or at least by name.
const (
	Identity     Type = 1
	Notification Type = 2
	Nak          Type = 3
	MD5          Type = 4
	GTC          Type = 6
	TLS          Type = 13
	LEAP         Type = 17
	TTLS         Type = 21
	PEAP         Type = 25
	MSCHAPv2     Type = 26
	TLV          Type = 33
	FAST         Type = 43
	PWD          Type = 52
	TEAP         Type = 55
	Expanded     Type = 254
)

var typeNames = map[Type]string{
	Identity: "Identity", Notification: "Notification", Nak: "Nak", MD5: "MD5", GTC: "GTC", TLS: "TLS", LEAP: "LEAP",
	TTLS: "TTLS", PEAP: "PEAP", MSCHAPv2: "MSCHAPv2", TLV: "TLV", FAST: "FAST", PWD: "PWD", TEAP: "TEAP", Expanded: "expanded",
}

// String returns the type's name, or its number.
func (t Type) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("type %d", byte(t))
}

const (
	headerSize = 4 // Code, Identifier, Length
	// MaxPacket is the longest packet that is read, in octets: what EAP-Messages
	// of one RADIUS packet hold.
	MaxPacket = 4096
)

// ErrMalformed says that octets are no EAP packet.
var ErrMalformed = errors.New("eap: malformed packet")

// A Packet is an EAP packet. Type and Data are those of a Request or a
// Response; a Success and a Failure have neither.
type Packet struct {
	Code Code
	ID   byte
	Type Type
	Data []byte
}

// Parse reads a packet; Data lies in b. Octets after its Length are padding
// (RFC 3748 §4); fewer than it are an error that is ErrMalformed.
func Parse(b []byte) (Packet, error) {
	if len(b) < headerSize {
		return Packet{}, fmt.Errorf("%w: %d octets", ErrMalformed, len(b))
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < headerSize || n > len(b) || n > MaxPacket {
		return Packet{}, fmt.Errorf("%w: length %d in %d octets", ErrMalformed, n, len(b))
	}
	p := Packet{Code: Code(b[0]), ID: b[1]}
	switch p.Code {
	case Request, Response:
		if n == headerSize {
			return Packet{}, fmt.Errorf("%w: no type", ErrMalformed)
		}
		p.Type, p.Data = Type(b[headerSize]), b[headerSize+1:n:n]
	case Success, Failure:
		if n != headerSize {
			return Packet{}, fmt.Errorf("%w: code %d with data", ErrMalformed, b[0])
		}
	default:
		return Packet{}, fmt.Errorf("%w: code %d", ErrMalformed, b[0])
	}
	return p, nil
}

// Append appends the packet's octets to dst.
func (p Packet) Append(dst []byte) []byte {
	n := headerSize
	if p.Code == Request || p.Code == Response {
		n += 1 + len(p.Data)
	}
	dst = append(dst, byte(p.Code), p.ID, byte(n>>8), byte(n))
	if n > headerSize {
		dst = append(append(dst, byte(p.Type)), p.Data...)
	}
	return dst
}
