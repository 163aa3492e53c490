package mschap

import (
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
)

// maxStackUser is the longest user name in octets that ChallengeHash takes
// without allocating. A User-Name has 253 at the most (RFC 2865 §5.1).
const maxStackUser = 256

// ChallengeHash returns the eight octets that an MS-CHAPv2 response answers
// (RFC 2759 §8.2). The user name is hashed as given, at any length; callers
// that have it with a domain call StripDomain first.
func ChallengeHash(peer, auth [16]byte, user string) [8]byte {
	var buf [len(peer) + len(auth) + maxStackUser]byte
	text := append(buf[:0], peer[:]...)
	text = append(text, auth[:]...)
	text = append(text, user...)
	digest := sha1.Sum(text)
	return [8]byte(digest[:8])
}

// A Key is an NT hash with the work done ahead that depends on it alone: the
// key schedules of its three blocks, and its own hash. Who checks the same
// member again saves half of the check. Its zero value is of no use: Init first.
type Key struct {
	nt, hashHash [16]byte
	subkeys      subkeys
}

// Init makes k the key of an NT hash.
func (k *Key) Init(nt [16]byte) {
	k.nt, k.hashHash = nt, HashHash(nt)
	k.schedule()
}

func (k *Key) schedule() {
	var octets [24]byte
	copy(octets[:], k.nt[:])
	var keys [3]uint64
	for i := range keys {
		// Seven octets make a key: the eighth that is read is shifted out.
		keys[i] = binary.BigEndian.Uint64(octets[7*i:]) >> 8
	}
	k.subkeys.schedule(&keys)
}

// Is says whether k is the key of this NT hash. It compares in constant time.
func (k *Key) Is(nt *[16]byte) bool { return subtle.ConstantTimeCompare(k.nt[:], nt[:]) == 1 }

// HashHash is HashHash of the NT hash.
func (k *Key) HashHash() [16]byte { return k.hashHash }

// Format implements fmt.Formatter: a Key is as good as a password and never printed.
func (*Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// Verify says whether response is what a peer with this key answers to the
// challenge, in either version. It compares in constant time.
func (k *Key) Verify(challenge [8]byte, response [24]byte) bool {
	want := k.response(challenge)
	return subtle.ConstantTimeCompare(want[:], response[:]) == 1
}

func (k *Key) response(challenge [8]byte) (response [24]byte) {
	for i, block := range k.subkeys.encrypt(binary.BigEndian.Uint64(challenge[:])) {
		binary.BigEndian.PutUint64(response[8*i:], block)
	}
	return response
}

// ChallengeResponse returns what a peer with the NT hash answers to the
// challenge (RFC 2759 §8.5): three blocks of DES under the hash, which five
// zero octets fill up to three keys. Version 1 has the same under the name
// NtChallengeResponse, where the challenge is the server's own (RFC 2433 appendix A).
func ChallengeResponse(challenge [8]byte, nt [16]byte) [24]byte {
	k := Key{nt: nt}
	k.schedule()
	return k.response(challenge)
}

// Verify is Key.Verify for a key that is used once.
func Verify(challenge [8]byte, nt [16]byte, response [24]byte) bool {
	want := ChallengeResponse(challenge, nt)
	return subtle.ConstantTimeCompare(want[:], response[:]) == 1
}

// The sizes of what RFC 2759 hashes, in octets.
const (
	hashSize      = 16
	responseSize  = 24
	challengeSize = 8
)

// serverMagic and padMagic are Magic1 and Magic2 of RFC 2759 §8.7.
const (
	serverMagic = "Magic server to client signing constant"
	padMagic    = "Pad to make it do more than one iteration"
)

// AuthenticatorResponse returns the server's own proof (RFC 2759 §8.7), "S="
// and 40 upper-case hexadecimal digits, from HashHash, the peer's response and
// the challenge hash that it answered.
func AuthenticatorResponse(hashHash [16]byte, response [24]byte, challenge [8]byte) (text [42]byte) {
	inner := innerText(hashHash, response)
	outer := outerText(sha1.Sum(inner[:]), challenge)
	digest := sha1.Sum(outer[:])
	return spell(&digest)
}

// innerText and outerText are what RFC 2759 §8.7 hashes, one after the other.
func innerText(hashHash [16]byte, response [24]byte) (text [hashSize + responseSize + len(serverMagic)]byte) {
	n := copy(text[:], hashHash[:])
	n += copy(text[n:], response[:])
	copy(text[n:], serverMagic)
	return text
}

func outerText(digest [sha1.Size]byte, challenge [8]byte) (text [sha1.Size + challengeSize + len(padMagic)]byte) {
	n := copy(text[:], digest[:])
	n += copy(text[n:], challenge[:])
	copy(text[n:], padMagic)
	return text
}

// spell writes the proof as it is sent.
func spell(digest *[sha1.Size]byte) (text [42]byte) {
	const upper = "0123456789ABCDEF"
	text[0], text[1] = 'S', '='
	for i, octet := range digest {
		text[2+2*i], text[3+2*i] = upper[octet>>4], upper[octet&15]
	}
	return text
}
