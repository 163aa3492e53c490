package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
)

// aLink has the form of a link, and leads nowhere.
var aLink = member.Secret(strings.Repeat("A", 64))

func link(t *testing.T, s *store.Store, login string, until time.Time) member.Secret {
	t.Helper()
	secret, err := s.MakeLink(t.Context(), club, login, until)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// noLink wants none of secrets to be good for anything.
func noLink(t *testing.T, s *store.Store, secrets ...member.Secret) {
	t.Helper()
	for i, secret := range secrets {
		l, peek := s.PeekLink(t.Context(), secret)
		v, visit := s.LinkSession(t.Context(), secret)
		session, taken, take := s.TakeLink(t.Context(), secret, time.Hour)
		for _, err := range []error{peek, visit, take} {
			if !errors.Is(err, store.ErrNoLink) || err.Error() != "no such link" || l != nil || v != nil || taken != nil || session != "" {
				t.Errorf("secret %d: %v", i, err)
			}
		}
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	add(t, s, anna())
	secret := link(t, s, "ANNA@example.com", now.Add(time.Hour))
	want := store.Link{Backend: club, Login: "Anna@Example.com", Until: now.Add(time.Hour)}
	for range 2 { // looking does not use it up
		if l, err := s.PeekLink(t.Context(), secret); err != nil || *l != want {
			t.Fatalf("%+v, %v", l, err)
		}
	}
	if _, err := s.LinkSession(t.Context(), secret); !errors.Is(err, store.ErrNoLink) {
		t.Errorf("a link is taken for a visit: %v", err)
	}
	now = now.Add(time.Hour - time.Millisecond)
	visit, l, err := s.TakeLink(t.Context(), secret, 20*time.Minute)
	want.Until = now.Add(20 * time.Minute)
	if err != nil || *l != want {
		t.Fatalf("%+v, %v", l, err)
	}
	noLink(t, s, secret, "", aLink, member.Secret(string(visit)[:22]+string(secret)[22:]))
	if _, err := s.PeekLink(t.Context(), visit); !errors.Is(err, store.ErrNoLink) {
		t.Errorf("a visit is taken for a link: %v", err)
	}
	if _, _, err := s.TakeLink(t.Context(), visit, time.Hour); !errors.Is(err, store.ErrNoLink) {
		t.Errorf("a visit is made longer: %v", err)
	}
	absent(t, dir, string(secret), string(visit), string(secret)[22:], string(visit)[22:])
	now = now.Add(20*time.Minute - time.Millisecond)
	if l, err := s.LinkSession(t.Context(), visit); err != nil || *l != want {
		t.Errorf("%+v, %v", l, err)
	}
	now = now.Add(time.Millisecond)
	noLink(t, s, visit)
	if secret, err := s.MakeLink(t.Context(), club, "nobody", now.Add(time.Hour)); !errors.Is(err, member.ErrUnknown) || secret != "" {
		t.Errorf("a link for nobody: %v", err)
	}
}

func TestLinksEnd(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	add(t, s, anna())
	add(t, s, bob())
	bobs := link(t, s, "bob@example.com", now.Add(time.Hour))
	visit, _, err := s.TakeLink(t.Context(), link(t, s, "anna@example.com", now.Add(time.Hour)), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	first := link(t, s, "anna@example.com", now.Add(time.Hour))
	second := link(t, s, "anna@example.com", now.Add(time.Minute))
	noLink(t, s, first)
	for _, good := range []member.Secret{bobs, second} {
		if _, err := s.PeekLink(t.Context(), good); err != nil {
			t.Errorf("ended with another's: %v", err)
		}
	}
	if _, err := s.LinkSession(t.Context(), visit); err != nil {
		t.Errorf("a new link ends a visit that goes on: %v", err)
	}
	now = now.Add(time.Minute)
	noLink(t, s, second)
}

// TestLinkIsTakenOnce lets many take one link at the same time, by several processes' stores.
func TestLinkIsTakenOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	add(t, s, anna())
	secret := link(t, s, "anna@example.com", time.Now().Add(time.Hour))
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		s := open(t, dir)
		all.Go(func() { _, _, errs[i] = s.TakeLink(t.Context(), secret, time.Hour) })
	}
	all.Wait()
	taken := 0
	for _, err := range errs {
		if err == nil {
			taken++
		} else if !errors.Is(err, store.ErrNoLink) {
			t.Error(err)
		}
	}
	if taken != 1 {
		t.Errorf("it was taken %d times", taken)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	add(t, s, anna())
	fill := func(name string) {
		t.Helper()
		_, err := s.Apply(t.Context(), club, &store.Changes{Delivery: name})
		if err != nil {
			t.Fatal(err)
		}
		link(t, s, "anna@example.com", now.Add(time.Hour))
		if _, _, err := s.TakeLink(t.Context(), link(t, s, "anna@example.com", now.Add(time.Hour)), time.Hour); err != nil {
			t.Fatal(err)
		}
		done := post(t, s, store.Event{Login: name, Kind: "done"}, store.Event{Login: name, Kind: "open"}, store.Event{Login: name, Kind: "dead"})
		if err := errors.Join(s.EventDone(t.Context(), done[0].ID), s.EventFailed(t.Context(), done[2].ID, now, "", true)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.CreateToken(t.Context(), name+" expires", []string{"x"}, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, err := newToken(t, s, name+" is revoked"); err != nil {
			t.Fatal(err)
		}
		if err := s.RevokeToken(t.Context(), name+" is revoked"); err != nil {
			t.Fatal(err)
		}
		if _, err := newToken(t, s, name+" stays"); err != nil {
			t.Fatal(err)
		}
	}
	const day = 24 * time.Hour
	fill("a")
	for _, c := range []struct {
		at   time.Duration
		want string // rows of page_link, push_seen, outbox, api_token
	}{
		{time.Hour - time.Millisecond, "[1 1 3 3]"},
		{time.Hour, "[0 1 3 3]"},
		{day - time.Millisecond, "[0 1 3 3]"},
		{day, "[0 0 3 3]"},
		{30*day - time.Millisecond, "[0 0 3 3]"},
		{30 * day, "[0 0 1 3]"},
		{90*day - time.Millisecond, "[0 0 1 3]"},
		{90 * day, "[0 0 1 2]"},
		{90*day + time.Hour, "[0 0 1 1]"},
	} {
		now = newYear.Add(c.at)
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(rows(t, dir, "page_link", "push_seen", "outbox", "api_token")); got != c.want {
			t.Errorf("after %v: %s rows, want %s", c.at, got, c.want)
		}
	}
	fill("b") // all of it works on
}

// A letter that is sent again may have come: its first link stays good beside the new one.
func TestMakeLinkBeside(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Add(t.Context(), "b", &member.Record{Member: member.Member{Login: "anna"}}); err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(time.Hour)
	first, err := s.MakeLink(t.Context(), "b", "anna", until)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.MakeLinkBeside(t.Context(), "b", "anna", until)
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range []member.Secret{first, second} {
		if _, err := s.PeekLink(t.Context(), link); err != nil {
			t.Error(err)
		}
	}
}
