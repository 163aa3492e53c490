package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"memberradius": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await":   scriptAwait,
			"call":    scriptCall,
			"expand":  scriptExpand,
			"keep":    scriptKeep,
			"nexudus": scriptNexudus,
			"push":    scriptPush,
			"smtp":    scriptSMTP,
			"get":     scriptGet,
			"ready":   scriptReady,
			"reload":  scriptReload,
			"signal":  scriptSignal,
			"status":  scriptStatus,
		},
		Condition: func(name string) (bool, error) {
			if name == "smtp" {
				_, err := exec.LookPath("aiosmtpd")
				if err != nil && os.Getenv("CI") != "" {
					return false, fmt.Errorf("aiosmtpd is not installed, and CI is set: %w", err)
				}
				return err == nil, nil
			}
			if name != "ipv6" {
				return false, fmt.Errorf("condition %q is unknown", name)
			}
			l, err := net.ListenPacket("udp", "[::1]:0")
			if err == nil {
				_ = l.Close()
			}
			return err == nil, nil
		},
		Setup: func(e *testscript.Env) error {
			example, err := os.ReadFile("../../testdata/members.toml")
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "members.toml"), example, 0o600)
		},
	})
}

// scriptReady waits until the server of a data directory answers: ready data.
func scriptReady(ts *testscript.TestScript, _ bool, args []string) {
	st, err := awaitServer(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, l := range st.Listen {
		ts.Setenv("RADIUS_"+l.For, l.Address.String())
	}
	for _, a := range st.HTTP {
		ts.Setenv("HTTP", a)
	}
}

// awaitServer asks until the server serves.
func awaitServer(data string) (st status, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		st = status{}
		if err = newControlClient(data).call(ctx, http.MethodGet, "/status", nil, &st); err == nil && len(st.Listen) > 0 {
			return st, nil
		}
		select {
		case <-ctx.Done():
			return st, ctx.Err()
		case <-tick.C:
		}
	}
}

// scriptGet prints the body of a page that is served well: get http://$HTTP/metrics.
func scriptGet(ts *testscript.TestScript, _ bool, args []string) {
	resp, err := http.Get(args[0])
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(ts.Stdout(), resp.Body)
	ts.Check(err)
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s", args[0], resp.Status)
	}
}

// scriptSignal sends a signal to the server of a data directory: signal HUP data.
func scriptSignal(ts *testscript.TestScript, _ bool, args []string) {
	st, err := awaitServer(ts.MkAbs(args[1]))
	ts.Check(err)
	ts.Check(syscall.Kill(st.Process, map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM}[args[0]]))
}

// scriptReload makes the server of a data directory read its configuration
// again, and waits until it has: reload data.
func scriptReload(ts *testscript.TestScript, _ bool, args []string) {
	var found findings
	ts.Check(newControlClient(ts.MkAbs(args[0])).call(context.Background(), http.MethodPost, "/reload", nil, &found))
	for _, f := range found {
		ts.Logf("%v", f)
	}
}

// scriptExpand puts the values of variables into a file: expand config.toml.
func scriptExpand(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.WriteFile(path, []byte(os.Expand(string(text), ts.Getenv)), 0o600))
}

// scriptAwait runs a program until what it prints matches: await PATTERN program args.
func scriptAwait(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[0])
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(10 * time.Second)
	for {
		if err := ts.Exec(args[1], args[2:]...); err == nil && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			ts.Fatalf("%v never printed %s", args[1:], args[0])
		}
	}
}

// scriptStatus checks an exit status: status 2 program args.
func scriptStatus(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}
