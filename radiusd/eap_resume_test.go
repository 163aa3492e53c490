package radiusd

import (
	"maps"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/member"
	"memberradius/radiusd/policy"
	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"
)

// change swaps the rig's members for others, in which f has changed something.
func (r *rig) change(f func(*members, *Tables)) {
	r.t.Helper()
	old := r.members
	m := &members{records: map[string]*member.Record{}, answers: maps.Clone(old.answers), slow: maps.Clone(old.slow), wait: old.wait}
	for login, record := range old.records {
		c := *record
		m.records[login] = &c
	}
	tables := *r.tables.Load()
	tables.Members = m
	f(m, &tables)
	r.members = m
	r.Swap(tables)
}

// reconnect is what a test of fast reconnect does: bob logs in, again and again.
type reconnect struct {
	*rig
	method  radiustest.Method
	options radiustest.EAP
}

// resumable tries each way that can be resumed, in each version, on a rig of its own.
func resumable(t *testing.T, settings []setting, f func(t *testing.T, c *reconnect)) {
	t.Helper()
	every(t, func(t *testing.T, method radiustest.Method, options radiustest.EAP) {
		if method == radiustest.EAPMSCHAPv2 {
			t.Skip("no TLS")
		}
		for _, version := range versions {
			r, a := startEAP(t, settings...)
			options.Certificate, options.Session = a.device("bob"), &peer.Session{}
			options.MinTLS, options.MaxTLS = version, version
			f(t, &reconnect{r, method, options})
		}
	})
}

// login logs bob in and wants it to be let in or not, resumed or not. Where it
// is not, the device still has the ticket from before, not the dead one of this login.
func (c *reconnect) login(t *testing.T, allowed, resumed bool) *radiustest.Reply {
	t.Helper()
	options := c.options
	if !allowed {
		options.Session = options.Session.Copy()
	}
	reply := c.ask(bobBy(c.method, options))
	if got := reply.Code == radiustest.AccessAccept; got != allowed || reply.EAP.Resumed() != resumed {
		t.Errorf("TLS %#x: %v, resumed %v; want it let in %v, resumed %v: %v", c.options.MaxTLS, reply.Code, reply.EAP.Resumed(), allowed, resumed, c.Why("bob", 1)[0].Sentence())
	}
	return reply
}

// T6, T7: at each fast reconnect the member, plan and gates are asked again and
// the attributes are built anew.
func TestT6ResumptionAsksAgain(t *testing.T) {
	t.Parallel()
	resumable(t, []setting{withPlan}, func(t *testing.T, c *reconnect) {
		c.login(t, true, false)
		if vlan := c.login(t, true, true).VLAN(); vlan != "101" {
			t.Errorf("VLAN %q", vlan)
		}
		c.change(func(m *members, _ *Tables) { m.records["bob"].Member.VLAN = "202" })
		if vlan := c.login(t, true, true).VLAN(); vlan != "202" {
			t.Errorf("VLAN %q after it changed", vlan)
		}
		c.change(func(m *members, tables *Tables) {
			m.records["bob"].Member.Plans = []string{"Flex"}
			book, err := policy.New(policy.Config{Plans: []member.Plan{{Name: "flex", Match: []string{"Flex"}, Session: 10 * time.Minute}}, Sites: []policy.Site{{Name: "berlin"}}})
			if err != nil {
				t.Fatal(err)
			}
			tables.Book = book
		})
		if s := c.login(t, true, true).SessionTimeout(); s != 10*time.Minute {
			t.Errorf("for %v after the plan changed", s)
		}
		c.change(func(m *members, _ *Tables) { m.records["bob"].Member.Disabled = true })
		c.login(t, false, false)
		if d := c.Why("bob", 1)[0]; d.Reason != member.ReasonDisabled || !d.Proved {
			t.Errorf("explained: %s", d.Sentence())
		}
		c.change(func(m *members, _ *Tables) { m.records["bob"].Member.Disabled = false })
		c.login(t, true, true)
		c.change(func(m *members, _ *Tables) { delete(m.records, "bob") })
		c.login(t, false, false)
	})
}

// A gate that has closed refuses a fast reconnect too.
func TestT6ResumptionAsksGates(t *testing.T) {
	t.Parallel()
	gate := func(verdict member.Verdict) *members {
		g := rigMembers()
		g.answers["bob"] = member.Answer{Verdict: verdict, Reason: member.ReasonNone, Source: "door"}
		g.slow["bob"] = true
		return g
	}
	closing := func(c *Config, _ *ClientConfig, _ *members) { c.Tables.Gates = gate(member.Allow) }
	resumable(t, []setting{closing}, func(t *testing.T, c *reconnect) {
		c.login(t, true, false)
		c.login(t, true, true)
		if n := c.tables.Load().Gates.(*members).asked.Load(); n != 2 {
			t.Errorf("the gate was asked %d times in two logins", n)
		}
		c.change(func(_ *members, tables *Tables) { tables.Gates = gate(member.Deny) })
		c.login(t, false, false)
		if d := c.Why("bob", 1)[0]; d.Reason != member.ReasonGate || d.Source != "door" {
			t.Errorf("explained: %s", d.Sentence())
		}
		c.change(func(_ *members, tables *Tables) { tables.Gates = gate(member.Allow) })
		c.login(t, true, true)
	})
}

// A changed password needs a full handshake, with the new one.
func TestT6ResumptionAfterNewPassword(t *testing.T) {
	t.Parallel()
	resumable(t, nil, func(t *testing.T, c *reconnect) {
		c.login(t, true, false)
		c.change(func(m *members, _ *Tables) { m.records["bob"].Credential.Password = "another" })
		c.login(t, c.method == radiustest.TLS, false) // a certificate is no password
		c.change(func(m *members, _ *Tables) { m.records["bob"].Credential.Password = "hello" })
		c.login(t, true, c.method != radiustest.TLS)
	})
}

// CVE-2017-9148, T7: a TLS session whose login was not proved is resumed by
// nobody: an attacker stops before the password, or sends a wrong one, and
// comes back with what TLS gave. So for TLS 1.2 and 1.3.
func TestCVE20179148(t *testing.T) {
	t.Parallel()
	resumable(t, nil, func(t *testing.T, c *reconnect) {
		if c.method == radiustest.TLS {
			return // nothing is inside
		}
		// Each try begins with what the one before was given.
		for _, stop := range []bool{true, false, false} {
			o := c.options
			o.StopInside = stop
			d := c.newDevice(peer.Config{Method: peer.Method(c.method), Login: "bob", Password: "wrong", Options: o})
			for d.next() {
			}
			if d.reply.Code == radiustest.AccessAccept || d.peer.Tunnel() == nil || d.peer.Tunnel().Resumed {
				t.Fatalf("TLS %#x, stop %v: %v, tunnel %+v", o.MaxTLS, stop, d.reply.Code, d.peer.Tunnel())
			}
		}
		if !c.options.Session.Held() {
			t.Errorf("TLS %#x: the attacker was given no ticket, so that nothing was tried", c.options.MaxTLS)
		}
		c.login(t, true, false)
		c.login(t, true, true)
	})
}

// A ticket opens the method that made it and no other, and none is longer valid
// than resume after the full handshake, however often it was used.
func TestTicketBounds(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		h := &hand{}
		r, a := startEAP(t, h.set)
		s := &peer.Session{}
		login := func(method radiustest.Method, session *peer.Session) bool {
			t.Helper()
			o := radiustest.EAP{Session: session, MinTLS: version, MaxTLS: version, Certificate: a.device("bob")}
			reply := r.ask(bobBy(method, o))
			if reply.Code != radiustest.AccessAccept {
				t.Errorf("TLS %#x, %s: %v", version, method, reply.Code)
			}
			return reply.EAP.Resumed()
		}
		login(radiustest.PEAP, s)
		for _, method := range []radiustest.Method{radiustest.TTLS, radiustest.TLS} {
			if login(method, s.Copy()) {
				t.Errorf("TLS %#x: PEAP's ticket opens %s", version, method)
			}
		}
		for i := range 3 {
			h.forward(a.resume/4 + time.Minute)
			if !login(radiustest.PEAP, s) {
				t.Errorf("TLS %#x: not resumed after %d quarters", version, i+1)
			}
		}
		h.forward(a.resume / 4)
		if login(radiustest.PEAP, s) {
			t.Errorf("TLS %#x: resumed after its time", version)
		}
	}
	// Without [eap] resume there is none.
	r, a := startEAP(t, func(*Config, *ClientConfig, *members) {})
	a.resume = 0
	tables := *r.tables.Load()
	tables.EAP = a.methods(eap.TTLS)
	r.Swap(tables)
	s := &peer.Session{}
	r.ask(bobBy(radiustest.TTLS, radiustest.EAP{Session: s}))
	if r.ask(bobBy(radiustest.TTLS, radiustest.EAP{Session: s})).EAP.Resumed() || s.Held() {
		t.Error("resumed, though it is off")
	}
}
