package peer

import (
	"encoding/binary"
	"fmt"
)

// An avp is an attribute-value pair of RFC 5281 §10.
type avp struct {
	Code, Vendor uint32
	Mandatory    bool
	Data         []byte
}

// Sizes and flags of an AVP's header (RFC 5281 §10.1).
const (
	avpHeader    = 8
	avpVendor    = 4
	avpAlign     = 4
	flagVendor   = 0x80
	flagMust     = 0x40
	maxAVPLength = 1<<24 - 1
)

// Codes of the AVPs that a peer meets, those of RADIUS attributes.
const (
	avpUserName      = 1
	avpUserPassword  = 2
	avpCHAPPassword  = 3
	avpReplyMessage  = 18
	avpCHAPChallenge = 60
	avpEAPMessage    = 79

	vendorMicrosoft    = 311 // RFC 2548
	avpMSCHAPResponse  = 1
	avpMSCHAPError     = 2
	avpMSCHAPChallenge = 11
	avpMSCHAP2Response = 25
	avpMSCHAP2Success  = 26
)

// append appends the pair with its padding. Data is shorter than 16 MiB.
func (a avp) append(b []byte) []byte {
	size, flags := avpHeader+len(a.Data), byte(0)
	if a.Vendor != 0 {
		size, flags = size+avpVendor, flagVendor
	}
	if a.Mandatory {
		flags |= flagMust
	}
	b = binary.BigEndian.AppendUint32(b, a.Code)
	b = binary.BigEndian.AppendUint32(b, uint32(flags)<<24|uint32(size))
	if a.Vendor != 0 {
		b = binary.BigEndian.AppendUint32(b, a.Vendor)
	}
	b = append(b, a.Data...)
	for range (avpAlign - size%avpAlign) % avpAlign {
		b = append(b, 0)
	}
	return b
}

// parseAVPs decodes a sequence of pairs; the last may lack its padding.
func parseAVPs(b []byte) ([]avp, error) {
	var all []avp
	for len(b) > 0 {
		if len(b) < avpHeader {
			return nil, fmt.Errorf("peer: AVP of %d octets: %w (RFC 5281 §10.1)", len(b), errMalformed)
		}
		a := avp{Code: binary.BigEndian.Uint32(b)}
		flags, size, header := b[4], int(binary.BigEndian.Uint32(b[4:])&maxAVPLength), avpHeader
		a.Mandatory = flags&flagMust != 0
		if flags&flagVendor != 0 {
			header += avpVendor
		}
		if size < header || size > len(b) {
			return nil, fmt.Errorf("peer: AVP %d of length %d in %d octets: %w (RFC 5281 §10.1)", a.Code, size, len(b), errMalformed)
		}
		if flags&flagVendor != 0 {
			a.Vendor = binary.BigEndian.Uint32(b[avpHeader:])
		}
		a.Data = b[header:size]
		all = append(all, a)
		b = b[min(len(b), (size+avpAlign-1)/avpAlign*avpAlign):]
	}
	return all, nil
}
