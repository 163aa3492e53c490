package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"memberradius/member"
)

// What gives a grant.
const (
	// GrantPortalLogin is the portal login API, GrantPortal a login at the captive
	// portal, GrantVoucher a voucher, GrantClick a click on its terms.
	GrantPortalLogin = "portal_login"
	GrantPortal      = "portal"
	GrantVoucher     = "voucher"
	GrantClick       = "click"
)

// How a grant ends.
const (
	// EndLogout: the device's user asked for it. EndExpired: its time was over.
	EndLogout  = "logout"
	EndExpired = "expired"
	// EndReplaced: the device has a newer one at that site.
	EndReplaced = "replaced"
	// EndBlocked: the device was blocked. EndKicked: the operator ended it.
	EndBlocked = "blocked"
	EndKicked  = "kicked"
	// EndRevoked: its voucher was revoked. EndForgotten: the member was removed.
	EndRevoked   = "revoked"
	EndForgotten = "forgotten"
)

var (
	// ErrNoGrant says that there is no such grant, or that it has ended.
	ErrNoGrant = errors.New("no such grant")
	// ErrTooManyDevices says that a uid has as many devices in as it may.
	ErrTooManyDevices = errors.New("as many devices are in as may be")
)

// MaxURL is the longest OriginalURL in octets.
const MaxURL = 2048

// grantKept is for how long a grant that has ended stays in the list.
const grantKept = 30 * 24 * time.Hour

// A Grant lets one device in at one site for a time. Times have whole
// milliseconds, timeouts whole seconds.
type Grant struct {
	// PageID names it to portals: unique for ever, growing, positive and below
	// 2^53, so that JSON's numbers hold it.
	PageID int64
	// Kind is what gave it: portal_login, portal, voucher or click.
	Kind string
	// MAC is the device as "aa:bb:cc:dd:ee:ff", Site where it is let in.
	MAC, Site string
	// UID is who it is by the portal's own words; it compares as a login does. "" is nobody.
	UID string
	// Backend and Login are the member that UID was resolved to; both empty: a guest.
	Backend, Login string
	// Plan is what it comes in with; "" leaves it to the site.
	Plan string
	// AccessPoint (a MAC or a name), Address (the device's IP address, kept in its
	// shortest form), OriginalURL and Controller (an address or a name) are as the
	// portal had them; each may be empty.
	AccessPoint, Address, OriginalURL, Controller string
	// SessionTimeout and IdleTimeout are as they were asked for; 0: not.
	SessionTimeout, IdleTimeout time.Duration
	// Created is when it began and Expires when it runs out. Ended is when it
	// ended, zero: it has not.
	Created, Expires, Ended time.Time
	// Why is how it ended: logout, expired, replaced, blocked, kicked, revoked,
	// forgotten, or what EndGrant was told.
	Why string
	// Voucher is the ID of the voucher that gave it.
	Voucher string
}

// Live says whether g lets its device in at now.
func (g *Grant) Live(now time.Time) bool { return g.Ended.IsZero() && now.Before(g.Expires) }

// Grant lets a device in. When it returns nil the grant is on the disk and in
// the Doors of this process: the very next Lookup finds it. PageID and Created
// are filled in; Expires must be set, and comes no later than the end of the
// Voucher. An older grant of the device at that site is replaced. A blocked
// device is ErrBlocked; a voucher that is not good here and now ErrNoVoucher,
// ErrVoucherRevoked, ErrVoucherExpired or ErrVoucherElsewhere. After any other
// error the grant may hold or not: granting once more does no harm.
func (s *Store) Grant(ctx context.Context, g *Grant) error { return s.GrantWithin(ctx, g, 0) }

// GrantWithin is Grant where the UID may have so many devices in at the site,
// this one included; 0 is no limit, and so is no UID. One too many is
// ErrTooManyDevices, however many ask at the same time.
func (s *Store) GrantWithin(ctx context.Context, g *Grant, most int) error {
	if err := s.checkGrant(g); err != nil {
		return fmt.Errorf("store: let device %s in: %w", g.MAC, err)
	}
	made := *g
	made.Created, made.Expires = moment(millis(s.now())), moment(millis(g.Expires))
	made.SessionTimeout, made.IdleTimeout = made.SessionTimeout.Truncate(time.Second), made.IdleTimeout.Truncate(time.Second)
	made.Address, made.Ended, made.Why = shortAddress(g.Address), time.Time{}, ""
	err := s.changeDoors(ctx, func(tx *sql.Tx, number int64) error {
		a := &admission{s: s, tx: tx, number: number}
		if err := a.within(ctx, &made, most); err != nil {
			return err
		}
		return a.add(ctx, &made)
	})
	if err != nil {
		return s.explain(fmt.Sprintf("let device %s in", g.MAC), err)
	}
	*g = made
	return nil
}

// An admission is the transaction in which a grant is made.
type admission struct {
	s      *Store
	tx     *sql.Tx
	number int64
}

// within says whether one more device of the grant's UID may come in.
func (a *admission) within(ctx context.Context, g *Grant, most int) error {
	if most <= 0 || g.UID == "" {
		return nil
	}
	others, err := a.s.countDevices(ctx, a.tx, g)
	if err == nil && others >= most {
		err = fmt.Errorf("%w: %d of %d", ErrTooManyDevices, others, most)
	}
	return err
}

// add writes g in the place of an older grant.
func (a *admission) add(ctx context.Context, g *Grant) error {
	if err := refuseBlocked(ctx, a.tx, g.MAC); err != nil {
		return err
	}
	if g.Voucher != "" {
		if err := shorten(ctx, a.tx, g, g.Created); err != nil {
			return err
		}
	}
	e := ending{now: g.Created, number: a.number, why: EndReplaced}
	if _, err := e.end(ctx, a.tx, endOfDevice, g.MAC, g.Site); err != nil {
		return err
	}
	var err error
	if g.PageID, err = a.s.pageID(a.number); err != nil {
		return err
	}
	_, err = a.tx.ExecContext(ctx, `INSERT INTO access_grant (page_id, kind, mac, backend, site, uid, folded_uid, login, folded, plan,
			access_point, address, original_url, controller, session_timeout, idle_timeout, voucher, created_at, expires_at, changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		g.PageID, g.Kind, g.MAC, g.Backend, g.Site, g.UID, member.FoldString(g.UID), g.Login, member.FoldString(g.Login), g.Plan,
		g.AccessPoint, g.Address, g.OriginalURL, g.Controller, int64(g.SessionTimeout/time.Second), int64(g.IdleTimeout/time.Second),
		g.Voucher, g.Created.UnixMilli(), g.Expires.UnixMilli(), a.number)
	return err
}

// shorten has g end with its voucher, which must be good at now.
func shorten(ctx context.Context, tx *sql.Tx, g *Grant, now time.Time) error {
	v, err := findVoucher(ctx, tx, voucherByID, g.Voucher)
	if err == nil {
		err = v.usable(now, g.Site)
	}
	if err == nil && !v.Ends.IsZero() && v.Ends.Before(g.Expires) {
		g.Expires = v.Ends
	}
	return err
}

// A page id is node (8 bits) | number of the write (37) | random (8): numbers
// last for 40 years at a hundred writes a second. Nodes that each count for
// themselves will never give one twice, and neither does a database that was put
// back from a backup, and counts again: in 255 of 256 cases.
const (
	pageNode       = 0
	pageNumberBits = 37
	pageRandomBits = 8
)

func (s *Store) pageID(number int64) (int64, error) {
	if number>>pageNumberBits != 0 {
		return 0, fmt.Errorf("write %d is one that no page id can name", number)
	}
	var random [pageRandomBits / 8]byte
	if _, err := io.ReadFull(s.random, random[:]); err != nil {
		return 0, fmt.Errorf("no randomness for a page id: %w", err)
	}
	return (pageNode<<pageNumberBits|number)<<pageRandomBits | int64(random[0]), nil
}

// checkGrant says what is wrong with a grant that is to be made.
func (s *Store) checkGrant(g *Grant) error {
	if err := checkMAC(g.MAC); err != nil {
		return err
	}
	switch g.Kind {
	case GrantPortalLogin, GrantPortal, GrantVoucher, GrantClick:
	default:
		return fmt.Errorf("kind %q: portal_login, portal, voucher or click is needed", g.Kind)
	}
	for _, f := range [...]struct{ name, value string }{
		{"site", g.Site}, {"uid", g.UID}, {"backend", g.Backend}, {"login", g.Login}, {"plan", g.Plan},
		{"access point", g.AccessPoint}, {"controller", g.Controller}, {"voucher", g.Voucher},
	} {
		if err := checkText(f.value); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	switch now := s.now(); {
	case g.Site == "":
		return errors.New("no site is named: a grant holds at one")
	case (g.Backend == "") != (g.Login == ""):
		return errors.New("a member has a backend and a login, a guest has neither")
	case len(g.UID) > member.MaxLogin || len(g.Login) > member.MaxLogin:
		return fmt.Errorf("the uid or login has more than %d octets", member.MaxLogin)
	case g.SessionTimeout < 0 || g.IdleTimeout < 0:
		return errors.New("a timeout is negative")
	case !g.Expires.After(now):
		return fmt.Errorf("it would have run out at %s already", g.Expires.UTC().Format(time.RFC3339))
	}
	if g.Address != "" && shortAddress(g.Address) == "" {
		return fmt.Errorf("the device's address %q: an IP address is needed", g.Address)
	}
	return errors.Join(checkTime(g.Expires), checkURL(g.OriginalURL))
}

// shortAddress returns an IP address as it is kept and looked for; "" where s is
// none. IPv4 is IPv4, whichever way it came.
func shortAddress(s string) string {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	return a.Unmap().String()
}

// checkURL takes what a device may have asked for: it is shown, and led back to
// only by whoever has looked at it.
func checkURL(s string) error {
	if len(s) > MaxURL {
		return fmt.Errorf("the original URL has %d octets: at most %d are taken", len(s), MaxURL)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || turnsText(r) }) {
		return errors.New("the original URL holds control characters")
	}
	return nil
}
