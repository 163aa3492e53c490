package radiusd

import (
	"crypto/md5"
	"crypto/subtle"

	"memberradius/member"
)

// chap is CHAP-Password, with CHAP-Challenge or without (RFC 2865 §5.3, §5.40;
// RFC 1994). Hotspots speak it, so that the password does not cross their radio.
type chap struct{}

const (
	chapPasswordSize = 1 + 16 // RFC 2865 §5.3: CHAP Ident and the response
	minCHAPChallenge = 5      // RFC 2865 §5.40
)

// proof takes the exchange. A challenge of 16 octets may be the Request
// Authenticator itself, and then has no attribute of its own (RFC 2865 §5.40).
func (chap) proof(x *exchange) member.Reason {
	given, challenge := x.chapPassword, x.chapChallenge
	if challenge == nil {
		challenge = x.request.authenticator()
	}
	if len(given) != chapPasswordSize || len(challenge) < minCHAPChallenge {
		return member.ReasonMalformed
	}
	p := &x.attempt.Proof
	p.Kind = member.CHAP
	p.CHAP = member.CHAPProof{ID: given[0], Challenge: member.Secret(alias(challenge)), Response: [16]byte(given[1:])}
	return member.ReasonNone
}

// prove implements method.
func (chap) prove(x *exchange) member.Reason { return x.proveCHAP() }

// settle implements method: CHAP owes nothing but the reason of a refusal.
func (chap) settle(x *exchange) { x.sayRefusal() }

// proveCHAP needs the password itself: no hash of it will do (RFC 1994 §2.2).
func (x *exchange) proveCHAP() member.Reason {
	password := x.answer.Credential.Password
	switch {
	case password == "":
		return member.ReasonNoCredential
	case !x.answersCHAP(string(password)):
		return member.ReasonWrongProof
	}
	return member.ReasonNone
}

// answersCHAP says whether the response is MD5 of identifier, password and
// challenge (RFC 1994 §4.1).
func (x *exchange) answersCHAP(password string) bool {
	p := &x.attempt.Proof.CHAP
	text := append(x.text[:0], p.ID)
	text = append(text, password...)
	text = append(text, p.Challenge...)
	sum := md5.Sum(text)
	return subtle.ConstantTimeCompare(sum[:], p.Response[:]) == 1
}
