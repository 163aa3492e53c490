package radiusd

import (
	"context"
	"testing"

	"memberradius/member"
)

// TestLogin: a page hears what a NAS would, and `why` explains it.
func TestLogin(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, func(c *Config, _ *ClientConfig, m *members) {
		m.slow["bob"] = true // a system that must be asked
		c.Tables.Gates = &members{answers: map[string]member.Answer{
			"user": {Verdict: member.Deny, Reason: member.ReasonRefused},
		}, records: map[string]*member.Record{"bob": {}, "argon": {}, "hash": {}}}
	})
	for _, tt := range []struct {
		login, password string
		verdict         member.Verdict
		reason          member.Reason
		proved          bool
	}{
		{"bob", "hello", member.Allow, member.ReasonNone, true},
		{"Bob", "hello", member.Allow, member.ReasonNone, true},
		{"bob", "wrong", member.Deny, member.ReasonWrongProof, false},
		{"bob", "", member.Deny, member.ReasonWrongProof, false},
		{"hash", "clientPass", member.Allow, member.ReasonNone, true},
		{"argon", "wrong", member.Deny, member.ReasonWrongProof, false},
		{"nobody", "hello", member.Deny, member.ReasonUnknownLogin, false},
		{"disabled", "hello", member.Deny, member.ReasonDisabled, true},
		{"disabled", "wrong", member.Deny, member.ReasonWrongProof, false},
		{"user", "clientPass", member.Deny, member.ReasonRefused, true},
		{"empty", "", member.Deny, member.ReasonNoCredential, false},
	} {
		j := r.Login(t.Context(), &Login{Site: "berlin", Login: tt.login, Password: member.Secret(tt.password), StationMAC: "02:00:00:00:00:01"})
		if j.Verdict != tt.verdict || j.Reason != tt.reason || j.Proved != tt.proved {
			t.Errorf("%s, %q: %v, %v, proved %v", tt.login, tt.password, j.Verdict, j.Reason, j.Proved)
		}
		why := r.Why(tt.login, 1)
		if len(why) != 1 || why[0].Client != PortalClient || why[0].Reason != tt.reason || why[0].StationMAC != "02:00:00:00:00:01" {
			t.Errorf("%s: %+v", tt.login, why)
		}
	}
	if n := r.members.asked.Load(); n != 3 {
		t.Errorf("bob's system was asked %d times by 3 logins", n)
	}
}

// TestLogin_EndsWithItsContext: a page that nobody waits for asks nobody longer.
func TestLogin_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, func(_ *Config, _ *ClientConfig, m *members) {
		m.slow["bob"], m.wait = true, make(chan struct{})
	})
	ctx, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	if j := r.Login(ctx, &Login{Site: "berlin", Login: "bob", Password: "hello"}); j.Verdict != member.Unanswered || j.Reason != member.ReasonTimeout {
		t.Errorf("%v, %v", j.Verdict, j.Reason)
	}
}
