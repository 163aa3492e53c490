package radiustest

import (
	"bufio"
	"context"
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

// freeRADIUSConfig is a site that knows its members from a file: port,
// directory of the files, secret.
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
	reject_delay = 0
	status_server = yes
}
client localhost {
	ipaddr = 127.0.0.1
	secret = %[3]q
}
modules {
	pap {
	}
	chap {
	}
	mschap {
		use_mppe = yes
	}
	files {
		usersfile = "%[2]s/users"
	}
}
server default {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = %[1]d
	}
	authorize {
		chap
		mschap
		files
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
		Auth-Type CHAP {
			chap
		}
		Auth-Type MS-CHAP {
			mschap
		}
	}
}
`

const freeRADIUSUsers = `
anna	Cleartext-Password := "correct horse"
	Tunnel-Type = VLAN,
	Tunnel-Medium-Type = IEEE-802,
	Tunnel-Private-Group-Id = "40",
	Session-Timeout = 3600,
	Reply-Message = "Welcome"
jürgen	Cleartext-Password := "pässwörd €"
`

// freeRADIUS runs Debian's freeradius with that site on a free port for the
// time of the test.
func freeRADIUS(t *testing.T, secret member.Secret) netip.AddrPort {
	t.Helper()
	return startFreeRADIUS(t, freeRADIUSUsers, func(port uint16, dir string) string {
		return fmt.Sprintf(freeRADIUSConfig, port, dir, string(secret))
	})
}

// startFreeRADIUS runs it with the configuration for a port and a directory,
// in which there is a file "users".
func startFreeRADIUS(t *testing.T, users string, config func(port uint16, dir string) string) netip.AddrPort {
	t.Helper()
	binary, err := exec.LookPath("freeradius")
	if err != nil {
		t.Skip("freeradius is not installed: the NAS is tried against our own code only")
	}
	// Port 0 is 1812 to freeradius, so that a free one has to be found first.
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	address := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	_ = conn.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{"radiusd.conf": config(address.Port(), dir), "users": users} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, binary, "-f", "-l", "stdout", "-d", dir)
	command.WaitDelay = 5 * time.Second
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		var all strings.Builder
		for lines := bufio.NewScanner(output); lines.Scan(); {
			if strings.Contains(lines.Text(), "Ready to process requests") {
				ready <- ""
			}
			all.WriteString(lines.Text() + "\n")
		}
		ready <- all.String()
	}()
	t.Cleanup(func() {
		stop()
		_ = command.Wait()
	})
	select {
	case said := <-ready:
		if said != "" {
			t.Fatalf("freeradius did not start:\n%s", said)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("freeradius was not ready within 10 s")
	}
	return address
}

// TestNAS_FreeRADIUS proves the NAS against a server that is not ours.
func TestNAS_FreeRADIUS(t *testing.T) {
	t.Parallel()
	const secret = member.Secret("foreign-secret-16")
	nas := open(t, &NAS{Server: freeRADIUS(t, secret), Secret: secret, TakeUnsigned: true})
	point := AccessPoint{Identifier: "ap1", SSID: "Members", Station: []byte{1, 2, 3, 4, 5, 6}}
	for _, c := range []struct {
		name    string
		request Request
		want    Code
		success Check
		keys    Check
		code    int // of MS-CHAP-Error
	}{
		{name: "PAP", request: Request{Method: PAP, Login: "anna", Password: "correct horse"}, want: AccessAccept},
		{name: "PAP wrong", request: Request{Method: PAP, Login: "anna", Password: "wrong"}, want: AccessReject},
		{name: "PAP, three blocks", request: Request{Method: PAP, Login: "anna", Password: "correct horse, and thirty-one more octets"}, want: AccessReject},
		{name: "PAP, UTF-8", request: Request{Method: PAP, Login: "jürgen", Password: "pässwörd €"}, want: AccessAccept},
		{name: "CHAP", request: Request{Method: CHAP, Login: "anna", Password: "correct horse"}, want: AccessAccept},
		{name: "CHAP, 5 octets", request: Request{Method: CHAP, Login: "anna", Password: "correct horse", ChallengeSize: 5}, want: AccessAccept},
		{name: "CHAP, 253 octets", request: Request{Method: CHAP, Login: "anna", Password: "correct horse", ChallengeSize: 253}, want: AccessAccept},
		{name: "CHAP, the authenticator", request: Request{Method: CHAP, Login: "anna", Password: "correct horse", ChallengeSize: -1}, want: AccessAccept},
		{name: "CHAP wrong", request: Request{Method: CHAP, Login: "anna", Password: "wrong"}, want: AccessReject},
		{name: "MS-CHAP", request: Request{Method: MSCHAP, Login: "anna", Password: "correct horse"}, want: AccessAccept, keys: Right},
		{name: "MS-CHAP wrong", request: Request{Method: MSCHAP, Login: "anna", Password: "wrong"}, want: AccessReject, code: 691},
		{name: "MS-CHAPv2", request: Request{Method: MSCHAPv2, Login: "anna", Password: "correct horse"}, want: AccessAccept, success: Right, keys: Right},
		{name: "MS-CHAPv2, UTF-8", request: Request{Method: MSCHAPv2, Login: "jürgen", Password: "pässwörd €"}, want: AccessAccept, success: Right, keys: Right},
		{name: "MS-CHAPv2 wrong", request: Request{Method: MSCHAPv2, Login: "anna", Password: "wrong"}, want: AccessReject, code: 691},
		{name: "Status-Server", request: Request{Method: Status}, want: AccessAccept},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.request.AccessPoint = point
			reply, err := nas.Do(t.Context(), &c.request)
			if err != nil {
				t.Fatal(err)
			}
			if reply.Code != c.want || reply.Success != c.success || reply.Keys != c.keys {
				t.Errorf("%s, MS-CHAP2-Success %s, keys %s; want %s, %s, %s", reply.Code, reply.Success, reply.Keys, c.want, c.success, c.keys)
			}
			if c.code != 0 && (reply.Error == nil || reply.Error.Code != c.code) {
				t.Errorf("MS-CHAP-Error %v, want E=%d", reply.Error, c.code)
			}
			for _, fault := range reply.Faults {
				t.Logf("fault: %s", fault)
			}
			if c.want == AccessAccept && c.request.Login == "anna" {
				if reply.VLAN() != "40" || reply.SessionTimeout() != time.Hour || reply.Message != "Welcome" {
					t.Errorf("VLAN %q, Session-Timeout %s, message %q", reply.VLAN(), reply.SessionTimeout(), reply.Message)
				}
			}
		})
	}
}
