package rest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"

	"memberradius/member"
)

// A call is the contract's request. It has either the password (PAP,
// TTLS-PAP), or the MS-CHAP challenge and response in lower-case hexadecimal,
// or neither where the login is proved already.
type call struct {
	Login     string `json:"login"`
	Password  string `json:"password,omitempty"`
	Port      uint16 `json:"auth_port,string"`
	Challenge string `json:"mschap_challenge,omitempty"`
	Response  string `json:"mschap_response,omitempty"`
}

// encode returns the body of the request for a. An octet that is no UTF-8
// becomes U+FFFD, since JSON can't carry it.
func encode(a *member.Attempt, raw bool) []byte {
	c := call{Login: a.Login, Port: a.Port}
	if a.Proof.Kind == member.Password {
		c.Password = string(a.Proof.Password)
	}
	if isMSCHAP(a.Proof.Kind) {
		challenge, response := mschap(&a.Proof, raw)
		c.Challenge, c.Response = hex.EncodeToString(challenge), hex.EncodeToString(response)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // "&" and "<" stay as they were typed, also for a system that reads JSON by hand
	// Texts and a number: it can't fail.
	_ = e.Encode(&c) //nolint:gosec // G117: the password is what the system is asked about
	return b.Bytes()
}

func isMSCHAP(k member.ProofKind) bool { return k == member.MSCHAPv1 || k == member.MSCHAPv2 }

// mschap returns what the system is to check. The contract does not say which
// octets it means. The ChallengeHash and the NT-Response are what ntlm_auth and
// every tool behind it take; raw is what the NAS sent, for systems that hash
// the challenges themselves.
func mschap(p *member.Proof, raw bool) (challenge, response []byte) {
	m := &p.MSCHAP
	switch {
	case !raw:
		return m.ChallengeHash[:], m.NTResponse[:]
	case p.Kind == member.MSCHAPv1: // MS-CHAP-Challenge has 8 octets in version 1 (RFC 2433 §4)
		return m.Challenge[:8], m.Response[:]
	default:
		return m.Challenge[:], m.Response[:]
	}
}
