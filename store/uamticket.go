package store

import (
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"memberradius/member"
)

// ErrManyTickets says that more hand-offs are open than is believable.
var ErrManyTickets = errors.New("too many hand-offs are open")

const (
	// UAMTicketLife is how long a ticket lasts: a browser needs seconds to send
	// the form on, and the controller to ask.
	UAMTicketLife = time.Minute
	// maxUAMTickets bounds the memory of tickets: some megabyte.
	maxUAMTickets = 10_000
)

// A UAMTicket is the login of one hand-off from a portal to a controller (UAM,
// the universal access method of hotspots): the form that a device's browser
// sends on to its controller carries it in the place of the member's own login
// and password, which the browser's history, the controller and its log never
// see.
type UAMTicket struct {
	// User is what the controller sends as User-Name, Password what proves it, by
	// PAP or CHAP. Make fills both in.
	User     string
	Password member.Secret
	// PageID is the grant that the device was given; without it the ticket is good
	// for nothing. Login is what the log calls whoever comes in.
	PageID int64
	Login  string
	// MAC is the device, as "aa:bb:cc:dd:ee:ff".
	MAC string
	// Until is when it ends.
	Until time.Time
}

// UAMTickets are the open tickets of this process. They are in memory and
// nowhere else: CHAP needs the password in clear, a minute is too short for a
// restart to matter, and what is not written can't be stolen. A portal that
// finds its ticket gone offers the form again. Where several servers stand side
// by side, the controller asks the one whose portal made the ticket.
type UAMTickets struct {
	now    func() time.Time
	random io.Reader

	mu sync.Mutex
	// open are the tickets by their User, ofPage their Users by grant: one each.
	open   map[string]*UAMTicket
	ofPage map[int64]string
	// swept is when those that ran out were last removed.
	swept time.Time
}

func newUAMTickets(now func() time.Time, random io.Reader) *UAMTickets {
	return &UAMTickets{now: now, random: random, open: map[string]*UAMTicket{}, ofPage: map[int64]string{}}
}

// UAMTickets returns the store's one set of tickets.
func (s *Store) UAMTickets() *UAMTickets { return s.tickets }

// uamUser is how the User of every ticket begins.
const uamUser = "uam-"

// Lengths of what is random in a User and a Password, at five bits a character:
// 100 and 140 bits.
const (
	uamUserLength     = 20
	uamPasswordLength = 28
)

// IsUAMUser says whether a User-Name has the form of a ticket's: one that is
// none of these need not be looked up, and one that is belongs to no member.
func IsUAMUser(user string) bool {
	return len(user) == len(uamUser)+uamUserLength && strings.HasPrefix(user, uamUser)
}

// Make opens a ticket for t's PageID, MAC and Login, and fills in User, Password
// and, where it is zero, Until: UAMTicketLife from now. An older ticket of that
// grant ends. ErrManyTickets: wait a minute.
func (u *UAMTickets) Make(t *UAMTicket) error {
	now := u.now()
	if t.Until.IsZero() {
		t.Until = now.Add(UAMTicketLife)
	}
	err := checkMAC(t.MAC)
	switch {
	case err != nil:
	case t.PageID <= 0:
		err = errors.New("no grant is named")
	case !now.Before(t.Until):
		err = errors.New("it would have ended already")
	}
	if err != nil {
		return fmt.Errorf("store: make a ticket: %w", err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if user, ok := u.ofPage[t.PageID]; ok {
		u.remove(user)
	}
	if now.Sub(u.swept) >= UAMTicketLife || len(u.open) >= maxUAMTickets {
		u.sweep(now)
	}
	if len(u.open) >= maxUAMTickets {
		return fmt.Errorf("store: make a ticket: %w", ErrManyTickets)
	}
	user, password, err := u.login()
	if err != nil {
		return fmt.Errorf("store: make a ticket: %w", err)
	}
	t.User, t.Password = user, password
	kept := *t
	u.open[user], u.ofPage[t.PageID] = &kept, user
	return nil
}

// login draws a User and a Password, of letters and digits that every
// controller passes on as they are.
func (u *UAMTickets) login() (user string, password member.Secret, err error) {
	var octets [(uamUserLength + uamPasswordLength) * 5 / 8]byte
	if _, err := io.ReadFull(u.random, octets[:]); err != nil {
		return "", "", fmt.Errorf("no randomness for a ticket: %w", err)
	}
	text := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(octets[:]))
	return uamUser + text[:uamUserLength], member.Secret(text[uamUserLength:]), nil
}

func (u *UAMTickets) remove(user string) {
	if t := u.open[user]; t != nil {
		delete(u.ofPage, t.PageID)
		delete(u.open, user)
	}
}

func (u *UAMTickets) sweep(now time.Time) {
	u.swept = now
	for user, t := range u.open {
		if !now.Before(t.Until) {
			u.remove(user)
		}
	}
}

// Lookup returns the open ticket of a User-Name. mac is the device by the NAS's
// words, as "aa:bb:cc:dd:ee:ff": another device's ticket is none; "" where the
// NAS does not say. It allocates nothing. Whether the password is proved, and
// whether the grant is still live, the caller sees to.
func (u *UAMTickets) Lookup(user, mac string, now time.Time) (UAMTicket, bool) {
	if !IsUAMUser(user) {
		return UAMTicket{}, false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	t := u.open[user]
	if t == nil || !now.Before(t.Until) || mac != "" && mac != t.MAC {
		return UAMTicket{}, false
	}
	return *t, true
}

// Use ends a ticket whose password was proved, and says whether it was open: of
// several that prove one ticket at the same time, one comes in.
func (u *UAMTickets) Use(user string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, open := u.open[user]
	u.remove(user)
	return open
}

// Len returns how many tickets are in memory, those that have run out within the
// last minute included.
func (u *UAMTickets) Len() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.open)
}
