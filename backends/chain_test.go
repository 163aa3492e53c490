package backends

import (
	"errors"
	"slices"
	"testing"
	"time"

	"memberradius/member"
)

func named(list ...Backend) []Named {
	var all []Named
	for i, b := range list {
		all = append(all, Named{Name: string(rune('a' + i)), Backend: b})
	}
	return all
}

func TestChainAsk(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		systems []Backend
		verdict member.Verdict
		source  string
		class   int // -1: none, -2: unknown
	}{
		{"nobody", nil, 0, "", -2},
		{"the first knows", []Backend{always(allow, nil), always(deny, nil)}, member.Allow, "a", -1},
		{"a refusal is final", []Backend{always(deny, nil), always(allow, nil)}, member.Deny, "a", -1},
		{"the second knows", []Backend{unknown(), always(allow, nil)}, member.Allow, "b", -1},
		{"none knows", []Backend{unknown(), unknown()}, 0, "", -2},
		{"one could not say, the next knows", []Backend{fails(Timeout), always(deny, nil)}, member.Deny, "b", -1},
		{"one could not say, the next does not know", []Backend{fails(Faulty), unknown()}, 0, "", int(Faulty)},
		{"the first fault counts", []Backend{unknown(), fails(Open), fails(Timeout)}, 0, "", int(Open)},
		{"an answer without a verdict", []Backend{always(member.Answer{Proved: true}, nil)}, 0, "", int(Broken)},
	}
	for _, tt := range tests {
		ans, err := NewChain(named(tt.systems...)...).Ask(t.Context(), pap("bob", "x"))
		switch {
		case ans.Verdict != tt.verdict, ans.Source != tt.source, tt.class == -1 && err != nil,
			tt.class == -2 && !errors.Is(err, member.ErrUnknown),
			tt.class >= 0 && (err == nil || errors.Is(err, member.ErrUnknown) || int(ClassOf(err)) != tt.class):
			t.Errorf("%s: %s from %q, %v", tt.name, ans.Verdict, ans.Source, err)
		}
	}
}

func TestChainKnown(t *testing.T) {
	t.Parallel()
	found := knower(Found, allow)
	tests := []struct {
		name    string
		systems []Backend
		want    Memory
	}{
		{"nobody", nil, Absent},
		{"found", []Backend{found}, Found},
		{"found after absent", []Backend{knower(Absent, allow), found}, Found},
		{"absent", []Backend{knower(Absent, allow), knower(Absent, allow)}, Absent},
		{"unsure before found", []Backend{knower(Unsure, allow), found}, Unsure},
		{"found before unsure", []Backend{found, knower(Unsure, allow)}, Found},
		{"one without memory", []Backend{knower(Absent, allow), always(allow, nil), found}, Unsure},
	}
	for _, tt := range tests {
		var out member.Answer
		if got := NewChain(named(tt.systems...)...).Known(pap("bob", "x"), &out); got != tt.want || got == Found && out.Verdict != member.Allow {
			t.Errorf("%s: %d, %s", tt.name, got, out.Verdict)
		}
	}
}

// ahead is a memory that wants to know logins ahead.
type ahead struct {
	*memory
	logins []string
}

func (a *ahead) Expect(logins []string) { a.logins = append(a.logins, logins...) }

// TestChainExpect: each system that cares hears of the logins, and no other does.
func TestChainExpect(t *testing.T) {
	t.Parallel()
	first, last := &ahead{memory: knower(Absent, allow)}, &ahead{memory: knower(Found, allow)}
	NewChain(named(first, knower(Absent, allow), always(allow, nil), last)...).Expect([]string{"anna", "bert"})
	for _, a := range []*ahead{first, last} {
		if !slices.Equal(a.logins, []string{"anna", "bert"}) {
			t.Errorf("expects %q", a.logins)
		}
	}
}

func TestKnownAllocatesNothing(t *testing.T) {
	until := time.Now().Add(time.Hour)
	gate := allow
	gate.Member.ValidUntil = until
	chain := NewChain(named(knower(Absent, allow), knower(Found, allow))...)
	gates := NewGates(nil, named(knower(Found, gate), knower(Found, allow))...)
	cache := NewCache(always(allow, nil), CacheConfig{Deps: Deps{Name: "club", Meter: new(Meter)}, Fresh: time.Hour})
	defer func() { _ = cache.Close() }()
	p, g := pap("bob@example.com", "hello"), &member.Attempt{Login: "bob", Proof: proved}
	_, _ = cache.Ask(t.Context(), p)
	var out member.Answer
	for name, f := range map[string]func() bool{
		"chain": func() bool { return chain.Known(p, &out) == Found },
		"gates": func() bool { return gates.Known(g, &out) == Found },
		"cache": func() bool { return cache.Known(p, &out) == Found },
	} {
		if !f() {
			t.Errorf("%s: not found", name)
		}
		if n := testing.AllocsPerRun(1000, func() { f() }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
