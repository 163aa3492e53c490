package store

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
)

// A sealed value is
//
//	version (1 octet, 1) | id of the data key (16) | nonce (12) | ciphertext | tag (16)
//
// by AES-256-GCM (NIST SP 800-38D) with a random nonce. Its additional data
// name the place where it stands, so a value that is moved to another row or
// column does not open.
const (
	sealVersion  = 1
	sealHead     = 1 + 16 + nonceSize
	nonceSize    = 12
	tagSize      = 16
	sealOverhead = sealHead + tagSize
)

var (
	errSealBroken = errors.New("the sealed value does not open: it was changed, moved from another row, or sealed by another key")
	errSealForm   = errors.New("the sealed value is too short or of an unknown version")
	errSealKey    = errors.New("the value was sealed by a data key that this database does not hold")
)

// A place is where a sealed value stands. Rows are named by what makes them
// unique to people as well, not by their id alone: else whoever can write to
// the database could exchange two logins and enter with his own password as
// another.
type place struct {
	table, column string
	row           [3]string
}

// append adds p to dst as additional data. Each part is led by its length, so
// no two places read alike.
func (p *place) append(dst []byte) []byte {
	for _, part := range [...]string{p.table, p.column, p.row[0], p.row[1], p.row[2]} {
		dst = append(dst, byte(len(part)>>8), byte(len(part)))
		dst = append(dst, part...)
	}
	return dst
}

// A sealer seals with one data key and opens with all that served its purpose.
// It does not change once it is built, and so may be shared.
type sealer struct {
	random  io.Reader
	current uuid
	keys    map[uuid]cipher.AEAD
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal returns the sealed value.
func (s *sealer) seal(value []byte, at *place) ([]byte, error) {
	head := make([]byte, sealHead, sealOverhead+len(value))
	head[0] = sealVersion
	copy(head[1:], s.current[:])
	// SP 800-38D §8.3 bounds a key with random nonces to 2^32 values: at ten
	// writes a second for thirteen years.
	nonce := head[1+16:]
	if _, err := io.ReadFull(s.random, nonce); err != nil {
		return nil, fmt.Errorf("no randomness for a nonce: %w", err)
	}
	var aad [512]byte
	return s.keys[s.current].Seal(head, nonce, value, at.append(aad[:0])), nil
}

// open appends to dst what blob holds. A dst with room costs no allocation.
func (s *sealer) open(dst, blob []byte, at *place) ([]byte, error) {
	if len(blob) < sealOverhead || blob[0] != sealVersion {
		return nil, errSealForm
	}
	aead := s.keys[uuid(blob[1:17])]
	if aead == nil {
		return nil, errSealKey
	}
	var aad [512]byte
	value, err := aead.Open(dst, blob[17:sealHead], blob[sealHead:], at.append(aad[:0]))
	if err != nil {
		return nil, errSealBroken
	}
	return value, nil
}
