package radiustest

import (
	"crypto/md5"
	"fmt"
	"io"

	"memberradius/mschap"
)

// An expectation is what the reply to a request is checked against.
type expectation struct {
	code   Code
	method Method
	// ident is the MS-CHAP identifier, which the reply repeats (RFC 2548 §2.3.3).
	ident   byte
	success [42]byte
	// sendKey and recvKey follow from MS-CHAPv2 (16 octets each) or EAP (32, none
	// before all is proved), keysV1 from MS-CHAP.
	sendKey, recvKey []byte
	// keyName is what EAP-Key-Name would be.
	keyName []byte
	keysV1  [24]byte
}

// ntResponse is the flag of an MS-CHAP-Response whose NT response counts
// (RFC 2548 §2.1.3).
const ntResponse = 1

// prove adds the attributes of the request's method.
func (c *composer) prove(p *Packet, r *Request) (expectation, error) {
	e := expectation{method: r.Method}
	var random [33]byte // identifier, and the challenges
	if _, err := io.ReadFull(c.rand, random[:]); err != nil {
		return e, fmt.Errorf("radiustest: challenge: %w", err)
	}
	e.ident = random[0]
	switch r.Method {
	case NoProof, Status:
	case PAP:
		p.AddPassword(r.Password)
	case CHAP:
		return e, c.proveCHAP(p, r, e.ident)
	case MAC:
		return e, c.proveDevice(p, r, e.ident)
	case MSCHAP:
		e.proveV1(p, r, [8]byte(random[1:9]))
	case MSCHAPv2:
		e.proveV2(p, r, [16]byte(random[1:17]), [16]byte(random[17:33]))
	case PEAP, TTLS, TLS, EAPMSCHAPv2:
		return e, errConversation
	case "":
		return e, errMethod
	default:
		if r.round != nil {
			e.proveEAP(p, r.round)
			return e, nil
		}
		return e, fmt.Errorf("radiustest: method %q is unknown", string(r.Method))
	}
	return e, nil
}

// chapChallenge is how long a challenge is where the request does not say.
const chapChallenge = 16

func (c *composer) proveCHAP(p *Packet, r *Request, ident byte) error {
	challenge := p.Authenticator[:]
	if r.ChallengeSize >= 0 {
		size := r.ChallengeSize
		fill(&size, chapChallenge)
		challenge = make([]byte, size)
		if _, err := io.ReadFull(c.rand, challenge); err != nil {
			return fmt.Errorf("radiustest: challenge: %w", err)
		}
	}
	text := append([]byte{ident}, string(r.Password)...)
	sum := md5.Sum(append(text, challenge...))
	p.Add(typeCHAPPassword, append([]byte{ident}, sum[:]...))
	if r.ChallengeSize >= 0 {
		p.Add(typeCHAPChallenge, challenge)
	}
	return nil
}

func (e *expectation) proveV1(p *Packet, r *Request, challenge [8]byte) {
	nt := mschap.NTHash(string(r.Password))
	e.keysV1 = mschap.KeysV1(nt)
	answer := mschap.ChallengeResponse(challenge, nt)
	response := make([]byte, 2+24, 50) // the LM response stays zero
	response[0], response[1] = e.ident, ntResponse
	p.AddVendor(vendorMicrosoft, typeMSCHAPChallenge, challenge[:])
	p.AddVendor(vendorMicrosoft, typeMSCHAPResponse, append(response, answer[:]...))
}

func (e *expectation) proveV2(p *Packet, r *Request, auth, peer [16]byte) {
	name := r.ChallengeName
	if name == "" {
		name = mschap.StripDomain(r.Login)
	}
	nt := mschap.NTHash(string(r.Password))
	challenge := mschap.ChallengeHash(peer, auth, name)
	answer := mschap.ChallengeResponse(challenge, nt)
	hashHash := mschap.HashHash(nt)
	e.success = mschap.AuthenticatorResponse(hashHash, answer, challenge)
	send, recv := mschap.MasterKeys(hashHash, answer)
	e.sendKey, e.recvKey = send[:], recv[:]

	response := make([]byte, 0, 50)
	response = append(response, e.ident, 0)
	response = append(response, peer[:]...)
	response = append(response, make([]byte, 8)...)
	p.AddVendor(vendorMicrosoft, typeMSCHAPChallenge, auth[:])
	p.AddVendor(vendorMicrosoft, typeMSCHAP2Response, append(response, answer[:]...))
}
