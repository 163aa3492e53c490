// Package eaptls is EAP-TLS (RFC 5216, and RFC 9190 for TLS 1.3): the device
// proves who it is with a certificate.
package eaptls

import (
	"crypto/x509"

	"memberradius/eap"
	"memberradius/eap/tunnel"
	"memberradius/member"
)

// A Method is EAP-TLS as it is configured.
type Method struct {
	// Tunnel asks for a certificate of the device; its Type is eap.TLS.
	Tunnel *tunnel.Config
	// Login finds the login in a certificate that was verified; "" where there is none.
	Login func(*x509.Certificate) string
}

// Type implements eap.Method.
func (*Method) Type() eap.Type { return eap.TLS }

// Start implements eap.Method.
func (m *Method) Start() eap.Conversation {
	return &conversation{method: m, session: m.Tunnel.Start()}
}

type conversation struct {
	method  *Method
	session *tunnel.Session
	// decided: the last message of ours is out, and the peer's acknowledgement to come.
	decided bool
	result  eap.Result
}

// End implements eap.Conversation.
func (c *conversation) End() { c.session.End() }

// Where implements eap.Locator.
func (c *conversation) Where() string { return c.session.Where() }

// Light implements eap.Light.
func (c *conversation) Light() bool { return c.session.Sending() || c.decided }

// Next implements eap.Conversation.
func (c *conversation) Next(data []byte, x *eap.Exchange) eap.Turn {
	e := c.session.Step(data, x)
	switch {
	case !e.Ready:
		return e.Turn
	case len(e.Plain) > 0:
		return eap.Refuse(member.ReasonEAP, "EAP-TLS: the device said something inside the tunnel")
	case c.decided:
		return c.accept()
	}
	return c.decide(x)
}

// decide asks whether the certificate's login may come in. Only then the peer
// hears that the handshake was a success: in TLS 1.3 by the octet 0x00, after which
// nothing but EAP-Success may follow (RFC 9190 §2.5).
func (c *conversation) decide(x *eap.Exchange) eap.Turn {
	d, how, resumed := c.session.Resumed()
	if !resumed {
		login := ""
		if certificate := c.session.Certificate(); certificate != nil {
			login = c.method.Login(certificate)
		}
		if login == "" {
			return eap.Refuse(member.ReasonCertificate, "it names no login: neither mail address nor UPN nor CN")
		}
		decision := x.Decider.Decide(login, &member.Proof{Kind: member.Certificate})
		d, how = &decision, "tls"
	}
	if d.Verdict != member.Allow {
		t := eap.Finish(d)
		t.Result.How = "tls"
		return t
	}
	keys, err := c.session.Keys()
	if err != nil {
		return eap.Refuse(member.ReasonTLS, err.Error())
	}
	c.result = eap.Result{Decision: *d, MSK: keys.MSK, SessionID: keys.SessionID, How: how, Resumed: resumed}
	if err := c.session.SaySuccess(); err != nil {
		return eap.Refuse(member.ReasonTLS, err.Error())
	}
	if c.decided = true; c.session.Waiting() {
		return c.session.Flush()
	}
	return c.accept()
}

func (c *conversation) accept() eap.Turn {
	c.session.Admit(&c.result.Decision, c.result.How)
	return eap.Turn{Kind: eap.Accept, Result: c.result}
}
