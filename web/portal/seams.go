package portal

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"memberradius/member"
)

// Errors of the seams. Any other error of theirs is a fault of this server, and
// never a refusal.
var (
	// ErrNoGrant says that no live grant is there.
	ErrNoGrant = errors.New("no live grant")
	// ErrTooManyDevices says that as many devices are on as may.
	ErrTooManyDevices = errors.New("as many devices are on as may")
	// ErrBlocked says that the device is blocked here.
	ErrBlocked = errors.New("the device is blocked")
	// ErrNoVoucher says that a code is unknown, used up, or has run out.
	ErrNoVoucher = errors.New("no such voucher")
)

// An Attempt is one try to come in with a login and a password.
type Attempt struct {
	Site     string
	Login    string
	Password member.Secret
	// MAC is the device as "aa:bb:cc:dd:ee:ff", as the controller's redirect says.
	MAC string
	// Address is where the browser calls from; behind NAT that is the NAT's.
	Address netip.Addr
	// SSID and AccessPoint (a MAC address) are from the redirect; either may be empty.
	SSID, AccessPoint string
	At                time.Time
}

// An Outcome is what became of an Attempt. The zero value could not say.
type Outcome struct {
	Verdict member.Verdict
	// Proved says that she has proved who she is: only then is she told why she
	// may not come in.
	Proved bool
	Reason member.Reason
	// Member is who she is, Backend who said so, Plan the plan that holds.
	Member        member.Member
	Backend, Plan string
	// Session and Idle are how long she may stay, and without traffic; 0 leaves
	// it to the site.
	Session, Idle time.Duration
	// Status is the HTTP status of the member system's answer, 0 where there is
	// none, and Took how long it took.
	Status int
	Took   time.Duration
	// Message is what the member system wants its member to read.
	Message string
}

// Authenticator asks the chain of a site. One attempt is one call of each
// member system that is asked: it may cost a day pass.
type Authenticator interface {
	Login(ctx context.Context, a *Attempt) Outcome
}

// A Grant lets a device in for a time.
type Grant struct {
	// PageID, Created and Expires are set by Grants.Grant. PageID is below 2^53.
	PageID           int64
	Created, Expires time.Time
	// Kind is what led to it: "portal" (a login), "voucher" or "click".
	Kind string
	Site string
	// MAC is the device as "aa:bb:cc:dd:ee:ff".
	MAC string
	// UID is whom the grant counts for: the login, the voucher's ID, or the device.
	UID string
	// Voucher is the ID of the voucher that it ends with; "": none.
	Voucher string
	// Backend and Login are the member's key, both empty where there is none.
	Backend, Login string
	Plan           string
	// AccessPoint is a MAC address, Address the device's own; both as the
	// redirect says, and empty or invalid where it does not.
	AccessPoint string
	Address     netip.Addr
	// OriginalURL is where the device wanted to go; http, https or empty.
	OriginalURL string
	// Controller is the host that the device is handed to; empty: none.
	Controller string
	// SessionTimeout and IdleTimeout bound it; IdleTimeout 0 is no bound.
	SessionTimeout, IdleTimeout time.Duration
}

// A Device names a device by either of the two; the other is empty or invalid.
type Device struct {
	Site    string
	MAC     string
	Address netip.Addr
}

// Grants keeps them.
type Grants interface {
	// Grant makes g hold, and sets its PageID, Created and Expires (SessionTimeout
	// after Created, or the end of its voucher): when it returns, the very next
	// Access-Request of that MAC is accepted. A grant of the same device and site
	// before it is replaced. ErrTooManyDevices, ErrBlocked and ErrNoVoucher refuse.
	Grant(ctx context.Context, g *Grant) error
	// Live returns the grant of a device, or ErrNoGrant.
	Live(ctx context.Context, d Device) (*Grant, error)
	// End ends a grant and has the device thrown off; why is a word for the log.
	// A grant that has ended is no error.
	End(ctx context.Context, pageID int64, why string) error
}

// A VoucherTaken is what a voucher buys.
type VoucherTaken struct {
	// ID names the voucher in lists and logs; it is not the code.
	ID, Plan string
	// Session and Idle are what is left of it; 0 leaves it to the site.
	Session, Idle time.Duration
}

// Vouchers are codes that let a device in.
type Vouchers interface {
	// Take uses a voucher for a device. The same device may take the same voucher
	// again while it lasts: that is no second use. ErrNoVoucher refuses.
	Take(ctx context.Context, site string, code member.Secret, mac string) (VoucherTaken, error)
}

// Tickets are user names and passwords that are good for one login of one
// device, by PAP and by CHAP, in the minutes after they were made.
type Tickets interface {
	// Make returns a ticket for the device of g. Both parts are letters, digits,
	// "-" and "_", at most 31 octets each: ZoneDirectors take no longer ones.
	Make(ctx context.Context, g *Grant) (user string, password member.Secret, err error)
}

// Nudge has a controller ask this server again, by CoA or Disconnect.
type Nudge interface {
	AskAgain(ctx context.Context, g *Grant) error
}

// Quotas knows how much traffic a grant has left.
type Quotas interface {
	// Left returns octets; known is false where nothing bounds them.
	Left(ctx context.Context, g *Grant) (octets uint64, known bool, err error)
}

// An Entry is one line of the portal's log: an attempt to come in. It holds no
// password, no code and no ticket.
type Entry struct {
	At   time.Time
	Site string
	// MAC is the device, Address where the browser called from.
	MAC     string
	Address netip.Addr
	// Login is who she says she is, or the voucher's ID once it was taken.
	Login  string
	Method Method
	// Backend answered, with this HTTP status (0: none), in this time.
	Backend string
	Status  int
	Took    time.Duration
	Outcome member.Verdict
	// Reason is a word: of member.Reason, or one of this package's.
	Reason string
	// PageID is the grant's; 0 where there is none.
	PageID int64
}

// Log keeps what became of each attempt.
type Log interface {
	Note(ctx context.Context, e *Entry) error
}
