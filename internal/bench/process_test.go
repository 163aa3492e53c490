//go:build linux

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"memberradius/radiusd/radiustest"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary play the bench's roles.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-role" {
		main()
		return
	}
	os.Exit(m.Run())
}

// testRun is a run whose roles the test binary plays.
func testRun(t *testing.T) *run {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, err := findCores()
	if err != nil {
		t.Skip(err)
	}
	return &run{cores: c, dir: t.TempDir(), self: self, rounds: 1, seconds: 0.2, tell: t.Output()}
}

func TestEchoOnItsCore(t *testing.T) {
	t.Parallel()
	r := testRun(t)
	s, err := r.startEcho(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(s.cmd.Process.Pid, &set); err != nil || set.Count() != 1 || !set.IsSet(r.cores.server) {
		t.Errorf("the echo may use %d cores, its own: %v, %v", set.Count(), set.IsSet(r.cores.server), err)
	}
	conn, err := net.Dial("udp", s.address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// More than one batch, of every size: each comes back once and whole.
	want := map[string]bool{}
	for n := range 3 * batchSize {
		text := strings.Repeat("x", n) + "."
		want[text] = true
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for buf := make([]byte, datagramSize); len(want) > 0; {
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("%d are missing: %v", len(want), err)
		}
		if !want[string(buf[:n])] {
			t.Fatalf("a datagram of %d octets that was not sent, or twice", n)
		}
		delete(want, string(buf[:n]))
	}
	s.stop()
	if err := syscall.Kill(s.cmd.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("after stop the echo is still there: %v", err)
	}
}

func TestProcessThatFails(t *testing.T) {
	t.Parallel()
	r := testRun(t)
	p, err := start(r.cores.load, r.dir, "/bin/sh", "-c", "echo so far so good; echo the reason >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	if err := p.waitFor(t.Context(), "never said"); err == nil || !strings.Contains(err.Error(), "so far so good") {
		t.Errorf("waitFor: %v", err)
	}
	if err := p.wait(t.Context()); err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("wait: %v", err)
	}
}

func TestProcessThatSaysNothing(t *testing.T) {
	t.Parallel()
	r := testRun(t)
	p, err := start(r.cores.load, r.dir, "/bin/sleep", "1000")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.waitFor(ctx, readyLine); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waitFor: %v", err)
	}
	p.stop()
	if p.err == nil || !strings.Contains(p.err.Error(), "terminated") {
		t.Errorf("it ended with %v", p.err)
	}
}

func TestMemberSystemAndBareClient(t *testing.T) {
	t.Parallel()
	r := testRun(t)
	system, err := r.startSystem(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer system.stop()
	url := "http://" + system.address.String()
	o := untilAnswered(t, func() (outcome, error) { return bareClient(t.Context(), url+systemPath, 0.3) })
	if o.Wrong > 0 || o.P50 < systemDelay || o.CPU == 0 {
		t.Errorf("%+v", o)
	}
	if o, err := bareClient(t.Context(), url+"/nowhere", 0.1); err != nil || o.Rate != 0 {
		t.Errorf("a path that is not there: %+v, %v", o, err)
	}
}

func TestLoadOnEcho(t *testing.T) {
	t.Parallel()
	r := testRun(t)
	s, err := r.startEcho(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	o := untilAnswered(t, func() (outcome, error) {
		return r.load(t.Context(), s, job{Method: string(radiustest.Echo), Members: speedMembers, InFlight: speedInFlight})
	})
	if o.Lost+o.Wrong > 0 || o.P99 < o.P50 {
		t.Errorf("%+v", o)
	}
}

// untilAnswered measures until something was answered: a busy machine may keep
// a process waiting for longer than a test's turn takes.
func untilAnswered(t *testing.T, measure func() (outcome, error)) (o outcome) {
	t.Helper()
	var err error
	for range 10 {
		if o, err = measure(); err == nil && o.Rate > 0 {
			return o
		}
	}
	t.Fatalf("in ten turns nothing was answered: %+v, %v", o, err)
	return o
}
