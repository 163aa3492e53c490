package mschap

import "math/bits"

// The tables of FIPS 46-3. Its bits count from 1 at the most significant end.

// desPermutedChoice1 takes the 56 bits of C and D out of a key with parity.
var desPermutedChoice1 = [56]uint8{
	57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18,
	10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
	63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22,
	14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
}

// desPermutedChoice2 takes the 48 bits of a subkey out of C and D.
var desPermutedChoice2 = [48]uint8{
	14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10,
	23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
	41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48,
	44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
}

// desUnshift is 28 less how far C and D have been rotated left by each round.
var desUnshift = [16]uint8{27, 26, 24, 22, 20, 18, 16, 14, 13, 11, 9, 7, 5, 3, 1, 0}

// desP is the permutation of what the S-boxes give.
var desP = [32]uint8{
	16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
	2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
}

// desS are the S-boxes: four rows of sixteen each.
var desS = [8][64]uint8{
	{
		14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7,
		0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12, 11, 9, 5, 3, 8,
		4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0,
		15, 12, 8, 2, 4, 9, 1, 7, 5, 11, 3, 14, 10, 0, 6, 13,
	}, {
		15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10,
		3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1, 10, 6, 9, 11, 5,
		0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15,
		13, 8, 10, 1, 3, 15, 4, 2, 11, 6, 7, 12, 0, 5, 14, 9,
	}, {
		10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8,
		13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5, 14, 12, 11, 15, 1,
		13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7,
		1, 10, 13, 0, 6, 9, 8, 7, 4, 15, 14, 3, 11, 5, 2, 12,
	}, {
		7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15,
		13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2, 12, 1, 10, 14, 9,
		10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4,
		3, 15, 0, 6, 10, 1, 13, 8, 9, 4, 5, 11, 12, 7, 2, 14,
	}, {
		2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9,
		14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15, 10, 3, 9, 8, 6,
		4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14,
		11, 8, 12, 7, 1, 14, 2, 13, 6, 15, 0, 9, 10, 4, 5, 3,
	}, {
		12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11,
		10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13, 14, 0, 11, 3, 8,
		9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6,
		4, 3, 2, 12, 9, 5, 15, 10, 11, 14, 1, 7, 6, 0, 8, 13,
	}, {
		4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1,
		13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5, 12, 2, 15, 8, 6,
		1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2,
		6, 11, 13, 8, 1, 4, 10, 7, 9, 5, 0, 15, 14, 2, 3, 12,
	}, {
		13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7,
		1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6, 11, 0, 14, 9, 2,
		7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8,
		2, 1, 14, 7, 4, 10, 8, 13, 15, 12, 9, 0, 3, 5, 6, 11,
	},
}

// What desRounds looks up: 12 KiB together, made once and never written again.
// PC1 and PC2 are linear, so that a table per few bits of input gives what
// those bits contribute, and the sum is the whole.
var (
	// desPC1 has a table per four bits of the key, the lowest first.
	desPC1 = makeDESPC1()
	// desPC2 has a table per seven bits of C and D, the highest first.
	desPC2 = makeDESPC2()
	// desSP has S-box and P in one, rotated left by one.
	desSP = makeDESSP()
)

func makeDESPC1() (tables [14][16]uint64) {
	for i := range tables {
		for v := range tables[i] {
			key := uint64(v) << (4 * i)
			for _, from := range desPermutedChoice1 {
				// Every eighth bit of the table's key is parity, and not in ours.
				tables[i][v] = tables[i][v]<<1 | key>>(56-(from-from/8))&1
			}
		}
	}
	return tables
}

func makeDESPC2() (tables [8][128]uint64) {
	for i := range tables {
		for v := range tables[i] {
			cd := uint64(v) << (7 * (7 - i))
			for to, from := range desPermutedChoice2 {
				tables[i][v] |= cd >> (56 - from) & 1 << desSubkeyBit(to)
			}
		}
	}
	return tables
}

// desSubkeyBit returns where desFeistel wants bit n of a subkey (0 to 47, the
// first one first): the six bits of an odd S-box low in an octet of the upper
// half, those of an even one in the lower half, the first S-boxes on top.
func desSubkeyBit(n int) int {
	box, bit := n/6, n%6
	half, octet := 1-box%2, 3-box/2
	return 32*half + 8*octet + 5 - bit
}

func makeDESSP() (tables [8][64]uint32) {
	for box := range tables {
		for v := range tables[box] {
			// The outer two bits say the row, the inner four the column.
			row, column := v>>4&2|v&1, v>>1&15
			out := uint32(desS[box][16*row+column]) << (28 - 4*box)
			var permuted uint32
			for _, from := range desP {
				permuted = permuted<<1 | out>>(32-from)&1
			}
			tables[box][v] = bits.RotateLeft32(permuted, 1)
		}
	}
	return tables
}
