package mschap

import "math/bits"

// desRounds is DesEncrypt of RFC 2759 §8.6 without the first permutation,
// which the three blocks of a response share. The 56 bits of key come without
// parity, l and r from desInitial. Each round makes its own subkey: the key is
// used once, so that there is nothing to keep.
func desRounds(key uint64, l, r uint32) uint64 {
	var cd uint64
	for i := range desPC1 {
		cd ^= desPC1[i][key>>(4*i)&15]
	}
	// Each half twice in a row: a rotation by n is a shift by 28-n.
	c, d := cd>>28, cd&(1<<28-1)
	c, d = c<<28|c, d<<28|d

	for i := 0; i < 16; i += 2 {
		l ^= desFeistel(r, desSubkey(c, d, desUnshift[i]))
		r ^= desFeistel(l, desSubkey(c, d, desUnshift[i+1]))
	}
	return desFinal(r, l)
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
