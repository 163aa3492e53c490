package md5many

import (
	"encoding/binary"
	"math/bits"
)

// absorb takes one block in: the four rounds of RFC 1321 §3.4. The four words
// keep their places here, where the RFC renames them from step to step.
func (s *State) absorb(block *[blockSize]byte) {
	var x [16]uint32
	for i := range x {
		x[i] = binary.LittleEndian.Uint32(block[4*i:])
	}
	a, b, c, d := s[0], s[1], s[2], s[3]
	for i := 0; i < 16; i += 4 {
		k := (*[4]uint32)(sines[i:])
		a = b + bits.RotateLeft32(a+x[i&15]+k[0]+((c^d)&b^d), 7)
		d = a + bits.RotateLeft32(d+x[(i+1)&15]+k[1]+((b^c)&a^c), 12)
		c = d + bits.RotateLeft32(c+x[(i+2)&15]+k[2]+((a^b)&d^b), 17)
		b = c + bits.RotateLeft32(b+x[(i+3)&15]+k[3]+((d^a)&c^a), 22)
	}
	for i := 0; i < 16; i += 4 {
		k := (*[4]uint32)(sines[16+i:])
		a = b + bits.RotateLeft32(a+x[(5*i+1)&15]+k[0]+(c&^d)+(b&d), 5)
		d = a + bits.RotateLeft32(d+x[(5*i+6)&15]+k[1]+(b&^c)+(a&c), 9)
		c = d + bits.RotateLeft32(c+x[(5*i+11)&15]+k[2]+(a&^b)+(d&b), 14)
		b = c + bits.RotateLeft32(b+x[(5*i)&15]+k[3]+(d&^a)+(c&a), 20)
	}
	for i := 0; i < 16; i += 4 {
		k := (*[4]uint32)(sines[32+i:])
		a = b + bits.RotateLeft32(a+x[(3*i+5)&15]+k[0]+(b^c^d), 4)
		d = a + bits.RotateLeft32(d+x[(3*i+8)&15]+k[1]+(a^b^c), 11)
		c = d + bits.RotateLeft32(c+x[(3*i+11)&15]+k[2]+(d^a^b), 16)
		b = c + bits.RotateLeft32(b+x[(3*i+14)&15]+k[3]+(c^d^a), 23)
	}
	for i := 0; i < 16; i += 4 {
		k := (*[4]uint32)(sines[48+i:])
		a = b + bits.RotateLeft32(a+x[(7*i)&15]+k[0]+(c^(b|^d)), 6)
		d = a + bits.RotateLeft32(d+x[(7*i+7)&15]+k[1]+(b^(a|^c)), 10)
		c = d + bits.RotateLeft32(c+x[(7*i+14)&15]+k[2]+(a^(d|^b)), 15)
		b = c + bits.RotateLeft32(b+x[(7*i+5)&15]+k[3]+(d^(c|^a)), 21)
	}
	s[0], s[1], s[2], s[3] = s[0]+a, s[1]+b, s[2]+c, s[3]+d
}

// sines is the table T of RFC 1321 §3.4: the integer part of 2^32 times |sin(i)|,
// i from 1, in radians.
var sines = [64]uint32{
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee,
	0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
	0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa,
	0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
	0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
	0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039,
	0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
	0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
}
