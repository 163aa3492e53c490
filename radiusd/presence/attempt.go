package presence

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"time"
	"unicode/utf8"

	"memberradius/member"
	"memberradius/radiusd/coa"
)

// An Action is what a NAS is asked for.
type Action uint8

const (
	// Disconnect: to end the session (RFC 5176 §2.1).
	Disconnect Action = iota
	// Change: to give it other attributes (RFC 5176 §2.2).
	Change
)

// String returns the action as the log and the API spell it.
func (a Action) String() string {
	if a == Change {
		return "coa"
	}
	return "disconnect"
}

// An Attempt is one try to make a session leave or change, and what came of it.
// It is noted when the NAS has answered or has not, and again when the session
// is seen to have ended, or not to have.
type Attempt struct {
	// ID names the attempt (RFC 9562 §5.7). Session is the session's.
	ID, Session string
	// Login and Client are the session's.
	Login, Client string
	At            time.Time
	Action        Action
	// Reason is why she may not stay; ReasonNone where something is to change,
	// or the operator wants it. Why says it in words, in at most member.MaxSessionText octets.
	Reason member.Reason
	Why    string
	// Plan and VLAN are what a Change tells the NAS.
	Plan, VLAN string
	// Target is the address that was asked; empty where there is none.
	Target string
	// Result is the NAS's answer. One that is Unsent has not been asked.
	Result coa.Result
	// Err says why there is no answer; empty where there is one.
	Err string
	// Gone is when the session ended, after an answer that it would; zero while it has not.
	Gone time.Time
	// Stayed: the NAS has acknowledged a Disconnect, and no Stop came in time.
	Stayed bool
}

// Left says whether the session is off, as far as the NAS says or its Stop shows.
func (a *Attempt) Left() bool {
	return !a.Gone.IsZero() || a.Action == Disconnect && a.Result.Gone()
}

// clip cuts a text to what a ledger keeps.
func clip(s string) string {
	const dots = "..."
	if len(s) <= member.MaxSessionText {
		return s
	}
	n := member.MaxSessionText - len(dots)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + dots
}

// newID returns a UUIDv7, or nothing where there are no random numbers: then
// the ledger gives the attempt an ID of its own.
func newID(now time.Time, random io.Reader) string {
	var id [16]byte
	if _, err := io.ReadFull(random, id[6:]); err != nil {
		return ""
	}
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(id[:6], ms[2:])
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	text := hex.EncodeToString(id[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
