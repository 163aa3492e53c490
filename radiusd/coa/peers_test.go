package coa

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"memberradius/member"
)

// quick gives up soon, for peers that must not answer.
var quick = Timers{IRT: 50 * time.Millisecond, MRT: 100 * time.Millisecond, MRC: 3, MRD: 300 * time.Millisecond, Jitter: 0.1}

// freePort is one for a program that can't choose itself.
func freePort(t *testing.T) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// program runs one for the time of the test, and waits for a line of its that has ready.
func program(t *testing.T, ready, name string, args ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, name, args...)
	command.WaitDelay = 5 * time.Second
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = command.Wait()
	})
	said := make(chan string, 1)
	go func() {
		var all strings.Builder
		for lines := bufio.NewScanner(output); lines.Scan(); {
			if strings.Contains(lines.Text(), ready) {
				said <- ""
			}
			all.WriteString(lines.Text() + "\n")
		}
		said <- all.String()
	}()
	select {
	case s := <-said:
		if s != "" {
			t.Fatalf("%s did not start:\n%s", name, s)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("%s was not ready within 10 s", name)
	}
}

// write writes a file of the test's.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const hostapdConfig = `
interface=das0
driver=none
nas_identifier=ap1
own_ip_addr=192.0.2.10
radius_das_port=%d
radius_das_client=127.0.0.1 %s
radius_das_require_event_timestamp=1
radius_das_require_message_authenticator=1
radius_das_time_window=300
`

// TestHostapd holds requests to hostapd's Dynamic Authorization Server at its strictest.
// It has no radio here, and so no station: what it finds lawful, it does not find.
func TestHostapd(t *testing.T) {
	t.Parallel()
	binary, err := exec.LookPath("hostapd")
	if err != nil {
		t.Skip("hostapd is not installed: requests are tried against our own code only")
	}
	// Its Dynamic Authorization Server listens at every address, and says nothing of it.
	at := freePort(t)
	program(t, "AP-ENABLED", binary, write(t, "hostapd.conf", fmt.Sprintf(hostapdConfig, at.Port(), string(testSecret))))
	old := func() time.Time { return time.Now().Add(-400 * time.Second) }
	for _, c := range []struct {
		name    string
		change  func(*Target, *member.Session, *Config)
		coa     []byte
		outcome Outcome
		cause   ErrorCause
	}{
		{name: "lawful", outcome: NAK, cause: SessionContextNotFound},
		{name: "admitted by its MAC", change: func(_ *Target, s *member.Session, _ *Config) { s.User = "aabbccddeeff" }, outcome: NAK, cause: SessionContextNotFound},
		{name: "as unifi", change: func(t *Target, _ *member.Session, _ *Config) { t.Vendor = "unifi" }, outcome: NAK, cause: SessionContextNotFound},
		{name: "as mist", change: func(t *Target, _ *member.Session, _ *Config) { t.Vendor = "mist" }, outcome: NAK, cause: SessionContextNotFound},
		{name: "as omada", change: func(t *Target, _ *member.Session, _ *Config) { t.Vendor = "omada" }, outcome: NAK, cause: SessionContextNotFound},
		{name: "another NAS-Identifier", change: func(_ *Target, s *member.Session, _ *Config) { s.NASIdentifier = "ap2" }, outcome: NAK, cause: NASIdentificationMismatch},
		{name: "another NAS-IP-Address", change: func(_ *Target, s *member.Session, _ *Config) { s.NASAddress = s.Address }, outcome: NAK, cause: NASIdentificationMismatch},
		{name: "no MAC", change: func(_ *Target, s *member.Session, _ *Config) { s.Calling = "nobody" }, outcome: NAK, cause: InvalidAttributeValue},
		{name: "what it does not know", change: func(t *Target, _ *member.Session, _ *Config) { t.Vendor = "fortinet" }, outcome: NAK, cause: UnsupportedAttribute},
		{name: "a CoA-Request", coa: []byte{27, 6, 0, 0, 14, 16}, outcome: NAK, cause: UnsupportedAttribute},
		{name: "another secret", change: func(t *Target, _ *member.Session, _ *Config) { t.Secret += "x" }, outcome: Timeout},
		{name: "an old Event-Timestamp", change: func(_ *Target, _ *member.Session, c *Config) { c.Now = old }, outcome: Timeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to, s, config := target(at), session(), Config{}
			if c.outcome == Timeout {
				config.Timers = quick
			}
			if c.change != nil {
				c.change(to, s, &config)
			}
			client := start(t, config)
			ask := func() (Result, error) { return client.Disconnect(t.Context(), to, s) }
			if c.coa != nil {
				ask = func() (Result, error) { return client.Change(t.Context(), to, s, c.coa) }
			}
			if r, err := ask(); r.Outcome != c.outcome || r.Cause != c.cause || (err != nil) != (c.outcome == Timeout) {
				t.Errorf("%+v, %v; want %v, %v", r, err, c.outcome, c.cause)
			}
		})
	}
}

const freeRADIUSConfig = `
logdir = %[2]q
db_dir = %[2]q
raddbdir = %[2]q
run_dir = %[2]q
log {
	destination = stdout
}
security {
	allow_vulnerable_openssl = yes
	status_server = no
}
client localhost {
	ipaddr = 127.0.0.1
	secret = %[3]q
}
modules {
	always ok {
		rcode = ok
	}
	always reject {
		rcode = reject
	}
}
server coa {
	listen {
		type = coa
		ipaddr = 127.0.0.1
		port = %[1]d
		virtual_server = coa
	}
	recv-coa {
		if (!&Event-Timestamp || !&Message-Authenticator || !&NAS-Identifier) {
			update reply {
				Error-Cause := Missing-Attribute
			}
			reject
		}
		elsif (&Acct-Session-Id == "5F3A9C00AB12CD34" && &Calling-Station-Id == "AA-BB-CC-DD-EE-FF") {
			if (&Packet-Type == CoA-Request && &Session-Timeout != 3600) {
				reject
			}
			ok
		}
		else {
			update reply {
				Error-Cause := Session-Context-Not-Found
			}
			reject
		}
	}
	send-coa {
		ok
	}
}
`

// TestFreeRADIUS asks FreeRADIUS, which takes such requests too.
func TestFreeRADIUS(t *testing.T) {
	t.Parallel()
	binary, err := exec.LookPath("freeradius")
	if err != nil {
		t.Skip("freeradius is not installed: requests are tried against our own code only")
	}
	at, dir := freePort(t), t.TempDir()
	text := fmt.Sprintf(freeRADIUSConfig, at.Port(), dir, string(testSecret))
	if err := os.WriteFile(filepath.Join(dir, "radiusd.conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	program(t, "Ready to process requests", binary, "-f", "-l", "stdout", "-d", dir)
	c := start(t, Config{})
	if r, err := c.Disconnect(t.Context(), target(at), session()); err != nil || !r.Acked() {
		t.Errorf("%+v, %v", r, err)
	}
	other := session()
	other.ID = "5F3A9C00AB12CD35"
	if r, err := c.Disconnect(t.Context(), target(at), other); err != nil || r.Acked() || !r.Gone() {
		t.Errorf("another session: %+v, %v", r, err)
	}
	if r, err := c.Change(t.Context(), target(at), session(), []byte{27, 6, 0, 0, 14, 16}); err != nil || !r.Acked() {
		t.Errorf("CoA: %+v, %v", r, err)
	}
	if r, err := c.Change(t.Context(), target(at), session(), []byte{27, 6, 0, 0, 14, 17}); err != nil || r.Outcome != NAK {
		t.Errorf("CoA: %+v, %v", r, err)
	}
	wrong := target(at)
	wrong.Secret = "not the secret of it at all"
	if r, err := start(t, Config{Timers: quick}).Disconnect(t.Context(), wrong, session()); r.Outcome != Timeout || !errors.Is(err, ErrTimeout) {
		t.Errorf("another secret: %+v, %v", r, err)
	}
}
