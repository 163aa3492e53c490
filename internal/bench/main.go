//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// readyLine is what a role says once it serves.
const readyLine = "ready"

// scenarios are what -only chooses from.
var scenarios = []string{"speed", "rest", "members", "eap", "membership", "sessions"}

// options are the command line.
type options struct {
	rounds                        int
	seconds                       float64
	only, modules, profile, out   string
	role, address, url, jobAsJSON string
}

func parseOptions(arguments []string) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 5, "how often each contender has its turn; figures are medians")
	f.Float64Var(&o.seconds, "seconds", 3, "how long each turn takes")
	f.StringVar(&o.only, "only", "", "measure only these of "+strings.Join(scenarios, ",")+"; no page is written then")
	f.StringVar(&o.modules, "modules", "/usr/lib/freeradius", "where FreeRADIUS's modules are")
	f.StringVar(&o.profile, "cpuprofile", "", "where memberradius writes a CPU profile; each start of it replaces the last one")
	f.StringVar(&o.out, "out", filepath.Join("docs", "benchmarks.md"), "the page to write")
	f.StringVar(&o.role, "role", "", "what the bench starts itself as: echo, load, system, client, space, nas")
	f.StringVar(&o.address, "address", "", "for -role echo, system, space and nas: where to serve")
	f.StringVar(&o.url, "url", "", "for -role client: whom to ask")
	f.StringVar(&o.jobAsJSON, "job", "", "for -role load: what to do")
	if err := f.Parse(arguments); err != nil {
		return o, err
	}
	for _, name := range o.scenarios() {
		if !slices.Contains(scenarios, name) {
			return o, fmt.Errorf("-only %s: there is %s", name, strings.Join(scenarios, ", "))
		}
	}
	if o.rounds < 1 || o.seconds <= 0 {
		return o, errors.New("-rounds and -seconds must be above 0")
	}
	return o, nil
}

func (o options) scenarios() []string {
	if o.only == "" {
		return scenarios
	}
	return strings.Split(o.only, ",")
}

func main() {
	o, err := parseOptions(os.Args[1:])
	if err == nil {
		err = o.run(context.Background())
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run plays the role that was asked for; without one it is the bench itself.
func (o options) run(ctx context.Context) error {
	ready := func() { _, _ = fmt.Println(readyLine) }
	switch o.role {
	case "":
		return o.bench(ctx)
	case "echo", "system", "space", "nas":
		address, err := netip.ParseAddrPort(o.address)
		if err != nil {
			return fmt.Errorf("-address: %w", err)
		}
		serve := map[string]func(netip.AddrPort, func()) error{"echo": echo, "system": serveSystem, "space": serveSpace, "nas": serveNASes}
		return serve[o.role](address, ready)
	case "client":
		return printOutcome(bareClient(ctx, o.url, o.seconds))
	case "load":
		var j job
		if err := json.Unmarshal([]byte(o.jobAsJSON), &j); err != nil {
			return fmt.Errorf("-job: %w", err)
		}
		ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
		defer stop()
		return printOutcome(j.run(ctx, ready))
	}
	return fmt.Errorf("-role %q: there is no such role", o.role)
}

func printOutcome(out outcome, err error) error {
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// bench measures what was asked for and says what it found. It ends what it
// started when it is told to end; the other roles just die.
func (o options) bench(ctx context.Context) (err error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := &run{rounds: o.rounds, seconds: o.seconds, tell: os.Stderr}
	if r.cores, err = findCores(); err != nil {
		return err
	}
	if r.self, err = os.Executable(); err != nil {
		return err
	}
	if r.dir, err = os.MkdirTemp("", "memberradius-bench"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	if r.ours, err = buildOurs(ctx, r.dir); err != nil {
		return err
	}
	if o.profile != "" {
		if r.ours.profile, err = filepath.Abs(o.profile); err != nil {
			return err
		}
	}
	if r.free, err = findFreeradius(o.modules); err != nil {
		r.skip("FreeRADIUS", err)
	}
	r.busy = loadAverage()
	if r.busy > quietLoad {
		r.say("this machine is busy (load %.1f): the figures will be worth little", r.busy)
	}
	found, err := o.measure(ctx, r)
	if ctx.Err() != nil {
		return errors.New("interrupted; nothing was written")
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Printf("\n%s\n%s", found.verdictTable(), found.rateTable())
	if found.enterprise != nil {
		_, _ = fmt.Printf("\n%s", found.enterprise.table())
	}
	if found.membership != nil {
		_, _ = fmt.Printf("\n%s", found.membership.table())
	}
	if found.sessions != nil {
		_, _ = fmt.Printf("\n%s", found.sessions.table())
	}
	if o.only != "" {
		return nil
	}
	return writePage(o.out, page(describeMachine(ctx, r, time.Now()), r, found))
}

func (o options) measure(ctx context.Context, r *run) (found results, err error) {
	for _, name := range o.scenarios() {
		switch name {
		case "speed":
			var s speed
			s, err = r.measureSpeed(ctx)
			found.speed = &s
		case "rest":
			var a asking
			a, err = r.measureAsking(ctx)
			found.asking = &a
		case "members":
			var c crowd
			c, err = r.measureCrowd(ctx)
			found.crowd = &c
		case "eap":
			var e enterprise
			e, err = r.measureEnterprise(ctx)
			found.enterprise = &e
		case "membership":
			var m membership
			m, err = r.measureMembership(ctx)
			found.membership = &m
		case "sessions":
			found.sessions, err = r.measureSessions(ctx)
		}
		if err != nil {
			return found, fmt.Errorf("%s: %w", name, err)
		}
	}
	return found, nil
}
