package api

import (
	"context"
	"errors"
	"time"

	"memberradius/member"
)

var (
	// ErrNoToken says that a token is unknown, has expired or was revoked.
	ErrNoToken = errors.New("no such token")
	// ErrUnknown says that there is no such member, backend, or whatever was asked for.
	ErrUnknown = errors.New("not found")
	// ErrExists says that the login is taken.
	ErrExists = errors.New("there is such a member already")
)

// A Refusal is why something can't be done, in words for whoever asked. It is
// an error.
type Refusal struct {
	// Field is the field of the request that is wrong; "": what was asked for
	// can't be done as things stand.
	Field string
	// Words are a sentence: what is wrong, and what to do.
	Words string
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.Field == "" {
		return r.Words
	}
	return r.Field + ": " + r.Words
}

// A Token is a bearer token that was found, and what it may.
type Token struct {
	ID, Name string
	// Scopes are words of Scopes().
	Scopes []string
}

// Tokens knows the tokens.
type Tokens interface {
	// FindToken returns the token that presented is; else ErrNoToken, in constant time.
	FindToken(ctx context.Context, presented member.Secret) (*Token, error)
}

// A Key names a member: no member is known by one of the two alone.
type Key struct{ Backend, Login string }

// A Kept is a member as she is kept here.
type Kept struct {
	Member member.Member
	Email  string
	// Lapsed is when her membership ended at her member system; zero: it has not.
	Lapsed time.Time
	// HasCredential says that there is something to prove herself by.
	HasCredential    bool
	Created, Updated time.Time
}

// Members reads who is kept here.
type Members interface {
	// Each calls f for the members after key, by backend and folded login, until
	// f returns false. only is the one backend to look at, "" is all. A backend
	// that is not there, or keeps no members, is ErrUnknown. f may keep what it gets.
	Each(ctx context.Context, only string, after Key, f func(*Kept) bool) error
	// Get returns one; ErrUnknown.
	Get(ctx context.Context, k Key) (*Kept, error)
}

// Fields are parts of an Edit.
type Fields uint16

// The fields that can be set one by one.
const (
	FieldName Fields = 1 << iota
	FieldEmail
	FieldPlans
	FieldTeam
	FieldVLAN
	FieldValidFrom
	FieldValidUntil
	FieldDevices
	FieldDisabled
)

// An Edit is what shall hold of the member Member.Backend and Member.Login.
// What Fields does not set stays as it is.
type Edit struct {
	Fields Fields
	Member member.Member
	Email  string
	// Password is hers from now on; "": it stays, and a new member gets one made.
	Password member.Secret
}

// Editor changes members. Each of its errors is ErrUnknown, ErrExists, a
// *Refusal, or a fault of this server. Whoever is let in hears of a change
// before it returns.
type Editor interface {
	// Add adds a member. Backend may be empty where only one takes members. made
	// is her password where it was made here.
	Add(ctx context.Context, e *Edit) (k Key, made member.Secret, err error)
	// Change changes one.
	Change(ctx context.Context, e *Edit) error
	// Remove forgets one, and all that is kept of her.
	Remove(ctx context.Context, k Key) error
}

// Access gives members what they come in by. Its errors are Editor's.
type Access interface {
	// Renew makes a new password. The old one proves nobody any more.
	Renew(ctx context.Context, k Key) (member.Secret, error)
	// Link makes a one-time link to her personal page, as the part of its
	// address after /me/; earlier ones end.
	Link(ctx context.Context, k Key) (link member.Secret, until time.Time, err error)
}

// Plans lists the plans of the configuration.
type Plans interface {
	Plans() []*member.Plan
}

// The states of a backend.
const (
	// StateReady: it answers.
	StateReady = "ready"
	// StateNotReady: its members have not been read yet.
	StateNotReady = "not_ready"
	// StateFailing: it can't be reached or refuses us; kept answers hold meanwhile.
	StateFailing = "failing"
	// StateHeld: its last run would have ended so many members that it waits for the operator.
	StateHeld = "held"
)

// A Backend is a member system of the configuration.
type Backend struct {
	// Name and Kind are those of its [[backend]].
	Name, Kind string
	// State is one of the states above, Detail what the operator should know of it, "" is nothing.
	State, Detail string
	// Members is how many are kept here; Stored says whether any are at all.
	Members int
	Stored  bool
	// Editable says that members are added, changed and removed here; Syncs, that
	// they are read from a member system.
	Editable, Syncs bool
	// LastRun is its newest run; nil: there was none.
	LastRun *Run
}

// A Run is one reading of a member system, as the journal keeps it.
type Run struct {
	ID, Backend string
	// Trigger is who wanted it ("schedule", "api", "hook"), Kind what it read
	// ("full", "changes", "refs", "push").
	Trigger, Kind  string
	Started, Ended time.Time
	// What became of the members.
	Added, Changed, Returned, Lapsed, Unchanged, Skipped int
	// Requests and Pages are what it took.
	Requests, Pages int
	// Held says that nothing was applied, since too many members would have ended.
	Held bool
	// Error is why it failed; "": it did not.
	Error string
	// Notes are what the operator should know: plans that nothing matches, duplicates.
	Notes []string
}

// A Change is what a run does to one member.
type Change struct {
	// Kind is "comes", "returns", "changes" or "goes".
	Kind string
	// Login and Name are hers, What is what changes ("plan hot-desk -> office"),
	// Text all of it as a sentence.
	Login, Name, What, Text string
}

// An Outcome is how a run ended.
type Outcome struct {
	Run Run
	// Changes are what it did, or, for a dry run, would do.
	Changes []Change
	// Remedy is what to do where it failed or is held.
	Remedy string
}

// An Order is what to run.
type Order struct {
	Backend string
	// DryRun changes nothing. Accept applies what would be held.
	DryRun, Accept bool
}

// A Started is a run that is under way.
type Started struct {
	// ID is what the journal will call it.
	ID string
	// Outcome gets the one outcome once it has ended. Nobody need receive it.
	Outcome <-chan *Outcome
}

// Backends lists the member systems and runs them.
type Backends interface {
	// Backends lists them in the order of the configuration.
	Backends(ctx context.Context) ([]Backend, error)
	// Start begins a run, or joins the one under way that covers the order, and
	// returns at once. The run goes on whoever waits for it. ErrUnknown, or a
	// *Refusal where the kind does not sync.
	Start(ctx context.Context, o Order) (*Started, error)
}

// Runs reads the journal of runs.
type Runs interface {
	// Runs returns at most so many runs of backend, "" is all, newest first.
	// A backend that is not there is ErrUnknown.
	Runs(ctx context.Context, backend string, most int) ([]Run, error)
}

// A Deed is something that was changed through the API, for the log.
type Deed struct {
	// Token is the name of the token, Address where it was used from.
	Token, Address string
	// Did says what: "member added", "device aa:bb:cc:dd:ee:ff blocked". Backend and
	// Login say to whom; each may be empty.
	Did, Backend, Login string
}
