package radiusd

import (
	"context"
	"time"

	"memberradius/member"
)

// The way of a packet, one line a station, in three parts: what each packet of
// a batch goes through before its Message-Authenticator is known to be right
// (arrive), all their Message-Authenticators at once (signer.verify), and the
// rest of the way (handle). A station that returns false has said what becomes
// of the packet. Replies are signed with those of the batch (signer.sign).

// arrive is the way up to where MD5 is needed.
func (x *exchange) arrive(datagram []byte) {
	x.onItsWay = x.peek(datagram) && // garbage gets no reply
		x.who() && // client by arrival, never by what the packet says
		x.signed() // whether it has the Message-Authenticator that it needs
}

// handle is the way from there.
func (x *exchange) handle() {
	ok := x.verified() && // before any attribute is read
		x.lawful() && // one method and no more
		x.first() // repeats get the first reply again
	if !ok {
		return
	}
	switch x.code {
	case codeStatusServer:
		x.status()
	case codeAccountingRequest:
		x.account()
	default:
		x.decide()
	}
}

// decide is the rest of the way for an Access-Request. It is gone again from
// here, in the pool, where a station could not go on without waiting.
func (x *exchange) decide() {
	if x.used == methodEAP {
		x.converse()
		return
	}
	ok := x.method() && // finds the proof and nothing else
		x.ask() && // the member systems
		x.prove() && // here, unless the member system has
		x.gates() && // on the proved login
		x.policy() // plan and vendor to attributes
	if !ok && x.mustWait {
		x.leave()
		return
	}
	x.answerNAS()
	x.record()
}

// record writes the decision into the journal, which a reader has locked.
func (x *exchange) record() {
	if x.work == nil {
		x.note()
		return
	}
	x.journal.Lock()
	defer x.journal.Unlock()
	x.note()
	x.journal.settle(x.journal.next-1, time.Since(x.received), x.server.meters)
}

// peek: a datagram that is no RADIUS request goes without a word.
func (x *exchange) peek(datagram []byte) bool {
	if !x.request.peek(datagram) {
		return x.drop(dropMalformed)
	}
	switch {
	case x.code == codeStatusServer,
		x.code == codeAccessRequest && x.from.role == Auth,
		x.code == codeAccountingRequest && x.from.role == Acct:
		return true
	case x.code == codeAccessRequest, x.code == codeAccountingRequest:
		return x.drop(dropWrongPort)
	default:
		return x.drop(dropWrongCode)
	}
}

// who: RFC 2865 §3, silence for an unknown source.
func (x *exchange) who() bool {
	client, ok := x.tables.Clients.Find(&x.arrival)
	if !ok || client == nil || len(client.key.secret) == 0 {
		return x.drop(dropUnknownClient)
	}
	x.client = client
	return true
}

// signed: a Message-Authenticator, wherever it stands in the packet (RFC 3579
// §3.2, CVE-2024-3596). Whether one is needed is decided before any is checked.
func (x *exchange) signed() bool {
	if !x.request.walk() {
		return x.drop(dropMalformed)
	}
	if x.code == codeAccountingRequest {
		return true // its Request Authenticator signs it
	}
	tolerant := x.client.config.TolerateNoMessageAuthenticator && x.code == codeAccessRequest && !x.eap
	switch {
	case x.auths == 0 && !tolerant:
		return x.drop(dropNoAuthenticator)
	case x.auths == 0 && x.proxies > 0:
		return x.drop(dropProxyState)
	case x.auths > 1:
		return x.drop(dropSeveralAuthenticators)
	}
	return true
}

// verified: a Message-Authenticator that is there must be right, whoever may leave it out.
func (x *exchange) verified() bool {
	if x.code == codeAccountingRequest {
		return x.verifiedReport()
	}
	if x.auths == 1 && !x.authentic {
		return x.drop(dropWrongAuthenticator)
	}
	return true
}

// lawful: methods exclude each other, and a request with none of them must at
// least be signed (RFC 2865 §4.1, RFC 3579 §3.3).
func (x *exchange) lawful() bool {
	switch x.code {
	case codeAccountingRequest:
		return x.lawfulReport()
	case codeStatusServer:
		return true
	}
	x.request.vendorSpecific()
	m, several := x.choose()
	switch {
	case several:
		return x.drop(dropSeveralMethods)
	case m == methodNone && x.state == nil && x.auths == 0:
		return x.drop(dropNoMethod)
	}
	x.used = x.orMAC(m)
	return true
}

// first: a repeat gets the first reply again, byte for byte, or silence while
// the first is in work (RFC 5080 §2.2.2).
func (x *exchange) first() bool {
	x.key = newRepeatKey(x.arrival.Remote, x.id)
	entry, was := x.repeats.look(x.key, x.request.authenticator(), x.received)
	if was == seenNew {
		x.entry = entry
		return true
	}
	x.server.meters.of(x.client).repeats.Inc()
	if was == seenRepeat {
		x.again = append(x.out[:0], entry.reply...)
	}
	return false
}

// method: what the client's users may use, and the proof that came with it.
func (x *exchange) method() bool {
	x.describe()
	switch {
	case x.used == methodNone:
		return x.refuse(member.ReasonMethodUnknown)
	case !x.client.methods.has(x.used):
		return x.refuse(member.ReasonMethodNotAllowed)
	case x.userName == nil && x.used != methodEAP:
		return x.refuse(member.ReasonMalformed)
	}
	if reason := methodTable[x.used].proof(x); reason != member.ReasonNone {
		return x.refuse(reason)
	}
	return true
}

// ask: from memory where that is enough, else in the pool.
func (x *exchange) ask() bool {
	members := x.tables.Members
	if x.used == methodMAC {
		members = x.tables.Doors
	}
	if !x.inquire(members, &x.attempt, &x.answer) {
		return false
	}
	switch {
	case x.answer.Verdict == member.Unanswered:
		return x.couldNotSay(x.answer.Reason)
	case x.answer.Verdict == member.Deny && !x.answer.Proved && x.answer.Credential == nil:
		x.words = x.answer.Message
		return x.refuse(x.answer.Reason)
	}
	return true
}

// inquire fills answer, or returns false where that needs the pool.
func (x *exchange) inquire(from Members, a *member.Attempt, answer *member.Answer) bool {
	if from.Known(a, answer) {
		return true
	}
	if !x.mayWait {
		x.mustWait = true
		return false
	}
	ctx, cancel := context.WithDeadline(context.Background(), x.deadline)
	defer cancel()
	if x.computing {
		x.quit()
		defer x.enter()
	}
	*answer = from.Ask(ctx, a)
	return true
}

// prove is the one place that sets proved. Without a proof and without a
// credential nobody is.
func (x *exchange) prove() bool {
	if x.answer.Proved {
		x.proved = true
		isMSCHAP := x.attempt.Proof.Kind == member.MSCHAPv1 || x.attempt.Proof.Kind == member.MSCHAPv2
		if isMSCHAP && x.answer.Verdict == member.Allow {
			if x.answer.NTKey == nil {
				return x.couldNotSay(member.ReasonNoNTKey)
			}
			x.hashHash = *x.answer.NTKey
		}
	} else {
		if x.answer.Credential == nil && x.attempt.Proof.Kind != member.Certificate {
			return x.refuse(member.ReasonNoCredential)
		}
		if reason := methodTable[x.used].prove(x); reason != member.ReasonNone {
			if x.mustWait {
				return false
			}
			return x.refuse(reason)
		}
		x.proved = true
		if once, ok := x.tables.Members.(Spender); ok && !once.Spend(&x.attempt) {
			x.proved = false
			return x.refuse(member.ReasonUnknownLogin)
		}
	}
	if x.answer.Verdict != member.Allow {
		x.words = x.answer.Message
		return x.refuse(x.answer.Reason)
	}
	return true
}

// gates: each must allow as well. They are asked by the proved login, a
// device's by that of the member it belongs to, never with a password.
func (x *exchange) gates() bool {
	if x.tables.Gates == nil || x.answer.Guest {
		return true
	}
	x.atGate, x.gate = x.attempt, member.Answer{}
	x.atGate.Proof = member.Proof{Kind: member.Proved}
	if owner := x.owner(); owner != "" {
		x.atGate.Login = owner
	}
	if !x.inquire(x.tables.Gates, &x.atGate, &x.gate) {
		return false
	}
	switch x.gate.Verdict {
	case member.Allow:
		// A gate that opens until some time bounds the session by it.
		if until := x.gate.Member.ValidUntil; !until.IsZero() && (x.answer.Member.ValidUntil.IsZero() || until.Before(x.answer.Member.ValidUntil)) {
			x.answer.Member.ValidUntil = until
		}
		return true
	case member.Deny:
		x.words, x.answer.Source = x.gate.Message, x.gate.Source
		if x.gate.Reason == member.ReasonUnknownLogin || x.gate.Reason == member.ReasonNone {
			x.gate.Reason = member.ReasonGate
		}
		return x.refuse(x.gate.Reason)
	default:
		x.answer.Source = x.gate.Source
		return x.couldNotSay(x.gate.Reason)
	}
}

// policy: what the plan buys, in the vendor's own attributes.
func (x *exchange) policy() bool {
	x.verdict, x.reason = member.Allow, member.ReasonNone
	if x.tables.Book == nil {
		return true
	}
	x.input.Answer, x.input.Site = &x.answer, x.attempt.Site
	x.input.Vendor, x.input.ClientVLAN = x.client.config.Vendor, x.client.config.VLAN
	x.input.SSID, x.input.Now, x.input.Most = x.attempt.SSID, x.now, 0
	if reason := x.tables.Book.Compose(&x.input, &x.attributes); reason != member.ReasonNone {
		return x.refuse(reason)
	}
	if reason := x.limits(); reason != member.ReasonNone {
		return x.refuse(reason)
	}
	return true
}

// refuse ends the way with Access-Reject.
func (x *exchange) refuse(reason member.Reason) bool {
	x.verdict, x.reason = member.Deny, reason
	if reason == member.ReasonNone {
		x.reason = member.ReasonRefused
	}
	return false
}

// couldNotSay ends the way with silence, so that the NAS asks its next server.
func (x *exchange) couldNotSay(reason member.Reason) bool {
	x.verdict, x.reason = member.Unanswered, reason
	if reason == member.ReasonNone {
		x.reason = member.ReasonUnanswered
	}
	return false
}

// asked says whether a member system may have been asked before the way ended
// in silence. Where none was, a repeat may try anew; where one was, it must
// not: a call may cost the member a paid pass. In EAP it must not either: the
// conversation has ended, and the repeat would be refused for its State.
func (x *exchange) asked() bool {
	if x.used == methodEAP {
		return true
	}
	switch x.reason {
	case member.ReasonBusy, member.ReasonBreakerOpen, member.ReasonNotReady:
		return false
	}
	return true
}

// leave hands the request to the pool, with a copy of its datagram.
func (x *exchange) leave() {
	j := &job{
		datagram: append([]byte(nil), x.raw...), arrival: x.arrival, from: x.from,
		client: x.client, received: x.received, started: x.state != nil,
	}
	x.entry.work = &j.work
	pool := x.server.pool
	if x.code == codeAccountingRequest {
		pool = x.server.accounts
	}
	if shed := pool.submit(j); shed != nil {
		shed.forgotten.Store(true)
		x.server.dropped(shed.client, &shed.arrival, dropBusy)
	}
}

// resume goes on in the pool with a request that left the reader, which has
// taken its datagram already.
func (x *exchange) resume(j *job) {
	x.alone = arrived{arrival: j.arrival, client: j.client, out: x.alone.out[:0]}
	x.begin(&x.alone)
	x.from, x.received, x.now, x.tables = j.from, j.received, j.received, x.server.tables.Load()
	x.mayWait, x.work = true, &j.work
	x.deadline = time.Now().Add(x.server.timeout)
	if !x.request.peek(j.datagram) || !x.request.walk() || !x.lawful() {
		return
	}
	if x.userPassword != nil {
		x.firstMask = x.secretSum(&x.client.key, x.request.authenticator())
	}
	x.outbox, x.accepted = x.outbox[:0], x.accepted[:0]
	if x.code == codeAccountingRequest {
		x.account()
	} else {
		x.decide()
	}
	x.sign(x.outbox)
	for i := range x.outbox {
		x.deliver(&x.outbox[i])
		x.alone.out = x.outbox[i].reply[:0] // as large as it has grown
	}
}
