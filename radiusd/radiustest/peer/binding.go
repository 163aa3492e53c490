package peer

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"fmt"
)

// Sizes of PEAP's binding in octets (MS-PEAP §2.2.8.1.1 and §3.1.5.5).
const (
	tunnelKeySize = 60
	ipmkSize      = 40
	cmkSize       = sha1.Size
	nonceSize     = 32
	// bindingSize is reserved 1, version 1, received version 1, subtype 1, nonce, MAC.
	bindingSize = 4 + nonceSize + sha1.Size
	macAt       = 4 + nonceSize

	bindingRequest  = 0
	bindingResponse = 1
)

// Labels of PEAP's key derivation (MS-PEAP §3.1.5.5.2.2 and §3.1.5.7).
const (
	labelCompound = "Inner Methods Compound Keys"
	labelSession  = "Session Key Generating Function"
)

// A bindingKeys is what binds PEAP's tunnel to the method inside it.
type bindingKeys struct {
	ipmk [ipmkSize]byte
	cmk  [cmkSize]byte
}

// bind derives them from the tunnel's key and the inner method's: 32 octets,
// zeros where it has none. A resumed session has no inner method; there the
// tunnel's key is split as it is.
func bind(tunnel [tunnelKeySize]byte, inner []byte, resumed bool) bindingKeys {
	material := tunnel[:]
	if !resumed {
		seed := make([]byte, mppeKeys)
		copy(seed, inner)
		material = prfPlus(tunnel[:ipmkSize], labelCompound, seed, ipmkSize+cmkSize)
	}
	return bindingKeys{[ipmkSize]byte(material), [cmkSize]byte(material[ipmkSize:])}
}

// prfPlus is PEAP version 0's PRF+: T1 = HMAC-SHA1(key, label | seed | 01 00 00),
// each further one with the last before the label and its number after the seed.
func prfPlus(key []byte, label string, seed []byte, size int) []byte {
	var out, last []byte
	for n := byte(1); len(out) < size; n++ {
		mac := hmac.New(sha1.New, key)
		mac.Write(last)
		mac.Write([]byte(label))
		mac.Write(seed)
		mac.Write([]byte{n, 0, 0})
		last = mac.Sum(nil)
		out = append(out, last...)
	}
	return out[:size]
}

// msk returns the compound MSK (MS-PEAP §3.1.5.7).
func (k *bindingKeys) msk() [mskSize]byte {
	return [mskSize]byte(prfPlus(k.ipmk[:], labelSession, []byte{0}, materialSize))
}

// sum returns the Compound MAC over the whole TLV with zeros in the MAC's
// place, and PEAP's type.
func (k *bindingKeys) sum(value []byte) []byte {
	cleared := append([]byte(nil), value[:macAt]...)
	cleared = append(cleared, make([]byte, sha1.Size)...)
	mac := hmac.New(sha1.New, k.cmk[:])
	mac.Write(tlv{Kind: tlvBinding, Value: cleared}.append(nil))
	mac.Write([]byte{byte(TypePEAP)})
	return mac.Sum(nil)
}

// verify checks a server's Crypto-Binding TLV.
func (k *bindingKeys) verify(value []byte) error {
	if len(value) != bindingSize || value[1] != 0 || value[3] != bindingRequest {
		return fmt.Errorf("peer: %w: Crypto-Binding TLV (MS-PEAP §2.2.8.1.1)", errMalformed)
	}
	if subtle.ConstantTimeCompare(k.sum(value), value[macAt:]) != 1 {
		return fmt.Errorf("peer: wrong Compound MAC in the Crypto-Binding TLV")
	}
	return nil
}

// respond returns the value of the answer to a server's Crypto-Binding TLV,
// with its nonce.
func (k *bindingKeys) respond(request []byte) []byte {
	value := append([]byte{0, 0, 0, bindingResponse}, request[4:macAt]...)
	return append(value, k.sum(append(value, make([]byte, sha1.Size)...))...)
}
