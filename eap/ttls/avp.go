package ttls

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Flags of an AVP (RFC 5281 §10.1).
const (
	flagVendor    = 0x80
	flagMandatory = 0x40
)

const (
	avpHeader    = 8
	vendorSize   = 4
	avpAlignment = 4
)

// An avp is one attribute of phase 2 (RFC 5281 §10.1): RADIUS's numbers with a
// 32-bit code.
type avp struct {
	vendor, code uint32
	mandatory    bool
	data         []byte
}

var errAVP = errors.New("an AVP that overruns the message")

// parseAVPs reads all AVPs of a message; their data lie in b. Padding at the
// end of the last one may be missing.
func parseAVPs(b []byte) (all []avp, err error) {
	for len(b) > 0 {
		if len(b) < avpHeader {
			return nil, errAVP
		}
		a := avp{code: binary.BigEndian.Uint32(b), mandatory: b[4]&flagMandatory != 0}
		n := int(binary.BigEndian.Uint32(b[4:]) & 0xffffff)
		header := avpHeader
		if b[4]&flagVendor != 0 {
			header += vendorSize
		}
		if n < header || n > len(b) {
			return nil, errAVP
		}
		if b[4]&flagVendor != 0 {
			a.vendor = binary.BigEndian.Uint32(b[avpHeader:])
		}
		a.data = b[header:n:n]
		all = append(all, a)
		padded := (n + avpAlignment - 1) / avpAlignment * avpAlignment
		b = b[min(padded, len(b)):]
	}
	return all, nil
}

// append appends the AVP and its padding to dst.
func (a avp) append(dst []byte) []byte {
	n := avpHeader + len(a.data)
	flags := byte(0)
	if a.mandatory {
		flags |= flagMandatory
	}
	if a.vendor != 0 {
		flags |= flagVendor
		n += vendorSize
	}
	dst = binary.BigEndian.AppendUint32(dst, a.code)
	dst = append(dst, flags, byte(n>>16), byte(n>>8), byte(n))
	if a.vendor != 0 {
		dst = binary.BigEndian.AppendUint32(dst, a.vendor)
	}
	dst = append(dst, a.data...)
	for ; n%avpAlignment != 0; n++ {
		dst = append(dst, 0)
	}
	return dst
}

// Codes of AVPs, as RADIUS has them (RFC 2865, RFC 3579, RFC 2548).
const (
	codeUserName      = 1
	codeUserPassword  = 2
	codeCHAPPassword  = 3
	codeReplyMessage  = 18
	codeCHAPChallenge = 60
	codeEAPMessage    = 79

	vendorMicrosoft    = 311
	codeMSResponse     = 1
	codeMSChallenge    = 11
	codeMS2Response    = 25
	codeMS2Success     = 26
	mschapResponseSize = 50
)

// A phase2 is what a peer says, found among its AVPs.
type phase2 struct {
	userName, password, chap, challenge, eap []byte
	msChallenge, msResponse, ms2Response     []byte
	named, hasPassword, hasEAP               bool
}

// sort finds what is known. An unknown AVP that is mandatory is an error (RFC
// 5281 §10.1); the others are passed over.
func sort(all []avp) (p phase2, err error) {
	for _, a := range all {
		known := true
		switch {
		case a.vendor == 0:
			known = p.plain(a)
		case a.vendor == vendorMicrosoft:
			known = p.microsoft(a)
		default:
			known = false
		}
		if !known && a.mandatory {
			return p, fmt.Errorf("a mandatory AVP that is unknown here: %d of vendor %d", a.code, a.vendor)
		}
	}
	return p, nil
}

func (p *phase2) plain(a avp) bool {
	switch a.code {
	case codeUserName:
		p.userName, p.named = a.data, true
	case codeUserPassword:
		p.password, p.hasPassword = a.data, true
	case codeCHAPPassword:
		p.chap = a.data
	case codeCHAPChallenge:
		p.challenge = a.data
	case codeEAPMessage: // one packet may lie in several
		p.eap, p.hasEAP = append(p.eap, a.data...), true
	case codeReplyMessage:
	default:
		return false
	}
	return true
}

func (p *phase2) microsoft(a avp) bool {
	switch a.code {
	case codeMSChallenge:
		p.msChallenge = a.data
	case codeMSResponse:
		p.msResponse = a.data
	case codeMS2Response:
		p.ms2Response = a.data
	default:
		return false
	}
	return true
}
