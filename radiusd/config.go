package radiusd

import (
	"context"
	"io"
	"net/netip"
	"time"

	"memberradius/eap"
	"memberradius/member"
	"memberradius/radiusd/policy"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
)

// Clients knows the NASes.
type Clients interface {
	// Find returns who speaks, by how the request arrived and never by what it
	// says (RFC 2865 §3): no lock, no error, no allocation. The arrival is the server's
	// own and must not be kept.
	Find(a *Arrival) (*Client, bool)
}

// Members answers attempts: the chain of member systems of the attempt's site.
// The site's gates are asked by a second one, with a Proof of kind member.Proved.
type Members interface {
	// Known answers from memory alone: no wait, no lock, no allocation. It
	// returns false where Ask must be called. Strings of a alias the packet:
	// whoever keeps one copies it.
	Known(a *member.Attempt, out *member.Answer) bool
	// Ask may wait until ctx ends. It is called in the pool and never fails: a
	// member system that can't be asked is an answer of verdict Unanswered with its reason.
	Ask(ctx context.Context, a *member.Attempt) member.Answer
}

// An Expecter is a Members that answers many quicker where it knows their logins ahead.
type Expecter interface {
	// Expect is called with the site and the logins of requests that Known will
	// soon be called with, if nothing ends them before. It does not wait, takes
	// no lock and allocates nothing; the logins alias their packets.
	Expect(site string, logins []string)
}

// A Spender is a Members some of whose logins are good for one time only.
type Spender interface {
	// Spend is told of a login that was just proved, and says whether it still was
	// to be had: of several that prove one at the same time, one comes in.
	Spend(a *member.Attempt) bool
}

// Tables are what a running server may be given anew at any time, as one.
type Tables struct {
	Clients Clients
	Members Members
	// Gates may be nil: no gates.
	Gates Members
	// Doors are asked in place of Members for the devices of MAC authentication:
	// Login is the address ("aa:bb:cc:dd:ee:ff"), Proof of kind member.MAC. Only an
	// answer that is Proved lets in; its Member is whose device it is, unless it is
	// a Guest's. A device that nobody let in is Deny with
	// member.ReasonUnknownDevice. Nil: all are.
	Doors Members
	// Book may be nil: no plans, and replies without attributes of theirs.
	Book *policy.Book
	// EAP are the methods that new conversations offer, in this order. None: EAP is refused.
	EAP []eap.Method
}

// A Role is what a port is for.
type Role uint8

const (
	// Auth ports take Access-Request and Status-Server.
	Auth Role = iota
	// Acct ports take Accounting-Request and Status-Server.
	Acct
)

// A Listen is a UDP address to serve.
type Listen struct {
	// Address may have port 0 (any free one) and an unspecified address.
	Address netip.AddrPort
	Role    Role
	// Site is set for a port of a site's own: only clients of that site are known there.
	Site string
}

// Config is what New needs. Log, Clients and Members must be set.
type Config struct {
	Listen []Listen
	Tables Tables
	// RejectDelay holds every Access-Reject back, counted from receipt (0: none).
	RejectDelay time.Duration
	// Readers is how many sockets share each address (0: one per core).
	Readers int
	// Pool is how many requests may wait for member systems at the same time
	// (0: 2,048), and Queue how many more may wait for a place (0: 8,192).
	Pool, Queue int
	// Timeout bounds one request's waiting for member systems (0: 10 s).
	Timeout time.Duration
	// Conversations is how many of EAP there may be at the same time (0: 16,384).
	// A client may have half of them.
	Conversations int
	// Journal is how many decisions are kept for Why (0: 10,000).
	Journal int
	// IdentityKey keys Chargeable-User-Identity (RFC 4372): empty, a random
	// one, and identities change at every start.
	IdentityKey []byte
	// Warden has the last word on who may come in. Nil: there are no limits.
	Warden Warden
	// Recorder keeps what NASes report. Nil: accounting is not acknowledged.
	Recorder Recorder
	Log      *logrus.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// Now and Rand default to time.Now and crypto/rand.
	Now  func() time.Time
	Rand io.Reader
}
