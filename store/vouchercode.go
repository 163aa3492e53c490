package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"unicode"

	"memberradius/member"
)

// A code is twelve characters out of 28, in groups of four: 57 random bits.
// None of the characters looks like another, and without vowels no code is a
// word.
const (
	codeCharacters = "bcdfghjkmnpqrstvwxyz23456789"
	codeLength     = 12
	codeGroup      = 4
)

// newCode makes a code: "bcdf-ghjk-mnpq".
func (s *Store) newCode() (member.Secret, error) {
	// The largest multiple of 28 that an octet holds: what lies above would make
	// the first characters likelier than the rest.
	const fair = 256 / len(codeCharacters) * len(codeCharacters)
	var code []byte
	for n := 0; n < codeLength; {
		var octet [1]byte
		if _, err := io.ReadFull(s.random, octet[:]); err != nil {
			return "", fmt.Errorf("no randomness for a code: %w", err)
		}
		if int(octet[0]) >= fair {
			continue
		}
		if n > 0 && n%codeGroup == 0 {
			code = append(code, '-')
		}
		code = append(code, codeCharacters[int(octet[0])%len(codeCharacters)])
		n++
	}
	return member.Secret(code), nil
}

// bareCode reads what a person types: in whatever case, with whatever spaces and
// dashes between, as phones put them.
func bareCode(typed member.Secret) (bare [codeLength]byte, ok bool) {
	n := 0
	for _, r := range string(typed) {
		r = unicode.ToLower(r)
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Dash, r):
			continue
		case n == codeLength || r >= unicode.MaxASCII || strings.IndexByte(codeCharacters, byte(r)) < 0:
			return bare, false
		}
		bare[n] = byte(r)
		n++
	}
	return bare, n == codeLength
}

// codeDigest returns what is kept of a code. It is keyed: 57 bits could be tried
// against a copy of the database, and the key is not in it.
func (s *Store) codeDigest(bare *[codeLength]byte) []byte {
	h := hmac.New(sha256.New, s.voucherKey[:])
	h.Write(bare[:])
	return h.Sum(nil)
}
