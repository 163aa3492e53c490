// Package mschap owns the arithmetic of MS-CHAP: the NT hash, the response to
// a challenge in version 1 (RFC 2433) and version 2 (RFC 2759), the server's
// own proof, and the MPPE keys that follow (RFC 3079, RFC 2548 §2.4).
//
// It does not own any attribute, any packet and any decision: arrays go in,
// arrays come out. It imports nothing of memberradius, cannot log, and keeps
// no state. Nothing allocates; ChallengeHash does for names over 256 octets,
// which no User-Name can hold.
//
// MD4 and DES are broken ciphers that this protocol can't do without: an NT
// hash is as good as its password, and an exchange that was overheard can be
// cracked. DES looks up tables by key and data, as crypto/des does, so that
// its time is not constant where an attacker shares the machine's caches; over
// a network it tells nothing. Comparisons are constant time.
package mschap
