package member

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxLogin is the longest login in octets: what one User-Name holds (RFC 2865 §5.1).
const MaxLogin = 253

// Fold appends to dst the form by which logins are compared: case-folded and
// NFC. Two logins that fold alike are one member. A login of ASCII costs no
// allocation where dst has room.
func Fold(dst []byte, login string) []byte {
	for i := 0; i < len(login); i++ {
		c := login[i]
		if c >= utf8.RuneSelf {
			return foldUnicode(dst[:len(dst)-i], login)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// FoldString is Fold as a string, for tables that are built ahead.
func FoldString(login string) string { return string(Fold(nil, login)) }

// foldUnicode folds between two normalisations, since folding can break NFC
// and decomposed letters must meet composed ones. Octets that are no UTF-8
// stay as they are: an NAI need not be one (RFC 7542 §2).
func foldUnicode(dst []byte, login string) []byte {
	var composed, folded [3 * MaxLogin]byte
	f := folded[:0]
	c := norm.NFC.AppendString(composed[:0], login)
	for len(c) > 0 {
		r, n := utf8.DecodeRune(c)
		if r == utf8.RuneError && n == 1 {
			f = append(f, c[0])
		} else {
			f = utf8.AppendRune(f, foldRune(r))
		}
		c = c[n:]
	}
	// By way of a copy, since norm lets what it is given escape to the heap,
	// and dst lies on the stack of whoever must not allocate.
	return append(dst, norm.NFC.Append(composed[:0], f...)...)
}

// foldRune returns the one rune that stands for all that differ from r in case
// only: the lower case of the smallest of them.
func foldRune(r rune) rune {
	smallest := r
	for s := unicode.SimpleFold(r); s != r; s = unicode.SimpleFold(s) {
		smallest = min(smallest, s)
	}
	return unicode.ToLower(smallest)
}
