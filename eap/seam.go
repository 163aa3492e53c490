package eap

import (
	"time"

	"memberradius/member"
)

// A Method is one way to prove a login, as it is configured.
type Method interface {
	// Type is the method's own.
	Type() Type
	// Start begins with one peer.
	Start() Conversation
}

// A Conversation is a method at work with one peer. It is not safe for use by
// two at once.
type Conversation interface {
	// Next takes the type-data of a Response, nil to begin, and says what comes
	// next. data is only read while Next runs.
	Next(data []byte, x *Exchange) Turn
	// End frees what the conversation holds. Nothing follows it.
	End()
}

// A Locator is a Conversation that can say how far its peer has come: a clause
// that follows "stopped answering".
type Locator interface {
	Where() string
}

// A Light is a Conversation that can say that its peer's next packet costs
// little, whatever it holds: no public-key operation, and the Decider is not
// called. A reader that has no time for more can take such a packet itself.
type Light interface {
	Light() bool
}

// An Exchange is what a Conversation is given with each packet.
type Exchange struct {
	// Decider says what a login may.
	Decider Decider
	// Identity is what the peer called itself in the Response/Identity before
	// the method began: a claim, often anonymous.
	Identity string
	// Limit is the longest EAP packet in octets that may be sent.
	Limit int
	// Now is when the packet arrived.
	Now time.Time
}

// Room is how many octets of type-data a packet has room for.
func (x *Exchange) Room() int { return x.Limit - headerSize - 1 }

// A Decider takes logins to the member systems. It may wait.
type Decider interface {
	// Decide asks the member systems for a login, checks the proof, asks the
	// gates and composes what the plan gives. Only Verdict Allow lets in.
	Decide(login string, p *member.Proof) Decision
	// Recall decides again for a login that was let in before, without a new
	// proof. Verdict Unanswered says that a proof is needed.
	Recall(before *Decision) Decision
}

// A Decision is what a Decider says of a login. The zero value could not say.
type Decision struct {
	Verdict member.Verdict
	// Reason says why, where Verdict is not Allow.
	Reason member.Reason
	// Proved says that the proof was right, whatever followed.
	Proved bool
	// Login is the login that was proved, as sent.
	Login string
	// Answer is the member systems', Words what one of them wants its member to
	// read of a refusal.
	Answer member.Answer
	Words  string
	// HashHash is MD4 of the NT hash, after a right MS-CHAP proof.
	HashHash member.Hash
	// At is when Answer was given, but for its Age.
	At time.Time
}

// A Kind says what a Turn is.
type Kind uint8

const (
	// Ignore discards the packet in silence (RFC 3748 §2.1). It is the zero value.
	Ignore Kind = iota
	// Ask sends a Request with Data.
	Ask
	// Accept ends the conversation with EAP-Success.
	Accept
	// Reject ends it with EAP-Failure.
	Reject
	// Unanswered ends it in silence: a member system could not say.
	Unanswered
)

// A Turn is what a Conversation does next.
type Turn struct {
	Kind Kind
	// Data is the type-data of the Request.
	Data []byte
	// Result goes with Accept, Reject and Unanswered.
	Result Result
}

// A Result is how a conversation ended.
type Result struct {
	// Decision is the member systems'; zero where they were not asked.
	Decision Decision
	// MSK is the master session key of 64 octets (RFC 3748 §7.10); empty where
	// the method has none.
	MSK []byte
	// SessionID is the EAP Session-Id (RFC 5247 §1.4), from the method's own
	// type on; empty where the method has none.
	SessionID []byte
	// Fault says what went wrong between the peer and us.
	Fault Fault
	// Claimed is who the peer said inside a tunnel that it is, where that was not proved.
	Claimed string
	// How is the way it was proved, as the journal spells it: "peap/mschapv2".
	How string
	// Resumed says that it was a fast reconnect.
	Resumed bool
}

// A Fault is what went wrong between the peer and us.
type Fault struct {
	Reason member.Reason
	// Detail completes the reason's sentence: an alert, a version, what was offered.
	Detail string
}

// Refuse ends a conversation for a fault of protocol or certificates.
func Refuse(reason member.Reason, detail string) Turn {
	return Turn{Kind: Reject, Result: Result{Fault: Fault{reason, detail}}}
}

// Finish ends a conversation with what the member systems decided.
func Finish(d *Decision) Turn {
	t := Turn{Result: Result{Decision: *d}}
	switch d.Verdict {
	case member.Allow:
		t.Kind = Accept
	case member.Deny:
		t.Kind = Reject
	default:
		t.Kind = Unanswered
	}
	return t
}

// Inside turns the end of a dialog inside a tunnel into that of the tunnel's
// method, whose name is how.
func Inside(s Step, how string) Turn {
	t := Turn{Kind: s.Kind, Result: s.Result}
	if t.Kind == Ignore || t.Kind == Ask || t.Kind == Accept {
		t = Refuse(member.ReasonEAP, "the conversation inside the tunnel broke")
	}
	if t.Result.Fault.Reason == member.ReasonNoEAPMethod {
		t.Result.Fault.Reason = member.ReasonNoInnerMethod
	}
	if t.Result.How != "" {
		how += "/" + t.Result.How
	}
	t.Result.How = how
	return t
}
