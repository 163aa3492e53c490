// Package mschapv2 is EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2): MS-CHAPv2
// (RFC 2759) in EAP, inside PEAP and TTLS, or bare.
package mschapv2

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"memberradius/eap"
	"memberradius/member"
	"memberradius/mschap"
)

// OpCodes (draft §2).
const (
	opChallenge = 1
	opResponse  = 2
	opSuccess   = 3
	opFailure   = 4
)

const (
	// header is OpCode, MS-CHAPv2-ID, MS-Length and, where there is a value, its size.
	headerSize    = 4
	challengeSize = 16
	// responseSize is Peer-Challenge 16, Reserved 8, NT-Response 24, Flags 1 (draft §2.2).
	responseSize = 49
	maxName      = 256
)

// A Method is EAP-MSCHAPv2 as it is configured.
type Method struct {
	// Name is what the server calls itself in its challenge.
	Name string
	// Rand is crypto/rand where nil.
	Rand io.Reader
}

// Type implements eap.Method.
func (*Method) Type() eap.Type { return eap.MSCHAPv2 }

// Start implements eap.Method.
func (m *Method) Start() eap.Conversation { return &conversation{method: m} }

// The states of a conversation: what the peer has to send next.
type state uint8

const (
	unasked state = iota
	challenged
	admitted
	refused
)

type conversation struct {
	method    *Method
	state     state
	id        byte
	challenge [challengeSize]byte
	decision  eap.Decision
	msk       []byte
}

// End implements eap.Conversation.
func (*conversation) End() {}

// Light implements eap.Light: all but the response is.
func (c *conversation) Light() bool { return c.state != challenged }

// Next implements eap.Conversation: challenge and response, then success or
// failure and the peer's acknowledgement. What comes out of order ends it: a
// Success-Response in the place of a response would be CVE-2006-1354.
func (c *conversation) Next(data []byte, x *eap.Exchange) eap.Turn {
	if c.state == unasked {
		return c.ask()
	}
	if len(data) == 0 {
		return malformed("nothing")
	}
	op := data[0]
	switch {
	case c.state == challenged && op == opResponse:
		return c.respond(data, x)
	case c.state == admitted && op == opSuccess:
		t := eap.Finish(&c.decision)
		t.Result.MSK, t.Result.How = c.msk, "eap-mschapv2"
		return t
	case c.state == refused && op == opFailure:
		return c.end()
	case c.state == admitted && op == opFailure:
		return eap.Refuse(member.ReasonEAP, "the device does not believe that this server knows the password")
	}
	return malformed(fmt.Sprintf("OpCode %d out of order", op))
}

func malformed(what string) eap.Turn {
	return eap.Refuse(member.ReasonEAP, "EAP-MSCHAPv2: "+what)
}

func (c *conversation) ask() eap.Turn {
	random := c.method.Rand
	if random == nil {
		random = rand.Reader
	}
	var octets [1 + challengeSize]byte
	if _, err := io.ReadFull(random, octets[:]); err != nil {
		return eap.Finish(&eap.Decision{Reason: member.ReasonInternal})
	}
	c.id, c.challenge, c.state = octets[0], [challengeSize]byte(octets[1:]), challenged
	value := append([]byte{challengeSize}, c.challenge[:]...)
	return c.send(opChallenge, append(value, c.method.Name...))
}

// send makes a packet; MS-Length is that of all type-data (draft §2.1).
func (c *conversation) send(op byte, value []byte) eap.Turn {
	n := headerSize + len(value)
	data := append([]byte{op, c.id, byte(n >> 8), byte(n)}, value...)
	return eap.Turn{Kind: eap.Ask, Data: data}
}

// A response is what a peer answers.
type response struct {
	peer  [challengeSize]byte
	nt    [24]byte
	flags byte
	// rest are the reserved octets.
	reserved [8]byte
	name     string
}

// parse reads a Response packet to the challenge with this MS-CHAPv2-ID.
func parse(data []byte, id byte) (r response, err error) {
	switch {
	case len(data) < headerSize+1+responseSize:
		return r, fmt.Errorf("a response of %d octets", len(data))
	case data[1] != id:
		return r, fmt.Errorf("a response to another challenge")
	case int(binary.BigEndian.Uint16(data[2:])) != len(data):
		return r, fmt.Errorf("MS-Length does not fit")
	case data[headerSize] != responseSize:
		return r, fmt.Errorf("Value-Size %d", data[headerSize])
	}
	value, name := data[headerSize+1:headerSize+1+responseSize], data[headerSize+1+responseSize:]
	if len(name) > maxName {
		return r, fmt.Errorf("a name of %d octets", len(name))
	}
	r.peer = [challengeSize]byte(value)
	r.reserved = [8]byte(value[challengeSize:])
	r.nt = [24]byte(value[challengeSize+8:])
	r.flags = value[responseSize-1]
	r.name = string(name)
	return r, nil
}

// respond takes the response to the member systems. The login is the identity;
// the challenge hash is over the name as sent (RFC 2759 §4).
func (c *conversation) respond(data []byte, x *eap.Exchange) eap.Turn {
	r, err := parse(data, c.id)
	if err != nil {
		return malformed(err.Error())
	}
	p := member.Proof{Kind: member.MSCHAPv2}
	p.MSCHAP.Challenge, p.MSCHAP.NTResponse = c.challenge, r.nt
	p.MSCHAP.ChallengeHash = mschap.ChallengeHash(r.peer, c.challenge, mschap.StripDomain(r.name))
	// As RFC 2548 §2.3.2 has it, which member systems are asked by.
	all := append([]byte{c.id, r.flags}, r.peer[:]...)
	all = append(append(all, r.reserved[:]...), r.nt[:]...)
	p.MSCHAP.Response = [50]byte(all)
	c.decision = x.Decider.Decide(x.Identity, &p)
	switch c.decision.Verdict {
	case member.Allow:
		return c.admit(&p.MSCHAP)
	case member.Deny:
		return c.refuse()
	default:
		return eap.Finish(&c.decision)
	}
}

func (c *conversation) admit(p *member.MSCHAP) eap.Turn {
	c.state = admitted
	hashHash := [16]byte(c.decision.HashHash)
	send, recv := mschap.MasterKeys(hashHash, p.NTResponse)
	c.msk = make([]byte, 64)
	copy(c.msk, recv[:])
	copy(c.msk[len(recv):], send[:])
	proof := mschap.AuthenticatorResponse(hashHash, p.NTResponse, p.ChallengeHash)
	return c.send(opSuccess, append(proof[:], " M=OK"...))
}

// refuse says why as RFC 2759 §6 has it, without a second try: R=1 would have
// supplicants wait for a person who is not there.
func (c *conversation) refuse() eap.Turn {
	c.state = refused
	why := c.decision.Reason
	if !c.decision.Proved {
		why = why.BeforeProof()
	}
	challenge := strings.ToUpper(hex.EncodeToString(c.challenge[:]))
	return c.send(opFailure, fmt.Appendf(nil, "E=%d R=0 C=%s V=3 M=%s", why.Code(), challenge, why.Message()))
}

func (c *conversation) end() eap.Turn {
	t := eap.Finish(&c.decision)
	t.Result.How = "eap-mschapv2"
	return t
}
