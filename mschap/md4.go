package mschap

import (
	"encoding/binary"
	"math/bits"
)

// md4BlockSize is what one step of MD4 takes in, in octets.
const md4BlockSize = 64

// An md4Hash hashes what is written to it (RFC 1320). Begin with newMD4.
type md4Hash struct {
	state [4]uint32
	block [md4BlockSize]byte
	size  uint64
}

// newMD4 returns an empty hash (RFC 1320 §3.3).
func newMD4() md4Hash {
	return md4Hash{state: [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}}
}

// write16 takes in one UTF-16 unit, low octet first.
func (h *md4Hash) write16(unit uint16) {
	at := h.size % md4BlockSize
	binary.LittleEndian.PutUint16(h.block[at:], unit)
	h.size += 2
	if at+2 == md4BlockSize {
		md4Block(&h.state, &h.block)
	}
}

// sum pads what was written (RFC 1320 §3.1, §3.2) and returns its digest. The
// hash is used up.
func (h *md4Hash) sum() (digest [16]byte) {
	at := h.size % md4BlockSize
	h.block[at] = 0x80
	clear(h.block[at+1:])
	if at+1 > md4BlockSize-8 {
		md4Block(&h.state, &h.block)
		h.block = [md4BlockSize]byte{}
	}
	binary.LittleEndian.PutUint64(h.block[md4BlockSize-8:], 8*h.size)
	md4Block(&h.state, &h.block)
	for i, word := range h.state {
		binary.LittleEndian.PutUint32(digest[4*i:], word)
	}
	return digest
}

// md4Round2 and md4Round3 are the orders in which the second and the third
// round take the words of a block; the first takes them as they come.
var (
	md4Round2 = [16]uint8{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}
	md4Round3 = [16]uint8{0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}
)

// md4Block mixes one block into state (RFC 1320 §3.4).
func md4Block(state *[4]uint32, block *[md4BlockSize]byte) {
	var x [16]uint32
	for i := range x {
		x[i] = binary.LittleEndian.Uint32(block[4*i:])
	}
	a, b, c, d := state[0], state[1], state[2], state[3]
	for i := 0; i < 16; i += 4 {
		w := x[i : i+4 : i+4]
		a = bits.RotateLeft32(a+(d^b&(c^d))+w[0], 3)
		d = bits.RotateLeft32(d+(c^a&(b^c))+w[1], 7)
		c = bits.RotateLeft32(c+(b^d&(a^b))+w[2], 11)
		b = bits.RotateLeft32(b+(a^c&(d^a))+w[3], 19)
	}
	for i := 0; i < 16; i += 4 {
		o := md4Round2[i : i+4 : i+4]
		a = bits.RotateLeft32(a+(b&c|d&(b|c))+x[o[0]&15]+0x5a827999, 3)
		d = bits.RotateLeft32(d+(a&b|c&(a|b))+x[o[1]&15]+0x5a827999, 5)
		c = bits.RotateLeft32(c+(d&a|b&(d|a))+x[o[2]&15]+0x5a827999, 9)
		b = bits.RotateLeft32(b+(c&d|a&(c|d))+x[o[3]&15]+0x5a827999, 13)
	}
	for i := 0; i < 16; i += 4 {
		o := md4Round3[i : i+4 : i+4]
		a = bits.RotateLeft32(a+(b^c^d)+x[o[0]&15]+0x6ed9eba1, 3)
		d = bits.RotateLeft32(d+(a^b^c)+x[o[1]&15]+0x6ed9eba1, 9)
		c = bits.RotateLeft32(c+(d^a^b)+x[o[2]&15]+0x6ed9eba1, 11)
		b = bits.RotateLeft32(b+(c^d^a)+x[o[3]&15]+0x6ed9eba1, 15)
	}
	state[0] += a
	state[1] += b
	state[2] += c
	state[3] += d
}
