package onboard

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: is not what was written last; if it should be so now, run go test -update and read the difference. Now:\n%s", path, got)
	}
}

// need returns a program that is not ours, or skips; it fails where the
// environment says CI=true.
func need(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	missing(t, name, debian)
	return ""
}

func missing(t *testing.T, name, debian string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: apt-get install %s", name, debian)
	}
	t.Skipf("%s is missing, so nobody but ourselves reads this (Debian: apt-get install %s)", name, debian)
}

// run runs such a program on input and returns what it printed.
func run(t *testing.T, input []byte, name string, arguments ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, name, arguments...)
	command.Stdin = bytes.NewReader(input)
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, arguments, err, said.Bytes())
	}
	return out
}

// testCA is a CA as memberradius makes them; its key is nowhere.
func testCA(t *testing.T) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The networks and members that profiles are written for.
func plainNetwork(t *testing.T) *Network {
	return &Network{Space: "Example Space", SSID: "Members", ServerName: "radius.example.com", CA: testCA(t), Method: PEAP, ID: "main"}
}

func plainAccess() *Access {
	return &Access{Login: "anna@example.com", Name: "Anna", Password: "abcd-efgh-jkmn-pqrs", Changed: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
}

// hostileNetwork has names that break out of formats that forget to escape.
func hostileNetwork(t *testing.T) *Network {
	return &Network{Space: "Bob's \u202e<Café> & \"Co\" ]]>\r\n</string>", SSID: `Café <&> "5'G" 😀`,
		ServerName: "radius.example.com", CA: testCA(t), Method: TTLS, TTLSInner: MSCHAPv2, ID: "</string>"}
}

func hostileAccess() *Access {
	return &Access{Login: `o'neil+"<&>"@example.com`, Name: "O'Neil\n</dict>", Password: `a<b&c"d'e]]>f\u0041 g`}
}

// sample is a network with a member, and the word its golden files have.
type sample struct {
	name    string
	network *Network
	access  *Access
}

func samples(t *testing.T) []sample {
	public := plainNetwork(t)
	public.CA, public.Method, public.TTLSInner = nil, TTLS, PAP
	asked := plainAccess()
	asked.Password = ""
	return []sample{
		{"peap", plainNetwork(t), plainAccess()},
		{"ttls-pap-public", public, asked},
		{"hostile", hostileNetwork(t), hostileAccess()},
	}
}

// runs is run for a program that may fail.
func runs(t *testing.T, input []byte, name string, arguments ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, name, arguments...)
	command.Stdin = bytes.NewReader(input)
	return command.Run()
}
