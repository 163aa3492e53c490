package api

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"memberradius/member"
)

// A Device is a MAC address that belongs to a member: a printer, a TV, whatever
// can't log in by itself.
type Device struct {
	// MAC is "aa:bb:cc:dd:ee:ff".
	MAC string
	// Backend and Login are the member's; Name is what people call the device.
	Backend, Login, Name string
	// Site is where it comes in; "" is every site.
	Site    string
	Created time.Time
}

// A DeviceQuery says which devices a list is about; "" is any.
type DeviceQuery struct {
	// Backend and Login are the member's, Login compared by member.Fold. Devices of
	// every site are among those of each Site.
	Backend, Login, Site, MAC string
}

// Devices keeps the members' devices. Its errors are Editor's.
type Devices interface {
	// Devices returns all of q's devices, in no order: thousands at the most.
	Devices(ctx context.Context, q *DeviceQuery) ([]Device, error)
	// AddDevice adds one, or gives one that is the member's already another name and
	// site, and fills in Created. ErrUnknown where there is no such member, ErrExists
	// where the device is another's, ErrBlocked.
	AddDevice(ctx context.Context, d *Device) error
	// RemoveDevice forgets one, and throws it off.
	RemoveDevice(ctx context.Context, mac string) error
}

// A Block is a device that no portal and no registration lets in.
type Block struct {
	// MAC is "aa:bb:cc:dd:ee:ff", Why what for.
	MAC, Why string
	Created  time.Time
}

// Blocks keeps the list of blocked devices. Its errors are Editor's.
type Blocks interface {
	// Blocked returns all of them, in no order: thousands at the most.
	Blocked(ctx context.Context) ([]Block, error)
	// Block adds one, or gives one another reason, and throws the device off.
	Block(ctx context.Context, mac, why string) error
	// Unblock takes one out; ErrUnknown.
	Unblock(ctx context.Context, mac string) error
}

// A Voucher is a code that lets guests in by the portal.
type Voucher struct {
	// ID names it. It is not the code, and lets nobody in.
	ID string
	// Code is there where it was just made, and never again.
	Code member.Secret
	// Name is the operator's own, for one voucher or all that were made together.
	Name string
	// Plan is what it gives, Site where; "" is every site.
	Plan, Site string
	// Valid is for how long it lets in from its first use; 0: until Expires.
	Valid time.Duration
	// Devices is how many it lets in, Uses how many it has let in so far.
	Devices, Uses int
	// Created is when it was made, Expires when it is good for nothing any more, used
	// or not; zero is never.
	Created, Expires time.Time
	// FirstUsed is when it was used first, Revoked when it was revoked, Ends when
	// it is good for nothing any more; zero: not yet, or not known.
	FirstUsed, Revoked, Ends time.Time
}

// A VoucherOrder is what vouchers to make.
type VoucherOrder struct {
	// Count is how many, from 1 to 1,000.
	Count int
	// The rest is as Voucher has it. Name, Plan, Devices, and one of Valid and
	// Expires are set.
	Name, Plan, Site string
	Valid            time.Duration
	Devices          int
	Expires          time.Time
}

// A VoucherQuery says which vouchers a list is about; "" is any.
type VoucherQuery struct {
	// Vouchers of every site are among those of each Site.
	Name, Site string
	// Live leaves out those that have ended.
	Live bool
	// After is the ID that the list goes on behind.
	After string
	// Limit is how many at the most; it is set.
	Limit int
}

// Vouchers makes and revokes vouchers. Its errors are Editor's.
type Vouchers interface {
	// MakeVouchers makes as many as are ordered, all or none. Only here each has its Code.
	MakeVouchers(ctx context.Context, o *VoucherOrder) ([]Voucher, error)
	// Vouchers returns a page of q's vouchers, the newest ID first.
	Vouchers(ctx context.Context, q *VoucherQuery) ([]Voucher, error)
	// RevokeVoucher ends one by its ID, or all of a name, throws off who is on by
	// them, and returns how many they were. ErrUnknown where there is none.
	RevokeVoucher(ctx context.Context, idOrName string) (int, error)
}

// A PortalEntry is one attempt to come in by the portal or by its API.
type PortalEntry struct {
	ID string
	At time.Time
	// Site is where it was, Method how: "password", "voucher", "click", "portal_login".
	Site, Method string
	// Login is what was typed, or the uid; Backend the system that answered.
	Login, Backend string
	// MAC is the device, IP its own or, where that is not known, where it came from.
	MAC, IP string
	// Outcome is what came of it, Reason why, in a word each.
	Outcome, Reason string
	// Status is the HTTP status by which the member system answered (0: it was
	// not asked by HTTP), Took how long it took.
	Status int
	Took   time.Duration
	// PageID names the login that was granted; 0: none was.
	PageID int64
}

// A PortalLogQuery says which entries a list is about; "" is any.
type PortalLogQuery struct {
	// Login is compared by member.Fold.
	Site, Login, MAC, Method, Outcome string
	// From and Until ask for those in [From, Until).
	From, Until time.Time
	// After is the ID that the list goes on behind.
	After string
	// Limit is how many at the most; it is set.
	Limit int
}

// PortalLog reads the log of the portal.
type PortalLog interface {
	// PortalLog returns a page of q's entries, the newest ID first.
	PortalLog(ctx context.Context, q *PortalLogQuery) ([]PortalEntry, error)
}

// A PortalLogin is a device that a portal outside has let in, and for how long.
type PortalLogin struct {
	// PageID names it: from 1 to 2^53-1, so that every reader of JSON has it exactly.
	PageID int64
	// UID is whom the portal has let in: a member's login, a room, a guest's own id.
	UID string
	// MAC is her device, APMAC the access point, both as "aa:bb:cc:dd:ee:ff".
	MAC, APMAC string
	// IP is the device's, Controller the network controller's; invalid: not said.
	// Controller is what a caller says. Nothing is ever sent to it unless it is a [[client]].
	IP, Controller netip.Addr
	// OriginalURL is where she wanted to go; it is given back, and never followed.
	OriginalURL string
	// Session and Idle are how long she may stay and be silent: as the caller asks
	// for in an order (0: it does not), as holds in an answer.
	Session, Idle time.Duration
	// Started is when it was granted, Until when it runs out, Ended when it ended
	// before (zero: it has not). An order has none of them.
	Started, Until, Ended time.Time
}

var (
	// ErrMayNot says that the uid may not come in: it is a member's who is disabled
	// or has ended, or nobody's where it must be somebody's.
	ErrMayNot = errors.New("the uid may not come in")
	// ErrBlocked says that the device is blocked.
	ErrBlocked = errors.New("the device is blocked")
	// ErrTooManyDevices says that the uid has as many devices on as it may.
	ErrTooManyDevices = errors.New("too many devices")
	// ErrNotEnabled says that the site of the access point does not take logins by this API.
	ErrNotEnabled = errors.New("the site takes no logins by the API")
	// ErrEnded says that a login has ended and can't be renewed.
	ErrEnded = errors.New("the login has ended")
	// ErrNoAnswer says that nobody could say whether the uid may come in.
	ErrNoAnswer = errors.New("could not say")
)

// PortalLogins lets devices in. Its errors are those above, ErrUnknown, or a
// fault of this server.
type PortalLogins interface {
	// GrantLogin lets order's device in. When it returns, the grant is stored and the
	// very next Access-Request of that MAC finds it; the controller is told
	// afterwards. An earlier login of the device ends. What it returns is what
	// holds: times are cut to what the plan allows.
	GrantLogin(ctx context.Context, order *PortalLogin) (*PortalLogin, error)
	// RenewLogin lets the device of a login stay so long from now, within the plan; 0 is
	// as long as the plan allows. ErrEnded where it has ended.
	RenewLogin(ctx context.Context, page int64, session time.Duration) (*PortalLogin, error)
	// EndLogin ends a login and throws its device off. One that has ended is no error.
	EndLogin(ctx context.Context, page int64) error
}

// PortalPages reads logins that were granted.
type PortalPages interface {
	// FindLogin returns one, also when it has ended; ErrUnknown.
	FindLogin(ctx context.Context, page int64) (*PortalLogin, error)
}
