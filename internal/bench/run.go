//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"memberradius/radiusd/radiustest"
)

// The methods that are measured, as the load spells them.
var methods = []string{string(radiustest.PAP), string(radiustest.MSCHAPv2)}

// warmup is how long a load runs before it counts: caches, connections and the
// server's first growth are no part of a steady state.
const warmup = time.Second

// speedInFlight is how many requests a load keeps in work where no member
// system is asked: enough that the server's core never waits.
const speedInFlight = 256

// startWait bounds the start of a process of ours that has nothing to load.
const startWait = 10 * time.Second

// A run is one call of the bench.
type run struct {
	cores   cores
	dir     string // temporary
	self    string // this program
	rounds  int
	seconds float64
	free    *freeradius // nil: not installed
	ours    *ours
	tell    io.Writer // progress
	skipped []string  // in sentences
	busy    float64   // the machine's load before all of it
}

// role starts this program in another role, on the core.
func (r *run) role(core int, role string, arguments ...string) (*process, error) {
	return start(core, r.dir, append([]string{r.self, "-role", role}, arguments...)...)
}

// startLoad begins to put s under load.
func (r *run) startLoad(s *server, j job) (*process, error) {
	j.Server, j.Process = s.address, s.cmd.Process.Pid
	if j.Seconds == 0 {
		j.Seconds = r.seconds
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	if j.Yields { // by SCHED_IDLE, which gives way to whoever wakes up
		return start(r.cores.load, r.dir, "chrt", "--idle", "0", r.self, "-role", "load", "-job", string(text))
	}
	return r.role(r.cores.load, "load", "-job", string(text))
}

// load puts s under load once.
func (r *run) load(ctx context.Context, s *server, j job) (outcome, error) {
	p, err := r.startLoad(s, j)
	if err != nil {
		return outcome{}, err
	}
	o, err := p.outcome(ctx)
	if err != nil {
		return o, s.failure(fmt.Errorf("under load: %w", err))
	}
	return o, nil
}

// outcome waits for the end of a load or client process, and for the one line that it says.
func (p *process) outcome(ctx context.Context) (o outcome, err error) {
	defer p.stop()
	if err := p.wait(ctx); err != nil {
		return o, err
	}
	for line := range p.said {
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			return o, p.failure(fmt.Errorf("its line %q: %w", line, err))
		}
	}
	if o.Rate == 0 {
		return o, p.failure(fmt.Errorf("not one request was answered as it should be"))
	}
	return o, nil
}

// startEcho starts the floor.
func (r *run) startEcho(ctx context.Context) (*server, error) {
	address, err := freeUDP()
	if err != nil {
		return nil, err
	}
	return r.startRole(ctx, r.cores.server, "echo", address)
}

// startSystem starts the member system, beside the load.
func (r *run) startSystem(ctx context.Context) (*server, error) {
	address, err := freeTCP()
	if err != nil {
		return nil, err
	}
	return r.startRole(ctx, r.cores.load, "system", address)
}

func (r *run) startRole(ctx context.Context, core int, role string, address netip.AddrPort) (*server, error) {
	p, err := r.role(core, role, "-address", address.String())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	if err := p.waitFor(ctx, readyLine); err != nil {
		p.stop()
		return nil, err
	}
	return &server{process: p, address: address}, nil
}

// skip notes what this run did not measure, and why.
func (r *run) skip(what string, why error) {
	sentence := fmt.Sprintf("%s: not measured, %v.", what, why)
	r.skipped = append(r.skipped, sentence)
	r.say("%s", sentence)
}

func (r *run) say(format string, arguments ...any) {
	_, _ = fmt.Fprintf(r.tell, strings.TrimSuffix(format, "\n")+"\n", arguments...)
}

// note says what one measurement found.
func (r *run) note(round int, who string, o outcome) {
	lost := ""
	if o.Lost+o.Wrong > 0 {
		lost = fmt.Sprintf(", %d lost, %d wrong", o.Lost, o.Wrong)
	}
	r.say("round %d/%d  %-34s %9.0f/s  p50 %-9v p99 %-9v CPU %v, core %.0f %%%s", round+1, r.rounds, who, o.Rate,
		o.P50.Round(time.Microsecond), o.P99.Round(time.Microsecond), o.CPU.Round(10*time.Nanosecond), 100*o.Busy, lost)
}
