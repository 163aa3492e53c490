package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"memberradius/radiusd/radiustest"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a new terminal: what types, and what a
// program reads.
func openTerminal(t *testing.T) (typist, program *os.File) {
	t.Helper()
	typist, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal to be had here: %v", err)
	}
	t.Cleanup(func() { _ = typist.Close() })
	if err := unix.IoctlSetPointerInt(int(typist.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skipf("no terminal to be had here: %v", err)
	}
	n, err := unix.IoctlGetInt(int(typist.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Skipf("no terminal to be had here: %v", err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal to be had here: %v", err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return typist, program
}

func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

func TestPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	typist, tty := openTerminal(t)
	if !echoes(t, tty) {
		t.Fatal("a new terminal shows nothing")
	}
	restore, err := hideInput(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if echoes(t, tty) {
		t.Error("the terminal shows what is typed")
	}
	restore()
	if !echoes(t, tty) {
		t.Error("the terminal was not given back")
	}
	var said bytes.Buffer
	p := &program{stdin: tty, stderr: &said}
	if _, err := typist.WriteString("hello\n"); err != nil {
		t.Fatal(err)
	}
	if password, err := p.readPassword("Password: "); string(password) != "hello" || err != nil {
		t.Errorf("read %q, %v", string(password), err)
	}
	if !strings.HasPrefix(said.String(), "Password: ") || !echoes(t, tty) {
		t.Errorf("said %q, and the terminal shows what is typed: %v", said.String(), echoes(t, tty))
	}
}

func TestProgressIsOneLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := radiustest.Snapshot{Elapsed: 3 * time.Second, Rate: 1234, P50: 345 * time.Microsecond, P99: 12345 * time.Microsecond}
	s.Accepted = 3702
	progress(&program{stderr: &out}, s)
	if text := out.String(); !strings.HasPrefix(text, "\r") || strings.Contains(text, "\n") || !strings.Contains(text, "1234/s") ||
		!strings.Contains(text, "p50 345µs") || !strings.Contains(text, "p99 12.35ms") || !strings.Contains(text, "accepted 3702") {
		t.Errorf("%q", text)
	}
}
