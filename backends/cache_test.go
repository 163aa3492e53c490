package backends

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
)

// A clock that a test sets.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newClock() *clock { return &clock{t: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func newCache(t *testing.T, next Backend, c CacheConfig) *Cache {
	t.Helper()
	c.Deps.Name = "club"
	k := NewCache(next, c)
	t.Cleanup(func() { _ = k.Close() })
	return k
}

func TestCacheFreshAndGrace(t *testing.T) {
	t.Parallel()
	var err error
	f, at, m := system(&err), newClock(), new(Meter)
	c := newCache(t, f, CacheConfig{Deps: Deps{Now: at.now, Meter: m}, Fresh: 5 * time.Minute, Grace: time.Hour})
	ask := func(password member.Secret) (member.Answer, error) { return c.Ask(t.Context(), pap("Bob", password)) }
	steps := []struct {
		name    string
		wait    time.Duration
		err     error
		allowed bool
		age     time.Duration
		calls   int32
	}{
		{"first", 0, nil, true, 0, 1},
		{"fresh", 4 * time.Minute, class(Faulty), true, 4 * time.Minute, 1},
		{"no longer fresh", time.Minute, nil, true, 0, 2},
		{"timeout", 10 * time.Minute, class(Timeout), true, 10 * time.Minute, 3},
		{"unreachable", 0, class(Unreachable), true, 10 * time.Minute, 4},
		{"faulty", 0, class(Faulty), true, 10 * time.Minute, 5},
		{"throttled", 0, class(Throttled), true, 10 * time.Minute, 6},
		{"open", 0, class(Open), true, 10 * time.Minute, 7},
		{"full", 0, class(Full), true, 10 * time.Minute, 8},
		{"token refused", 0, class(TokenRefused), true, 10 * time.Minute, 9},
		{"bad answer", 0, class(BadAnswer), true, 10 * time.Minute, 10},
		{"no class", 0, errBad, true, 10 * time.Minute, 11},
		{"grace is over", 50 * time.Minute, class(Timeout), false, 0, 12},
	}
	for _, s := range steps {
		at.add(s.wait)
		err = s.err
		ans, got := ask("hello")
		if (got == nil && ans.Verdict == member.Allow) != s.allowed || ans.Age != s.age || f.calls.Load() != s.calls {
			t.Errorf("%s: %s, age %s, %v, %d calls", s.name, ans.Verdict, ans.Age, got, f.calls.Load())
		}
	}
	if got := m.Figures(); got.Fresh != 1 || got.Grace != 9 || got.Entries != 1 {
		t.Errorf("%+v", got)
	}
}

func TestCacheKeepsToTheProof(t *testing.T) {
	t.Parallel()
	f := &fake{say: func(_ context.Context, a *member.Attempt) (member.Answer, error) {
		switch {
		case a.Login == "nobody":
			return member.Answer{}, member.ErrUnknown
		case a.Proof.Kind != member.Password || a.Proof.Password == "hello":
			return allow, nil
		}
		return deny, nil
	}}
	c := newCache(t, f, CacheConfig{Fresh: time.Hour, Grace: time.Hour})
	other := pap("bob", "hello")
	other.Port = 11812
	gate := pap("bob", "")
	gate.Proof = proved
	tests := []struct {
		name    string
		a       *member.Attempt
		verdict member.Verdict
		calls   int32
	}{
		{"right", pap("bob", "hello"), member.Allow, 1},
		{"again, in capitals", pap("BOB", "hello"), member.Allow, 1},
		{"wrong", pap("bob", "hellO"), member.Deny, 2},
		{"wrong again: a refusal is not kept", pap("bob", "hellO"), member.Deny, 3},
		{"right: a refusal takes its own key only", pap("bob", "hello"), member.Allow, 3},
		{"login and password do not run together", pap("bobh", "ello"), member.Deny, 4},
		{"another port", other, member.Allow, 5},
		{"another kind of proof", gate, member.Allow, 6},
		{"MS-CHAPv2", mschapv2(1), member.Allow, 7},
		{"MS-CHAPv2 again", mschapv2(1), member.Allow, 8},
		{"no proof", &member.Attempt{Login: "bob"}, member.Allow, 9},
		{"unknown", pap("nobody", "hello"), 0, 10},
	}
	for _, tt := range tests {
		if ans, _ := c.Ask(t.Context(), tt.a); ans.Verdict != tt.verdict || f.calls.Load() != tt.calls {
			t.Errorf("%s: %s after %d calls", tt.name, ans.Verdict, f.calls.Load())
		}
	}
}

func TestRefusalForgets(t *testing.T) {
	t.Parallel()
	for _, refuse := range []*fake{always(deny, nil), unknown()} {
		at := newClock()
		f := always(allow, nil)
		c := newCache(t, f, CacheConfig{Deps: Deps{Now: at.now}, Fresh: time.Minute, Grace: time.Hour})
		_, _ = c.Ask(t.Context(), pap("bob", "hello"))
		at.add(2 * time.Minute)
		f.say = refuse.say
		_, _ = c.Ask(t.Context(), pap("bob", "hello"))
		f.say = fails(Timeout).say
		if ans, err := c.Ask(t.Context(), pap("bob", "hello")); err == nil || ans.Verdict == member.Allow {
			t.Errorf("grace after a refusal: %s", ans.Verdict)
		}
	}
}

func TestCacheEndsWithTheMembership(t *testing.T) {
	t.Parallel()
	at := newClock()
	ans := allow
	ans.Member.ValidUntil = at.t.Add(10 * time.Minute)
	var err error
	f := &fake{say: func(context.Context, *member.Attempt) (member.Answer, error) { return ans, err }}
	c := newCache(t, f, CacheConfig{Deps: Deps{Now: at.now}, Fresh: time.Hour, Grace: time.Hour})
	_, _ = c.Ask(t.Context(), pap("bob", "hello"))
	at.add(10 * time.Minute)
	err = class(Timeout)
	var out member.Answer
	if c.Known(pap("bob", "hello"), &out) == Found {
		t.Error("Known after the end of the membership")
	}
	if got, err := c.Ask(t.Context(), pap("bob", "hello")); err == nil || got.Verdict == member.Allow {
		t.Errorf("grace after the end of the membership: %s", got.Verdict)
	}
}

func TestPanicCouldNotSay(t *testing.T) {
	t.Parallel()
	var told []Finding
	f := &fake{say: func(context.Context, *member.Attempt) (member.Answer, error) { panic("hunter2") }}
	m := new(Meter)
	c := newCache(t, f, CacheConfig{Deps: Deps{Meter: m, Tell: func(x Finding) { told = append(told, x) }}})
	_, err := c.Ask(t.Context(), pap("bob", "hello"))
	if ClassOf(err) != Broken || err == nil || strings.Contains(err.Error(), "hunter2") || len(told) != 1 || m.Figures().Panics != 1 {
		t.Errorf("%v, told %v", err, told)
	}
}

// TestCacheHoldsAHundredThousand entries and no more than it has room for.
func TestCacheHoldsAHundredThousand(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		t.Skip("two hundred thousand writes take half a minute under the race detector; the other tests race enough")
	}
	c := newCache(t, always(allow, nil), CacheConfig{Fresh: time.Hour})
	ans := allow
	logins := make([]string, minEntries)
	for i := range logins {
		logins[i] = fmt.Sprint("member", i)
		c.keep(c.keyed.of(pap(logins[i], "hello")), &ans, nil)
	}
	var out member.Answer
	lost := 0
	for _, l := range logins {
		if c.Known(pap(l, "hello"), &out) != Found {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d are lost", lost, minEntries)
	}
	for i := range minEntries {
		c.keep(c.keyed.of(pap(fmt.Sprint("other", i), "hello")), &ans, nil)
	}
	c.entries.CleanUp()
	if n := c.entries.EstimatedSize(); n > minEntries {
		t.Errorf("%d entries", n)
	}
}

// TestGraceWithTheWholeStack: a system that dies costs ten calls and then a
// probe each five seconds, and who was in within the day stays in.
func TestGraceWithTheWholeStack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var err error
		f := system(&err)
		d := Deps{Name: "club", Meter: new(Meter)}
		c := NewCache(NewBreaker(NewBulkhead(f, 8, d), d), CacheConfig{Deps: d, Fresh: time.Minute, Grace: 24 * time.Hour})
		for i := range 50 {
			if _, err := c.Ask(t.Context(), pap(fmt.Sprint("m", i), "hello")); err != nil {
				t.Fatal(err)
			}
		}
		err = class(Unreachable)
		f.calls.Store(0)
		time.Sleep(2 * time.Minute)
		for range 60 {
			for i := range 50 {
				if ans, err := c.Ask(t.Context(), pap(fmt.Sprint("m", i), "hello")); err != nil || ans.Verdict != member.Allow {
					t.Fatalf("m%d: %s, %v", i, ans.Verdict, err)
				}
			}
			if _, err := c.Ask(t.Context(), pap("stranger", "hello")); err == nil || errors.Is(err, member.ErrUnknown) {
				t.Fatalf("a stranger: %v", err)
			}
			time.Sleep(time.Second)
		}
		if n := f.calls.Load(); n < breakAfter+8 || n > breakAfter+13 {
			t.Errorf("%d calls in a minute", n)
		}
		_ = c.Close()
	})
}

// TestCacheMarksFresh: an Allow says how long it may stand without being asked
// again, whether it was just given or remembered; what was not proved says nothing.
func TestCacheMarksFresh(t *testing.T) {
	t.Parallel()
	unproved := allow
	unproved.Proved = false
	for _, tt := range []struct {
		ans  member.Answer
		want time.Duration
	}{{allow, time.Minute}, {deny, 0}, {unproved, 0}} {
		c := newCache(t, always(tt.ans, nil), CacheConfig{Fresh: time.Minute})
		if ans, err := c.Ask(t.Context(), pap("bob", "hello")); err != nil || ans.Fresh != tt.want {
			t.Errorf("%+v: fresh for %v, %v; want %v", tt.ans, ans.Fresh, err, tt.want)
		}
		var known member.Answer
		if c.Known(pap("bob", "hello"), &known) == Found && known.Fresh != tt.want {
			t.Errorf("%+v: remembered, fresh for %v, want %v", tt.ans, known.Fresh, tt.want)
		}
	}
}
