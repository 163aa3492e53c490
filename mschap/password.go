package mschap

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// NTHash returns NtPasswordHash of a password in UTF-8 (RFC 2759 §8.3): MD4 of
// its UTF-16LE form, with surrogate pairs for runes over U+FFFF. Passwords of
// any length are taken whole. Each octet that is no UTF-8 counts as U+FFFD, so
// that passwords which differ in such octets only are the same one.
func NTHash(password string) [16]byte {
	h := newMD4()
	for _, r := range password {
		if r > 0xffff {
			high, low := utf16.EncodeRune(r)
			h.write16(uint16(high))
			r = low
		}
		h.write16(uint16(r))
	}
	return h.sum()
}

// HashHash returns HashNtPasswordHash of an NT hash (RFC 2759 §8.4): MD4 of
// it. Member systems that prove a member themselves call it the NT key.
func HashHash(nt [16]byte) [16]byte {
	h := newMD4()
	for i := 0; i < len(nt); i += 2 {
		h.write16(binary.LittleEndian.Uint16(nt[i:]))
	}
	return h.sum()
}

// StripDomain returns user without a leading "DOMAIN\", which peers leave out
// of the challenge hash (RFC 2759 §8.2). Case is kept, and so is everything
// after the first backslash.
func StripDomain(user string) string {
	if _, name, ok := strings.Cut(user, `\`); ok {
		return name
	}
	return user
}
