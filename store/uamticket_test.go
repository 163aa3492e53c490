package store_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/store"
)

func ticketFor(t *testing.T, u *store.UAMTickets, page int64) *store.UAMTicket {
	t.Helper()
	ticket := &store.UAMTicket{PageID: page, MAC: phone, Login: "Anna@Example.com"}
	if err := u.Make(ticket); err != nil {
		t.Fatal(err)
	}
	return ticket
}

func TestUAMTicket(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	u := s.UAMTickets()
	made := ticketFor(t, u, 12345)
	if !regexp.MustCompile(`^uam-[a-z2-7]{20}$`).MatchString(made.User) || !store.IsUAMUser(made.User) ||
		!regexp.MustCompile(`^[a-z2-7]{28}$`).MatchString(string(made.Password)) || !made.Until.Equal(now.Add(time.Minute)) {
		t.Errorf("%q, %q until %v", made.User, string(made.Password), made.Until)
	}
	for _, c := range []struct {
		user, mac string
		after     time.Duration
		want      bool
	}{
		{made.User, phone, 0, true}, {made.User, "", 0, true}, {made.User, tablet, 0, false}, {made.User, phone, time.Minute - 1, true},
		{made.User, phone, time.Minute, false}, {made.User[:23], phone, 0, false}, {"UAM-" + made.User[4:], phone, 0, false},
		{"anna@example.com", phone, 0, false}, {"", "", 0, false}, {"uam-aaaaaaaaaaaaaaaaaaaa", phone, 0, false},
	} {
		got, ok := u.Lookup(c.user, c.mac, now.Add(c.after))
		if ok != c.want || ok && got != *made || !ok && got != (store.UAMTicket{}) {
			t.Errorf("%q of %q after %v: %+v, %t", c.user, c.mac, c.after, got, ok)
		}
	}
	if got := fmt.Sprintf("%v %+v %#v", made, *made, *made); bytes.Contains([]byte(got), []byte(string(made.Password))) {
		t.Errorf("it prints as %s", got)
	}
	if !u.Use(made.User) || u.Use(made.User) {
		t.Error("it is used not once")
	}
	if _, ok := u.Lookup(made.User, phone, now); ok || u.Len() != 0 {
		t.Error("a used ticket is there")
	}
	// A new one of a grant ends the old one.
	old := ticketFor(t, u, 7)
	other := ticketFor(t, u, 8)
	again := ticketFor(t, u, 7)
	for ticket, want := range map[*store.UAMTicket]bool{old: false, other: true, again: true} {
		if _, ok := u.Lookup(ticket.User, phone, now); ok != want {
			t.Errorf("%d: %t", ticket.PageID, ok)
		}
	}
	if u.Use(old.User) || !u.Use(again.User) {
		t.Error("the old ticket is used")
	}
	// What has run out leaves the memory, and nothing of it was on the disk.
	now = now.Add(time.Hour)
	ticketFor(t, u, 9)
	if u.Len() != 1 {
		t.Errorf("%d tickets", u.Len())
	}
	absent(t, dir, made.User, string(made.Password))
	if s.UAMTickets() != u {
		t.Error("a store has two sets of tickets")
	}
}

func TestUAMTicketRefused(t *testing.T) {
	t.Parallel()
	now := newYear
	u := openAt(t, t.TempDir(), &now).UAMTickets()
	for want, ticket := range map[string]store.UAMTicket{
		"aa:bb": {PageID: 1, MAC: "phone"}, "no grant": {MAC: phone}, "ended": {PageID: 1, MAC: phone, Until: now},
	} {
		says(t, u.Make(&ticket), want)
		if ticket.User != "" || ticket.Password != "" {
			t.Errorf("%s: there is a login none the less", want)
		}
	}
	// There are bounds, and they give way when the first have run out.
	for i := range int64(10_000) {
		if err := u.Make(&store.UAMTicket{PageID: i + 1, MAC: phone, Until: now.Add(time.Duration(1+i%2) * time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := u.Make(&store.UAMTicket{PageID: 1 << 40, MAC: phone}); !errors.Is(err, store.ErrManyTickets) {
		t.Errorf("one too many: %v", err)
	}
	if err := u.Make(&store.UAMTicket{PageID: 1, MAC: phone}); err != nil { // its own place
		t.Error(err)
	}
	now = now.Add(time.Minute)
	if err := u.Make(&store.UAMTicket{PageID: 1 << 40, MAC: phone}); err != nil || u.Len() != 5001 {
		t.Errorf("%d, %v", u.Len(), err)
	}
	s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir(), Random: io.LimitReader(rand.Reader, 400)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for range 20 {
		if err = s.UAMTickets().Make(&store.UAMTicket{PageID: 1, MAC: phone}); err != nil {
			break
		}
	}
	says(t, err, "randomness")
}

// TestUAMTicketOnce: of many that use one ticket at the same time, one comes in.
func TestUAMTicketOnce(t *testing.T) {
	t.Parallel()
	u := open(t, t.TempDir()).UAMTickets()
	var all sync.WaitGroup
	var in atomic.Int32
	made := ticketFor(t, u, 1)
	for i := range 8 {
		all.Go(func() {
			if _, ok := u.Lookup(made.User, phone, time.Now()); ok && u.Use(made.User) {
				in.Add(1)
			}
			ticketFor(t, u, int64(i+2))
		})
	}
	all.Wait()
	if in.Load() != 1 || u.Len() != 8 {
		t.Errorf("%d came in, %d tickets are left", in.Load(), u.Len())
	}
}

func TestUAMTicketAllocatesNothing(t *testing.T) { // not parallel: it counts the allocations of the whole process
	u := open(t, t.TempDir()).UAMTickets()
	made := ticketFor(t, u, 1)
	now := time.Now()
	for _, user := range []string{made.User, "anna@example.com", "uam-aaaaaaaaaaaaaaaaaaaa"} {
		if n := testing.AllocsPerRun(1000, func() { u.Lookup(user, phone, now) }); n != 0 {
			t.Errorf("%s: %v allocations", user, n)
		}
	}
}
