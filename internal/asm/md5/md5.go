package main

import (
	"math"

	"memberradius/internal/asm"
)

// sine is T[i+1] of RFC 1321 §3.4: the integer part of 2^32 times |sin(i+1)|.
func sine(i int) uint32 { return uint32(math.Abs(math.Sin(float64(i+1))) * (1 << 32)) }

// A step is one of the 64 of RFC 1321 §3.4: a = b + ((a + f(b,c,d) + X[word] + T[sine]) <<< turn).
type step struct {
	round, number int
	word, turn    int
	// a, b, c and d say which of the four words of the state stand for the
	// RFC's: it changes their places from step to step, and we the names.
	a, b, c, d int
}

// steps returns all 64.
func steps() []step {
	turns := [4][4]int{{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}
	// In round r the words are taken from first[r] on, stride[r] apart.
	first, stride := [4]int{0, 1, 5, 0}, [4]int{1, 5, 3, 7}
	all := make([]step, 64)
	for i := range all {
		r, j := i/16, i%16
		all[i] = step{
			round: r, number: i,
			word: (first[r] + stride[r]*j) % asm.Words, turn: turns[r][j%4],
			a: (64 - i) % 4, b: (65 - i) % 4, c: (66 - i) % 4, d: (67 - i) % 4,
		}
	}
	return all
}

// functions are F, G, H and I of RFC 1321 §3.4.
var functions = [4]func(b, c, d int) int{
	func(b, c, d int) int { return b&c | (b^1)&d },
	func(b, c, d int) int { return b&d | c&(d^1) },
	func(b, c, d int) int { return b ^ c ^ d },
	func(b, c, d int) int { return c ^ (b | (d ^ 1)) },
}
