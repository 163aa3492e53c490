package radiusd

import (
	"crypto/subtle"
	"encoding/binary"
	"strings"
	"time"

	"memberradius/eap"
	"memberradius/member"
	"memberradius/mschap"
)

// eapMethod is EAP (RFC 3579): what is proved, and how, is said in a
// conversation of many requests. converse takes the place of the stations from
// method to policy; what else a method owes stands here.
type eapMethod struct{}

// proof implements method. It is not called: converse finds the proof.
func (eapMethod) proof(*exchange) member.Reason { return member.ReasonMethodUnknown }

// prove checks what came inside the conversation.
func (eapMethod) prove(x *exchange) member.Reason {
	switch x.attempt.Proof.Kind {
	case member.Certificate:
		return member.ReasonNone // TLS has verified it
	case member.Password:
		return pap{}.prove(x)
	case member.CHAP:
		return x.proveCHAP()
	case member.MSCHAPv1, member.MSCHAPv2:
		return x.proveNTResponse()
	default:
		return member.ReasonMethodUnknown
	}
}

const (
	// maxEAP is the longest EAP packet sent, in octets, whatever a NAS allows.
	maxEAP = 1024
	// minEAP is taken for a Framed-MTU that leaves no room: RFC 2865 §5.12.
	minEAP = 64

	eapFailure     = 4 // RFC 3748 §4.2
	eapFailureSize = 4

	// invalidPacket is the Error-Cause of a Challenge that repeats the last
	// Request, since what came made no sense (RFC 3579 §2.2).
	invalidPacket = 202
)

// converse takes an Access-Request with EAP to its conversation. What is light
// is done here; TLS handshakes and proofs are work for which no reader has time,
// and go to the pool.
func (x *exchange) converse() {
	x.describe()
	switch {
	case len(x.tables.EAP) == 0:
		x.refuse(member.ReasonMethodUnknown)
	case !x.client.methods.has(methodEAP):
		x.refuse(member.ReasonMethodNotAllowed)
	case x.scattered:
		x.refuse(member.ReasonMalformed) // E2: EAP-Messages are consecutive (RFC 3579 §3.1)
	default:
		x.speak()
		return
	}
	x.talk.Packet = []byte{eapFailure, x.eapIdent, 0, eapFailureSize}
	x.answerNAS()
	x.record()
}

// speak hands the packet over and answers with what comes of it.
func (x *exchange) speak() {
	a := eap.Arrival{State: x.state, Packet: x.eapPacket(), Methods: x.tables.EAP, Client: x.client.config.Name, About: x.about}
	e := eap.Exchange{Decider: decider{x}, Limit: x.eapLimit(), Now: x.received}
	if x.mayWait {
		x.enter()
	} else {
		a.LightOnly = true
	}
	x.talk = x.server.engine.Handle(&a, &e)
	x.quit()
	switch {
	case x.talk.Later:
		x.leave()
		return
	case x.talk.Kind == eap.Ask:
		x.challenge()
		return
	case x.talk.Kind == eap.Ignore: // the same conversation is in work elsewhere
		x.forget()
		return
	case x.talk.Kind == eap.Accept:
		x.admit()
	default:
		x.turnAway()
	}
	x.answerNAS()
	x.record()
}

// enter waits for a turn to compute; quit gives it back.
func (x *exchange) enter() {
	x.server.turns.take(x.state != nil)
	x.computing = true
}

func (x *exchange) quit() {
	if x.computing {
		x.computing = false
		x.server.turns.give()
	}
}

// eapPacket joins the EAP-Messages (RFC 3579 §3.1). One alone lies where it came.
func (x *exchange) eapPacket() (packet []byte) {
	x.each(func(kind byte, value []byte) {
		switch {
		case kind != typeEAPMessage:
		case packet == nil:
			packet = value[:len(value):len(value)]
		default:
			packet = append(packet, value...)
		}
	})
	return packet
}

// eapLimit is the longest EAP packet for this NAS.
func (x *exchange) eapLimit() int {
	if len(x.framedMTU) != 4 {
		return maxEAP
	}
	mtu := binary.BigEndian.Uint32(x.framedMTU)
	return int(min(max(mtu, minEAP), maxEAP))
}

// A talking is what is known of a conversation from its first request.
type talking struct {
	client                    *Client
	login, station, ssid, nas string
}

func (x *exchange) about() any {
	a := &x.attempt
	return talking{x.client, strings.Clone(a.Login), strings.Clone(a.StationMAC), strings.Clone(a.SSID), strings.Clone(a.NAS)}
}

// challenge sends the next Request (RFC 3579 §2.1). It has nothing of the
// member's: a Session-Timeout here would be EAP's timer (RFC 3579 §3.3).
func (x *exchange) challenge() {
	wait, send := x.challengeWait()
	if !send {
		x.drop(dropBraked)
		x.silence()
		return
	}
	x.open(codeAccessChallenge)
	if x.talk.Invalid {
		x.reply.add(typeErrorCause, []byte{0, 0, 0, invalidPacket})
	}
	x.reply.addEAP(x.talk.Packet)
	x.reply.add(typeState, x.talk.State[:])
	x.close(wait)
}

// addEAP appends an EAP packet in consecutive EAP-Messages (RFC 3579 §3.1).
func (p *reply) addEAP(packet []byte) {
	for len(packet) > 0 {
		n := min(len(packet), maxValue)
		p.add(typeEAPMessage, packet[:n])
		packet = packet[n:]
	}
}

// admit lets in whom the conversation has proved. What the plan gives is
// composed anew: minutes may have passed.
func (x *exchange) admit() {
	d := &x.talk.Result.Decision
	x.attempt.Login, x.answer, x.proved = d.Login, d.Answer, true
	if !x.policy() {
		x.talk.Packet = []byte{eapFailure, x.talk.Packet[1], 0, eapFailureSize}
		return
	}
	if x.talk.Result.Resumed {
		x.server.meters.resumed.Inc()
	}
}

// turnAway takes the reason of a refusal, or of silence.
func (x *exchange) turnAway() {
	r := &x.talk.Result
	if r.How == "" {
		r.How = way(x.talk.Doing)
	}
	if r.Fault.Reason != member.ReasonNone {
		x.named()
		x.refuse(r.Fault.Reason)
		return
	}
	d := &r.Decision
	x.answer, x.proved, x.words = d.Answer, d.Proved, d.Words
	if x.named(); d.Login != "" {
		x.attempt.Login = d.Login
	}
	if d.Verdict == member.Deny {
		x.refuse(d.Reason)
		return
	}
	x.couldNotSay(d.Reason)
}

// named takes for the login what the device said that it is, inside the tunnel
// before outside, where nothing better is known.
func (x *exchange) named() {
	for _, claim := range []string{x.talk.Identity, x.talk.Result.Claimed} {
		if claim != "" {
			x.attempt.Login = claim
		}
	}
}

// settle adds EAP-Success with the keys, or EAP-Failure. Reply-Message must not
// stand beside either (RFC 3579 §2.6.5).
func (eapMethod) settle(x *exchange) {
	x.reply.addEAP(x.talk.Packet)
	if x.verdict != member.Allow {
		return
	}
	r := &x.talk.Result
	if len(r.MSK) >= 64 {
		x.addMPPEKey(msMPPERecvKey, r.MSK[:32])
		x.addMPPEKey(msMPPESendKey, r.MSK[32:64])
	}
	if x.keyName {
		x.reply.add(typeEAPKeyName, r.SessionID)
	}
	x.reply.add(typeUserName, []byte(x.memberLogin()))
}

// memberLogin is the login as the member system spells it: the NAS accounts by it.
func (x *exchange) memberLogin() string {
	if login := x.answer.Member.Login; login != "" && len(login) <= maxValue {
		return login
	}
	return x.attempt.Login
}

// A decider is an exchange as EAP sees it: stations 7 to 10.
type decider struct{ *exchange }

var _ eap.Decider = decider{}

// Decide implements eap.Decider.
func (x decider) Decide(login string, p *member.Proof) eap.Decision {
	x.attempt.Login, x.attempt.Proof = login, *p
	x.answer, x.proved, x.words = member.Answer{}, false, ""
	if len(login) > member.MaxLogin { // a tunnel has room for more, no member system has
		x.refuse(member.ReasonUnknownLogin)
	} else {
		_ = x.ask() && x.prove() && x.gates() && x.policy()
	}
	return eap.Decision{
		Verdict: x.verdict, Reason: x.reason, Proved: x.proved, Login: login,
		Answer: x.answer, Words: x.words, HashHash: x.hashHash, At: x.received,
	}
}

// Recall implements eap.Decider: members in memory are asked again, as long as
// their credential is what it was. A member system that keeps the password can't be: its
// Allow stands while it is fresh.
func (x decider) Recall(before *eap.Decision) eap.Decision {
	x.attempt.Login, x.attempt.Proof = before.Login, member.Proof{Kind: member.Proved}
	x.answer, x.proved, x.words = member.Answer{}, true, ""
	d := *before
	d.Verdict = member.Unanswered
	known := x.tables.Members.Known(&x.attempt, &x.answer)
	switch {
	case known && x.answer.Credential != nil:
		if !sameCredential(x.answer.Credential, before.Answer.Credential) {
			return d
		}
		d.At = x.received
	case known && x.answer.Verdict != member.Allow:
		return d
	case before.Answer.Proved && x.received.Sub(before.At)+before.Answer.Age < before.Answer.Fresh:
		x.answer = before.Answer
		x.answer.Age += x.received.Sub(before.At)
		d.At = x.received
		if verdict, reason := x.answer.Member.Judge(x.received); verdict != member.Allow {
			x.answer.Verdict, x.answer.Reason = verdict, reason
		}
	default:
		return d
	}
	if x.answer.Verdict != member.Allow || !x.gates() || !x.policy() {
		return d
	}
	d.Verdict, d.Answer = member.Allow, x.answer
	return d
}

// sameCredential says whether a proof of before would still be one.
func sameCredential(a, b *member.Credential) bool {
	if a == nil || b == nil {
		return false
	}
	return subtle.ConstantTimeCompare(fingerprint(a), fingerprint(b)) == 1
}

// fingerprint is what a proof would be checked against.
func fingerprint(c *member.Credential) []byte {
	switch {
	case c.Password != "":
		hash := mschap.NTHash(string(c.Password))
		return append([]byte{1}, hash[:]...)
	case c.NTHash != nil:
		return append([]byte{1}, c.NTHash[:]...)
	default:
		return append([]byte{2}, c.Argon2id...)
	}
}

// expireEvery is how often conversations are looked at whose devices stopped answering.
const expireEvery = time.Second

// expire ends conversations that have waited too long, until stop is closed.
func (s *Server) expire(stop <-chan struct{}) {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			s.engine.Close()
			return
		case <-tick.C:
			s.lose(s.engine.Expire(s.clock()))
		}
	}
}

// way spells the method at work as the journal does; "" before there is one.
func way(t eap.Type) string {
	switch t {
	case 0:
		return ""
	case eap.MSCHAPv2:
		return "eap-mschapv2" // mschapv2 is the one without EAP
	default:
		return strings.ToLower(t.String())
	}
}

// lose notes conversations whose devices stopped answering.
func (s *Server) lose(losses []eap.Loss) {
	if len(losses) == 0 {
		return
	}
	x := s.exchanges.Get().(*exchange)
	defer s.exchanges.Put(x)
	for _, loss := range losses {
		t := loss.About.(talking)
		x.begin(&x.alone)
		x.client, x.used, x.now, x.received = t.client, methodEAP, s.clock(), time.Now()
		x.attempt.Login, x.attempt.StationMAC, x.attempt.SSID, x.attempt.NAS = t.login, t.station, t.ssid, t.nas
		x.talk = eap.Outcome{Identity: loss.Identity}
		x.talk.Result.How = way(loss.Doing)
		x.talk.Result.Fault.Detail = loss.Where
		if loss.Denied != nil {
			x.talk.Result.Decision, x.talk.Result.Fault.Detail = *loss.Denied, "and her device did not wait for the end"
			x.turnAway()
		} else {
			x.named()
			x.couldNotSay(member.ReasonStopped)
		}
		x.ids.next(x.now, &x.decision)
		x.work = &work{}
		x.record()
	}
	s.scribe.nudge()
}
