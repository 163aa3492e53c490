//go:build linux

package supplicant

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// runWait is how long eapol_test tries, in seconds, and killWait how long it
// may live at all.
const (
	runWait  = "20"
	killWait = 30 * time.Second
)

// A verdict is what eapol_test says at its end.
type verdict struct {
	success bool
	// matched counts the joins whose keys were those of the server, mismatched the others.
	matched, mismatched int
	// resumed and versions are of every join's first TLS handshake, which is the tunnel's.
	resumed  []bool
	versions []string
	said     string
}

// A join is one run of eapol_test.
type join struct {
	device device
	wire   *wire
	// mac is the device's own, by which the server's journal is read.
	mac  string
	args []string
	// noEMS takes Extended Master Secret out of the library's ClientHello.
	noEMS bool
}

// withoutEMS makes OpenSSL leave the extension out (RFC 7627).
const withoutEMS = `openssl_conf = library
[library]
ssl_conf = tls
[tls]
system_default = all
[all]
Options = -ExtendedMasterSecret
CipherString = DEFAULT@SECLEVEL=0
`

// run runs eapol_test to its end.
func (j *join) run(t *testing.T) verdict {
	t.Helper()
	dir := t.TempDir()
	block := filepath.Join(dir, "network.conf")
	if err := os.WriteFile(block, []byte(j.device.block("key_mgmt=WPA-EAP", `ssid="Members"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), killWait)
	defer cancel()
	args := append([]string{"-c", block, "-a", "127.0.0.1", "-p", j.wire.port(), "-s", sharedSecret, "-t", runWait, "-M", j.mac}, j.args...)
	cmd := exec.CommandContext(ctx, "eapol_test", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if j.noEMS {
		file := filepath.Join(dir, "openssl.cnf")
		if err := os.WriteFile(file, []byte(withoutEMS), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(os.Environ(), "OPENSSL_CONF="+file)
	}
	out, err := cmd.CombinedOutput()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	v, err := read(string(out))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var (
	keysLine    = regexp.MustCompile(`(?m)^MPPE keys OK: (\d+)  mismatch: (\d+)$`)
	endLine     = regexp.MustCompile(`(?m)^(SUCCESS|FAILURE)$`)
	resumedLine = regexp.MustCompile(`(?m)^OpenSSL: Handshake finished - resumed=[01]`)
	// The version is named at every step; the last name before the end is the agreed one's.
	versionLine = regexp.MustCompile(`(?m)^SSL: Using TLS version TLSv([\d.]+)$`)
)

// comesBack is what eapol_test says between two joins.
const comesBack = "eapol_test: Triggering EAP reauthentication"

// read takes the verdict out of what eapol_test said.
func read(said string) (verdict, error) {
	v := verdict{said: said}
	keys, end := keysLine.FindStringSubmatch(said), endLine.FindStringSubmatch(said)
	if keys == nil || end == nil {
		return v, fmt.Errorf("eapol_test came to no end: ...%s", said[max(0, len(said)-2000):])
	}
	v.success = end[1] == "SUCCESS"
	v.matched, _ = strconv.Atoi(keys[1])
	v.mismatched, _ = strconv.Atoi(keys[2])
	for part := range strings.SplitSeq(said, comesBack) {
		if resumed := resumedLine.FindStringIndex(part); resumed != nil {
			v.resumed = append(v.resumed, part[resumed[1]-1] == '1')
			names := versionLine.FindAllStringSubmatch(part[:resumed[1]], -1)
			v.versions = append(v.versions, names[len(names)-1][1])
		}
	}
	return v, nil
}

// outline is what of eapol_test's long words tells how far the device came.
func (v verdict) outline() string {
	var lines []string
	for line := range strings.Lines(v.said) {
		for _, begin := range []string{"EAP-", "EAP: Initialize", "EAP: Received", "SSL: ", "OpenSSL: ", "TLS: ", "CTRL-EVENT", "RADIUS message", "MPPE", "decapsulated"} {
			if strings.HasPrefix(line, begin) && !strings.Contains(line, "hexdump") {
				lines = append(lines, line)
				break
			}
		}
	}
	return strings.Join(lines[max(0, len(lines)-60):], "")
}
