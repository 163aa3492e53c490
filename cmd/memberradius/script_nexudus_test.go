package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"memberradius/internal/nexudustest/standin"

	"github.com/rogpeppe/go-internal/testscript"
)

// hooked are the codes of hooks by what happened.
const (
	hookAccess   = 61 // AccessControlUpdate
	hookCancel   = 11 // ContractCancel
	hookActivate = 10 // ContractActivate
)

// spaces are those of the scripts that run, by *testscript.TestScript.
var spaces sync.Map //nolint:gochecknoglobals // a script's commands share nothing else

// scriptNexudus has a space at Nexudus do something:
//
//	nexudus start              serves it, at $NEXUDUS and $NEXUDUS/portal
//	nexudus add EMAIL PLAN     a contract begins, and its hook is sent
//	nexudus cancel EMAIL       all contracts of hers end, and their hooks are sent
//	nexudus quiet-cancel EMAIL the same without a hook
//	nexudus fail STATUS        the API answers so until mend
//	nexudus await EMAIL N TEXT waits until her custom field holds it
func scriptNexudus(ts *testscript.TestScript, _ bool, args []string) {
	if args[0] == "start" {
		s := standin.New()
		s.HookSecret = "hook-secret-of-the-space"
		web := httptest.NewServer(s)
		portal := httptest.NewServer(s.Portal())
		ts.Defer(web.Close)
		ts.Defer(portal.Close)
		ts.Setenv("NEXUDUS", web.URL)
		ts.Setenv("PORTAL", portal.URL)
		spaces.Store(ts, s)
		ts.Defer(func() { spaces.Delete(ts) })
		return
	}
	v, ok := spaces.Load(ts)
	if !ok {
		ts.Fatalf("nexudus start first")
	}
	s := v.(*standin.Server)
	switch args[0] {
	case "add":
		_, contract := s.Join(standin.Coworker{Name: "Member of " + args[1], Email: args[1], Main: true}, args[2])
		_ = s.Tell(context.Background(), hookActivate, s.HookBody(contract))
		_ = s.Tell(context.Background(), hookAccess, s.HookBody(contract))
	case "cancel", "quiet-cancel":
		who, ok := s.Find(args[1])
		if !ok {
			ts.Fatalf("nobody has the address %s", args[1])
		}
		for _, c := range s.ContractsOf(who.ID) {
			s.Cancel(c.ID)
			if args[0] == "cancel" {
				ts.Check(s.Tell(context.Background(), hookCancel, s.HookBody(c.ID)))
			}
		}
	case "fail":
		code, err := strconv.Atoi(args[1])
		ts.Check(err)
		s.Fail("/", 1000, standin.Status(code))
	case "mend":
		s.Mend()
	case "await":
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		ts.Check(eventuallyHolds(func() string {
			who, _ := s.Find(args[1])
			return who.Custom[n]
		}, args[3]))
	default:
		ts.Fatalf("nexudus %s is unknown", args[0])
	}
}

// eventuallyHolds waits until get returns want.
func eventuallyHolds(get func() string, want string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(10 * time.Second)
	for get() != want {
		select {
		case <-tick.C:
		case <-end:
			return fmt.Errorf("it holds %q and never %q", get(), want)
		}
	}
	return nil
}

// scriptSMTP starts a mail server at $SMTP that writes what it takes into a
// file: smtp FILE.
func scriptSMTP(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	address := l.Addr().String()
	ts.Check(l.Close())
	out, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	cmd := exec.Command("aiosmtpd", "-n", "-l", address, "-c", "aiosmtpd.handlers.Debugging", "stdout")
	cmd.Stdout = out
	cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1")
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = out.Close()
	})
	ts.Setenv("SMTP", address)
	ts.Check(awaitListener(address))
}

// awaitListener waits until somebody listens there.
func awaitListener(address string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(10 * time.Second)
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-end:
			return errors.New("nobody listens at " + address)
		}
	}
}
