package supplicant

import (
	"strings"
	"testing"
	"time"
)

// TestDot1X is real 802.1X: a switch, a cable and a device.
func TestDot1X(t *testing.T) {
	t.Parallel()
	needWired(t)
	wrong := tunnelled("PEAP", "auth=MSCHAPV2", tls12)
	wrong.Password = "Hello"
	for _, c := range []struct {
		way
		refused string
	}{
		{way{"peap", tunnelled("PEAP", "auth=MSCHAPV2", tls12)}, ""},
		{way{"peap-1.3", tunnelled("PEAP", "auth=MSCHAPV2", tls13)}, ""},
		{way{"ttls", tunnelled("TTLS", "auth=PAP", tls12)}, ""},
		{way{"tls", certified("bob", tls13)}, ""},
		{way{"wrong-password", wrong}, "wrong_password"},
		{way{"revoked", certified("revoked", tls12)}, "revoked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLAN(t, open)
			o := l.newOutlet(t, 1)
			o.start(t, o.access())
			if c.refused != "" {
				o.refuse(t, c.device, c.refused)
				return
			}
			o.join(t, c.device, vlan)
		})
	}
}

// joinWait is how long a device may take until it is on, or is refused: it
// begins with a pause of its own (IEEE 802.1X-2004 §8.4.6).
const joinWait = 20 * time.Second

// What hostapd says when a port opens and when it shuts.
const (
	opened = "AP-STA-CONNECTED"
	shut   = "AP-STA-DISCONNECTED"
)

// A plugged is a device whose cable is in.
type plugged struct {
	*child
	// control is the folder of its control socket.
	control string
}

// plugIn connects the outlet's device.
func (o *outlet) plugIn(t *testing.T, d device) *plugged {
	t.Helper()
	p := &plugged{control: t.TempDir()}
	text := "ctrl_interface=" + p.control + "\nap_scan=0\nfast_reauth=1\n" + d.block("key_mgmt=IEEE8021X", "eapol_flags=0")
	p.child = o.station.start(t, need(t, "wpa_supplicant", "wpasupplicant"), "-D", "wired", "-i", nic, "-c", writeFor(t, "device.conf", text))
	return p
}

// join connects the device, which must get in and into that VLAN: device,
// switch and server say so.
func (o *outlet) join(t *testing.T, d device, vlan string) *plugged {
	t.Helper()
	before := o.hostapd.times(opened)
	p := o.plugIn(t, d)
	o.await(t, p.child, "CTRL-EVENT-EAP-SUCCESS", 1)
	o.await(t, p.child, "CTRL-EVENT-CONNECTED", 1)
	o.await(t, o.hostapd, opened, before+1)
	o.judged(t, "allow ", "VLAN "+vlan)
	return p
}

// refuse connects the device, which must be refused for that reason.
func (o *outlet) refuse(t *testing.T, d device, reason string) *plugged {
	t.Helper()
	before := o.hostapd.times(opened)
	p := o.plugIn(t, d)
	o.await(t, p.child, "CTRL-EVENT-EAP-FAILURE", 1)
	o.judged(t, "deny ", reason)
	if o.hostapd.times(opened) != before {
		t.Errorf("hostapd opened the port:\n%s", o.hostapd.tail())
	}
	return p
}

// judged compares the server's last decision about the outlet's device.
func (o *outlet) judged(t *testing.T, begin, has string) {
	t.Helper()
	why, err := o.lan.server.why(bob.Login, o.mac)
	if err != nil || !strings.HasPrefix(why, begin) || !strings.Contains(why, has) {
		t.Errorf("why: %q, %v; want %q with %q", why, err, begin, has)
	}
}
