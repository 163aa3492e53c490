package eaptest

import (
	"bytes"

	"memberradius/mschap"
)

// MSCHAPv2 is the peer of EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2).
type MSCHAPv2 struct {
	// Name goes into the response, Password makes it.
	Name, Password string
	// PeerChallenge is the peer's own.
	PeerChallenge [16]byte
	// Failure is the text of the server's refusal.
	Failure string
	// Proved says that the server's proof was right.
	Proved bool

	success []byte
	keys    []byte
}

// OpCodes (draft §2), and the sizes of a Response (draft §2.2).
const (
	opChallenge = 1
	opResponse  = 2
	opSuccess   = 3
	opFailure   = 4

	headerSize   = 4
	responseSize = 49
)

// Answer takes type-data and returns the peer's.
func (m *MSCHAPv2) Answer(data []byte) []byte {
	switch data[0] {
	case opChallenge:
		return m.Respond(data[1], [16]byte(data[headerSize+1:]))
	case opSuccess:
		m.Proved = bytes.HasPrefix(data[headerSize:], m.success)
		return []byte{opSuccess}
	case opFailure:
		m.Failure = string(data[headerSize:])
		return []byte{opFailure}
	}
	return nil
}

// Respond makes the Response to a challenge.
func (m *MSCHAPv2) Respond(id byte, challenge [16]byte) []byte {
	value := m.value(challenge)
	n := headerSize + 1 + responseSize + len(m.Name)
	out := append([]byte{opResponse, id, byte(n >> 8), byte(n), responseSize}, value...)
	return append(out, m.Name...)
}

// value is Peer-Challenge, Reserved, NT-Response and Flags (RFC 2759 §4).
func (m *MSCHAPv2) value(challenge [16]byte) []byte {
	nt := mschap.NTHash(m.Password)
	hash := mschap.ChallengeHash(m.PeerChallenge, challenge, mschap.StripDomain(m.Name))
	response := mschap.ChallengeResponse(hash, nt)
	text := mschap.AuthenticatorResponse(mschap.HashHash(nt), response, hash)
	m.success = text[:]
	send, recv := mschap.MasterKeys(mschap.HashHash(nt), response)
	m.keys = append(recv[:], send[:]...) // the server's view: what it receives comes first
	value := make([]byte, responseSize)
	copy(value, m.PeerChallenge[:])
	copy(value[24:], response[:])
	return value
}

// Keys are MasterReceiveKey and MasterSendKey as the server has them.
func (m *MSCHAPv2) Keys() []byte { return m.keys }
