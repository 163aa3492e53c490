// Package ttls is EAP-TTLS version 0 (RFC 5281, and RFC 9427 for TLS 1.3): the
// server proves who it is by TLS, and the member inside by PAP, CHAP, MS-CHAP,
// MS-CHAPv2 or EAP.
package ttls

import (
	"bytes"
	"crypto/subtle"

	"memberradius/eap"
	"memberradius/eap/tunnel"
	"memberradius/member"
	"memberradius/mschap"
)

// A Method is EAP-TTLS as it is configured.
type Method struct {
	// Tunnel is TLS; its Type is eap.TTLS.
	Tunnel *tunnel.Config
	// Inner are the EAP methods inside, in the order in which they are offered.
	Inner []eap.Method
}

// Type implements eap.Method.
func (*Method) Type() eap.Type { return eap.TTLS }

// Start implements eap.Method.
func (m *Method) Start() eap.Conversation {
	return &conversation{method: m, session: m.Tunnel.Start()}
}

type conversation struct {
	method  *Method
	session *tunnel.Session
	keys    tunnel.Keys
	inner   *eap.Dialog // once the peer speaks EAP inside
	// decided: the last message of ours is out, and the peer's acknowledgement to come.
	decided bool
	result  eap.Result
	greeted bool
}

// End implements eap.Conversation.
func (c *conversation) End() {
	c.session.End()
	if c.inner != nil {
		c.inner.End()
	}
}

// Where implements eap.Locator.
func (c *conversation) Where() string { return c.session.Where() }

// Light implements eap.Light: what the device says inside is its proof, but in
// the dialog of EAP that it may have begun there.
func (c *conversation) Light() bool {
	return c.session.Sending() || c.session.Established() && (c.decided || c.inner != nil && c.inner.Light())
}

// Next implements eap.Conversation.
func (c *conversation) Next(data []byte, x *eap.Exchange) eap.Turn {
	e := c.session.Step(data, x)
	if !e.Ready {
		return e.Turn
	}
	if c.decided {
		return c.accept()
	}
	if c.keys.MSK == nil { // before the member says her password for nothing
		keys, err := c.session.Keys()
		if err != nil {
			return eap.Refuse(member.ReasonTLS, err.Error())
		}
		c.keys = keys
	}
	if d, how, resumed := c.session.Resumed(); resumed {
		return c.reconnect(d, how)
	}
	if len(e.Plain) == 0 {
		if c.greeted && !c.session.Waiting() {
			return eap.Refuse(member.ReasonEAP, "TTLS: the device says nothing inside the tunnel")
		}
		// In TLS 1.2 our Finished goes out now; where nothing waits, the peer
		// still has to be asked to go on.
		c.greeted = true
		return c.session.Flush()
	}
	return c.speak(e.Plain, x)
}

// reconnect ends a resumed session: without phase 2 (RFC 5281 §7.5), and in
// TLS 1.3 with the octet 0x00 (RFC 9427 §3.1).
func (c *conversation) reconnect(d *eap.Decision, how string) eap.Turn {
	if t, ok := c.settle(d, how); !ok {
		return t
	}
	c.result.Resumed = true
	if err := c.session.SaySuccess(); err != nil {
		return eap.Refuse(member.ReasonTLS, err.Error())
	}
	return c.finish()
}

// speak takes what the peer says inside the tunnel.
func (c *conversation) speak(plain []byte, x *eap.Exchange) eap.Turn {
	all, err := parseAVPs(plain)
	if err != nil {
		return eap.Refuse(member.ReasonEAP, "TTLS: "+err.Error())
	}
	p, err := sort(all)
	if err != nil {
		return eap.Refuse(member.ReasonEAP, "TTLS: "+err.Error())
	}
	if p.hasEAP {
		return c.speakEAP(p.eap, x)
	}
	switch {
	case c.inner != nil || !p.named:
		return eap.Refuse(member.ReasonEAP, "TTLS: no User-Name inside the tunnel")
	case p.hasPassword:
		return c.pap(&p, x)
	case p.ms2Response != nil:
		return c.mschapv2(&p, x)
	case p.msResponse != nil:
		return c.mschapv1(&p, x)
	case p.chap != nil:
		return c.chap(&p, x)
	}
	return eap.Refuse(member.ReasonNoInnerMethod, "the device's is none of PAP, CHAP, MSCHAP, MSCHAPv2 and EAP")
}

// pap is User-Password, which NULs pad so that its length does not show (RFC 5281 §11.2.5).
func (c *conversation) pap(p *phase2, x *eap.Exchange) eap.Turn {
	password := bytes.TrimRight(p.password, "\x00")
	d := x.Decider.Decide(string(p.userName), &member.Proof{Kind: member.Password, Password: member.Secret(password)})
	return c.decide(&d, "ttls/pap")
}

// errChallenge: a challenge that is not the implicit one was made by somebody
// who replays an exchange that was heard elsewhere (RFC 5281 §11.2.4).
func errChallenge() eap.Turn {
	return eap.Refuse(member.ReasonEAP, "TTLS: the challenge is not the tunnel's own")
}

// implicit says whether challenge and ident are those that both ends derive.
func (c *conversation) implicit(challenge []byte, ident byte, size int) bool {
	want, err := c.session.Challenge(size)
	return err == nil && subtle.ConstantTimeCompare(want, append(bytes.Clone(challenge), ident)) == 1
}

const (
	chapSize        = 1 + 16 // Ident and response
	challengeSize   = 16
	challengeSizeV1 = 8
)

// chap is CHAP-Password and CHAP-Challenge (RFC 5281 §11.2.2).
func (c *conversation) chap(p *phase2, x *eap.Exchange) eap.Turn {
	if len(p.chap) != chapSize || len(p.challenge) != challengeSize || !c.implicit(p.challenge, p.chap[0], challengeSize) {
		return errChallenge()
	}
	proof := member.Proof{Kind: member.CHAP, CHAP: member.CHAPProof{
		ID: p.chap[0], Challenge: member.Secret(p.challenge), Response: [16]byte(p.chap[1:]),
	}}
	d := x.Decider.Decide(string(p.userName), &proof)
	return c.decide(&d, "ttls/chap")
}

// mschapv1 is MS-CHAP-Response and MS-CHAP-Challenge of 8 octets (RFC 5281 §11.2.3).
func (c *conversation) mschapv1(p *phase2, x *eap.Exchange) eap.Turn {
	r := p.msResponse
	if len(r) != mschapResponseSize || len(p.msChallenge) != challengeSizeV1 || !c.implicit(p.msChallenge, r[0], challengeSizeV1) {
		return errChallenge()
	}
	proof := member.Proof{Kind: member.MSCHAPv1}
	copy(proof.MSCHAP.Challenge[:], p.msChallenge)
	proof.MSCHAP.Response = [mschapResponseSize]byte(r)
	proof.MSCHAP.ChallengeHash = [challengeSizeV1]byte(p.msChallenge)
	proof.MSCHAP.NTResponse = [24]byte(r[26:])
	d := x.Decider.Decide(string(p.userName), &proof)
	return c.decide(&d, "ttls/mschap")
}

// mschapv2 is MS-CHAP2-Response and MS-CHAP-Challenge of 16 octets. The server
// proves itself too, and waits for the peer to agree (RFC 5281 §11.2.4).
func (c *conversation) mschapv2(p *phase2, x *eap.Exchange) eap.Turn {
	r := p.ms2Response
	if len(r) != mschapResponseSize || len(p.msChallenge) != challengeSize || !c.implicit(p.msChallenge, r[0], challengeSize) {
		return errChallenge()
	}
	proof := member.Proof{Kind: member.MSCHAPv2}
	m := &proof.MSCHAP
	m.Challenge, m.Response, m.NTResponse = [challengeSize]byte(p.msChallenge), [mschapResponseSize]byte(r), [24]byte(r[26:])
	m.ChallengeHash = mschap.ChallengeHash([16]byte(r[2:]), m.Challenge, mschap.StripDomain(string(p.userName)))
	d := x.Decider.Decide(string(p.userName), &proof)
	if t, ok := c.settle(&d, "ttls/mschapv2"); !ok {
		return t
	}
	success := mschap.AuthenticatorResponse(d.HashHash, m.NTResponse, m.ChallengeHash)
	reply := avp{vendor: vendorMicrosoft, code: codeMS2Success, mandatory: true, data: append([]byte{r[0]}, success[:]...)}
	if err := c.session.Write(reply.append(nil)); err != nil {
		return eap.Refuse(member.ReasonTLS, err.Error())
	}
	return c.finish()
}

// speakEAP takes a packet to the dialog inside.
func (c *conversation) speakEAP(packet []byte, x *eap.Exchange) eap.Turn {
	if c.inner == nil {
		c.inner = eap.NewDialog(c.method.Inner, 0)
	}
	p, err := eap.Parse(packet)
	if err != nil {
		return eap.Refuse(member.ReasonEAP, "TTLS: inside, "+err.Error())
	}
	inside := *x
	s := c.inner.Handle(p, &inside)
	switch s.Kind {
	case eap.Ask:
		if err := c.session.Write(avp{code: codeEAPMessage, mandatory: true, data: s.Packet}.append(nil)); err != nil {
			return eap.Refuse(member.ReasonTLS, err.Error())
		}
		return c.session.Flush()
	case eap.Accept:
		return c.decide(&s.Result.Decision, "ttls/"+s.Result.How)
	default:
		t := eap.Inside(s, "ttls")
		t.Result.Claimed = c.inner.Identity()
		return t
	}
}

// decide ends phase 2 without another word inside.
func (c *conversation) decide(d *eap.Decision, how string) eap.Turn {
	if t, ok := c.settle(d, how); !ok {
		return t
	}
	return c.finish()
}

// settle makes the result of a login that may come in; else it returns what to
// answer.
func (c *conversation) settle(d *eap.Decision, how string) (eap.Turn, bool) {
	if d.Verdict != member.Allow {
		t := eap.Finish(d)
		t.Result.How = how
		return t, false
	}
	c.result = eap.Result{Decision: *d, MSK: c.keys.MSK, SessionID: c.keys.SessionID, How: how}
	return eap.Turn{}, true
}

// finish sends what is still to be said inside, if anything, before success.
func (c *conversation) finish() eap.Turn {
	if c.session.Waiting() {
		c.decided = true
		return c.session.Flush()
	}
	return c.accept()
}

func (c *conversation) accept() eap.Turn {
	c.session.Admit(&c.result.Decision, c.result.How)
	return eap.Turn{Kind: eap.Accept, Result: c.result}
}
