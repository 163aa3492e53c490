package store

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"memberradius/member"
)

// A ticket is what a token, a link and a visit are made of: an id by which the
// row is found, which is no secret, and 256 random bits of which the row holds
// the SHA-256 alone. What is random needs no slow hash.
type ticket struct {
	id     uuid
	secret [32]byte
}

// Format keeps the secret out of every log and error.
func (ticket) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

func (s *Store) newTicket() (t ticket, err error) {
	if t.id, err = newUUID(s.now(), s.random); err != nil {
		return t, err
	}
	if _, err := io.ReadFull(s.random, t.secret[:]); err != nil {
		return t, fmt.Errorf("no randomness for a secret: %w", err)
	}
	return t, nil
}

func (t *ticket) digest() []byte {
	sum := sha256.Sum256(t.secret[:])
	return sum[:]
}

// proves says whether t is the ticket that digest was made of.
func (t *ticket) proves(digest []byte) bool {
	return subtle.ConstantTimeCompare(t.digest(), digest) == 1
}

// text returns t as it stands in a link: 64 characters of base64url (RFC 4648 §5).
func (t *ticket) text() member.Secret {
	return member.Secret(base64.RawURLEncoding.EncodeToString(append(t.id[:], t.secret[:]...)))
}

// parseTicket reads what text writes.
func parseTicket(presented member.Secret) (t ticket, ok bool) {
	octets, err := base64.RawURLEncoding.Strict().DecodeString(string(presented))
	if err != nil || len(octets) != len(t.id)+len(t.secret) || len(presented) != 64 { // the decoder skips line breaks
		return ticket{}, false
	}
	copy(t.id[:], octets)
	copy(t.secret[:], octets[len(t.id):])
	return t, true
}

// A token's form is its own, so that scanners for secrets can know it.
const (
	tokenStart  = "mr_"
	tokenLength = len(tokenStart) + 32 + len("_") + 43
)

// token returns t as a bearer token: "mr_", the id in 32 hexadecimal digits,
// "_", and the secret in 43 characters of base64url.
func (t *ticket) token() member.Secret {
	return member.Secret(tokenStart + hex.EncodeToString(t.id[:]) + "_" + base64.RawURLEncoding.EncodeToString(t.secret[:]))
}

// parseToken reads what token writes.
func parseToken(presented member.Secret) (t ticket, ok bool) {
	rest, ok := strings.CutPrefix(string(presented), tokenStart)
	if !ok || len(presented) != tokenLength || rest[32] != '_' {
		return ticket{}, false
	}
	id := rest[:32]
	if _, err := hex.Decode(t.id[:], []byte(id)); err != nil || strings.ToLower(id) != id {
		return ticket{}, false
	}
	octets, err := base64.RawURLEncoding.Strict().DecodeString(rest[33:])
	if err != nil || len(octets) != len(t.secret) {
		return ticket{}, false
	}
	copy(t.secret[:], octets)
	return t, true
}
