package backends

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"memberradius/member"
)

// A keyring makes the keys of a Cache: HMAC-SHA-256 (RFC 2104) of all that an
// answer depends on. A plain hash of the password would let whoever reads the
// shelf guess passwords; a cache key without the password would let a wrong
// one share its neighbour's Allow.
type keyring struct {
	inner []byte // the key's block XOR ipad, and the backend's name
	outer [sha256.BlockSize]byte
}

// newKeyring takes a random key where key is zero.
func newKeyring(key Key, name string) keyring {
	if key == (Key{}) {
		_, _ = rand.Read(key[:]) // never fails (crypto/rand)
	}
	var r keyring
	r.inner = make([]byte, sha256.BlockSize)
	copy(r.inner, key[:])
	copy(r.outer[:], key[:])
	for i := range sha256.BlockSize {
		r.inner[i] ^= 0x36
		r.outer[i] ^= 0x5c
	}
	r.inner = appendPart(r.inner, name)
	return r
}

// of returns the key of a: backend, kind of proof, port, folded login, and the
// password or what MS-CHAP made of it. The port is in it because the contract
// sends it as auth_port, and a system may answer by it. The challenge hash
// stands for the login as sent, which MS-CHAP hashes unfolded.
func (r *keyring) of(a *member.Attempt) [32]byte {
	var stack [1024]byte
	b := append(stack[:0], r.inner...)
	b = append(b, byte(a.Proof.Kind))
	b = binary.BigEndian.AppendUint16(b, a.Port)
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = member.Fold(b, a.Login)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	switch a.Proof.Kind {
	case member.Password:
		b = append(b, a.Proof.Password...)
	case member.MSCHAPv1, member.MSCHAPv2:
		b = append(b, a.Proof.MSCHAP.Challenge[:]...)
		b = append(b, a.Proof.MSCHAP.Response[:]...)
		b = append(b, a.Proof.MSCHAP.ChallengeHash[:]...)
	}
	sum := sha256.Sum256(b)
	clear(b)
	var last [sha256.BlockSize + sha256.Size]byte
	copy(last[:], r.outer[:])
	copy(last[sha256.BlockSize:], sum[:])
	return sha256.Sum256(last[:])
}

// appendPart appends s behind its length, so that no two lists of parts look alike.
func appendPart(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}
