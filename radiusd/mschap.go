package radiusd

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"strconv"

	"memberradius/member"
	"memberradius/mschap"
)

const (
	ms2ResponseSize = 50 // RFC 2548 §2.3.2: Ident, Flags, Peer-Challenge 16, Reserved 8, Response 24
	msResponseSize  = 50 // RFC 2548 §2.1.3: Ident, Flags, LM-Response 24, NT-Response 24
	ntResponseAt    = 26 // in both
	successSize     = 42 // RFC 2548 §2.3.3, behind Ident
	peerChallengeAt = 2
	reservedAt      = 18

	challengeSizeV2 = 16
	challengeSizeV1 = 8

	// useNTResponse is the flag of an MS-CHAP-Response whose NT-Response counts (RFC 2548 §2.1.3).
	useNTResponse = 1
)

// mschapv2 is MS-CHAP-Challenge and MS-CHAP2-Response (RFC 2759, RFC 2548 §2.3).
type mschapv2 struct{}

// proof takes the challenge and the response. The name in the challenge hash
// is the User-Name as sent, case kept, without DOMAIN\ (RFC 2759 §4, §8.2).
func (mschapv2) proof(x *exchange) member.Reason {
	challenge, response := x.msChallenge, x.ms2Response
	if len(challenge) != challengeSizeV2 || len(response) != ms2ResponseSize {
		return member.ReasonMalformed
	}
	flags, reserved := response[1], binary.BigEndian.Uint64(response[reservedAt:])
	if flags != 0 || reserved != 0 {
		return member.ReasonMalformed
	}
	p := &x.attempt.Proof
	p.Kind = member.MSCHAPv2
	p.MSCHAP.Challenge = [challengeSizeV2]byte(challenge)
	p.MSCHAP.Response = [ms2ResponseSize]byte(response)
	p.MSCHAP.NTResponse = [24]byte(response[ntResponseAt:])
	peer := [challengeSizeV2]byte(response[peerChallengeAt:])
	p.MSCHAP.ChallengeHash = mschap.ChallengeHash(peer, p.MSCHAP.Challenge, mschap.StripDomain(x.attempt.Login))
	return member.ReasonNone
}

// prove implements method.
func (mschapv2) prove(x *exchange) member.Reason { return x.proveNTResponse() }

// settle adds MS-CHAP2-Success and the keys (RFC 3079 §3.3), or MS-CHAP-Error.
// What follows from the response is computed with that of the batch: signer.settle.
func (mschapv2) settle(x *exchange) {
	ident := x.ms2Response
	if x.verdict != member.Allow {
		x.sayRefusal()
		x.addMSCHAPError(ident, challengeSizeV2)
		return
	}
	p := &x.attempt.Proof.MSCHAP
	var success [successSize]byte
	x.reply.addMicrosoft(msCHAP2Success, ident[:1], success[:])
	x.reply.success = len(x.reply.b) - successSize
	var later [16]byte
	x.addMPPEKey(msMPPESendKey, later[:])
	x.addMPPEKey(msMPPERecvKey, later[:])
	x.reply.accepted = len(x.accepted)
	x.accepted = append(x.accepted, mschap.Accepted{HashHash: x.hashHash, Response: p.NTResponse, Challenge: p.ChallengeHash})
	x.addMPPEPolicy()
}

// mschapv1 is MS-CHAP-Challenge and MS-CHAP-Response (RFC 2433, RFC 2548 §2.1).
// Only the NT-Response is ever looked at: LM hashes are broken beyond repair.
type mschapv1 struct{}

// proof implements method.
func (mschapv1) proof(x *exchange) member.Reason {
	challenge, response := x.msChallenge, x.msResponse
	if len(challenge) != challengeSizeV1 || len(response) != msResponseSize || response[1] != useNTResponse {
		return member.ReasonMalformed
	}
	p := &x.attempt.Proof
	p.Kind = member.MSCHAPv1
	copy(p.MSCHAP.Challenge[:], challenge)
	p.MSCHAP.Response = [msResponseSize]byte(response)
	p.MSCHAP.NTResponse = [24]byte(response[ntResponseAt:])
	p.MSCHAP.ChallengeHash = [challengeSizeV1]byte(challenge)
	return member.ReasonNone
}

// prove implements method.
func (mschapv1) prove(x *exchange) member.Reason { return x.proveNTResponse() }

// settle adds MS-CHAP-MPPE-Keys (RFC 2548 §2.4.1), or MS-CHAP-Error.
func (mschapv1) settle(x *exchange) {
	if x.verdict != member.Allow {
		x.sayRefusal()
		x.addMSCHAPError(x.msResponse, challengeSizeV1)
		return
	}
	// LM key (8), NT key (16) and padding (8).
	var keys [hiddenSize]byte
	copy(keys[8:], x.hashHash[:])
	x.reply.addHidden(msCHAPMPPEKeys, nil, keys[:])
	x.addMPPEPolicy()
}

// proveNTResponse checks the NT-Response and keeps the hash of the NT hash,
// from which the keys follow.
func (x *exchange) proveNTResponse() member.Reason {
	c := x.answer.Credential
	var hash [16]byte
	switch {
	case c.NTHash != nil:
		hash = *c.NTHash
	case c.Password != "":
		hash = mschap.NTHash(string(c.Password))
	default:
		return member.ReasonNoCredential
	}
	p := &x.attempt.Proof.MSCHAP
	k := x.keys.of(&hash)
	if !k.Verify(p.ChallengeHash, p.NTResponse) {
		return member.ReasonWrongProof
	}
	x.hashHash = k.HashHash()
	return member.ReasonNone
}

// keys are the prepared keys of members who came lately, each in the one place
// that its hash chooses. A reader has 1,024 of 416 octets; an exchange of the
// pool, of which there may be thousands, has one.
type keys []mschap.Key

func newKeys(n int) keys { return make(keys, n) }

func (k keys) of(nt *[16]byte) *mschap.Key {
	key := &k[int(binary.LittleEndian.Uint16(nt[:]))%len(k)]
	if !key.Is(nt) {
		key.Init(*nt)
	}
	return key
}

// addMSCHAPError says why in the way that supplicants read (RFC 2759 §6): R=0,
// no retry, since a retry in the same exchange would need its state kept; C= a
// new challenge; V=3 and M= are version 2's alone.
func (x *exchange) addMSCHAPError(response []byte, challengeSize int) {
	var ident byte
	if len(response) > 0 {
		ident = response[0]
	}
	var challenge [challengeSizeV2]byte
	if _, err := io.ReadFull(x.server.rand, challenge[:challengeSize]); err != nil {
		x.server.trouble(err)
	}
	text := append(x.text[:0], ident, 'E', '=')
	text = strconv.AppendInt(text, int64(x.said().Code()), 10)
	text = append(text, " R=0 C="...)
	at := len(text)
	text = hex.AppendEncode(text, challenge[:challengeSize])
	for i := at; i < len(text); i++ {
		if text[i] >= 'a' {
			text[i] -= 'a' - 'A'
		}
	}
	if challengeSize == challengeSizeV2 {
		text = append(text, " V=3 M="...)
		text = append(text, x.refusal()...)
	}
	x.reply.addMicrosoft(msCHAPError, text[:min(len(text), maxVendorValue)])
}

// addMPPEKey adds a session key, or room for one, with its length before it and
// a salt of its own (RFC 2548 §2.4.2, §2.4.3).
func (x *exchange) addMPPEKey(kind byte, sessionKey []byte) {
	var salt [2]byte
	binary.BigEndian.PutUint16(salt[:], x.nextSalt())
	var room [maxBlocks * authenticatorSize]byte
	room[0] = byte(len(sessionKey))
	n := 1 + copy(room[1:], sessionKey)
	x.reply.addHidden(kind, salt[:], room[:(n+authenticatorSize-1)/authenticatorSize*authenticatorSize])
}

// nextSalt returns a salt that no other of the packet has, its highest bit set.
func (x *exchange) nextSalt() uint16 {
	x.salt++
	return x.salt | 1<<15
}

// addMPPEPolicy lets the NAS encrypt with what both ends can do: encryption
// allowed, 40 or 128 bits (RFC 2548 §2.4.4, §2.4.5).
func (x *exchange) addMPPEPolicy() {
	x.reply.addMicrosoft(msMPPEEncryptionPolicy, []byte{0, 0, 0, 1})
	x.reply.addMicrosoft(msMPPEEncryptionTypes, []byte{0, 0, 0, 6})
}
