package sha1many

import (
	"crypto/sha1"
	"encoding/binary"
)

const (
	// Lanes is how many texts a Sheet has.
	Lanes = 16
	// Size is the length of a digest in octets.
	Size = sha1.Size

	blockSize = sha1.BlockSize
	// lengthSize are the octets at the end of the last block that hold the
	// length of the text in bits (FIPS 180-4 §5.1.1).
	lengthSize = 8
	// digestWords are the words of a digest.
	digestWords = Size / 4
)

// A state holds the five words of the hash, word by word, sixteen lanes each.
type state [digestWords][Lanes]uint32

// start is the state before the first block (FIPS 180-4 §5.3.1).
var start = func() (s state) {
	for i, word := range [digestWords]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0} {
		for lane := range Lanes {
			s[i][lane] = word
		}
	}
	return s
}()

// A Sheet is sixteen texts of one form and their digests. It belongs to one
// goroutine. NewSheet makes it.
type Sheet struct {
	// rows are the texts, padded, one behind the other.
	rows []byte
	// length is that of a text, stride that of a row.
	length, stride int
	digests        [Lanes][Size]byte
}

// NewSheet returns a sheet of sixteen texts that all are form, of any length.
func NewSheet(form []byte) *Sheet {
	blocks := (len(form) + 1 + lengthSize + blockSize - 1) / blockSize
	s := &Sheet{length: len(form), stride: blocks * blockSize}
	s.rows = make([]byte, Lanes*s.stride)
	for lane := range Lanes {
		row := s.rows[lane*s.stride : (lane+1)*s.stride]
		copy(row, form)
		row[len(form)] = 0x80
		binary.BigEndian.PutUint64(row[s.stride-lengthSize:], uint64(len(form))<<3)
	}
	return s
}

// Row is text i, from 0 to 15, to write what differs from the form.
func (s *Sheet) Row(i int) []byte {
	return s.rows[i*s.stride : i*s.stride+s.length : i*s.stride+s.length]
}

// Compute makes the digests of the first n texts, 16 at the most.
func (s *Sheet) Compute(n int) {
	if n >= worth && wide {
		s.sideBySide()
		return
	}
	for i := range n {
		s.digests[i] = sha1.Sum(s.Row(i))
	}
}

// Digest is that of text i as of the last Compute which had it.
func (s *Sheet) Digest(i int) *[Size]byte { return &s.digests[i] }

// sideBySide makes all digests, whether or not their texts are in use.
func (s *Sheet) sideBySide() {
	words := start
	blocks(&words, &s.rows[0], s.stride, s.stride/blockSize)
	for lane := range Lanes {
		for i := range words {
			binary.BigEndian.PutUint32(s.digests[lane][4*i:], words[i][lane])
		}
	}
}
