package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
)

func load(t *testing.T, s *store.Store) *store.Members {
	t.Helper()
	m, err := s.Members(t.Context(), club)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func refresh(t *testing.T, m *store.Members) {
	t.Helper()
	if err := m.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	add(t, s, bob())
	r := carol()
	r.Member.Login = "Zoë@Example.com"
	add(t, s, r)
	if err := s.Add(t.Context(), "other", dave()); err != nil {
		t.Fatal(err)
	}
	m := load(t, s)
	want := bob()
	want.Member.Backend = club
	for _, login := range []string{"Bob@Example.com", "bob@example.com", "BOB@EXAMPLE.COM"} {
		got, ok := m.Lookup(login)
		if !ok || describe(got) != describe(want) {
			t.Errorf("%s: %v, got  %s\nwant %s", login, ok, describe(got), describe(want))
		}
	}
	for _, login := range []string{"ZOË@example.com", "zoe\u0308@example.com"} {
		if got, ok := m.Lookup(login); !ok || got.Member.Login != r.Member.Login {
			t.Errorf("%q is not found", login)
		}
	}
	for _, login := range []string{"", "bob", "dave@example.com", strings.Repeat("b", 254), "bob@example.com\x00", "\xff"} {
		if got, ok := m.Lookup(login); ok || got != nil {
			t.Errorf("%q is found", login)
		}
	}
	if m.Len() != 2 || m.Backend() != club {
		t.Errorf("%d members of %q", m.Len(), m.Backend())
	}
}

func TestLookupAllocatesNothing(t *testing.T) { // not parallel: it counts the allocations of the whole process
	s := open(t, filledDir(t, 20))
	m := load(t, s)
	for _, login := range []string{"Member000007@Example.com", "nobody@example.com"} {
		if n := testing.AllocsPerRun(1000, func() { m.Lookup(login) }); n != 0 {
			t.Errorf("%s: %v allocations", login, n)
		}
	}
}

// TestRefresh changes the members through another Store on the same files, as
// the verbs of the command line do.
func TestRefresh(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, verb := open(t, dir), open(t, dir)
	m := load(t, server)
	if m.Len() != 0 {
		t.Fatalf("%d members in an empty store", m.Len())
	}
	add(t, verb, bob())
	add(t, verb, carol())
	refresh(t, m)
	old, ok := m.Lookup("bob@example.com")
	if !ok {
		t.Fatal("bob was added, and is not found")
	}
	edit(t, verb, credential("bob@example.com", member.Credential{Password: "another"}))
	if err := verb.Remove(t.Context(), club, "carol@example.com"); err != nil {
		t.Fatal(err)
	}
	refresh(t, m)
	if r, _ := m.Lookup("bob@example.com"); r.Credential.Password != "another" || r.Credential.NTHash != nil {
		t.Error("bob still has his old password")
	}
	if old.Credential.Password != bob().Credential.Password {
		t.Error("a record that was handed out has changed")
	}
	if _, ok := m.Lookup("carol@example.com"); ok {
		t.Error("carol was removed, and is found")
	}
	// Gone and back between two looks.
	if err := verb.Remove(t.Context(), club, "bob@example.com"); err != nil {
		t.Fatal(err)
	}
	add(t, verb, bob())
	if _, err := verb.Import(t.Context(), club, crowd(300)); err != nil {
		t.Fatal(err)
	}
	refresh(t, m)
	if _, ok := m.Lookup("bob@example.com"); !ok || m.Len() != 301 {
		t.Errorf("%d members, bob %v", m.Len(), ok)
	}
	// A change of another backend is none of ours.
	if err := verb.Add(t.Context(), "other", dave()); err != nil {
		t.Fatal(err)
	}
	refresh(t, m)
	if m.Len() != 301 {
		t.Errorf("%d members", m.Len())
	}
}

// TestRefreshAfterRestore puts an older state back under a running server, as
// the sqlite3 shell's .restore does.
func TestRefreshAfterRestore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	for _, r := range []*member.Record{bob(), carol(), dave()} {
		add(t, s, r)
	}
	m := load(t, s)
	statement(t, dir, `DELETE FROM member WHERE login LIKE 'dave%'`)
	statement(t, dir, `UPDATE change SET counter = 2`)
	refresh(t, m)
	if _, ok := m.Lookup("dave@example.com"); ok || m.Len() != 2 {
		t.Errorf("%d members after a restore, dave %v", m.Len(), ok)
	}
}

// TestRefreshFails wants the old members to hold while the new can't be read,
// and the next Refresh to read them.
func TestRefreshFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	add(t, s, bob())
	m := load(t, s)
	tick, reports := make(chan time.Time), make(chan error, 10)
	ctx, cancel := context.WithCancel(t.Context())
	var watch sync.WaitGroup
	watch.Go(func() { m.Watch(ctx, tick, func(err error) { reports <- err }) })

	add(t, s, carol())
	statement(t, dir, `UPDATE credential SET password = x'00'`)
	tick <- time.Time{}
	says(t, <-reports, "carol@example.com", "sealed")
	tick <- time.Time{} // fails again, which is not said again
	if _, ok := m.Lookup("bob@example.com"); !ok || m.Len() != 1 {
		t.Error("the old members do not hold")
	}
	tick <- time.Time{} // taken when the one before has failed
	edit(t, s, credential("carol@example.com", member.Credential{Password: "again"}))
	tick <- time.Time{}
	if err := <-reports; err != nil {
		t.Errorf("after the repair: %v", err)
	}
	if _, ok := m.Lookup("carol@example.com"); !ok {
		t.Error("carol is not found after the repair")
	}
	cancel()
	watch.Wait() // the goroutine ends
	if len(reports) > 0 {
		t.Errorf("one report too many: %v", <-reports)
	}
}

// TestRefreshWhileLookup is for the race detector.
func TestRefreshWhileLookup(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	edits := crowd(60)
	if _, err := s.Import(t.Context(), club, edits); err != nil {
		t.Fatal(err)
	}
	m := load(t, s)
	done := make(chan struct{})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				login := edits[i%30].Record.Member.Login // nobody removes these
				r, ok := m.Lookup(login)
				if !ok || r.Credential.NTHash == nil || r.Member.Plans[0] == "" {
					t.Errorf("%s is not found, or half", login)
					return
				}
			}
		})
	}
	for round := range 10 {
		for i := range 2 {
			e := edits[round*2+i]
			e.Record.Member.Team = fmt.Sprint("round ", round)
			edit(t, s, &e)
			if err := s.Remove(t.Context(), club, edits[30+round*2+i].Record.Member.Login); err != nil {
				t.Error(err)
			}
		}
		all.Go(func() {
			if err := m.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	close(done)
	all.Wait()
	refresh(t, m)
	if m.Len() != 40 {
		t.Errorf("%d members are left, want 40", m.Len())
	}
}

func TestClosedStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	add(t, s, bob())
	m := load(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok := m.Lookup("bob@example.com"); !ok {
		t.Error("members end with their store")
	}
	says(t, m.Refresh(t.Context()), "closed")
	says(t, s.Add(t.Context(), club, carol()), "closed")
	_, err := s.Get(t.Context(), club, "bob@example.com")
	says(t, err, "closed")
	if s.Path() != filepath.Join(dir, "memberradius.db") {
		t.Errorf("path %s", s.Path())
	}
	if stopped := errors.New("enough"); !errors.Is(open(t, dir).Each(t.Context(), club, func(*store.Entry) error { return stopped }), stopped) {
		t.Error("Each hides the error of its caller")
	}
}

// TestMembersFollow: who is told of, when the members change.
func TestMembersFollow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, verb := open(t, dir), open(t, dir)
	m := load(t, server)
	told := "nothing"
	m.Follow(func(logins []string) {
		slices.Sort(logins)
		told = fmt.Sprintf("%d of %d: %s", len(logins), m.Len(), strings.Join(logins, " ")) // Len: what is new is there
		if logins == nil {
			told = "anybody"
		}
	})
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return nil }, "nothing"},
		{func() error { return verb.Add(t.Context(), club, bob()) }, "nothing"}, // the first reading
		{func() error { return verb.Add(t.Context(), club, carol()) }, "1 of 2: carol@example.com"},
		{func() error {
			return errors.Join(verb.Edit(t.Context(), club, &store.Edit{Fields: store.FieldDisabled, Record: *bob()}), verb.Remove(t.Context(), club, "carol@example.com"))
		}, "1 of 1: carol@example.com"}, // bob is as he was
		{func() error { return verb.Add(t.Context(), "other", carol()) }, "nothing"},
		{func() error { statement(t, dir, `UPDATE change SET counter = counter + 1`); return nil }, "nothing"},
		{func() error { statement(t, dir, `UPDATE change SET counter = 1`); return nil }, "anybody"},
	} {
		told = "nothing"
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		refresh(t, m)
		if told != step.want {
			t.Errorf("told %q, want %q", told, step.want)
		}
	}
}
