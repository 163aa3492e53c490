package store

import (
	"testing"
	"time"

	"memberradius/member"
)

// A first use holds over a restart, and the first of several counts, in
// whatever spelling the login comes.
func TestFirstUses(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	clock := now
	c := Config{Dir: t.TempDir(), Now: func() time.Time { return clock }}
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.FirstUses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	anna := &member.Member{Backend: "nexudus", Login: "Anna@Example.com"}
	if at, used := u.Used(anna, "day"); used {
		t.Errorf("used at %v before it was", at)
	}
	u.Use(anna, "day", now)
	u.Use(&member.Member{Backend: "nexudus", Login: "anna@example.COM"}, "day", now.Add(time.Hour))
	u.Use(&member.Member{Backend: "other", Login: "anna@example.com"}, "day", now.Add(2*time.Hour))
	if err := u.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if u, err = s.FirstUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	for backend, want := range map[string]time.Time{"nexudus": now, "other": now.Add(2 * time.Hour)} {
		if at, used := u.Used(&member.Member{Backend: backend, Login: "anna@example.com"}, "day"); !used || !at.Equal(want) {
			t.Errorf("%s: %v, %t; want %v", backend, at, used, want)
		}
	}
	if _, used := u.Used(anna, "week"); used {
		t.Error("another plan was used too")
	}
	// Another who gets the login later has used nothing yet.
	if err := s.Add(t.Context(), "nexudus", &member.Record{Member: *anna}); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), "nexudus", anna.Login); err != nil {
		t.Fatal(err)
	}
	if err := u.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, used := u.Used(anna, "day"); used {
		t.Error("who has her login now inherits the beginning of her day pass")
	}
	clock = now.Add(usesLast + 2*time.Hour)
	u.Use(anna, "week", clock)
	if err := u.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if u, err = s.FirstUses(t.Context()); err != nil || len(u.known) != 1 {
		t.Errorf("%d uses after a year, %v; want the new one", len(u.known), err)
	}
}

// What can't be written is not lost.
func TestFirstUsesAreTriedAgain(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.FirstUses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u.Use(&member.Member{Backend: "b", Login: "anna"}, "day", time.Now())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := u.Save(t.Context()); err == nil || len(u.unsaved) != 1 {
		t.Errorf("%v with the store closed, %d left to write", err, len(u.unsaved))
	}
}
