package md5many

import "encoding/binary"

const (
	// blockSize is what MD5 takes in at once, in octets (RFC 1321 §3.4).
	blockSize = 64
	// lengthSize are the octets at the end of the last block that hold the
	// length of the text in bits (RFC 1321 §3.2).
	lengthSize = 8
)

// A State is MD5's chaining value between two blocks: the words A, B, C and D
// of RFC 1321 §3.3.
type State [4]uint32

// Start returns the state before the first block (RFC 1321 §3.3).
func Start() State { return State{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476} }

// Absorb returns the state after one block from Start. HMAC's two padded keys
// are such blocks: done once for a key, they need not be done for each text
// (RFC 2104 §4).
func Absorb(block *[64]byte) State {
	s := Start()
	s.absorb(block)
	return s
}

// A Sum is one MD5 to compute. Its zero value is no valid sum: From would be no
// state of MD5.
type Sum struct {
	// From is the state to go on from: Start, or what Absorb returned.
	From State
	// Before counts the octets that are in From already, a multiple of 64: 0
	// after Start, 64 after Absorb. They count in the length that MD5 appends.
	Before uint64
	// Data is the rest of the text, of any length. It is only read, and only
	// while Compute runs.
	Data []byte
	// Out is the result. It may not be part of the Data of a sum in the same call.
	Out [16]byte
}

// Compute fills Out of each sum; any number of them, of any lengths. It
// allocates nothing and keeps nothing. Calls may run at the same time as long
// as they share no Sum.
func Compute(sums []Sum) { kernelFor(len(sums)).compute(sums) }

// A kernel is a way to work through blocks. kernelFor and available choose
// among those of this architecture.
type kernel int

// portable takes one sum after the other, in Go. The others stand beside their
// assembly.
const portable kernel = 0

// oneByOne fills Out of each sum without lanes.
func oneByOne(sums []Sum) {
	for i := range sums {
		s := &sums[i]
		state, data := s.From, s.Data
		for len(data) >= blockSize {
			state.absorb((*[blockSize]byte)(data))
			data = data[blockSize:]
		}
		var end tail
		for i := range end.pad(data, s.length()) {
			state.absorb((*[blockSize]byte)(end[i*blockSize:]))
		}
		s.finish(state)
	}
}

// length is what MD5 appends: the octets of the whole text.
func (s *Sum) length() uint64 { return s.Before + uint64(len(s.Data)) }

// finish writes the state as RFC 1321 §3.5 says: low octets first.
func (s *Sum) finish(state State) {
	binary.LittleEndian.PutUint32(s.Out[0:], state[0])
	binary.LittleEndian.PutUint32(s.Out[4:], state[1])
	binary.LittleEndian.PutUint32(s.Out[8:], state[2])
	binary.LittleEndian.PutUint32(s.Out[12:], state[3])
}

// A tail holds the last one or two blocks of a text: what does not fill a
// block, and the padding.
type tail [2 * blockSize]byte

// pad fills the tail: rest, one bit, zeros and the length in bits, modulo 2^64
// (RFC 1321 §3.1 and §3.2). The rest is shorter than a block; length counts the
// octets of the whole text. It returns how many blocks the tail has, 1 or 2.
func (t *tail) pad(rest []byte, length uint64) int {
	blocks := 1
	if len(rest)+1+lengthSize > blockSize {
		blocks = 2
	}
	*t = tail{}
	copy(t[:blockSize], rest)
	t[len(rest)] = 0x80
	binary.LittleEndian.PutUint64(t[blocks*blockSize-lengthSize:], length<<3)
	return blocks
}
