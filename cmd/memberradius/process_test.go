package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sirupsen/logrus"
)

func TestProcAddress(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"0100007F:0714", "127.0.0.1:1812"},
		{"00000000:0714", "0.0.0.0:1812"},
		{"00000000000000000000000001000000:0715", "[::1]:1813"},
		{"B80D01200000000067452301EFCDAB89:0001", "[2001:db8::123:4567:89ab:cdef]:1"},
		{"0100007F", ""}, {"xx00007F:0714", ""}, {"0100007F:99999", ""}, {"01007F:0714", ""}, {"", ""},
	}
	for _, tt := range tests {
		a, ok := procAddress(tt.text)
		if got := a.String(); ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("%s is %s, %v; want %q", tt.text, got, ok, tt.want)
		}
	}
}

// fakeProc lays out a /proc with one process that holds UDP port 1812.
func fakeProc(t *testing.T) procFS {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"net", "42/fd", "43"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	for name, text := range map[string]string{
		"net/udp":  head + "  1: 00000000:0714 00000000:0000 07 00000000:00000000 00:00000000 00000000   104        0 777 2 0 0\n",
		"net/udp6": head,
		"net/tcp": head + "  1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 888 2 0 0\n" +
			"  2: 0100007F:1F91 0100007F:C000 01 00000000:00000000 00:00000000 00000000  1000        0 999 2 0 0\n",
		"42/comm": "freeradius\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("socket:[777]", filepath.Join(root, "42/fd/9")); err != nil {
		t.Fatal(err)
	}
	return procFS(root)
}

func TestHolders(t *testing.T) {
	t.Parallel()
	p := fakeProc(t)
	tests := []struct{ network, address, want string }{
		{"udp", "127.0.0.1:1812", "[freeradius (process 42)]"},
		{"udp", "[::]:1812", "[freeradius (process 42)]"},
		{"udp", "127.0.0.1:1813", "[]"},
		{"udp", "127.0.0.1:0", "[]"},
		{"tcp", "127.0.0.1:8080", "[a process of user 1000 that only root may look into]"},
		{"tcp", "192.0.2.1:8080", "[]"},
		{"tcp", "127.0.0.1:8081", "[]"}, // a connection, nobody listens
	}
	for _, tt := range tests {
		if got := fmt.Sprint(p.holders(tt.network, netip.MustParseAddrPort(tt.address))); got != tt.want {
			t.Errorf("%s %s is held by %s, want %s", tt.network, tt.address, got, tt.want)
		}
	}
}

func TestExplainInUse(t *testing.T) {
	t.Parallel()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	address := l.LocalAddr().(*net.UDPAddr).AddrPort()
	err = fmt.Errorf("bind: %w", syscall.EADDRINUSE)
	if got := explainInUse(err, "udp", []netip.AddrPort{address}); !strings.Contains(got.Error(), "ss -lnp") {
		t.Errorf("held by ourselves: %v", got)
	}
	if got := explainInUse(os.ErrPermission, "udp", []netip.AddrPort{address}); !errors.Is(got, os.ErrPermission) || strings.Contains(got.Error(), "held") {
		t.Errorf("another error: %v", got)
	}
}

func TestIdentityKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := identityKey(dir)
	if err != nil || len(first) != 32 {
		t.Fatal(len(first), err)
	}
	if again, err := identityKey(dir); err != nil || !bytes.Equal(first, again) {
		t.Errorf("another key after a restart: %v", err)
	}
	path := filepath.Join(dir, identityFile)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("mode of %s: %v, %v", path, info.Mode(), err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("short"), 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := identityKey(dir); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("a key of five octets: %v", err)
	}
}

func TestLogIsEscaped(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := newLogger(&out, logConfig{logrus.InfoLevel, format})
		log.WithField("login", "eve\r\nlevel=error msg=\"all is lost\"\x1b[2J\u202e").Info("access")
		if text := strings.TrimSuffix(out.String(), "\n"); strings.ContainsAny(text, "\r\n\x1b") {
			t.Errorf("%s: %q", format, text)
		}
	}
}

func TestMakeData(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "data")
	var out bytes.Buffer
	log := newLogger(&out, logConfig{logrus.InfoLevel, "text"})
	if err := makeData(dir, log); err != nil || out.Len() > 0 {
		t.Fatal(err, out.String())
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := makeData(dir, log); err != nil || !strings.Contains(out.String(), "chmod 700") {
		t.Errorf("an open directory: %v, %s", err, out.String())
	}
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := makeData(filepath.Join(dir, "x"), log); err == nil {
		t.Error("a file was taken as data directory")
	}
}
