package supplicant

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// newRoom is a lan whose member bob has that plan, and a switch that is on.
func newRoom(t *testing.T, plan string) *outlet {
	t.Helper()
	l := newLAN(t, stored)
	l.enroll(t, "password,plan", bob.Password+","+plan)
	o := l.newOutlet(t, 1)
	o.start(t, o.access(), o.accounting(), dynamic)
	return o
}

// peap is bob's device, which says outside the tunnel that it is nobody.
func peap() device { return tunnelled("PEAP", "auth=MSCHAPV2", tls12) }

// TestDot1XAccounting: what a switch reports of a device is a session of the
// member, from its Start over its Interim-Updates to its Stop.
func TestDot1XAccounting(t *testing.T) {
	t.Parallel()
	needWired(t)
	l := newLAN(t, stored)
	l.enroll(t, "password,plan", bob.Password+",hot-desk")
	o := l.newOutlet(t, 1)
	// Shorter than any plan may have it (RFC 2869 §5.16): hostapd's own setting goes first.
	o.start(t, o.access(), o.accounting(), "radius_acct_interim_interval=1\n")
	p := o.join(t, peap(), vlan)
	s := o.online(t, "hot-desk", vlan)
	l.until(t, s.ID, "been reported on again", func(s *session) bool { return s.Duration > 0 && s.Updated.After(s.Started) })
	if again := o.online(t, "hot-desk", vlan); again.ID != s.ID {
		t.Errorf("the Interim-Update made another session: %s, %s", s.ID, again.ID)
	}
	o.logOff(t, p)
	l.ended(t, s.ID, "stop", "User-Request")
	if all := l.sessions(t); len(all) != 1 {
		t.Errorf("%d sessions of one device that came once: %+v", len(all), all)
	}
}

// TestDot1XKick: the operator throws a device off. That is no ban: it may come again.
func TestDot1XKick(t *testing.T) {
	t.Parallel()
	needWired(t)
	o := newRoom(t, "hot-desk")
	p := o.join(t, peap(), vlan)
	s := o.online(t, "hot-desk", vlan)
	if err := o.kick(s.ID); err != nil {
		t.Fatal(err)
	}
	o.thrownOff(t)
	s = o.lan.gone(t, s.ID)
	tried(t, &s, "disconnect ack")
	if err := o.kick(s.ID); err == nil {
		t.Error("a session that has ended was ended once more")
	}
	o.pullOut(t, p)
	o.join(t, peap(), vlan)
	if again := o.online(t, "hot-desk", vlan); again.ID == s.ID {
		t.Error("the device came back into its old session")
	}
}

// kick is the operator's verb; its error is nil where the device is off.
func (o *outlet) kick(id string) error {
	var done struct{ Left bool }
	err := o.lan.server.verb(&done, "session", "kick", id)
	if err == nil && !done.Left {
		err = errors.New("memberradius session kick: the exit status is 0, and the device is on")
	}
	return err
}

// TestDot1XDisable: who may not be on any more is off within seconds, and does
// not come back.
func TestDot1XDisable(t *testing.T) {
	t.Parallel()
	needWired(t)
	o := newRoom(t, "hot-desk")
	p := o.join(t, peap(), vlan)
	s := o.online(t, "hot-desk", vlan)
	begun := time.Now()
	if err := o.lan.server.verb(&struct{}{}, "member", "disable", bob.Login); err != nil {
		t.Fatal(err)
	}
	o.thrownOff(t)
	took := time.Since(begun)
	if t.Logf("from the verb's start to the shut port: %s", took); took > settleWait {
		t.Error("that is too long")
	}
	s = o.lan.gone(t, s.ID)
	tried(t, &s, "disconnect ack")
	o.pullOut(t, p)
	o.refuse(t, peap(), "disabled")
}

// TestDot1XChange: a switch that can't change a session says so (401), is told
// to end it instead, and the device comes back with what she has now.
func TestDot1XChange(t *testing.T) {
	t.Parallel()
	needWired(t)
	for _, c := range []struct{ name, columns, values, plan string }{
		{"vlan", "vlan", otherVLAN, "hot-desk"},
		{"plan", "plan", "office", "office"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := newRoom(t, "hot-desk")
			p := o.join(t, peap(), vlan)
			s := o.online(t, "hot-desk", vlan)
			o.lan.enroll(t, c.columns, c.values)
			o.thrownOff(t)
			said, _ := o.hostapd.said.now()
			refused, _, _ := strings.Cut(said, o.found())
			if !strings.Contains(refused, "(CoA-NAK)") {
				t.Errorf("hostapd was not asked to change the session before it had to end it:\n%s", o.hostapd.tail())
			}
			s = o.lan.gone(t, s.ID)
			tried(t, &s, "coa nak 401", "disconnect ack")
			o.pullOut(t, p)
			o.join(t, peap(), otherVLAN)
			o.online(t, c.plan, otherVLAN)
		})
	}
}

// TestDot1XDeviceLimit: with a plan for one device a second one gets in when
// the first has left.
func TestDot1XDeviceLimit(t *testing.T) {
	t.Parallel()
	needWired(t)
	first := newRoom(t, "one-device")
	p := first.join(t, peap(), vlan)
	s := first.online(t, "one-device", vlan)

	second := first.lan.newOutlet(t, 2)
	second.start(t, second.access(), second.accounting())
	refused := second.refuse(t, peap(), "devices")
	if again := first.online(t, "one-device", vlan); again.ID != s.ID {
		t.Errorf("another session goes on: %+v", again)
	}
	first.logOff(t, p)
	first.lan.ended(t, s.ID, "stop", "User-Request")

	// A switch lets a port rest for a minute after a refusal (quietPeriod of IEEE
	// 802.1X-2004 §8.2.4), but not one that was off.
	refused.stop()
	second.hostapd.stop()
	second.start(t, second.access(), second.accounting())
	second.join(t, peap(), vlan)
	second.online(t, "one-device", vlan)
}

// TestDot1XPowerCut: a switch that was off has nobody on. It says so, or says
// at the next Disconnect-Request that it knows no such session (503): then the
// device is off too.
func TestDot1XPowerCut(t *testing.T) {
	t.Parallel()
	needWired(t)
	t.Run("accounting-on", func(t *testing.T) {
		t.Parallel()
		o := newRoom(t, "hot-desk")
		o.join(t, peap(), vlan)
		s := o.online(t, "hot-desk", vlan)
		o.hostapd.kill()
		if s = o.lan.show(t, s.ID); !s.Online {
			t.Fatalf("the session ended by itself: %+v", s)
		}
		afterSecond(t, s.Started)
		o.start(t, o.access(), o.accounting())
		o.lan.ended(t, s.ID, "accounting-on", "")
	})
	t.Run("session-not-found", func(t *testing.T) {
		t.Parallel()
		o := newRoom(t, "hot-desk")
		o.join(t, peap(), vlan)
		s := o.online(t, "hot-desk", vlan)
		o.hostapd.kill()
		o.start(t, o.access(), dynamic)
		if err := o.kick(s.ID); err != nil {
			t.Error(err)
		}
		s = o.lan.show(t, s.ID)
		tried(t, &s, "disconnect nak 503")
	})
}

// afterSecond waits until the second of at is over. Reports have whole seconds,
// and what began in that of an Accounting-On may have begun after it.
func afterSecond(t *testing.T, at time.Time) {
	t.Helper()
	over := time.NewTimer(time.Until(at.Truncate(time.Second).Add(time.Second)))
	defer over.Stop()
	select {
	case <-over.C:
	case <-t.Context().Done():
	}
}
