package local_test

import (
	"errors"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/backends/conformance"
	"memberradius/backends/local"
	"memberradius/member"
	"memberradius/store"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// stored opens the backend over a real store with members.
func stored(t *testing.T, members ...member.Record) backends.Backend {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for i := range members {
		if err := s.Add(t.Context(), "club", &members[i]); err != nil {
			t.Fatal(err)
		}
	}
	directory, err := s.Members(t.Context(), "club")
	if err != nil {
		t.Fatal(err)
	}
	b, err := local.Config{}.Open(backends.Deps{Name: "club", Directory: directory, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func record(login string, password member.Secret) member.Record {
	return member.Record{Member: member.Member{Login: login}, Credential: member.Credential{Password: password}}
}

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) conformance.Subject {
		gone := record("gone@example.com", "correct-horse")
		gone.Member.Disabled = true
		return conformance.Subject{
			Backend: stored(t, record("bob@example.com", "battery-staple"), gone),
			Login:   "bob@example.com", Password: "battery-staple", Unknown: "alice@example.com",
			Disabled: "gone@example.com", DisabledPassword: "correct-horse",
		}
	})
}

func TestJudgesByTheClock(t *testing.T) {
	t.Parallel()
	early, late, disabled := record("early", "x"), record("late", "x"), record("disabled", "x")
	early.Member.ValidFrom = noon.Add(time.Second)
	late.Member.ValidUntil = noon
	disabled.Member.Disabled = true
	b := stored(t, record("bob", "x"), early, late, disabled)
	for login, want := range map[string]member.Reason{
		"bob": member.ReasonNone, "early": member.ReasonNotYetValid, "late": member.ReasonExpired, "disabled": member.ReasonDisabled,
	} {
		ans, err := b.Ask(t.Context(), &member.Attempt{Login: login})
		if err != nil || ans.Reason != want || (ans.Verdict == member.Allow) != (want == member.ReasonNone) {
			t.Errorf("%s: %s, %s, %v; want %s", login, ans.Verdict, ans.Reason, err, want)
		}
		if ans.Source != "club" || ans.Member.Backend != "club" || ans.Credential == nil {
			t.Errorf("%s: source %q, member of %q", login, ans.Source, ans.Member.Backend)
		}
	}
}

// TestKnownLeavesNothingBehind gives Known an answer that held another member.
func TestKnownLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	b := stored(t, record("bob", "x"))
	out := member.Answer{Proved: true, NTKey: new(member.Hash), Message: "another's", Age: time.Hour}
	if got := b.(backends.Knower).Known(&member.Attempt{Login: "bob"}, &out); got != backends.Found {
		t.Fatalf("bob: %v", got)
	}
	if out.Proved || out.NTKey != nil || out.Message != "" || out.Age != 0 {
		t.Error("parts of the answer before are still there")
	}
}

func TestNeedsADirectory(t *testing.T) {
	t.Parallel()
	if _, err := (local.Config{}).Open(backends.Deps{Name: "club"}); err == nil {
		t.Error("opened without members")
	}
	b := stored(t)
	if _, err := b.Ask(t.Context(), &member.Attempt{Login: "bob"}); !errors.Is(err, member.ErrUnknown) {
		t.Errorf("an empty store: %v", err)
	}
}
