// Package peap is PEAP version 0 (draft-kamath-pppext-peapv0, MS-PEAP, and RFC
// 9427 for TLS 1.3): the server proves who it is by TLS, and the member by EAP inside.
package peap

import (
	"crypto/rand"
	"encoding/binary"
	"io"

	"memberradius/eap"
	"memberradius/eap/tunnel"
	"memberradius/member"
)

// A Method is PEAP as it is configured.
type Method struct {
	// Tunnel is TLS; its Type is eap.PEAP.
	Tunnel *tunnel.Config
	// Inner are the methods inside, in the order in which they are offered.
	Inner []eap.Method
	// Rand is crypto/rand where nil.
	Rand io.Reader
}

// Type implements eap.Method.
func (*Method) Type() eap.Type { return eap.PEAP }

// Start implements eap.Method.
func (m *Method) Start() eap.Conversation {
	return &conversation{method: m, session: m.Tunnel.Start(), inner: eap.NewDialog(m.Inner, 0)}
}

// The states of a conversation: what the peer has to send next.
type state uint8

const (
	shaking  state = iota // TLS
	greeting              // the acknowledgement of our last TLS message
	inside                // a packet of the inner dialog
	settling              // its answer to our Result TLV
)

type conversation struct {
	method  *Method
	session *tunnel.Session
	inner   *eap.Dialog
	state   state
	// result is the outcome that the Result TLV tells; keys are the tunnel's.
	outcome eap.Turn
	keys    tunnel.Keys
	bound   compound
}

// End implements eap.Conversation.
func (c *conversation) End() {
	c.session.End()
	c.inner.End()
}

// Where implements eap.Locator.
func (c *conversation) Where() string { return c.session.Where() }

// Light implements eap.Light: once TLS is done only the inner method asks.
func (c *conversation) Light() bool {
	return c.session.Sending() || c.session.Established() && (c.state != inside || c.inner.Light())
}

// Next implements eap.Conversation.
func (c *conversation) Next(data []byte, x *eap.Exchange) eap.Turn {
	e := c.session.Step(data, x)
	if !e.Ready {
		return e.Turn
	}
	switch c.state {
	case shaking:
		return c.greet()
	case greeting:
		return c.begin()
	case inside:
		return c.listen(e.Plain, x)
	default:
		return c.settled(e.Plain)
	}
}

// greet lets TLS finish before anything is said inside, as supplicants expect.
func (c *conversation) greet() eap.Turn {
	keys, err := c.session.Keys()
	if err != nil {
		return eap.Refuse(member.ReasonTLS, err.Error())
	}
	c.keys = keys
	if d, how, resumed := c.session.Resumed(); resumed {
		t := eap.Finish(d)
		t.Result.How, t.Result.Resumed = how, true
		return c.settle(t, nil)
	}
	if c.session.Waiting() {
		c.state = greeting
		return c.session.Flush()
	}
	// crypto/tls sends TLS 1.3's tickets with its Finished, before the peer's:
	// nothing waits, and a supplicant takes an empty message for broken phase 2.
	return c.begin()
}

// begin asks for the identity inside.
func (c *conversation) begin() eap.Turn {
	c.state = inside
	return c.write(headless(c.inner.Begin().Packet))
}

// write says something inside the tunnel.
func (c *conversation) write(plain []byte) eap.Turn {
	if err := c.session.Write(plain); err != nil {
		return eap.Refuse(member.ReasonTLS, err.Error())
	}
	return c.session.Flush()
}

const headerSize = 4

// headless takes the header off a packet, which PEAP does not send (draft §2.1.2).
func headless(packet []byte) []byte { return packet[headerSize:] }

// packet reads what a peer says inside: a packet without its header, to which
// the Identifier that was asked for belongs, or with it.
func (c *conversation) packet(plain []byte) (eap.Packet, error) {
	if len(plain) >= headerSize+1 && plain[0] == byte(eap.Response) && int(binary.BigEndian.Uint16(plain[2:])) == len(plain) {
		return eap.Parse(plain)
	}
	if len(plain) == 0 {
		return eap.Packet{}, eap.ErrMalformed
	}
	return eap.Packet{Code: eap.Response, ID: c.inner.Outstanding(), Type: eap.Type(plain[0]), Data: plain[1:]}, nil
}

// listen takes a packet to the dialog inside.
func (c *conversation) listen(plain []byte, x *eap.Exchange) eap.Turn {
	p, err := c.packet(plain)
	if err != nil {
		return eap.Refuse(member.ReasonEAP, "PEAP: inside, "+err.Error())
	}
	within := *x
	s := c.inner.Handle(p, &within)
	switch s.Kind {
	case eap.Ask:
		return c.write(headless(s.Packet))
	case eap.Accept:
		isk := make([]byte, iskSize)
		copy(isk, s.Result.MSK) // zeros where the inner method has none
		t := eap.Turn{Kind: eap.Accept, Result: s.Result}
		t.Result.How = "peap/" + s.Result.How
		return c.settle(t, isk)
	case eap.Reject:
		t := eap.Inside(s, "peap")
		t.Result.Claimed = c.inner.Identity()
		return c.settle(t, nil)
	default:
		return eap.Inside(s, "peap")
	}
}

// settle tells the outcome inside the tunnel, where nobody can change it: a
// Result TLV, and with success a Crypto-Binding (MS-PEAP §3.3.5.5). isk is nil
// where there was no inner method.
func (c *conversation) settle(t eap.Turn, isk []byte) eap.Turn {
	c.outcome, c.state = t, settling
	status := uint16(statusFailure)
	if t.Kind == eap.Accept {
		status = statusSuccess
	}
	body := appendResult(nil, status)
	if t.Kind == eap.Accept {
		var nonce [nonceSize]byte
		if _, err := io.ReadFull(c.random(), nonce[:]); err != nil {
			return eap.Finish(&eap.Decision{Reason: member.ReasonInternal})
		}
		c.bound = newCompound(c.keys.Tunnel, isk)
		body = c.bound.appendBinding(body, &nonce, bindingRequest)
	}
	// This one has a header (draft §2.1.3).
	return c.write(eap.Packet{Code: eap.Request, ID: c.inner.Outstanding() + 1, Type: eap.TLV, Data: body}.Append(nil))
}

func (c *conversation) random() io.Reader {
	if c.method.Rand != nil {
		return c.method.Rand
	}
	return rand.Reader
}

// settled takes the peer's answer. After a failure it does not matter. A right
// Crypto-Binding makes the keys those of tunnel and inner method; a peer that
// sends none has those of the tunnel.
func (c *conversation) settled(plain []byte) eap.Turn {
	if c.outcome.Kind != eap.Accept {
		return c.outcome
	}
	p, err := c.packet(plain)
	if err != nil || p.Type != eap.TLV {
		return eap.Refuse(member.ReasonEAP, "PEAP: the device does not answer the Result TLV")
	}
	t, err := parseTLVs(p.Data)
	switch {
	case err != nil:
		return eap.Refuse(member.ReasonEAP, "PEAP: "+err.Error())
	case t.status != statusSuccess:
		return eap.Refuse(member.ReasonEAP, "PEAP: the device does not agree that it may come in")
	}
	r := &c.outcome.Result
	r.MSK, r.SessionID = c.keys.MSK, c.keys.SessionID
	if t.binding != nil {
		if !c.bound.answers(t.binding) {
			return eap.Refuse(member.ReasonCryptoBinding, "")
		}
		r.MSK = c.bound.msk()
	}
	c.session.Admit(&r.Decision, r.How)
	return c.outcome
}
