package peer

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A Code is an EAP packet's first octet (RFC 3748 §4).
type Code byte

// The codes of RFC 3748 §4.
const (
	Request  Code = 1
	Response Code = 2
	Success  Code = 3
	Failure  Code = 4
)

// String returns the code as the RFC spells it, or its number.
func (c Code) String() string {
	switch c {
	case Request:
		return "EAP-Request"
	case Response:
		return "EAP-Response"
	case Success:
		return "EAP-Success"
	case Failure:
		return "EAP-Failure"
	}
	return fmt.Sprintf("EAP code %d", byte(c))
}

// A Type is what a request or a response speaks (RFC 3748 §5).
type Type byte

// The types that a peer meets: those of RFC 3748 §5, and methods.
const (
	TypeIdentity     Type = 1
	TypeNotification Type = 2
	TypeNak          Type = 3
	TypeMD5          Type = 4
	TypeOTP          Type = 5
	TypeGTC          Type = 6
	TypeTLS          Type = 13
	TypeLEAP         Type = 17
	TypeTTLS         Type = 21
	TypePEAP         Type = 25
	TypeMSCHAPv2     Type = 26
	TypeTLV          Type = 33 // only inside PEAP
	TypeFAST         Type = 43
	TypePWD          Type = 52
	TypeTEAP         Type = 55
	TypeExpanded     Type = 254
)

// String returns the method's usual name, or its number.
func (t Type) String() string {
	switch t {
	case TypeIdentity:
		return "Identity"
	case TypeNotification:
		return "Notification"
	case TypeNak:
		return "Nak"
	case TypeMD5:
		return "MD5"
	case TypeOTP:
		return "OTP"
	case TypeGTC:
		return "GTC"
	case TypeTLS:
		return "TLS"
	case TypeLEAP:
		return "LEAP"
	case TypeTTLS:
		return "TTLS"
	case TypePEAP:
		return "PEAP"
	case TypeMSCHAPv2:
		return "MSCHAPv2"
	case TypeTLV:
		return "TLV"
	case TypeFAST:
		return "FAST"
	case TypePWD:
		return "pwd"
	case TypeTEAP:
		return "TEAP"
	}
	return fmt.Sprintf("type %d", byte(t))
}

// Sizes of a packet's parts in octets (RFC 3748 §4).
const (
	headerSize = 4
	typedSize  = headerSize + 1
	maxPacket  = 0xffff
)

// A Packet is one EAP packet. Success and Failure have neither Type nor Data.
type Packet struct {
	Code       Code
	Identifier byte
	Type       Type
	// Data is what follows the Type.
	Data []byte
}

// errMalformed is what every decoder of this package wraps.
var errMalformed = errors.New("malformed")

// ParsePacket decodes an EAP packet. Data is a part of b. RADIUS carries no
// padding, so that a Length other than the octets there are is an error.
func ParsePacket(b []byte) (Packet, error) {
	if len(b) < headerSize || int(binary.BigEndian.Uint16(b[2:])) != len(b) {
		return Packet{}, fmt.Errorf("peer: EAP packet of %d octets: %w: its Length is another", len(b), errMalformed)
	}
	p := Packet{Code: Code(b[0]), Identifier: b[1]}
	switch p.Code {
	case Success, Failure:
		if len(b) != headerSize {
			return Packet{}, fmt.Errorf("peer: %s of %d octets: %w (RFC 3748 §4.2)", p.Code, len(b), errMalformed)
		}
		return p, nil
	case Request, Response:
		if len(b) < typedSize {
			return Packet{}, fmt.Errorf("peer: %s without a type: %w (RFC 3748 §4.1)", p.Code, errMalformed)
		}
		p.Type, p.Data = Type(b[headerSize]), b[typedSize:]
		return p, nil
	}
	return Packet{}, fmt.Errorf("peer: %w: %s is unknown", errMalformed, p.Code)
}

// Append appends the packet's octets to b. Data has up to 65,530 octets.
func (p Packet) Append(b []byte) []byte {
	size := headerSize
	if p.typed() {
		size = typedSize + len(p.Data)
	}
	b = append(b, byte(p.Code), p.Identifier)
	b = binary.BigEndian.AppendUint16(b, uint16(size))
	if p.typed() {
		b = append(append(b, byte(p.Type)), p.Data...)
	}
	return b
}

func (p Packet) typed() bool { return p.Code != Success && p.Code != Failure }
