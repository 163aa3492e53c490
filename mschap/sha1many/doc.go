// Package sha1many computes SHA-1 (FIPS 180-4 §6.1) of many texts of one form
// at once.
//
// SHA-1 is broken: collisions are made for money. It is here because MS-CHAPv2
// is defined by it: an accepted exchange takes five sums for the server's own
// proof (RFC 2759 §8.7) and for the session keys (RFC 3079 §3.4). Nothing else
// may rest on it.
//
// Those texts have one form: constants with a few octets of the exchange
// between them. So sixteen of them lie ready with their padding in a Sheet, of
// which only these octets change, and go side by side in the lanes of the CPU's
// vector registers by AVX-512. Elsewhere, and for a few, crypto/sha1 takes them
// one after the other. docs/decisions/0010 has the figures.
//
// It owns the arithmetic. It does not own the forms: package mschap does. It is
// not for texts that differ in length or come in pieces; crypto/sha1 is.
package sha1many

//go:generate go run ../../internal/asm/sha1
