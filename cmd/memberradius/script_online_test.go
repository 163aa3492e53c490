package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
	"memberradius/store"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptSecret is the RADIUS secret of the scripts below testdata/online.
const scriptSecret = "a secret that is long enough"

// TestOnlineScripts runs the scripts of who is online. They take a NAS, a browser
// and another portal besides what TestScripts has.
func TestOnlineScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/online",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await":     scriptAwait,
			"awaitpage": scriptAwaitPage,
			"call":      scriptCall,
			"expand":    scriptExpand,
			"gate":      scriptGate,
			"get":       scriptGet,
			"keep":      scriptKeep,
			"nas":       scriptNAS,
			"outbox":    scriptOutbox,
			"radclient": scriptRadclient,
			"ready":     scriptReady,
			"reload":    scriptReload,
			"signal":    scriptSignal,
			"status":    scriptStatus,
			"submit":    scriptSubmit,
			"unifi":     scriptUniFi,
			"visit":     scriptVisit,
		},
		Condition: func(name string) (bool, error) {
			if name != "radclient" {
				return false, fmt.Errorf("condition %q is unknown", name)
			}
			_, err := exec.LookPath("radclient")
			if err != nil && os.Getenv("CI") != "" {
				return false, fmt.Errorf("radclient is not installed, and CI is set: %w", err)
			}
			return err == nil, nil
		},
		Setup: func(e *testscript.Env) error {
			e.Values[streetKey{}] = &street{nases: map[string]*dasNAS{}}
			e.Setenv("SECRET", scriptSecret)
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else each verb waits a second under -race
			return nil
		},
	})
}

// A street is what stands around the server of one script.
type street struct {
	nases map[string]*dasNAS
	tab   *tab  // the browser's; nil: none is open
	gate  *gate // nil: none is there
	// console is what a UniFi console is told.
	console chan string
}

type streetKey struct{}

func streetOf(ts *testscript.TestScript) *street { return ts.Value(streetKey{}).(*street) }

// scriptRadclient sends a request by Debian's radclient and prints the answer's
// attributes:
//
//	radclient ANSWER auth|acct [FILE] [NAME=VALUE ...]
//
// ANSWER is the code of the answer, or nothing. A FILE has attributes as radclient
// reads them. The secret is $SECRET.
func scriptRadclient(ts *testscript.TestScript, _ bool, args []string) {
	port, err := netip.ParseAddrPort(ts.Getenv("RADIUS_" + args[1]))
	ts.Check(err)
	q := radiustest.RadclientQuery{Server: port, Secret: member.Secret(ts.Getenv("SECRET")), Command: args[1], Timeout: 10 * time.Second}
	if args[0] == "nothing" {
		q.Timeout = 200 * time.Millisecond
	}
	if args[1] == "auth" {
		q.Attributes = append(q.Attributes, member.Attribute{Name: "Message-Authenticator", Value: "0x00"})
	}
	for _, arg := range args[2:] {
		lines := arg
		if !strings.Contains(arg, "=") {
			lines = ts.ReadFile(arg)
		}
		for line := range strings.Lines(lines) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			q.Attributes = append(q.Attributes, member.Attribute{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
		}
	}
	answer := radiustest.Radclient(scriptTB{ts}, q)
	got := "nothing"
	if answer.Code != 0 {
		got = answer.Code.String()
	}
	for _, a := range answer.Attributes {
		_, _ = fmt.Fprintf(ts.Stdout(), "%s = %s\n", a.Name, a.Value)
	}
	if got != args[0] {
		ts.Fatalf("%s came, want %s:\n%s", got, args[0], answer.Output)
	}
}

// A scriptTB is a script as radiustest.Radclient needs it. The condition
// [radclient] has asked before whether it is installed.
type scriptTB struct{ *testscript.TestScript }

func (scriptTB) Helper() {}

// Skipf implements radiustest.TB.
func (s scriptTB) Skipf(format string, args ...any) { s.Fatalf(format, args...) }

// scriptAwaitPage gets a page until a line of it matches: awaitpage PATTERN URL.
func scriptAwaitPage(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[0])
	ts.Check(eventuallyHolds(func() string {
		resp, err := http.Get(args[1])
		ts.Check(err)
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		ts.Check(err)
		return fmt.Sprint(pattern.Match(text))
	}, "true"))
}

// scriptOutbox is about what waits to be told to other systems, in a data directory:
//
//	outbox due DATA     waits until it has failed once, and has it be due now, not in a minute
//	outbox empty DATA   waits until nothing waits
func scriptOutbox(ts *testscript.TestScript, _ bool, args []string) {
	ctx, data := context.Background(), ts.MkAbs(args[1])
	s, err := store.Open(ctx, store.Config{Dir: data})
	ts.Check(err)
	defer func() { _ = s.Close() }()
	var waits []store.Event
	ts.Check(eventuallyHolds(func() string {
		waits, err = s.DueEvents(ctx, time.Now().Add(24*time.Hour), 10)
		ts.Check(err)
		switch {
		case args[0] == "empty" && len(waits) == 0, args[0] == "due" && len(waits) == 1 && waits[0].Tries == 1:
			return args[0]
		}
		return fmt.Sprintf("%+v", waits)
	}, args[0]))
	if args[0] == "due" {
		ts.Check(s.EventFailed(ctx, waits[0].ID, time.Now(), waits[0].LastError, false))
		ts.Check(newControlClient(data).call(ctx, http.MethodPost, "/members/refresh", nil, nil))
	}
}
