package store

import (
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// A uuid is one of version 7 (RFC 9562 §5.7): they sort by the time at which
// they were made, so rows that are new stand together in an index.
type uuid [16]byte

func newUUID(now time.Time, random io.Reader) (uuid, error) {
	var u uuid
	if _, err := io.ReadFull(random, u[6:]); err != nil {
		return u, fmt.Errorf("no randomness for an id: %w", err)
	}
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6] = u[6]&0x0f | 0x70 // version 7
	u[8] = u[8]&0x3f | 0x80 // variant of RFC 9562 §4.1
	return u, nil
}

// String returns u as RFC 9562 §4 writes it.
func (u uuid) String() string {
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:36], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// parseUUID reads what String writes.
func parseUUID(s string) (u uuid, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, false
	}
	digits := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	_, err := hex.Decode(u[:], []byte(digits))
	return u, err == nil
}

// NewID makes an id for a Run ahead, for whoever has to name it before it ends.
func (s *Store) NewID() (string, error) {
	id, err := newUUID(s.now(), s.random)
	if err != nil {
		return "", fmt.Errorf("store: make an id: %w", err)
	}
	return id.String(), nil
}
