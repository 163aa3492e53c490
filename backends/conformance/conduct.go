package conformance

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"memberradius/backends"
	"memberradius/member"
)

// soon is when an Ask must be back after its context has ended.
const soon = 2 * time.Second

func honoursContext(t *testing.T, s Subject) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	within(t, func() {
		ans, err := s.Backend.Ask(ended, attempt(s.Login, s.Password))
		if err == nil && ans.Verdict != member.Allow || errors.Is(err, member.ErrUnknown) {
			t.Errorf("with an ended context: %s, %v; a member is never refused for it", ans.Verdict, err)
		}
	})
	if s.Stall == nil {
		return
	}
	release := s.Stall(t)
	defer release()
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	within(t, func() {
		ans, err := s.Backend.Ask(short, attempt(s.Login, s.Password))
		if err == nil || backends.ClassOf(err) != backends.Timeout || ans.Verdict != member.Unanswered {
			t.Errorf("of a system that hangs: %s, %v; want an error of class timeout", ans.Verdict, err)
		}
	})
}

func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(soon):
		t.Fatalf("Ask is not back %s after its context has ended", soon)
	}
}

func manyAtOnce(t *testing.T, s Subject) {
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			right, wrong := attempt(s.Login, s.Password), attempt(s.Login, s.Password+member.Secret(fmt.Sprint(i)))
			if ans, err := s.Backend.Ask(t.Context(), right); err != nil || !admits(right, &ans) {
				t.Errorf("the right password: %s, %v", ans.Verdict, err)
			}
			if ans, err := s.Backend.Ask(t.Context(), wrong); err != nil || admits(wrong, &ans) {
				t.Errorf("a wrong password: %s, %v", ans.Verdict, err)
			}
			if _, err := s.Backend.Ask(t.Context(), attempt(s.Unknown, "x")); !errors.Is(err, member.ErrUnknown) {
				t.Errorf("an unknown login: %v", err)
			}
			k, ok := s.Backend.(backends.Knower)
			if !ok {
				return
			}
			var out member.Answer
			if k.Known(right, &out) == backends.Found && !admits(right, &out) {
				t.Error("Known: the right password is not let in")
			}
		})
	}
	wg.Wait()
}

// borrow returns an attempt whose strings lie in a buffer, as those of a
// packet do, and what overwrites it, as the next packet does.
func borrow(login string, password member.Secret) (a *member.Attempt, overwrite func()) {
	buf := []byte(login + string(password) + "main" + "lobby")
	cut := func(n int) string {
		s := unsafe.String(unsafe.SliceData(buf), n) //nolint:gosec // what the server does with a packet is what is tested
		buf = buf[n:]
		return s
	}
	all := buf
	a = attempt("", "")
	a.Login = cut(len(login))
	a.Proof.Password = member.Secret(cut(len(password)))
	a.Site, a.Client = cut(4), cut(5)
	return a, func() {
		for i := range all {
			all[i] = '#'
		}
	}
}

func keepsNoStrings(t *testing.T, s Subject) {
	a, overwrite := borrow(s.Login, s.Password)
	ans, err := s.Backend.Ask(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	before := spell(&ans)
	overwrite()
	if after := spell(&ans); after != before {
		t.Errorf("the answer changes with the packet:\n%s\n%s", before, after)
	}
	for range 3 {
		a, overwrite := borrow(s.Login, s.Password)
		ans, err := s.Backend.Ask(t.Context(), a)
		if err != nil || !admits(a, &ans) {
			t.Errorf("the same member again: %s, %v", ans.Verdict, err)
		}
		overwrite()
	}
}

// spell writes out the strings of an answer.
func spell(ans *member.Answer) string {
	m := &ans.Member
	return fmt.Sprintf("%q %q %q %q %q %q %q %q %q %v %q %q %q", m.Backend, m.Login, m.ID, m.MembershipID, m.Name, m.Plans,
		m.Team, m.VLAN, m.TeamVLAN, ans.Attributes, ans.Message, ans.ReturnURL, ans.Source)
}

func doesNotChangeTheAttempt(t *testing.T, s Subject) {
	a := attempt(s.Login, s.Password)
	before := *a
	_, _ = s.Backend.Ask(t.Context(), a)
	if *a != before {
		t.Error("Ask changes the attempt")
	}
}

func knownAgreesWithAsk(t *testing.T, s Subject) {
	k, ok := s.Backend.(backends.Knower)
	if !ok {
		t.Skip("this kind has no memory")
	}
	tries := []*member.Attempt{
		attempt(s.Login, s.Password), attempt(strings.ToUpper(s.Login), s.Password), attempt(s.Login, s.Password+"x"),
		attempt(s.Unknown, s.Password), attempt("", ""), attempt("\xff", "x"), {},
	}
	if s.Disabled != "" {
		tries = append(tries, attempt(s.Disabled, s.DisabledPassword))
	}
	for _, a := range tries {
		var known member.Answer
		memory := k.Known(a, &known)
		ans, err := s.Backend.Ask(t.Context(), a)
		switch memory {
		case backends.Found:
			known.Age, ans.Age = 0, 0
			if err != nil || !reflect.DeepEqual(known, ans) {
				t.Errorf("%q: Known and Ask differ: %s, and %s, %v", a.Login, known.Verdict, ans.Verdict, err)
			}
		case backends.Absent:
			if !errors.Is(err, member.ErrUnknown) {
				t.Errorf("%q: Known says Absent, Ask %s, %v", a.Login, ans.Verdict, err)
			}
		}
	}
}

func knownAllocatesNothing(t *testing.T, s Subject) {
	k, ok := s.Backend.(backends.Knower)
	if !ok {
		t.Skip("this kind has no memory")
	}
	for _, login := range []string{s.Login, strings.ToUpper(s.Login), s.Unknown} {
		a := attempt(login, s.Password)
		var out member.Answer
		_, _ = s.Backend.Ask(t.Context(), a)
		if n := testing.AllocsPerRun(200, func() { k.Known(a, &out) }); n != 0 {
			t.Errorf("Known(%q) allocates %v times", login, n)
		}
	}
}

func secretsStayOutOfErrors(t *testing.T, s Subject) {
	secrets := append([]member.Secret{s.Password, s.DisabledPassword}, s.Secrets...)
	check := func(err error) {
		if err == nil {
			return
		}
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
			for _, secret := range secrets {
				if secret != "" && strings.Contains(text, string(secret)) {
					t.Errorf("an error holds a secret: %s", strings.ReplaceAll(text, string(secret), "<the secret>"))
				}
			}
		}
	}
	_, err := s.Backend.Ask(t.Context(), attempt(s.Unknown, s.Password))
	check(err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Backend.Ask(ended, attempt(s.Login, s.Password))
	check(err)
	if s.Break == nil {
		return
	}
	mend := s.Break(t)
	defer mend()
	_, err = s.Backend.Ask(t.Context(), attempt(s.Login, s.Password))
	check(err)
}
