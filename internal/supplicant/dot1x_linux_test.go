package supplicant

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The two ends of the cable. Each is alone in its network namespace.
const (
	port = "port" // the switch's, where hostapd sits
	nic  = "nic"  // the device's

	nicAddress = "02:00:00:00:80:21"
)

// joinWait is how long a device may take until it is on, or is refused: it
// begins with a pause of its own (IEEE 802.1X-2004 §8.4.6).
const joinWait = 20 * time.Second

// hostapdWired makes hostapd a switch with one port.
const hostapdWired = `driver=wired
interface=` + port + `
ieee8021x=1
eap_reauth_period=0
use_pae_group_addr=1
nas_identifier=switch
own_ip_addr=127.0.0.1
auth_server_addr=127.0.0.1
auth_server_port=%d
auth_server_shared_secret=` + sharedSecret + `
logger_stdout=-1
logger_stdout_level=1
`

// TestDot1X is real 802.1X: a switch, a cable and a device.
func TestDot1X(t *testing.T) {
	t.Parallel()
	if *serverFlag != "memberradius" {
		t.Skip("for our own server")
	}
	for _, p := range []struct{ program, debian string }{
		{"hostapd", "hostapd"}, {"wpa_supplicant", "wpasupplicant"}, {"ip", "iproute2"}, {"nsenter", "util-linux"},
	} {
		need(t, p.program, p.debian)
	}
	if !mayMakeNamespaces() {
		t.Skip("network namespaces need root: sudo make dot1x")
	}
	prepare(t)
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
			newSwitch(t).plugIn(t, c.device, c.refused)
		})
	}
}

// mayMakeNamespaces says whether this process may have a network of its own.
func mayMakeNamespaces() bool {
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	return cmd.Run() == nil
}

// A namespace is a network of its own. It has no name and lasts as long as the
// process that holds it: nothing stays behind, however a test ends.
type namespace struct{ holder *exec.Cmd }

// newNamespace starts the holder, which ends with the test or with its process.
func newNamespace(t *testing.T) *namespace {
	t.Helper()
	n := &namespace{holder: exec.Command("cat")}
	n.holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	in, err := n.holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	n.holder.Stdout = io.Discard
	if err := n.holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = n.holder.Wait()
	})
	return n
}

func (n *namespace) pid() string { return strconv.Itoa(n.holder.Process.Pid) }

// within is what a command line begins with that runs in the namespace.
func (n *namespace) within() []string {
	return []string{"nsenter", "--net=/proc/" + n.pid() + "/ns/net"}
}

// do runs a command in the namespace.
func (n *namespace) do(t *testing.T, argv ...string) {
	t.Helper()
	argv = append(n.within(), argv...)
	if out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
}

// start starts a command in the namespace; it ends with the test.
func (n *namespace) start(t *testing.T, argv ...string) *child {
	t.Helper()
	c, err := startChild(t.TempDir(), append(n.within(), argv...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	return c
}

// A lan is a switch with its RADIUS server, and a cable to a device.
type lan struct {
	station *namespace
	hostapd *child
	server  *ours
}

func newSwitch(t *testing.T) *lan {
	t.Helper()
	l := &lan{station: newNamespace(t)}
	at := newNamespace(t)
	at.do(t, "ip", "link", "add", port, "type", "veth", "peer", "name", nic, "netns", l.station.pid())
	l.station.do(t, "ip", "link", "set", nic, "address", nicAddress)
	at.do(t, "ip", "link", "set", "lo", "up")
	at.do(t, "ip", "link", "set", port, "up")
	l.station.do(t, "ip", "link", "set", nic, "up")

	dir, err := newFolder()
	if err != nil {
		t.Fatal(err)
	}
	l.server = &ours{within: at.within()}
	address, err := l.server.start(dir, open)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.server.stop)
	l.hostapd = at.start(t, need(t, "hostapd", "hostapd"), writeFor(t, "hostapd.conf", fmt.Sprintf(hostapdWired, address.Port())))
	l.await(t, l.hostapd, "AP-ENABLED")
	return l
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

// await waits until a program has said text.
func (l *lan) await(t *testing.T, c *child, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), joinWait)
	defer cancel()
	if err := c.waitFor(ctx, text); err != nil {
		t.Fatalf("%v\nhostapd:\n%s\nserver:\n%s", err, l.hostapd.tail(), l.server.tail())
	}
}

// plugIn connects the device, and compares what device, switch and server say.
func (l *lan) plugIn(t *testing.T, d device, refused string) {
	t.Helper()
	text := "ap_scan=0\nfast_reauth=1\n" + d.block("key_mgmt=IEEE8021X", "eapol_flags=0")
	supplicant := l.station.start(t, need(t, "wpa_supplicant", "wpasupplicant"), "-D", "wired", "-i", nic, "-c", writeFor(t, "device.conf", text))
	if refused != "" {
		l.await(t, supplicant, "CTRL-EVENT-EAP-FAILURE")
		l.judged(t, "deny ", refused)
		if said, _ := l.hostapd.said.now(); strings.Contains(said, "AP-STA-CONNECTED") {
			t.Errorf("hostapd opened the port:\n%s", said)
		}
		return
	}
	l.await(t, supplicant, "CTRL-EVENT-EAP-SUCCESS")
	l.await(t, supplicant, "CTRL-EVENT-CONNECTED")
	l.await(t, l.hostapd, "AP-STA-CONNECTED")
	l.judged(t, "allow ", "VLAN "+vlan)
}

// judged compares the server's last decision about the device.
func (l *lan) judged(t *testing.T, begin, has string) {
	t.Helper()
	why, err := l.server.why(bob.Login, nicAddress)
	if err != nil || !strings.HasPrefix(why, begin) || !strings.Contains(why, has) {
		t.Errorf("why: %q, %v; want %q with %q", why, err, begin, has)
	}
}
