package member

import (
	"errors"
	"time"
)

// ErrUnknown says that a member system does not know the login. Any other
// error of a backend means "could not say".
var ErrUnknown = errors.New("no such member")

// An Answer is what a member system says of an Attempt. The zero value could
// not say.
type Answer struct {
	// Verdict is what holds once the login is proved.
	Verdict Verdict
	// Proved says that the member system has checked the proof itself.
	Proved bool
	// Credential is what to check the proof against where the system has not.
	// It is shared and read-only.
	Credential *Credential
	// NTKey comes with a proved MS-CHAPv2: MD4 of the NT hash (the
	// PasswordHashHash of RFC 2759 §8.4), from which the session keys follow.
	NTKey *Hash
	// Member is who she is; empty where the login is unknown.
	Member Member
	// Guest says that she is no member, but let in by name: no gate is asked about her.
	Guest bool
	// Attributes are to be added to the reply, by name, from the member system.
	Attributes []Attribute
	// Message is what the member system wants its member to read; it becomes
	// Reply-Message. ReturnURL is where it wants her browser to go.
	Message, ReturnURL string
	// Reason says why, where Verdict is not Allow.
	Reason Reason
	// Source is the backend that answered, Age how old the answer is (0: just given).
	Source string
	Age    time.Duration
	// Status is the HTTP status by which a member system answered just now; 0: it
	// was not asked by HTTP.
	Status int
	// Fresh is how long after it was given an Allow of a system that checked the
	// proof itself may stand for a fast reconnect of EAP, where nothing can be
	// checked anew; 0 is not at all.
	Fresh time.Duration
}

// A Member is who comes in, as her member system knows her.
type Member struct {
	// Backend and Login are her key: no member is known by one of them alone.
	Backend, Login string
	// ID and MembershipID are the member system's own.
	ID, MembershipID string
	// Name is what people call her.
	Name string
	// Plans name what she bought, each a plan's name or one that a plan
	// matches. Where there are several, the plan of the highest priority holds.
	Plans []string
	// Terms are since when and until when she holds each of Plans, in the same
	// order. Nil is no bounds.
	Terms []Term
	// Team is her team or company.
	Team string
	// VLAN is her own; OfficeVLAN and TeamVLAN come after it, and before the plan's.
	VLAN, OfficeVLAN, TeamVLAN VLAN
	// ValidFrom and ValidUntil bound her membership; zero is no bound.
	ValidFrom, ValidUntil time.Time
	// Devices is how many may be on at the same time; 0 leaves it to the plan.
	Devices int
	// Disabled refuses her, whatever else holds.
	Disabled bool
	// CheckedOut refuses her until she checks in: her access needs it.
	CheckedOut bool
}

// A Term bounds how long a member holds a plan. Zero is no bound.
type Term struct{ From, Until time.Time }

// Over says whether the term of a plan that is valid for so long from its
// beginning (0: no bound) has ended by now. A term without a beginning has not.
func (t Term) Over(valid time.Duration, now time.Time) bool {
	end := t.End(valid)
	return !end.IsZero() && !now.Before(end)
}

// End returns when the term ends, of a plan that is valid for so long from its
// beginning; zero is never, as far as is known.
func (t Term) End(valid time.Duration) time.Time {
	if valid <= 0 || t.From.IsZero() {
		return t.Until
	}
	if end := t.From.Add(valid); t.Until.IsZero() || end.Before(t.Until) {
		return end
	}
	return t.Until
}

// A Credential is what a proof is checked against; one that is empty proves nobody.
type Credential struct {
	// Password is the password in clear.
	Password Secret
	// NTHash is MD4 of the UTF-16LE password; nil where there is none.
	NTHash *Hash
	// Argon2id is a PHC string ("$argon2id$v=19$m=...$salt$hash"). Only a
	// password in clear (PAP, TTLS-PAP) can be checked against it.
	Argon2id Secret
}

// A Record is a member together with the credential, as stores keep and synced
// member systems deliver it.
type Record struct {
	Member     Member
	Credential Credential
	// Email is where she is written to; empty where that is not known.
	Email string
	// Gone says that she is no longer a member. Only her keys count then: Login, or ID.
	Gone bool
}

// Judge returns what holds at now for a member whose login is proved:
// disabled, not yet valid, expired and not checked in refuse, in this order.
func (m *Member) Judge(now time.Time) (Verdict, Reason) {
	switch {
	case m.Disabled:
		return Deny, ReasonDisabled
	case !m.ValidFrom.IsZero() && now.Before(m.ValidFrom):
		return Deny, ReasonNotYetValid
	case !m.ValidUntil.IsZero() && !now.Before(m.ValidUntil):
		return Deny, ReasonExpired
	case m.CheckedOut:
		return Deny, ReasonNotCheckedIn
	}
	return Allow, ReasonNone
}

// An Op says how an Attribute meets those that are there already.
type Op uint8

const (
	// OpSet (":=") replaces every attribute of that name. It is the default.
	OpSet Op = iota
	// OpFill ("=") is taken only where there is none of that name.
	OpFill
	// OpAdd ("+=") is added to those of that name.
	OpAdd
)

// ParseOp reads an operator; empty is OpSet.
func ParseOp(s string) (Op, bool) {
	switch s {
	case "", ":=":
		return OpSet, true
	case "=":
		return OpFill, true
	case "+=":
		return OpAdd, true
	}
	return OpSet, false
}

// An Attribute is a RADIUS attribute by name, from a plan or a member system.
type Attribute struct {
	Name, Value string
	Op          Op
}
