package radiusd

import (
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

// Gates are asked once the login is proved, by login, device and site, and
// never with a password. Each answer of theirs has its own end.
func TestGates(t *testing.T) {
	t.Parallel()
	soon := time.Now().Add(10 * time.Minute)
	for _, slow := range []bool{false, true} {
		var mu sync.Mutex
		var asked []member.Attempt
		gates := rigMembers()
		gates.attempt = func(a member.Attempt) {
			mu.Lock()
			defer mu.Unlock()
			a.Login = string([]byte(a.Login))
			asked = append(asked, a)
		}
		gates.answers = map[string]member.Answer{
			"bob":  {Verdict: member.Allow, Member: member.Member{ValidUntil: soon}},
			"user": {Verdict: member.Deny, Reason: member.ReasonUnknownLogin},
			"hash": {Verdict: member.Deny, Reason: member.ReasonExpired, Message: "Your pass has run out."},
			"down": {Reason: member.ReasonTimeout, Source: "door"},
		}
		for login := range gates.answers {
			gates.slow[login] = slow
		}
		r := startRig(t, quick, withPlan, func(c *Config, _ *ClientConfig, m *members) {
			c.Tables.Gates = gates
			m.records["bob"].Member.ValidUntil = time.Time{}
			m.records["down"] = &member.Record{Credential: member.Credential{Password: "hello"}}
		})
		ask := func(login string, password member.Secret) *radiustest.Reply {
			return r.ask(&radiustest.Request{Method: radiustest.MSCHAPv2, Login: login, Password: password,
				AccessPoint: radiustest.AccessPoint{SSID: "Members", Station: []byte{2, 0, 0, 0, 0, 7}}})
		}
		reply := ask("bob", "hello")
		if s := reply.SessionTimeout(); reply.Code != radiustest.AccessAccept || s < 9*time.Minute || s > 10*time.Minute {
			t.Errorf("slow %v: %v for %v at a gate that closes in 10 minutes", slow, reply.Code, s)
		}
		if reply := ask("user", "clientPass"); reply.Error == nil || reply.Error.Code != 649 {
			t.Errorf("slow %v: a gate that does not know her: %v", slow, reply.Error)
		}
		if reply := ask("hash", "clientPass"); reply.Error == nil || reply.Error.Code != 648 || reply.Message != "Your pass has run out." {
			t.Errorf("slow %v: %v %q", slow, reply.Error, reply.Message)
		}
		mu.Lock()
		before := len(asked)
		mu.Unlock()
		if reply := ask("bob", "wrong"); reply.Error == nil || reply.Error.Code != 691 {
			t.Errorf("slow %v: %v", slow, reply.Error)
		}
		mu.Lock()
		if len(asked) != before {
			t.Error("a gate is asked before the proof")
		}
		for _, a := range asked {
			if a.Proof != (member.Proof{Kind: member.Proved}) || a.Site != "berlin" || a.StationMAC != "02:00:00:00:00:07" {
				t.Errorf("a gate is asked with %+v, proof %v", a, a.Proof)
			}
		}
		mu.Unlock()
		sent := r.sign(&radiustest.Request{Method: radiustest.PAP, Login: "down", Password: "hello"}, 9)
		if raw := r.exchange(r.wire(0), sent.Bytes); raw != nil {
			t.Error("answered though a gate could not say")
		}
		eventually(t, "the decision", func() bool { return len(r.Why("down", 1)) == 1 })
		if d := r.Why("down", 1)[0]; d.Verdict != member.Unanswered || d.Reason != member.ReasonTimeout || d.Source != "door" || !d.Proved {
			t.Errorf("%+v", d)
		}
	}
}
