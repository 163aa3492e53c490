package coa

import (
	"errors"
	"time"
)

// An Outcome is how a request ended.
type Outcome uint8

const (
	// Unsent: the request was not even tried, since it could not be. It is the zero value.
	Unsent Outcome = iota
	// ACK: the NAS did it.
	ACK
	// NAK: the NAS would not do it, or could not.
	NAK
	// Timeout: no answer within Timers.
	Timeout
	// Refused: nobody listens there, says the NAS's host (ICMP port unreachable).
	Refused
	// Busy: too many requests wait, to this NAS or to all, and this was not sent.
	Busy
	// Ended: the caller's context ended, the Client was closed, or its source port broke.
	Ended
)

// outcomes is how many there are.
const outcomes = int(Ended) + 1

var outcomeWords = [outcomes]string{"unsent", "ack", "nak", "timeout", "refused", "busy", "ended"}

// String returns the outcome as log, metrics and API spell it.
func (o Outcome) String() string {
	if int(o) < len(outcomeWords) {
		return outcomeWords[o]
	}
	return "unknown"
}

// A Result is what became of a request.
type Result struct {
	Outcome Outcome
	// Cause is the NAS's, with a NAK mostly; 0 where it gave none.
	Cause ErrorCause
	// Sends is how many times the request left, and Took how long it all took.
	Sends int
	Took  time.Duration
}

// Acked says whether the NAS did what it was asked.
func (r Result) Acked() bool { return r.Outcome == ACK }

// Gone says, of a Disconnect, whether the session is off: the NAS has ended it, or
// knows of no such session (503). It is the NAS's word; the Stop that must follow an
// ACK proves it.
func (r Result) Gone() bool {
	return r.Outcome == ACK || r.Outcome == NAK && r.Cause == SessionContextNotFound
}

// Errors of requests that a NAS has not answered. They come wrapped, with who and
// what to do.
var (
	// ErrTimeout: Outcome is Timeout.
	ErrTimeout = errors.New("no answer")
	// ErrRefused: Outcome is Refused.
	ErrRefused = errors.New("nobody listens there")
	// ErrBusy: Outcome is Busy.
	ErrBusy = errors.New("too many requests wait for answers")
	// ErrClosed: the Client was closed; Outcome is Ended.
	ErrClosed = errors.New("the client is closed")
	// ErrUnidentified: nothing of the session names it to this vendor; Outcome is Unsent.
	ErrUnidentified = errors.New("nothing known of the session names it, and it alone, to a NAS of this vendor")
)
