package backends

import (
	"context"
	"testing"
	"time"

	"memberradius/member"
)

func TestGates(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ends := func(d time.Duration) *fake {
		ans := member.Answer{Verdict: member.Allow}
		ans.Member.ValidUntil = now.Add(d)
		ans.Member.Name, ans.Attributes = "Bob", []member.Attribute{{Name: "Filter-Id", Value: "x"}}
		return always(ans, nil)
	}
	expired := always(member.Answer{Verdict: member.Deny, Reason: member.ReasonExpired, Message: "Pay first."}, nil)
	tests := []struct {
		name    string
		gates   []Backend
		verdict member.Verdict
		reason  member.Reason
		source  string
		class   int
	}{
		{"none", nil, member.Allow, member.ReasonNone, "", -1},
		{"all allow", []Backend{always(allow, nil), always(allow, nil)}, member.Allow, member.ReasonNone, "", -1},
		{"the earliest end", []Backend{ends(2 * time.Hour), ends(time.Hour), ends(3 * time.Hour)}, member.Allow, member.ReasonNone, "b", -1},
		{"one refuses", []Backend{always(allow, nil), always(deny, nil), fails(Timeout)}, member.Deny, member.ReasonGate, "b", -1},
		{"one knows why", []Backend{expired}, member.Deny, member.ReasonExpired, "a", -1},
		{"one has ended", []Backend{ends(-time.Second)}, member.Deny, member.ReasonExpired, "a", -1},
		{"one does not know her", []Backend{always(allow, nil), unknown()}, member.Deny, member.ReasonGate, "b", -1},
		{"one could not say", []Backend{fails(Faulty), always(deny, nil)}, 0, member.ReasonNone, "", int(Faulty)},
		{"one says nothing", []Backend{always(member.Answer{}, nil)}, 0, member.ReasonNone, "", int(Broken)},
	}
	for _, tt := range tests {
		g := NewGates(func() time.Time { return now }, named(tt.gates...)...)
		ans, err := g.Ask(t.Context(), pap("bob", "x"))
		switch {
		case ans.Verdict != tt.verdict, ans.Reason != tt.reason, ans.Source != tt.source, ans.Proved, len(ans.Attributes) != 0, ans.Member.Name != "",
			tt.class == -1 && err != nil, tt.class >= 0 && (err == nil || int(ClassOf(err)) != tt.class):
			t.Errorf("%s: %+v, %v", tt.name, ans, err)
		}
		if tt.name == "the earliest end" && !ans.Member.ValidUntil.Equal(now.Add(time.Hour)) {
			t.Errorf("%s: %s", tt.name, ans.Member.ValidUntil)
		}
	}
}

func TestGatesGetNoPassword(t *testing.T) {
	t.Parallel()
	asked := &fake{say: func(_ context.Context, a *member.Attempt) (member.Answer, error) {
		if a.Proof != proved || a.Login != "bob" || a.StationMAC != "02:00:00:00:00:01" {
			t.Errorf("a gate got %+v", a)
		}
		return allow, nil
	}}
	a := pap("bob", "hello")
	a.StationMAC = "02:00:00:00:00:01"
	for _, a := range []*member.Attempt{a, {Login: "bob", StationMAC: a.StationMAC, Proof: mschapv2(1).Proof}} {
		if ans, err := NewGates(nil, named(asked)...).Ask(t.Context(), a); err != nil || ans.Verdict != member.Allow || a.Proof == proved {
			t.Errorf("%s, %v", ans.Verdict, err)
		}
	}
}

func TestGatesKnown(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		gates   []Backend
		want    Memory
		verdict member.Verdict
	}{
		{"all", []Backend{knower(Found, allow), knower(Found, allow)}, Found, member.Allow},
		{"one refuses", []Backend{knower(Found, deny), knower(Unsure, allow)}, Found, member.Deny},
		{"one must be asked first", []Backend{knower(Unsure, allow), knower(Found, deny)}, Unsure, 0},
		{"absent", []Backend{knower(Absent, allow)}, Found, member.Deny},
		{"no memory", []Backend{always(allow, nil)}, Unsure, 0},
		{"no verdict", []Backend{knower(Found, member.Answer{})}, Unsure, 0},
	}
	for _, tt := range tests {
		g := NewGates(nil, named(tt.gates...)...)
		var out member.Answer
		got := g.Known(&member.Attempt{Login: "bob", Proof: proved}, &out)
		if got != tt.want || got == Found && out.Verdict != tt.verdict {
			t.Errorf("%s: %d, %s", tt.name, got, out.Verdict)
		}
		if g.Known(pap("bob", "hello"), &out) != Unsure {
			t.Errorf("%s: a gate was shown a password", tt.name)
		}
	}
}
