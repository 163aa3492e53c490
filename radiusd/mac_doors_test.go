package radiusd

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/policy"
	"memberradius/radiusd/radiustest"
)

// What the doors say, and what the NAS hears of it: of a device that has not
// been let in, nothing.
func TestMACAnswers(t *testing.T) {
	t.Parallel()
	const unknown = "This device is not known here."
	d := newDoors()
	r := startRig(t, quick, d.behind("mac"))
	closed := startRig(t, quick, func(_ *Config, c *ClientConfig, _ *members) { c.Methods = []string{"mac"} })
	for _, tt := range []struct {
		rig     *rig
		device  string
		message string
		reason  member.Reason
	}{
		{r, phone, "", member.ReasonNone},
		{r, "02:00:00:00:00:08", unknown, member.ReasonUnknownDevice},
		{r, "02:00:00:00:00:b1", unknown, member.ReasonBlockedDevice},
		{r, "02:00:00:00:00:b2", "This device is blocked.", member.ReasonBlockedDevice},
		{r, "02:00:00:00:00:d0", "Log one of your devices off.", member.ReasonDevices},
		{r, "02:00:00:00:00:c0", unknown, member.ReasonUnknownDevice}, // only the doors prove
		{r, "02:00:00:00:00:c1", unknown, member.ReasonNoCredential},
		{closed, phone, unknown, member.ReasonUnknownDevice},
	} {
		reply := tt.rig.ask(&radiustest.Request{Method: radiustest.MAC, AccessPoint: radiustest.AccessPoint{Station: hardware(t, tt.device)}})
		if (reply.Code == radiustest.AccessAccept) != (tt.reason == member.ReasonNone) || reply.Message != tt.message {
			t.Errorf("%s: %v %q", tt.device, reply.Code, reply.Message)
		}
		if why := tt.rig.Why(tt.device, 1)[0]; why.Reason != tt.reason || why.Method != "mac" {
			t.Errorf("%s: %v by %s, want %v", tt.device, why.Reason, why.Method, tt.reason)
		}
	}
	silent := r.sign(&radiustest.Request{Method: radiustest.MAC, Login: "02:00:00:00:00:dd"}, 1)
	if reply := r.exchange(r.wire(0), silent.Bytes); reply != nil {
		t.Errorf("answered though the doors could not say: % x", reply)
	}
}

// Doors that can't say from memory are asked in the pool.
func TestMACAsked(t *testing.T) {
	t.Parallel()
	d := newDoors()
	d.slow[phone] = true
	r := startRig(t, quick, d.behind("mac", "chap"))
	for _, form := range []radiustest.MACForm{{}, {Formality: radiustest.SecretPassword, CHAP: true}, {Formality: radiustest.NoPassword}} {
		reply := r.ask(&radiustest.Request{Method: radiustest.MAC, Form: form, AccessPoint: radiustest.AccessPoint{Station: hardware(t, phone)}})
		if reply.Code != radiustest.AccessAccept {
			t.Errorf("%+v: %v, %s", form, reply.Code, r.Why(phone, 1)[0].Sentence())
		}
	}
	if n := d.members.asked.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
}

// Whose device it is decides what it gets, and the gates are asked for her: for
// a device of nobody there is nobody to ask for.
func TestMACPolicyAndGates(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	gates := rigMembers()
	gates.answers["bob"] = member.Answer{Verdict: member.Allow}
	gates.attempt = func(a member.Attempt) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, fmt.Sprint(a.Login, " ", a.StationMAC, " ", a.Proof.Kind))
	}
	d := newDoors()
	evil := d.answers[printer]
	evil.Member.Login = "eve"
	d.answers["02:00:00:00:00:e0"] = evil
	r := startRig(t, quick, withPlan, d.behind("mac"), func(c *Config, cc *ClientConfig, _ *members) {
		c.Tables.Gates, cc.VLAN = gates, "900"
	})
	ask := func(device string) *radiustest.Reply {
		return r.ask(&radiustest.Request{Method: radiustest.MAC, AccessPoint: radiustest.AccessPoint{SSID: "Members", Station: hardware(t, device)}})
	}
	reply := ask(printer)
	if reply.Code != radiustest.AccessAccept || reply.VLAN() != "101" || reply.SessionTimeout() != 12*time.Hour {
		t.Errorf("bob's printer: %v, VLAN %s, for %v", reply.Code, reply.VLAN(), reply.SessionTimeout())
	}
	if why := r.Why(printer, 1)[0]; why.Plan != "hot-desk" || why.VLAN != "101" {
		t.Errorf("%+v", why)
	}
	if reply := ask("02:00:00:00:00:e0"); reply.Code != radiustest.AccessReject || r.Why("02:00:00:00:00:e0", 1)[0].Reason != member.ReasonGate {
		t.Errorf("the device of a member whom the gate does not let in: %v", reply.Code)
	}
	mu.Lock()
	if want := "[bob " + printer + " proved eve 02:00:00:00:00:e0 proved]"; fmt.Sprint(asked) != want {
		t.Errorf("the gates are asked %v, want %s", asked, want)
	}
	mu.Unlock()
}

// The next request after a login at the portal is let in for the rest of its
// time, without a gate and without a plan.
func TestMACPortal(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, withPlan, newDoors().behind("mac"), func(c *Config, cc *ClientConfig, _ *members) {
		c.Tables.Gates, cc.VLAN = rigMembers(), "900" // they know nobody of this login
		c.Tables.Book = guestBook(t)
	})
	reply := r.ask(&radiustest.Request{Method: radiustest.MAC, AccessPoint: radiustest.AccessPoint{Station: hardware(t, phone)}})
	if s := reply.SessionTimeout(); reply.Code != radiustest.AccessAccept || s < 59*time.Minute || s > time.Hour || reply.VLAN() != "900" {
		t.Errorf("%v, VLAN %s, for %v: %s", reply.Code, reply.VLAN(), s, r.Why(phone, 1)[0].Sentence())
	}
	if idle := reply.Get("Idle-Timeout"); len(idle) != 1 || idle[0] != "900" {
		t.Errorf("Idle-Timeout %v", idle)
	}
}

// Debian's radclient, as an access point that is not ours.
func TestMACByRadclient(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick, newDoors().behind("mac"))
	for _, attributes := range [][]member.Attribute{
		{{Name: "User-Name", Value: "02000000-0007"}, {Name: "User-Password", Value: "0200.0000.0007"}},
		{{Name: "User-Name", Value: "020000000007"}, {Name: "CHAP-Password", Value: "02-00-00-00-00-07"}, {Name: "Calling-Station-Id", Value: "02-00-00-00-00-07"}},
		{{Name: "User-Name", Value: "02-00-00-00-00-07"}, {Name: "Service-Type", Value: "Call-Check"}},
	} {
		q := radiustest.RadclientQuery{Server: r.Addrs()[0], Secret: rigSecret, Attributes: append(attributes, member.Attribute{Name: "Message-Authenticator", Value: "0x00"})}
		if answer := radiustest.Radclient(t, q); answer.Code != radiustest.AccessAccept {
			t.Errorf("%v: %v\n%s", attributes, answer.Code, answer.Output)
		}
	}
}

// guestBook has a plan that members without one get.
func guestBook(t *testing.T) *policy.Book {
	t.Helper()
	book, err := policy.New(policy.Config{
		Plans: []member.Plan{{Name: "guest", Session: 12 * time.Hour, Idle: time.Hour}},
		Sites: []policy.Site{{Name: "berlin", DefaultPlan: "guest"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return book
}
