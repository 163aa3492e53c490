//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
)

// freeradiusThreads is max_servers as FreeRADIUS comes. It is measured besides
// with systemInFlight, what it needs to have every login in work.
const freeradiusThreads = 32

// An asking is what is reached where a member system of 50 ms must be asked.
type asking struct {
	client, ours, free, freeWide series
}

// measureAsking takes a bare HTTP client, ours and FreeRADIUS in turns.
func (r *run) measureAsking(ctx context.Context) (a asking, err error) {
	system, err := r.startSystem(ctx)
	if err != nil {
		return a, err
	}
	defer system.stop()
	url := "http://" + system.address.String()
	where, site, err := r.ours.prepare(r.dir, ourSite{Kind: "rest", REST: url + systemPath})
	if err != nil {
		return a, err
	}
	startOurs := func(ctx context.Context) (*server, error) {
		return r.ours.start(ctx, r.cores.server, where, site)
	}
	startFree := func(threads int) func(context.Context) (*server, error) {
		return func(ctx context.Context) (*server, error) {
			return r.free.start(ctx, r.cores.server, r.dir, freeradiusSite{Threads: threads, REST: url + freeradiusPath})
		}
	}
	free := r.free != nil && r.free.hasREST()
	if !free {
		r.skip("FreeRADIUS with rlm_rest", errors.New("its module is not installed (Debian: apt-get install freeradius-rest)"))
	} else {
		// One thread would wait for one answer at a time.
		defer func(single bool) { r.free.single = single }(r.free.single)
		r.free.single = false
	}
	for round := range r.rounds {
		if err := r.askBare(ctx, round, url+systemPath, &a.client); err != nil {
			return a, err
		}
		if err := r.ask(ctx, round, contender{name: "memberradius rest", start: startOurs}, &a.ours); err != nil {
			return a, err
		}
		if !free {
			continue
		}
		for _, f := range []struct {
			threads int
			to      *series
		}{{freeradiusThreads, &a.free}, {systemInFlight, &a.freeWide}} {
			c := contender{name: fmt.Sprintf("FreeRADIUS rlm_rest, %d threads", f.threads), start: startFree(f.threads)}
			if err := r.ask(ctx, round, c, f.to); err != nil {
				return a, err
			}
		}
	}
	return a, nil
}

// ask measures one contender once, with a login of its own for each request in work.
func (r *run) ask(ctx context.Context, round int, c contender, to *series) error {
	s, err := c.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	o, err := r.load(ctx, s, job{Method: methods[0], Members: systemInFlight, InFlight: systemInFlight, Shared: true})
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	r.note(round, c.name, o)
	*to = append(*to, o)
	return nil
}

// askBare measures the bare client once, where the servers run.
func (r *run) askBare(ctx context.Context, round int, url string, to *series) error {
	p, err := r.role(r.cores.server, "client", "-url", url, "-seconds", fmt.Sprint(r.seconds))
	if err != nil {
		return err
	}
	o, err := p.outcome(ctx)
	if err != nil {
		return fmt.Errorf("net/http client: %w", err)
	}
	r.note(round, "net/http client", o)
	*to = append(*to, o)
	return nil
}
