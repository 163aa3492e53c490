package store

import (
	"crypto/rand"
	"testing"
	"time"
)

// TestPortalLogBound fills the log, and wants the oldest to go: by Sweep, and by
// the attempts themselves.
func TestPortalLogBound(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s, err := Open(t.Context(), Config{Dir: t.TempDir(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if s.portalMost != portalLogMost {
		t.Errorf("%d attempts are kept", s.portalMost)
	}
	s.portalMost = 10
	fill := func(n int) {
		for range n {
			if err := s.NotePortal(t.Context(), &PortalEntry{Status: n}); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Millisecond)
		}
	}
	want := func(n, oldest int) {
		t.Helper()
		all, err := s.PortalLog(t.Context(), &PortalFilter{}, 0)
		if err != nil || len(all) != n || all[n-1].Status != oldest {
			t.Fatalf("%d are kept, %v, want %d", len(all), err, n)
		}
	}
	fill(6)
	fill(9)
	want(15, 6)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(10, 6)
	s.noted.Store(portalLogTrim - 3)
	fill(2)
	want(12, 6)
	fill(1)
	want(10, 9)
	fill(1)
	want(11, 9)
}

// TestUAMTicketsLeaveNothing: whichever way a ticket ends, nothing of it stays in
// memory.
func TestUAMTicketsLeaveNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	u := newUAMTickets(func() time.Time { return now }, rand.Reader)
	open := func(page int64) string {
		t.Helper()
		ticket := &UAMTicket{PageID: page, MAC: "02:00:00:00:00:01"}
		if err := u.Make(ticket); err != nil {
			t.Fatal(err)
		}
		return ticket.User
	}
	open(1)
	open(1)
	u.Use(open(2))
	now = now.Add(UAMTicketLife)
	open(3)
	if len(u.open) != 1 || len(u.ofPage) != 1 {
		t.Errorf("%d tickets of %d grants", len(u.open), len(u.ofPage))
	}
}
