package api

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// A Session is one session of a device, as its NAS has reported it. Texts are
// as they were sent: whoever stands outside can choose them.
type Session struct {
	// ID is ours, a UUID; AcctSessionID is the NAS's own, which is unique for that
	// NAS only.
	ID, AcctSessionID string
	// Client is the [[client]] that reports, NAS what it calls itself, AccessPoint
	// the access point's part of Called-Station-Id.
	Client, NAS, AccessPoint string
	// User is the User-Name. Login, Backend, Plan and VLAN are what the decision
	// behind the session gave; all but Login are empty where it is not known.
	User, Login, Backend, Plan, VLAN string
	// Site is the client's [[site]], SSID the network's name.
	Site, SSID string
	// MAC is the device as "aa:bb:cc:dd:ee:ff", Address its Framed-IP-Address;
	// empty and invalid where it is not known.
	MAC     string
	Address netip.Addr
	// Started is when it began, Updated when the NAS last spoke of it, Ended when
	// it ended; zero: it goes on.
	Started, Updated, Ended time.Time
	// Input is octets from the device, Output to it.
	Input, Output uint64
	// Duration is how long it has lasted, as far as was reported.
	Duration time.Duration
	// Cause is Acct-Terminate-Cause by its name. Closed says by what it ended, as
	// one word ("stop", "accounting-on", "silent"); "": it goes on.
	Cause, Closed string
}

// A SessionQuery says which sessions a list is about; the zero value is about
// all. Its texts are compared whole, Login by member.Fold.
type SessionQuery struct {
	Login, Plan, Site, Client string
	// MAC is "aa:bb:cc:dd:ee:ff".
	MAC string
	// Online asks for those that go on, or, where it is false, for those that are
	// over; nil for both.
	Online *bool
	// From and Until ask for those that began in [From, Until).
	From, Until time.Time
	// After is the ID of the session that the list goes on behind; "" is from the
	// first. It has the form of a UUID, but the session may be gone.
	After string
	// Limit is how many at the most, from 1 to 1,000.
	Limit int
}

// An Attempt is one try to throw a session's device off, or to change what it
// has (RFC 5176).
type Attempt struct {
	At time.Time
	// Kind is what was sent ("disconnect", "coa"), Why what for ("kick",
	// "ended", "devices"), Target where to, as "192.0.2.10:3799".
	Kind, Why, Target string
	// Result is what came of it: ResultACK, "nak", "timeout", or that it was not sent.
	Result string
	// ErrorCause is the number that a NAK gave as cause (RFC 5176 §3.5); 0: none.
	ErrorCause int
	// Sends is how many packets it took, Took how long.
	Sends int
	Took  time.Duration
	// Gone is when the session was seen to end after it; zero: it was not.
	Gone time.Time
}

const (
	// ResultACK is the Result of an Attempt that the NAS has done.
	ResultACK = "ack"
	// causeNoSession: the NAS does not know the session (RFC 5176 §3.5,
	// Session-Context-Not-Found), which is what a Disconnect is to come to.
	causeNoSession = 503
)

// done says whether the NAS has done what it was told, or need not.
func (t *Attempt) done() bool { return t.Result == ResultACK || t.ErrorCause == causeNoSession }

// Sessions reads the ledger of sessions.
type Sessions interface {
	// Sessions returns a page of q's sessions, the newest first, and what After must
	// be for the next; "": there is none. A page may hold fewer than Limit, or none,
	// and another follow.
	Sessions(ctx context.Context, q *SessionQuery) (page []Session, next string, err error)
	// Session returns one by its ID, or an open one by its AcctSessionID, with what
	// was tried on it, the oldest first. ErrUnknown, or a *Refusal where several open
	// ones have that AcctSessionID.
	Session(ctx context.Context, id string) (*Session, []Attempt, error)
}

// ErrPending says that an order goes on, and that its outcome will be found later.
var ErrPending = errors.New("it goes on")

// Kicker throws devices off.
type Kicker interface {
	// Kick tells the session's NAS to end it, and returns the last attempt once it
	// has settled. ErrPending where ctx ends before: the attempts go on and are
	// written down. ErrUnknown, or a *Refusal where the session has ended.
	Kick(ctx context.Context, id string) (*Attempt, error)
}

// A Usage is what one member used on one day, on one plan.
type Usage struct {
	// Day is "2026-01-31", in the time zone of the site where she was.
	Day string
	// Backend and Login are hers; Backend and Plan are empty where the decision
	// behind a session is not known.
	Backend, Login, Plan string
	// Sessions is how many were first used that day, Duration how long all went on.
	Sessions int
	Duration time.Duration
	// Input is octets from her devices, Output to them.
	Input, Output uint64
}

// A UsageKey is a place in the order of usage: Day, the newest first, then Login
// (folded), Backend and Plan.
type UsageKey struct{ Day, Login, Backend, Plan string }

// A UsageQuery says which usage a list is about. Its texts are compared whole,
// Login by member.Fold.
type UsageQuery struct {
	Login, Plan string
	// From and Until are the first and the last day; "" is no bound.
	From, Until string
	// After is what the list goes on behind; empty is from the first.
	After UsageKey
	// Limit is how many at the most; it is set.
	Limit int
}

// Usages adds up what members used.
type Usages interface {
	// Usage returns a page of q's usage, in the order of UsageKey.
	Usage(ctx context.Context, q *UsageQuery) ([]Usage, error)
}
