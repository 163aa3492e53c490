package supplicant

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// needWired skips where no network of hostapd and wpa_supplicant can be made.
func needWired(t *testing.T) {
	t.Helper()
	if *serverFlag != "memberradius" {
		t.Skip("for our own server")
	}
	if !mayMakeNamespaces() {
		t.Skip("network namespaces need root: sudo make dot1x")
	}
	for _, p := range []struct{ program, debian string }{
		{"hostapd", "hostapd"}, {"wpa_supplicant", "wpasupplicant"}, {"wpa_cli", "wpasupplicant"},
		{"ip", "iproute2"}, {"nsenter", "util-linux"},
	} {
		need(t, p.program, p.debian)
	}
	prepare(t)
}

// nic is the device's end of its cable. The switch's is port and a number.
const nic = "nic"

// A lan is a RADIUS server, and the switches that ask it.
type lan struct {
	at     *namespace
	server *ours
}

func newLAN(t *testing.T, s *setting) *lan {
	t.Helper()
	at := newNamespace(t)
	at.do(t, "ip", "link", "set", "lo", "up")
	dir, err := newFolder()
	if err != nil {
		t.Fatal(err)
	}
	l := &lan{at: at, server: &ours{within: at.within()}}
	if _, err := l.server.start(dir, s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.server.stop)
	return l
}

// An outlet is a switch with one port, and a cable to a device.
type outlet struct {
	lan *lan
	// port is the switch's end of the cable, name its NAS-Identifier, mac the device's address.
	port, name, mac string
	station         *namespace
	hostapd         *child
}

// newOutlet lays the cable of that number; start switches the switch on.
func (l *lan) newOutlet(t *testing.T, number int) *outlet {
	t.Helper()
	o := &outlet{
		lan: l, port: fmt.Sprintf("port%d", number), name: fmt.Sprintf("switch-%d", number),
		mac: fmt.Sprintf("02:00:00:00:80:%02x", number), station: newNamespace(t),
	}
	l.at.do(t, "ip", "link", "add", o.port, "type", "veth", "peer", "name", nic, "netns", o.station.pid())
	o.station.do(t, "ip", "link", "set", nic, "address", o.mac)
	l.at.do(t, "ip", "link", "set", o.port, "up")
	o.station.do(t, "ip", "link", "set", nic, "up")
	return o
}

// access is what makes hostapd a switch with one port.
func (o *outlet) access() string {
	return fmt.Sprintf(`driver=wired
interface=%s
ieee8021x=1
eap_reauth_period=0
use_pae_group_addr=1
nas_identifier=%s
own_ip_addr=127.0.0.1
auth_server_addr=127.0.0.1
auth_server_port=%d
auth_server_shared_secret=%s
logger_stdout=-1
logger_stdout_level=1
`, o.port, o.name, o.lan.server.auth.Port(), sharedSecret)
}

// accounting is what has it report sessions.
func (o *outlet) accounting() string {
	return fmt.Sprintf(`acct_server_addr=127.0.0.1
acct_server_port=%d
acct_server_shared_secret=%s
`, o.lan.server.acct.Port(), sharedSecret)
}

// dynamic is what has it take Disconnect-Requests and CoA-Requests, and check
// all that it can check of them.
const dynamic = `radius_das_port=3799
radius_das_client=127.0.0.1 ` + sharedSecret + `
radius_das_time_window=300
radius_das_require_event_timestamp=1
radius_das_require_message_authenticator=1
`

// start switches the switch on.
func (o *outlet) start(t *testing.T, settings ...string) {
	t.Helper()
	conf := writeFor(t, "hostapd.conf", strings.Join(settings, ""))
	// -dd has it say what it makes of dynamic authorization, and what it answers.
	o.hostapd = o.lan.at.start(t, need(t, "hostapd", "hostapd"), "-dd", conf)
	o.await(t, o.hostapd, "AP-ENABLED", 1)
}

// writeFor writes a file that lasts as long as the test.
func writeFor(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// await waits until a program has said text n times.
func (o *outlet) await(t *testing.T, c *child, text string, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), joinWait)
	defer cancel()
	if err := c.waitTimes(ctx, text, n); err != nil {
		t.Fatalf("%v\nhostapd:\n%s\nserver:\n%s", err, o.hostapd.tail(), o.lan.server.tail())
	}
}
