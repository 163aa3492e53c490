package peer

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"memberradius/mschap"
)

// OpCodes of draft-kamath-pppext-eap-mschapv2 §2.
const (
	opChallenge = 1
	opResponse  = 2
	opSuccess   = 3
	opFailure   = 4
)

// Sizes of an MSCHAPv2 packet's parts in octets (draft-kamath §2.1 and §2.2).
const (
	challengeSize = 16
	// valueSize is peer challenge 16, reserved 8, NT response 24, flags 1.
	valueSize  = 49
	opHeader   = 4 // OpCode, MS-CHAPv2-ID, MS-Length
	proofSize  = 42
	mppeKeys   = 32
	responseAt = challengeSize + 8
)

// A proof is our side of MS-CHAPv2, and what the server must prove in return.
type proof struct {
	value [valueSize]byte
	want  [proofSize]byte
	// key is MasterReceiveKey and MasterSendKey as the server sees them (RFC 3079 §3.3).
	key  [mppeKeys]byte
	done bool
}

// make answers the server's challenge (RFC 2759 §8.1).
func (p *proof) make(c *Config, challenge [challengeSize]byte) error {
	peer := p.value[:challengeSize]
	if _, err := io.ReadFull(c.Rand, peer); err != nil {
		return fmt.Errorf("peer: MS-CHAPv2 challenge: %w", err)
	}
	name := c.ChallengeName
	if name == "" {
		name = mschap.StripDomain(c.Login)
	}
	nt := mschap.NTHash(string(c.Password))
	hash := mschap.ChallengeHash([challengeSize]byte(peer), challenge, name)
	response := mschap.ChallengeResponse(hash, nt)
	copy(p.value[responseAt:], response[:])
	hashHash := mschap.HashHash(nt)
	p.want = mschap.AuthenticatorResponse(hashHash, response, hash)
	send, recv := mschap.MasterKeys(hashHash, response)
	copy(p.key[:], recv[:])
	copy(p.key[len(recv):], send[:])
	return nil
}

var errProof = errors.New("peer: the server does not know the password: its MS-CHAPv2 proof is wrong")

// check takes the server's "S=<40 digits> M=text" (RFC 2759 §5). A device that
// gets a wrong one must hang up.
func (p *proof) check(r *record, text string) error {
	if len(text) < proofSize || subtle.ConstantTimeCompare([]byte(text[:proofSize]), p.want[:]) != 1 {
		r.blame(PartyServer, "the server does not prove that it knows the password: a false server, or its MS-CHAPv2 is wrong")
		return errProof
	}
	if _, message, ok := strings.Cut(text, "M="); ok {
		r.say(message)
	}
	p.done, r.step = true, StepResult
	return nil
}

func (r *record) say(message string) {
	if message = strings.TrimSpace(message); message != "" {
		r.message = message
	}
}

// mschapError keeps what "E=691 R=0 C=... V=3 M=..." says (RFC 2759 §6).
func (r *record) mschapError(text string) {
	code, _, _ := strings.Cut(strings.TrimPrefix(text, "E="), " ")
	number, err := strconv.Atoi(code)
	if err != nil || !strings.HasPrefix(text, "E=") {
		r.fault("the server's MS-CHAPv2 failure does not begin with E= and a number (RFC 2759 §6)")
	}
	if _, message, ok := strings.Cut(text, "M="); ok {
		r.say(message)
	}
	r.blame(PartyLogin, "%s", mschapReason(number))
}

func mschapReason(code int) string {
	switch code {
	case 646:
		return "the member is refused: not at this hour (E=646)"
	case 647:
		return "the member is refused: the account is disabled (E=647)"
	case 648:
		return "the password has expired (E=648)"
	case 649:
		return "the member is refused: no permission to dial in (E=649)"
	case 691:
		return "wrong password, or no such member (E=691)"
	}
	return fmt.Sprintf("the server refused the MS-CHAPv2 login (E=%d)", code)
}

// mschapv2 is EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2), alone or inside.
type mschapv2 struct {
	*record
	config *Config
	proof  proof
	ident  byte
	asked  bool
}

// answer implements inner.
func (m *mschapv2) answer(data []byte) ([]byte, error) {
	if len(data) < 1 {
		return nil, fmt.Errorf("peer: EAP-MSCHAPv2 without an OpCode: %w", errMalformed)
	}
	m.checkLength(data)
	switch data[0] {
	case opChallenge:
		return m.respond(data)
	case opSuccess:
		if !m.asked {
			return nil, fmt.Errorf("peer: %w: EAP-MSCHAPv2 begins with a success (CVE-2006-1354)", errMalformed)
		}
		if err := m.proof.check(m.record, string(data[min(opHeader, len(data)):])); err != nil {
			return nil, err
		}
		return []byte{opSuccess}, nil
	case opFailure:
		m.mschapError(string(data[min(opHeader, len(data)):]))
		return []byte{opFailure}, nil
	}
	return nil, fmt.Errorf("peer: %w: EAP-MSCHAPv2 OpCode %d from a server", errMalformed, data[0])
}

// checkLength objects to a MS-Length other than what there is, and to an
// MS-CHAPv2-ID that changes.
func (m *mschapv2) checkLength(data []byte) {
	if len(data) < opHeader {
		m.fault("an EAP-MSCHAPv2 request has %d octets", len(data))
		return
	}
	if n := int(binary.BigEndian.Uint16(data[2:])); n != len(data) {
		m.fault("MS-Length is %d in an EAP-MSCHAPv2 request of %d octets", n, len(data))
	}
	if m.asked && data[0] != opChallenge && data[1] != m.ident {
		m.fault("the MS-CHAPv2-ID of the server's verdict is not that of its challenge")
	}
}

func (m *mschapv2) respond(data []byte) ([]byte, error) {
	if len(data) < opHeader+1+challengeSize || data[opHeader] != challengeSize {
		return nil, fmt.Errorf("peer: EAP-MSCHAPv2 challenge: %w", errMalformed)
	}
	if m.config.StopInside {
		return nil, ErrStopped
	}
	m.asked, m.proved, m.ident = true, true, data[1]
	if err := m.proof.make(m.config, [challengeSize]byte(data[opHeader+1:])); err != nil {
		return nil, err
	}
	b := []byte{opResponse, m.ident}
	b = binary.BigEndian.AppendUint16(b, uint16(opHeader+1+valueSize+len(m.config.Login)))
	b = append(b, valueSize)
	b = append(b, m.proof.value[:]...)
	return append(b, m.config.Login...), nil
}

// missing implements inner.
func (m *mschapv2) missing() string {
	if !m.proof.done {
		return "the server's own proof of MS-CHAPv2"
	}
	return ""
}

// key implements inner.
func (m *mschapv2) key() []byte { return m.proof.key[:] }

// alone is EAP-MSCHAPv2 without a tunnel.
type alone struct{ mschapv2 }

// answer implements method.
func (a *alone) answer(data []byte) ([]byte, error) {
	a.step = StepInner
	return a.mschapv2.answer(data)
}

// msk implements method: the MPPE keys, then zeros.
func (a *alone) msk() []byte {
	if !a.proof.done {
		return nil
	}
	msk := make([]byte, mskSize)
	copy(msk, a.proof.key[:])
	return msk
}
