package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"memberradius/store"
)

// post puts events into the outbox and returns them as they were filled in.
func post(t *testing.T, s *store.Store, events ...store.Event) []store.Event {
	t.Helper()
	if _, err := s.Apply(t.Context(), club, &store.Changes{Events: events}); err != nil {
		t.Fatal(err)
	}
	return events
}

// due returns the logins and kinds of the events that are due at now.
func due(t *testing.T, s *store.Store, now time.Time) string {
	t.Helper()
	events, err := s.DueEvents(t.Context(), now, 100)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprintf("%s/%s/%d", e.Login, e.Kind, e.Tries))
	}
	return strings.Join(all, " ")
}

func journal(t *testing.T, s *store.Store) []store.Event {
	t.Helper()
	events, err := s.Events(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func byID(t *testing.T, s *store.Store) map[string]store.Event {
	t.Helper()
	all := map[string]store.Event{}
	for _, e := range journal(t, s) {
		all[e.ID] = e
	}
	return all
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	events := post(t, s, store.Event{Login: "anna", Kind: "welcome"}, store.Event{Login: "bob", Kind: "welcome", Next: now.Add(time.Minute)})
	now = now.Add(time.Second)
	post(t, s, store.Event{Login: "anna", Kind: "writeback"})
	if got, want := due(t, s, now), "anna/welcome/0 anna/writeback/0"; got != want {
		t.Errorf("due %q, want %q", got, want)
	}
	if got, err := s.DueEvents(t.Context(), now, 1); err != nil || len(got) != 1 || got[0].ID != events[0].ID {
		t.Errorf("at most one: %+v, %v", got, err)
	}
	if err := s.EventFailed(t.Context(), events[0].ID, now.Add(time.Minute), "451\r\ntry later", false); err != nil {
		t.Fatal(err)
	}
	if e := byID(t, s)[events[0].ID]; e.LastError != "451  try later" || e.Tries != 1 {
		t.Errorf("after a try that failed: %+v", e)
	}
	if got, want := due(t, s, now.Add(time.Minute-time.Millisecond)), "anna/writeback/0 bob/welcome/0"; got != want {
		t.Errorf("due %q, want %q", got, want)
	}
	if got, want := due(t, s, now.Add(time.Minute)), "anna/writeback/0 bob/welcome/0 anna/welcome/1"; got != want {
		t.Errorf("due %q, want %q", got, want)
	}
	now = now.Add(time.Minute)
	if err := s.EventDone(t.Context(), events[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := s.EventFailed(t.Context(), events[1].ID, time.Time{}, "no such mailbox", true); err != nil {
		t.Fatal(err)
	}
	if got, want := due(t, s, now.Add(time.Hour)), "anna/writeback/0"; got != want {
		t.Errorf("due %q, want %q", got, want)
	}
	// What has ended does not come back.
	if err := s.EventFailed(t.Context(), events[0].ID, now, "again", false); err != nil {
		t.Fatal(err)
	}
	if err := s.EventDone(t.Context(), events[1].ID); err != nil {
		t.Fatal(err)
	}
	all := byID(t, s)
	if e := all[events[0].ID]; len(all) != 3 || !e.Done.Equal(now) || e.Dead || e.Tries != 2 || e.LastError != "" || e.Backend != club || !e.Created.Equal(newYear) {
		t.Errorf("anna's: %+v", e)
	}
	if e := all[events[1].ID]; !e.Done.IsZero() || !e.Dead || e.Tries != 1 || e.LastError != "no such mailbox" {
		t.Errorf("bob's: %+v", e)
	}
	says(t, s.EventFailed(t.Context(), events[1].ID, time.Time{}, "x", false), "needs a time")
	if last := journal(t, s)[0]; last.Kind != "writeback" {
		t.Errorf("the newest is %+v", last)
	}
}

// TestOneOpenEvent wants a second event of a kind to take the place of the one
// that waits, and never to be lost with it.
func TestOneOpenEvent(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	first := post(t, s, store.Event{Login: "anna", Kind: "password"})[0]
	if err := s.EventFailed(t.Context(), first.ID, now.Add(time.Hour), "later", false); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	second := post(t, s, store.Event{Login: "ANNA", Kind: "password"})[0]
	if got, want := due(t, s, now), "ANNA/password/0"; got != want || len(journal(t, s)) != 1 {
		t.Errorf("due %q, want %q; %d events", got, want, len(journal(t, s)))
	}
	// Who was delivering the first when the second came ends nothing: what he sent was the old password.
	if err := s.EventDone(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if due(t, s, now) == "" || first.ID == second.ID {
		t.Error("the second is lost with the first")
	}
	if err := s.EventDone(t.Context(), second.ID); err != nil {
		t.Fatal(err)
	}
	third := post(t, s, store.Event{Login: "anna", Kind: "password"})[0]
	if got := due(t, s, now); got != "anna/password/0" || len(journal(t, s)) != 2 {
		t.Errorf("after one is done, another: due %q, %d events", got, len(journal(t, s)))
	}
	if err := s.EventFailed(t.Context(), third.ID, now, "no mailbox", true); err != nil {
		t.Fatal(err)
	}
	post(t, s, store.Event{Login: "anna", Kind: "password"})
	if got := due(t, s, now); got != "anna/password/0" || len(journal(t, s)) != 3 {
		t.Errorf("after one was given up, another: due %q, %d events", got, len(journal(t, s)))
	}
	if _, err := s.Apply(t.Context(), "other", &store.Changes{Events: []store.Event{{Login: "anna", Kind: "password"}}}); err != nil {
		t.Fatal(err)
	}
	if len(journal(t, s)) != 4 {
		t.Error("another backend's anna has lost her event")
	}
}

// TestForgetEndsWhatWaits wants nobody who gets a login later to be sent, or
// let to, what was another's.
func TestForgetEndsWhatWaits(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	for name, forget := range map[string]func() error{
		"remove": func() error { return s.Remove(t.Context(), club, "ANNA@example.com") },
		"forget": func() error {
			_, err := s.Apply(t.Context(), club, &store.Changes{Forget: []string{"ANNA@example.com"}})
			return err
		},
	} {
		add(t, s, anna())
		add(t, s, bob())
		done := post(t, s, store.Event{Login: "anna@example.com", Kind: "welcome"})[0]
		if err := s.EventDone(t.Context(), done.ID); err != nil {
			t.Fatal(err)
		}
		post(t, s, store.Event{Login: "anna@example.com", Kind: "welcome"}, store.Event{Login: "bob@example.com", Kind: "welcome"})
		visit, _, err := s.TakeLink(t.Context(), link(t, s, "anna@example.com", now.Add(time.Hour)), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		hers, his := link(t, s, "anna@example.com", now.Add(time.Hour)), link(t, s, "bob@example.com", now.Add(time.Hour))
		if err := forget(); err != nil {
			t.Fatal(err)
		}
		add(t, s, anna())
		if got, want := due(t, s, now), "bob@example.com/welcome/0"; got != want {
			t.Errorf("%s: due %q, want %q", name, got, want)
		}
		noLink(t, s, hers, visit)
		if _, err := s.PeekLink(t.Context(), his); err != nil {
			t.Errorf("%s: bob's link: %v", name, err)
		}
		if byID(t, s)[done.ID].Done.IsZero() {
			t.Errorf("%s: the journal has lost what was done", name)
		}
		if err := s.Remove(t.Context(), club, "anna@example.com"); err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(t.Context(), club, "bob@example.com"); err != nil {
			t.Fatal(err)
		}
	}
}
