package radiusd

import (
	"bytes"
	"context"
	"crypto/subtle"
	"strings"
	"unicode"
	"unicode/utf8"

	"memberradius/member"
	"memberradius/mschap"
)

// pap is User-Password (RFC 2865 §5.2).
type pap struct{}

// maxPassword is the longest User-Password in octets.
const maxPassword = 128

// proof reveals the password: each block of 16 octets is hidden by MD5 of the
// secret and the block before it, the first by the Request Authenticator.
// NULs at the end are padding; one inside is part of the password.
func (pap) proof(x *exchange) member.Reason {
	hidden := x.userPassword
	if len(hidden) == 0 || len(hidden) > maxPassword || len(hidden)%authenticatorSize != 0 {
		return member.ReasonMalformed
	}
	mask := x.firstMask
	for at := 0; at < len(hidden); at += authenticatorSize {
		if at > 0 {
			mask = x.secretSum(&x.client.key, hidden[at-authenticatorSize:at])
		}
		subtle.XORBytes(x.password[at:], hidden[at:at+authenticatorSize], mask[:])
	}
	x.attempt.Proof.Kind = member.Password
	x.attempt.Proof.Password = member.Secret(alias(bytes.TrimRight(x.password[:len(hidden)], "\x00")))
	return member.ReasonNone
}

// prove compares with the password, else with the NT hash, else with the
// argon2id hash, for which the request leaves the reader.
func (pap) prove(x *exchange) member.Reason {
	given := string(x.attempt.Proof.Password)
	c := x.answer.Credential
	switch {
	case c.Password != "":
		if subtle.ConstantTimeCompare([]byte(given), []byte(c.Password)) != 1 {
			return member.ReasonWrongProof
		}
	case c.NTHash != nil:
		hash := mschap.NTHash(given)
		if subtle.ConstantTimeCompare(hash[:], c.NTHash[:]) != 1 {
			return member.ReasonWrongProof
		}
	case c.Argon2id != "":
		return x.proveArgon2id(given)
	default:
		return member.ReasonNoCredential
	}
	return member.ReasonNone
}

func (x *exchange) proveArgon2id(given string) member.Reason {
	if !x.mayWait {
		x.mustWait = true
		return member.ReasonWrongProof
	}
	ctx, cancel := context.WithDeadline(context.Background(), x.deadline)
	defer cancel()
	ok, err := x.server.hashes.verify(ctx, x.answer.Credential.Argon2id, given)
	switch {
	case err != nil:
		x.server.trouble(err)
		return member.ReasonInternal
	case !ok:
		return member.ReasonWrongProof
	}
	return member.ReasonNone
}

// garbled says whether a password came that is no text, in a request that
// nothing signed: the mark of a NAS with another secret.
func (x *exchange) garbled() bool {
	if x.attempt.Proof.Kind != member.Password || x.auths > 0 {
		return false
	}
	given := string(x.attempt.Proof.Password)
	return !utf8.ValidString(given) || strings.ContainsFunc(given, unicode.IsControl)
}

// settle implements method: PAP owes nothing but the reason of a refusal.
func (pap) settle(x *exchange) { x.sayRefusal() }
