package peap

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"errors"
)

// TLVs of MS-PEAP §2.2.8.
const (
	tlvResult        = 3
	tlvCryptoBinding = 12
	tlvMandatory     = 0x8000
	tlvTypes         = 0x3fff
	tlvHeader        = 4

	statusSuccess = 1
	statusFailure = 2
)

// The Crypto-Binding TLV (MS-PEAP §2.2.8.1.1): Reserved, Version, Received
// Version and SubType, a nonce, and a MAC over all of it.
const (
	bindingSize     = tlvHeader + 4 + nonceSize + macSize
	nonceSize       = 32
	macSize         = sha1.Size
	subTypeAt       = 7
	nonceAt         = 8
	macAt           = nonceAt + nonceSize
	bindingRequest  = 0
	bindingResponse = 1
)

var errTLV = errors.New("a TLV that overruns the packet")

// TLVs are what an EAP-TLV packet says.
type tlvs struct {
	status uint16 // 0: there is no Result
	// binding is the whole Crypto-Binding TLV, nil where there is none.
	binding []byte
}

// parseTLVs reads the type-data of an EAP-TLV packet.
func parseTLVs(b []byte) (t tlvs, err error) {
	for len(b) > 0 {
		if len(b) < tlvHeader {
			return t, errTLV
		}
		n := tlvHeader + int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b) {
			return t, errTLV
		}
		switch binary.BigEndian.Uint16(b) & tlvTypes {
		case tlvResult:
			if n != tlvHeader+2 {
				return t, errors.New("a Result TLV of another length")
			}
			t.status = binary.BigEndian.Uint16(b[tlvHeader:])
		case tlvCryptoBinding:
			if n != bindingSize {
				return t, errors.New("a Crypto-Binding TLV of another length")
			}
			t.binding = b[:n:n]
		}
		b = b[n:]
	}
	return t, nil
}

// appendResult appends a Result TLV.
func appendResult(dst []byte, status uint16) []byte {
	dst = binary.BigEndian.AppendUint16(dst, tlvMandatory|tlvResult)
	dst = append(dst, 0, 2)
	return binary.BigEndian.AppendUint16(dst, status)
}

// A compound binds tunnel and inner method together (MS-PEAP §3.1.5.5).
type compound struct{ ipmk, cmk []byte }

const (
	ipmkSize = 40
	cmkSize  = 20
	iskSize  = 32
)

// newCompound derives the compound keys from the tunnel key of 60 octets and
// the inner session key of 32. A session that was resumed has no inner method:
// isk is nil, and the tunnel key is what they are.
func newCompound(tunnelKey, isk []byte) compound {
	keys := tunnelKey
	if isk != nil {
		keys = prfPlus(tunnelKey[:ipmkSize], "Inner Methods Compound Keys", isk, ipmkSize+cmkSize)
	}
	return compound{keys[:ipmkSize], keys[ipmkSize : ipmkSize+cmkSize]}
}

// prfPlus is PRF+ of MS-PEAP §3.1.5.5.2.2: T(n) = HMAC-SHA1(K, T(n-1) | label | seed | n | 00 00).
func prfPlus(key []byte, label string, seed []byte, size int) []byte {
	h := hmac.New(sha1.New, key)
	out := make([]byte, 0, size+sha1.Size)
	text := make([]byte, 0, sha1.Size+len(label)+len(seed)+3)
	for n := byte(1); len(out) < size; n++ {
		text = append(text[:0], out[max(len(out)-sha1.Size, 0):]...)
		text = append(append(text, label...), seed...)
		h.Reset()
		_, _ = h.Write(append(text, n, 0, 0))
		out = h.Sum(out)
	}
	return out[:size]
}

// appendBinding appends a Crypto-Binding TLV.
func (c compound) appendBinding(dst []byte, nonce *[nonceSize]byte, subType byte) []byte {
	from := len(dst)
	dst = append(dst, 0, tlvCryptoBinding, 0, bindingSize-tlvHeader, 0, 0, 0, subType)
	dst = append(dst, nonce[:]...)
	dst = append(dst, make([]byte, macSize)...)
	copy(dst[from+macAt:], c.mac(dst[from:]))
	return dst
}

// eapType follows the TLV in what the MAC covers: PEAP.
const eapType = 25

// mac is that of a Crypto-Binding TLV.
func (c compound) mac(binding []byte) []byte {
	h := hmac.New(sha1.New, c.cmk)
	_, _ = h.Write(binding[:macAt])
	_, _ = h.Write(make([]byte, macSize))
	_, _ = h.Write([]byte{eapType})
	return h.Sum(nil)
}

// answers says whether binding is a peer's right answer.
func (c compound) answers(binding []byte) bool {
	return binding[subTypeAt] == bindingResponse && hmac.Equal(c.mac(binding), binding[macAt:])
}

// msk is the session key of both (MS-PEAP §3.1.5.5.2.3): the first half of 128
// octets, of which nobody uses the other.
func (c compound) msk() []byte {
	return prfPlus(c.ipmk, "Session Key Generating Function", []byte{0}, 64)
}
