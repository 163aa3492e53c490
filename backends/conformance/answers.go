package conformance

import (
	"errors"
	"strings"
	"testing"

	"memberradius/backends"
	"memberradius/member"
)

func allowsWhoProves(t *testing.T, s Subject) {
	a := attempt(s.Login, s.Password)
	ans, err := s.Backend.Ask(t.Context(), a)
	if err != nil {
		t.Fatalf("Ask(%q) with the right password: %v", s.Login, err)
	}
	if !admits(a, &ans) {
		t.Errorf("the right password does not let in: verdict %s, proved %v", ans.Verdict, ans.Proved)
	}
	if ans.Reason != member.ReasonNone {
		t.Errorf("an Allow has the reason %s", ans.Reason)
	}
	if ans.Source == "" {
		t.Error("the answer does not say its Source, the backend's name")
	}
	if ans.Member.Backend != ans.Source || ans.Member.Login == "" {
		t.Errorf("the member's key is %q, %q: she is known by backend and login", ans.Member.Backend, ans.Member.Login)
	}
}

func wrongPasswordIsNotLetIn(t *testing.T, s Subject) {
	for _, wrong := range []member.Secret{s.Password + "x", "x" + s.Password, s.Password[:len(s.Password)-1], "\x00", s.Password + "\x00"} {
		a := attempt(s.Login, wrong)
		ans, err := s.Backend.Ask(t.Context(), a)
		if err != nil {
			t.Fatalf("a wrong password is no error of the system: %v", err)
		}
		if admits(a, &ans) {
			t.Error("a wrong password lets in")
		}
	}
}

func loginsFold(t *testing.T, s Subject) {
	a := attempt(strings.ToUpper(s.Login), s.Password)
	ans, err := s.Backend.Ask(t.Context(), a)
	if err != nil || !admits(a, &ans) {
		t.Errorf("Ask(%q) = %s, %v: logins are compared by member.Fold", a.Login, ans.Verdict, err)
	}
}

func unknownIsErrUnknown(t *testing.T, s Subject) {
	for _, login := range []string{s.Unknown, "", s.Unknown + "\x00", "\xff\xfe", strings.Repeat("x", member.MaxLogin)} {
		ans, err := s.Backend.Ask(t.Context(), attempt(login, s.Password))
		if !errors.Is(err, member.ErrUnknown) {
			t.Errorf("Ask(%q) = %s, %v, want member.ErrUnknown", login, ans.Verdict, err)
		}
		if ans.Verdict != member.Unanswered || ans.Proved || ans.Credential != nil {
			t.Errorf("Ask(%q) answers besides its error: verdict %s, proved %v", login, ans.Verdict, ans.Proved)
		}
	}
}

func brokenIsNotUnknown(t *testing.T, s Subject) {
	if s.Break == nil {
		t.Skip("this kind answers from memory alone")
	}
	mend := s.Break(t)
	for _, login := range []string{s.Login, s.Unknown} {
		ans, err := s.Backend.Ask(t.Context(), attempt(login, s.Password))
		if err == nil || errors.Is(err, member.ErrUnknown) {
			t.Errorf("a broken system says %s, %v of %q; it could not say", ans.Verdict, err, login)
		}
		if ans.Verdict != member.Unanswered {
			t.Errorf("a broken system says %s of %q besides its error", ans.Verdict, login)
		}
		var e *backends.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("the error has no class: %v", err)
		}
	}
	mend()
	a := attempt(s.Login, s.Password)
	if ans, err := s.Backend.Ask(t.Context(), a); err != nil || !admits(a, &ans) {
		t.Errorf("after it was mended: %s, %v", ans.Verdict, err)
	}
}

func disabledAfterTheProof(t *testing.T, s Subject) {
	if s.Disabled == "" {
		t.Skip("this kind has no disabled members")
	}
	a := attempt(s.Disabled, s.DisabledPassword)
	ans, err := s.Backend.Ask(t.Context(), a)
	if err != nil {
		t.Fatalf("Ask(%q): %v", s.Disabled, err)
	}
	if ans.Verdict != member.Deny || ans.Reason == member.ReasonNone {
		t.Errorf("a disabled member: verdict %s, reason %s", ans.Verdict, ans.Reason)
	}
	if !proves(a, &ans) {
		t.Error("a right password must prove a disabled member too: only then may she hear why she is refused")
	}
	wrong := attempt(s.Disabled, s.DisabledPassword+"x")
	ans, err = s.Backend.Ask(t.Context(), wrong)
	if err != nil {
		t.Fatalf("Ask(%q) with a wrong password: %v", s.Disabled, err)
	}
	if ans.Verdict == member.Allow || proves(wrong, &ans) {
		t.Error("a wrong password proves a disabled member")
	}
}

// nothingProvesNobody asks with what proves nothing here, and with what the
// server has proved itself: no system may claim to have proved it.
func nothingProvesNobody(t *testing.T, s Subject) {
	for _, kind := range []member.ProofKind{member.NoProof, member.CHAP, member.MAC, member.Certificate, member.Proved, 200} {
		a := attempt(s.Login, "")
		a.Proof.Kind = kind
		ans, err := s.Backend.Ask(t.Context(), a)
		if ans.Proved {
			t.Errorf("kind %s: the system claims to have proved it (%s, %v)", kind, ans.Verdict, err)
		}
	}
	ans, _ := s.Backend.Ask(t.Context(), &member.Attempt{})
	if ans.Proved || ans.Verdict == member.Allow {
		t.Errorf("the zero Attempt: verdict %s, proved %v", ans.Verdict, ans.Proved)
	}
}

// emptyPasswordProvesNobody: systems that take an empty password for an
// anonymous bind let everybody in (RFC 4513 §5.1.2).
func emptyPasswordProvesNobody(t *testing.T, s Subject) {
	a := attempt(s.Login, "")
	ans, err := s.Backend.Ask(t.Context(), a)
	if err == nil && admits(a, &ans) {
		t.Error("an empty password lets in")
	}
}
