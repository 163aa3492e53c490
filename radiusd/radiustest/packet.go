package radiustest

import (
	"encoding/binary"
	"fmt"

	"memberradius/dictionary"
	"memberradius/member"
)

// A Code is a packet's first octet (RFC 2865 §4, RFC 2866 §4, RFC 5997 §3,
// RFC 5176 §2.3).
type Code byte

// The codes that a NAS and an authentication or accounting server exchange, and
// those by which a NAS is told of its sessions.
const (
	AccessRequest      Code = 1
	AccessAccept       Code = 2
	AccessReject       Code = 3
	AccountingRequest  Code = 4
	AccountingResponse Code = 5
	AccessChallenge    Code = 11
	StatusServer       Code = 12
	DisconnectRequest  Code = 40
	DisconnectACK      Code = 41
	DisconnectNAK      Code = 42
	CoARequest         Code = 43
	CoAACK             Code = 44
	CoANAK             Code = 45
)

// String returns the code as the RFCs spell it, or its number.
func (c Code) String() string {
	switch c {
	case AccessRequest:
		return "Access-Request"
	case AccessAccept:
		return "Access-Accept"
	case AccessReject:
		return "Access-Reject"
	case AccountingRequest:
		return "Accounting-Request"
	case AccountingResponse:
		return "Accounting-Response"
	case AccessChallenge:
		return "Access-Challenge"
	case StatusServer:
		return "Status-Server"
	case DisconnectRequest:
		return "Disconnect-Request"
	case DisconnectACK:
		return "Disconnect-ACK"
	case DisconnectNAK:
		return "Disconnect-NAK"
	case CoARequest:
		return "CoA-Request"
	case CoAACK:
		return "CoA-ACK"
	case CoANAK:
		return "CoA-NAK"
	}
	return fmt.Sprintf("code %d", byte(c))
}

// Sizes in octets (RFC 2865 §3 and §5).
const (
	headerSize        = 20
	maxPacket         = 4096
	maxValue          = 253
	maxPassword       = 128 // RFC 2865 §5.2
	authenticatorSize = 16
)

// Attribute types that this package reads or writes itself.
const (
	typeUserName             = 1
	typeUserPassword         = 2
	typeCHAPPassword         = 3
	typeNASIPAddress         = 4
	typeServiceType          = 6
	typeFramedMTU            = 12
	typeReplyMessage         = 18
	typeState                = 24
	typeClass                = 25
	typeVendorSpecific       = 26
	typeSessionTimeout       = 27
	typeIdleTimeout          = 28
	typeCalledStationID      = 30
	typeCallingStationID     = 31
	typeNASIdentifier        = 32
	typeProxyState           = 33
	typeCHAPChallenge        = 60
	typeNASPortType          = 61
	typeTunnelType           = 64
	typeTunnelMediumType     = 65
	typeEAPMessage           = 79
	typeMessageAuthenticator = 80
	typeTunnelPrivateGroupID = 81
	typeNASIPv6Address       = 95
	typeEAPKeyName           = 102
)

// Microsoft's vendor number and attribute types (RFC 2548 §2).
const (
	vendorMicrosoft     = 311
	typeMSCHAPResponse  = 1
	typeMSCHAPError     = 2
	typeMSCHAPChallenge = 11
	typeMSCHAPMPPEKeys  = 12
	typeMSMPPESendKey   = 16
	typeMSMPPERecvKey   = 17
	typeMSCHAP2Response = 25
	typeMSCHAP2Success  = 26
)

// A Packet is a RADIUS packet under construction, right or wrong. Attributes
// stand in the order in which they are added. What can't be added at all (a
// value that is too long for its length octet) is an error of Encode.
type Packet struct {
	Code       Code
	Identifier byte
	// Authenticator is sent as it is in Access-Request and Status-Server.
	// In Accounting-Request and other codes that carry a hash, Encode fills it in
	// (RFC 2866 §3), unless KeepAuthenticator is set.
	Authenticator     [authenticatorSize]byte
	KeepAuthenticator bool
	// Length is what the header claims in octets; 0 is the true length.
	Length int
	// Padding follows the packet in its datagram and belongs to no signature
	// (RFC 2865 §3).
	Padding []byte

	attributes []byte
	passwords  []span
	macs       []messageAuthenticator
	err        error
}

// A span lies in a packet's attributes.
type span struct{ from, to int }

// A messageAuthenticator is where the value of one lies in a packet's attributes.
type messageAuthenticator struct {
	at     int
	broken bool
}

// Add appends an attribute. The value has up to 253 octets.
func (p *Packet) Add(kind byte, value []byte) *Packet {
	if len(value) > maxValue {
		p.fail(fmt.Errorf("radiustest: attribute %d: value of %d octets: at most %d fit", kind, len(value), maxValue))
		return p
	}
	p.attributes = append(p.attributes, kind, byte(2+len(value)))
	p.attributes = append(p.attributes, value...)
	return p
}

// AddVendor appends a Vendor-Specific attribute that holds one of the vendor's
// own (RFC 2865 §5.26). The value has up to 247 octets.
func (p *Packet) AddVendor(vendor uint32, kind byte, value []byte) *Packet {
	body := binary.BigEndian.AppendUint32(make([]byte, 0, 6+len(value)), vendor)
	body = append(body, kind, byte(2+len(value)))
	return p.Add(typeVendorSpecific, append(body, value...))
}

// AddNamed appends an attribute by its name and its value's text, as d knows them.
func (p *Packet) AddNamed(d *dictionary.Dictionary, name, value string) *Packet {
	a, ok := d.ByName(name)
	if !ok {
		p.fail(fmt.Errorf("radiustest: attribute %q: the dictionary does not know it; correct its name, or give its dictionary", name))
		return p
	}
	attributes, err := a.Append(p.attributes, value)
	if err != nil {
		p.fail(fmt.Errorf("radiustest: %w", err))
		return p
	}
	p.attributes = attributes
	return p
}

// AddOctets appends octets as they are, whether or not they are attributes.
func (p *Packet) AddOctets(octets ...byte) *Packet {
	p.attributes = append(p.attributes, octets...)
	return p
}

// AddPassword appends a User-Password, which Encode hides (RFC 2865 §5.2). It
// has up to 128 octets.
func (p *Packet) AddPassword(password member.Secret) *Packet {
	if len(password) > maxPassword {
		p.fail(fmt.Errorf("radiustest: User-Password of %d octets: at most %d fit (RFC 2865 §5.2)", len(password), maxPassword))
		return p
	}
	padded := make([]byte, max(1, (len(password)+15)/16)*16)
	copy(padded, string(password))
	from := len(p.attributes) + 2
	p.passwords = append(p.passwords, span{from, from + len(padded)})
	return p.Add(typeUserPassword, padded)
}

// AddMessageAuthenticator appends a Message-Authenticator, which Encode fills
// in (RFC 3579 §3.2): after all others are known, wherever it stands. Of
// several, each is computed with all of them as zeros.
func (p *Packet) AddMessageAuthenticator() *Packet { return p.addMAC(false) }

// AddBrokenMessageAuthenticator appends a Message-Authenticator that is wrong by one bit.
func (p *Packet) AddBrokenMessageAuthenticator() *Packet { return p.addMAC(true) }

func (p *Packet) addMAC(broken bool) *Packet {
	p.macs = append(p.macs, messageAuthenticator{len(p.attributes) + 2, broken})
	return p.Add(typeMessageAuthenticator, make([]byte, authenticatorSize))
}

func (p *Packet) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// Encode returns the datagram of a request: passwords hidden,
// Message-Authenticators and, where the code has one, the hash in the
// Authenticator filled in.
func (p *Packet) Encode(secret member.Secret) ([]byte, error) {
	switch {
	case p.Code == AccessRequest, p.Code == StatusServer, p.KeepAuthenticator:
		return p.encode(newSigner(secret), p.Authenticator, p.Authenticator, false)
	default:
		var zero [authenticatorSize]byte
		return p.encode(newSigner(secret), zero, zero, true)
	}
}

// EncodeReply returns the datagram of a reply to the request that had this
// Authenticator (RFC 2865 §3), unless KeepAuthenticator is set.
func (p *Packet) EncodeReply(secret member.Secret, request [authenticatorSize]byte) ([]byte, error) {
	return p.encode(newSigner(secret), request, request, !p.KeepAuthenticator)
}

// encode hides passwords under the authenticator hide, signs with the
// authenticator sign in the header, and then puts there a hash of all of it, or p's own.
func (p *Packet) encode(s *signer, hide, sign [authenticatorSize]byte, hash bool) ([]byte, error) {
	if p.err != nil {
		return nil, p.err
	}
	length := headerSize + len(p.attributes)
	if p.Length != 0 {
		length = p.Length
	}
	if length < 0 || length > 0xffff {
		return nil, fmt.Errorf("radiustest: a packet's Length of %d octets does not fit its header", length)
	}
	b := make([]byte, headerSize, headerSize+len(p.attributes)+len(p.Padding))
	b[0], b[1] = byte(p.Code), p.Identifier
	binary.BigEndian.PutUint16(b[2:], uint16(length))
	copy(b[4:], sign[:])
	b = append(b, p.attributes...)
	for _, w := range p.passwords {
		s.hide(b[headerSize+w.from:headerSize+w.to], hide[:])
	}
	if len(p.macs) > 0 {
		sum := [authenticatorSize]byte(s.messageAuthenticator(b))
		for _, m := range p.macs {
			copy(b[headerSize+m.at:], sum[:])
			if m.broken {
				b[headerSize+m.at] ^= 1
			}
		}
	}
	if hash {
		sum := s.authenticator(b)
		copy(b[4:], sum[:])
	} else {
		copy(b[4:], p.Authenticator[:])
	}
	return append(b, p.Padding...), nil
}
