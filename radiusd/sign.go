package radiusd

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding"
	"hash"

	"memberradius/member"
)

// md5Block is MD5's block size in octets, which HMAC pads its key to (RFC 2104 §2).
const md5Block = 64

// A key is a shared secret with the work done ahead that depends on it alone:
// the MD5 states after HMAC's two pads.
type key struct {
	secret       []byte
	inner, outer []byte // marshalled states of crypto/md5
}

func newKey(secret member.Secret) (key, error) {
	k := key{secret: []byte(secret)}
	padded := k.secret
	if len(padded) > md5Block {
		sum := md5.Sum(padded)
		padded = sum[:]
	}
	var err error
	if k.inner, err = padState(padded, 0x36); err != nil {
		return key{}, err
	}
	k.outer, err = padState(padded, 0x5c)
	return k, err
}

func padState(secret []byte, pad byte) ([]byte, error) {
	var block [md5Block]byte
	copy(block[:], secret)
	for i := range block {
		block[i] ^= pad
	}
	h := md5.New()
	h.Write(block[:])
	return h.(encoding.BinaryMarshaler).MarshalBinary()
}

// A hasher is MD5 for one goroutine, without allocations.
type hasher struct {
	md5     hash.Hash
	restore encoding.BinaryUnmarshaler
	sum     [authenticatorSize]byte
	// pad holds a secret and what is hashed with it.
	pad []byte
}

func newHasher() *hasher {
	h := md5.New()
	return &hasher{md5: h, restore: h.(encoding.BinaryUnmarshaler), pad: make([]byte, 0, 256)}
}

// messageAuthenticator returns HMAC-MD5 over the parts (RFC 3579 §3.2), valid until the next call.
func (h *hasher) messageAuthenticator(k *key, parts ...[]byte) []byte {
	// The states come from the same package: restoring them can't fail.
	_ = h.restore.UnmarshalBinary(k.inner)
	for _, p := range parts {
		h.md5.Write(p)
	}
	inner := h.md5.Sum(h.sum[:0])
	_ = h.restore.UnmarshalBinary(k.outer)
	h.md5.Write(inner)
	return h.md5.Sum(h.sum[:0])
}

// secretSum returns MD5(secret + parts), which hides passwords and keys (RFC 2865 §5.2, RFC 2548 §2.4).
func (h *hasher) secretSum(k *key, parts ...[]byte) [authenticatorSize]byte {
	h.pad = append(h.pad[:0], k.secret...)
	for _, p := range parts {
		h.pad = append(h.pad, p...)
	}
	return md5.Sum(h.pad)
}

var zeroAuthenticator [authenticatorSize]byte

// verify says whether the request's Message-Authenticator is right: HMAC-MD5
// over the packet with its own value as zeros (RFC 3579 §3.2).
func (h *hasher) verify(k *key, r *request) bool {
	at := r.authAt
	got := r.raw[at : at+authenticatorSize]
	want := h.messageAuthenticator(k, r.raw[:at], zeroAuthenticator[:], r.raw[at+authenticatorSize:])
	return sameAuthenticator(want, got)
}

// sameAuthenticator compares in constant time.
func sameAuthenticator(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
