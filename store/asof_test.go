package store

import (
	"testing"
	"time"

	"memberradius/member"
)

// What a push says is old news where a newer one was applied, of a member by her
// login or by her id, though she may never have been here.
func TestNewer(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	clock := now
	s, err := Open(t.Context(), Config{Dir: t.TempDir(), Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	of := func(login, id string) member.Record {
		return member.Record{Member: member.Member{Login: login, ID: id}}
	}
	said := []member.Record{of("Anna@Example.com", "7"), of("", "8")}
	if _, err := s.Apply(t.Context(), "b", &Changes{AsOf: now, Of: said}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		backend string
		record  member.Record
		at      time.Duration
		newer   bool
	}{
		{"older", "b", of("anna@example.com", ""), -time.Millisecond, false},
		{"older, another login", "b", of("anna@new.example.com", "7"), -time.Millisecond, false},
		{"older, by id", "b", of("berta", "8"), -time.Hour, false},
		{"as new", "b", of("anna@example.com", "7"), 0, true},
		{"newer", "b", of("anna@example.com", "7"), time.Millisecond, true},
		{"of another", "b", of("carla", "9"), -time.Hour, true},
		{"of another backend", "c", of("anna@example.com", "7"), -time.Hour, true},
	} {
		got, err := s.Newer(t.Context(), tt.backend, now.Add(tt.at), []member.Record{tt.record})
		if err != nil || (len(got) == 1) != tt.newer {
			t.Errorf("%s: %d are newer, %v", tt.name, len(got), err)
		}
	}
	// An older one that is applied none the less does not make it older.
	if _, err := s.Apply(t.Context(), "b", &Changes{AsOf: now.Add(-time.Hour), Of: said}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Newer(t.Context(), "b", now.Add(-time.Minute), said); err != nil || len(got) != 0 {
		t.Errorf("after an older one: %d are newer, %v", len(got), err)
	}
	clock = now.Add(asOfKept + time.Second)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Newer(t.Context(), "b", now.Add(-time.Minute), said); err != nil || len(got) != 2 {
		t.Errorf("after it was swept: %d are newer, %v", len(got), err)
	}
}
