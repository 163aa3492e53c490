// Package backends owns the contract that every member system is asked
// through, and the layers that stand between the server and one: chain, gates,
// cache with grace, breaker and bulkhead. Each layer is a Backend over
// Backends and can be tested alone; their order is visible in cmd.
//
// It does not own any member system (backends/<kind> does, one each), any
// storage, and any RADIUS: a member system knows only members.
package backends

import (
	"context"
	"errors"
	"fmt"
	"time"

	"memberradius/member"
)

// A Backend is a member system.
type Backend interface {
	// Ask returns what the system says of the attempt. A login that it does
	// not know is member.ErrUnknown; any other error means "could not say",
	// which is never a "no", and is an *Error where its class is known. Ask
	// returns soon after ctx ends, keeps neither a nor its strings, and may be
	// called by many goroutines at once.
	Ask(ctx context.Context, a *member.Attempt) (member.Answer, error)
}

// A Memory says what a Knower can say without waiting.
type Memory uint8

const (
	// Unsure: Ask must be called. It is the zero value.
	Unsure Memory = iota
	// Absent: the login is unknown here for sure, as Ask's member.ErrUnknown.
	Absent
	// Found: out holds the answer.
	Found
)

// A Knower is a Backend that can answer from memory.
type Knower interface {
	// Known fills out where it returns Found. It does not wait, takes no lock
	// and allocates nothing. The strings of a alias a packet: whoever keeps
	// one copies it. The strings in out are the backend's own and stay valid.
	Known(a *member.Attempt, out *member.Answer) Memory
}

// An Expecter is a Knower that answers many quicker where it knows their logins ahead.
type Expecter interface {
	// Expect is called with logins that Known will soon be called with. It does
	// not wait, takes no lock, allocates nothing and keeps nothing of logins.
	Expect(logins []string)
}

// A Checker is a Backend that can say what is wrong with its set-up: URL,
// token, role. It is called for `check --online`.
type Checker interface {
	Check(ctx context.Context) []Finding
}

// A Finding is one thing that the operator should know: what it is, and what to do.
type Finding struct {
	// Wrong is true for what keeps the backend from working, false for a hint.
	Wrong bool
	// What says what was found, Remedy what to do about it.
	What, Remedy string
}

// A Class says in which way a member system could not say.
type Class uint8

const (
	// Broken is any fault without a class of its own. It is the zero value.
	Broken Class = iota
	// Timeout: no answer in time.
	Timeout
	// Unreachable: no connection (refused, no route, DNS, TLS).
	Unreachable
	// Faulty: the system answered with a fault of its own (5xx, 408).
	Faulty
	// Throttled: the system asks to be asked less (429).
	Throttled
	// TokenRefused: the system refuses our token (401, 403).
	TokenRefused
	// BadAnswer: the answer can't be read (no JSON, wrong types, a redirect, too long).
	BadAnswer
	// NoNTKey: an MS-CHAP response was taken, but no nt_key came back.
	NoNTKey
	// Open: the breaker is open, the system was not asked.
	Open
	// Full: the bulkhead is full, the system was not asked.
	Full
	// NotReady: a synced system has not been read yet.
	NotReady
)

var classes = [...]struct {
	word   string
	reason member.Reason
}{
	Broken:       {"broken", member.ReasonUnanswered},
	Timeout:      {"timeout", member.ReasonTimeout},
	Unreachable:  {"unreachable", member.ReasonUnreachable},
	Faulty:       {"faulty", member.ReasonBackendError},
	Throttled:    {"throttled", member.ReasonBackendError},
	TokenRefused: {"token_refused", member.ReasonTokenRefused},
	BadAnswer:    {"bad_answer", member.ReasonBadAnswer},
	NoNTKey:      {"no_nt_key", member.ReasonNoNTKey},
	Open:         {"open", member.ReasonBreakerOpen},
	Full:         {"full", member.ReasonBusy},
	NotReady:     {"not_ready", member.ReasonNotReady},
}

// String returns the class as log and metrics print it.
func (c Class) String() string {
	if int(c) < len(classes) {
		return classes[c].word
	}
	return classes[Broken].word
}

// Reason returns the class's row of the table of reasons.
func (c Class) Reason() member.Reason {
	if int(c) < len(classes) {
		return classes[c].reason
	}
	return member.ReasonUnanswered
}

// An Error is a "could not say" whose class is known. It holds no password and no token.
type Error struct {
	Class Class
	// Backend is the name of the [[backend]].
	Backend string
	// Err is what happened, for the operator.
	Err error
	// After is how long the system asks us to wait (Retry-After); 0: it did not say.
	After time.Duration
	// Status is the HTTP status of what the system answered; 0: it did not, or not by HTTP.
	Status int
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("backend %s: %s: %v", e.Backend, e.Class, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of a "could not say". A context that has ended is
// Timeout, any other error without a class is Broken.
func ClassOf(err error) Class {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Class
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Timeout
	}
	return Broken
}

// A Shelf keeps answers of a member system over a restart, sealed. The store
// meets it; a cache writes to it beside the request's way, never in it.
type Shelf interface {
	// Change calls f once, with what keeps value under key until a time, over what
	// was there, and what forgets a key. All that f did holds, or, where f or
	// Change returns an error, none of it. Values may be used again after f.
	Change(ctx context.Context, backend string, f func(put func(key [32]byte, value []byte, until time.Time) error, forget func(key [32]byte) error) error) error
	// Each calls f for every value of backend that has not run out. Neither key nor value is kept.
	Each(ctx context.Context, backend string, f func(key [32]byte, value []byte, until time.Time) error) error
}

// A Directory finds members by login: what a backend over the embedded store
// is given, so that backends never import the store.
type Directory interface {
	// Lookup returns the record of a login, compared by member.Fold. It does
	// not wait and does not allocate. The record is shared and read-only.
	Lookup(login string) (*member.Record, bool)
	Expecter
}
