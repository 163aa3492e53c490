package supplicant

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// settleWait is how long the server may take until it knows what has become of
// a session, and until a device is off whose member has just lost her access.
const settleWait = 5 * time.Second

// A session is what `session list --json` and `session show --json` say of one.
type session struct {
	ID, Session, Client, NAS, User, Login, Backend, Plan, VLAN, MAC, Cause, Closed string

	Online   bool
	Started  time.Time
	Updated  time.Time
	Ended    time.Time
	Duration int `json:"duration_seconds"`
	Attempts []attempt
}

// An attempt is one try to have the switch end or change a session.
type attempt struct {
	Kind, Why, Target, Result string

	ErrorCause int `json:"error_cause"`
	Sends      int
	At, Gone   time.Time
}

// outcome is what was tried and what the switch said.
func (a *attempt) outcome() string {
	if a.ErrorCause != 0 {
		return fmt.Sprintf("%s %s %d", a.Kind, a.Result, a.ErrorCause)
	}
	return a.Kind + " " + a.Result
}

// sessions are all of the member's, the newest first.
func (l *lan) sessions(t *testing.T) []session {
	t.Helper()
	var all []session
	if err := l.server.verb(&all, "session", "list", "--all", "--login", bob.Login); err != nil {
		t.Fatal(err)
	}
	return all
}

// show is all that is known of one session.
func (l *lan) show(t *testing.T, id string) session {
	t.Helper()
	var s session
	if err := l.server.verb(&s, "session", "show", id); err != nil {
		t.Fatal(err)
	}
	return s
}

// until waits until what is known of a session is as it must be.
func (l *lan) until(t *testing.T, id, what string, met func(s *session) bool) session {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), settleWait)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		s := l.show(t, id)
		if met(&s) {
			return s
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("after %s the session has not %s: %+v\nserver:\n%s", settleWait, what, s, l.server.tail())
		}
	}
}

// ended waits until the session is over, and compares how.
func (l *lan) ended(t *testing.T, id, closed, cause string) session {
	t.Helper()
	s := l.until(t, id, "ended", func(s *session) bool { return !s.Online })
	if s.Closed != closed || s.Cause != cause || s.Ended.IsZero() {
		t.Errorf("it ended by %q, cause %q, at %s; want %q, %q", s.Closed, s.Cause, s.Ended, closed, cause)
	}
	return s
}

// enroll puts bob in, or changes him, as an operator does: by a CSV file.
func (l *lan) enroll(t *testing.T, columns, values string) {
	t.Helper()
	text := fmt.Sprintf("login,%s\n%s,%s\n", columns, bob.Login, values)
	var done struct{ Added, Updated int }
	if err := l.server.verb(&done, "member", "import", writeFor(t, "members.csv", text)); err != nil {
		t.Fatal(err)
	}
	if done.Added+done.Updated != 1 {
		t.Fatalf("member import: %+v", done)
	}
}

// one waits until one session goes on: the report of it follows the login.
func (o *outlet) one(t *testing.T) session {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), settleWait)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		all := slices.DeleteFunc(o.lan.sessions(t), func(s session) bool { return !s.Online })
		if len(all) == 1 {
			return all[0]
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%d sessions go on, want 1: %+v\nhostapd:\n%s", len(all), all, o.hostapd.tail())
		}
	}
}

// online is the one session that goes on, which must be the outlet's device's.
func (o *outlet) online(t *testing.T, plan, vlan string) session {
	t.Helper()
	s := o.one(t)
	// Plan, VLAN and backend are no attributes of a report: the server has them by
	// the Class that hostapd returns.
	got := [...]string{s.Login, s.MAC, s.Plan, s.VLAN, s.Backend, s.NAS, s.Client}
	if want := [...]string{bob.Login, o.mac, plan, vlan, "staff", o.name, "wire"}; got != want {
		t.Errorf("the session is %q, want %q", got, want)
	}
	return s
}

// logOff has the device leave as one that shuts down does (IEEE 802.1X-2004 §7.5.4).
func (o *outlet) logOff(t *testing.T, p *plugged) {
	t.Helper()
	argv := append(o.station.within(), need(t, "wpa_cli", "wpasupplicant"), "-p", p.control, "-i", nic, "logoff")
	if out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("wpa_cli logoff: %v\n%s", err, out)
	}
}

// found is what hostapd says when it does what a Disconnect-Request wants.
func (o *outlet) found() string {
	return "RADIUS DAS: Found a matching session " + o.mac + " - disconnecting"
}

// thrownOff waits until the switch has shut the port, by a Disconnect-Request
// that names the session in three ways. It is the switch that says so: on a
// cable no frame tells the device.
func (o *outlet) thrownOff(t *testing.T) {
	t.Helper()
	for _, text := range []string{
		"RADIUS DAS: Calling-Station-Id match", "RADIUS DAS: Acct-Session-Id match", "RADIUS DAS: User-Name match",
		o.found(), shut, "(Disconnect-ACK)",
	} {
		o.await(t, o.hostapd, text, 1)
	}
}

// pullOut ends the device, and waits until the switch has forgotten it: until
// then, for 5 s, hostapd hears nothing of what it sends.
func (o *outlet) pullOut(t *testing.T, p *plugged) {
	t.Helper()
	p.stop()
	o.await(t, o.hostapd, "deauthenticated due to local deauth request", o.hostapd.times(shut))
}

// tried compares what was tried on a session.
func tried(t *testing.T, s *session, want ...string) {
	t.Helper()
	got := make([]string, len(s.Attempts))
	for i := range s.Attempts {
		got[i] = s.Attempts[i].outcome()
	}
	slices.Sort(got) // two of one millisecond stand in any order
	if !slices.Equal(got, want) {
		t.Errorf("it was tried: %q, want %q: %+v", got, want, s.Attempts)
	}
}

// gone waits until the Stop that must follow an acknowledged Disconnect-Request
// is noted with it.
func (l *lan) gone(t *testing.T, id string) session {
	t.Helper()
	l.ended(t, id, "stop", "") // hostapd gives no cause of what it was told to do
	var last attempt
	s := l.until(t, id, "an attempt that says that it is gone", func(s *session) bool {
		i := slices.IndexFunc(s.Attempts, func(a attempt) bool { return !a.Gone.IsZero() })
		if i >= 0 {
			last = s.Attempts[i]
		}
		return i >= 0
	})
	if last.outcome() != "disconnect ack" || last.Sends != 1 || last.Target != "127.0.0.1:3799" {
		t.Errorf("it is gone by the attempt %+v", last)
	}
	return s
}
