package rest

import (
	"encoding/hex"
	"strconv"
	"unicode/utf8"

	"memberradius/member"
)

// encode appends the contract's request: login, auth_port as text, and either
// the password (PAP, TTLS-PAP), or the MS-CHAP challenge and response in
// lower-case hexadecimal, or neither where the login is proved already.
func encode(dst []byte, a *member.Attempt, raw bool) []byte {
	dst = appendString(append(dst, `{"login":`...), a.Login)
	if a.Proof.Kind == member.Password {
		dst = appendString(append(dst, `,"password":`...), string(a.Proof.Password))
	}
	dst = append(dst, `,"auth_port":"`...)
	dst = strconv.AppendUint(dst, uint64(a.Port), 10)
	dst = append(dst, '"')
	if isMSCHAP(a.Proof.Kind) {
		challenge, response := mschap(&a.Proof, raw)
		dst = append(dst, `,"mschap_challenge":"`...)
		dst = hex.AppendEncode(dst, challenge)
		dst = append(dst, `","mschap_response":"`...)
		dst = hex.AppendEncode(dst, response)
		dst = append(dst, '"')
	}
	return append(dst, '}')
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

const lowerHex = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259 §7). An octet that is no
// UTF-8 becomes U+FFFD, as encoding/json has it.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', lowerHex[c>>4], lowerHex[c&15])
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}
