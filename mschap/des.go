package mschap

import "math/bits"

// subkeys are the keys of the 16 rounds for each of the three blocks of a response.
type subkeys [16][3]uint64

// schedule makes the subkeys of three keys of 56 bits without parity.
func (s *subkeys) schedule(keys *[3]uint64) {
	for k, key := range keys {
		var cd uint64
		for i := range desPC1 {
			cd ^= desPC1[i][key>>(4*i)&15]
		}
		// Each half twice in a row: a rotation by n is a shift by 28-n.
		c, d := cd>>28, cd&(1<<28-1)
		c, d = c<<28|c, d<<28|d
		for i := range s {
			s[i][k] = desSubkey(c, d, desUnshift[i])
		}
	}
}

// encrypt is DesEncrypt of RFC 2759 §8.6 under the three keys. The rounds of
// the blocks go side by side, since each round of one waits for the one before it.
func (s *subkeys) encrypt(block uint64) [3]uint64 {
	l0, r0 := desInitial(block)
	l1, r1, l2, r2 := l0, r0, l0, r0
	for i := 0; i < 16; i += 2 {
		a, b := &s[i], &s[i+1]
		l0 ^= desFeistel(r0, a[0])
		l1 ^= desFeistel(r1, a[1])
		l2 ^= desFeistel(r2, a[2])
		r0 ^= desFeistel(l0, b[0])
		r1 ^= desFeistel(l1, b[1])
		r2 ^= desFeistel(l2, b[2])
	}
	return [3]uint64{desFinal(r0, l0), desFinal(r1, l1), desFinal(r2, l2)}
}

// desSubkey returns a round's key by PC2 (FIPS 46-3, key schedule), in the
// form that desFeistel takes, from the doubled halves c and d.
func desSubkey(c, d uint64, unshift uint8) uint64 {
	c >>= unshift & 31
	d >>= unshift & 31
	return desPC2[0][c>>21&127] ^ desPC2[1][c>>14&127] ^
		desPC2[2][c>>7&127] ^ desPC2[3][c&127] ^
		desPC2[4][d>>21&127] ^ desPC2[5][d>>14&127] ^
		desPC2[6][d>>7&127] ^ desPC2[7][d&127]
}

// desFeistel is the function f of FIPS 46-3. r and the result are rotated left
// by one bit: then E is nothing but r itself (S-boxes 2, 4, 6, 8) and r rotated
// by four (S-boxes 1, 3, 5, 7), six bits in each octet.
func desFeistel(r uint32, subkey uint64) uint32 {
	odd := bits.RotateLeft32(r, -4) ^ uint32(subkey>>32)
	even := r ^ uint32(subkey)
	return desSP[0][odd>>24&63] ^ desSP[1][even>>24&63] ^
		desSP[2][odd>>16&63] ^ desSP[3][even>>16&63] ^
		desSP[4][odd>>8&63] ^ desSP[5][even>>8&63] ^
		desSP[6][odd&63] ^ desSP[7][even&63]
}

// desInitial is the permutation IP of FIPS 46-3, as five swaps of bits
// between the halves of the block. Both come out rotated left by one.
func desInitial(block uint64) (l, r uint32) {
	l, r = uint32(block>>32), uint32(block)
	l, r = swapBits(l, r, 4, 0x0f0f0f0f)
	l, r = swapBits(l, r, 16, 0x0000ffff)
	r, l = swapBits(r, l, 2, 0x33333333)
	r, l = swapBits(r, l, 8, 0x00ff00ff)
	l, r = swapBits(l, r, 1, 0x55555555)
	return bits.RotateLeft32(l, 1), bits.RotateLeft32(r, 1)
}

// desFinal undoes desInitial.
func desFinal(l, r uint32) uint64 {
	l, r = bits.RotateLeft32(l, -1), bits.RotateLeft32(r, -1)
	l, r = swapBits(l, r, 1, 0x55555555)
	r, l = swapBits(r, l, 8, 0x00ff00ff)
	r, l = swapBits(r, l, 2, 0x33333333)
	l, r = swapBits(l, r, 16, 0x0000ffff)
	l, r = swapBits(l, r, 4, 0x0f0f0f0f)
	return uint64(l)<<32 | uint64(r)
}

// swapBits swaps the bits of b under mask with those of a that stand shift
// places higher.
func swapBits(a, b uint32, shift uint8, mask uint32) (uint32, uint32) {
	x := (a>>(shift&31) ^ b) & mask
	return a ^ x<<(shift&31), b ^ x
}
