//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// crowdMembers is how many members a large embedded store has.
const crowdMembers = 100_000

// A crowd is what a large embedded store costs, beside a small one.
type crowd struct {
	few, many series
	// start is how long it took to be ready with many, memory what it then
	// held and loaded what it held after the load, in octets.
	start          []time.Duration
	memory, loaded []int64
}

// A populated is an embedded store with so many members.
type populated struct {
	members int
	where   string
	site    ourSite
	series  *series
}

// measureCrowd takes a small and a large embedded store in turns.
func (r *run) measureCrowd(ctx context.Context) (c crowd, err error) {
	stores := []populated{{members: speedMembers, series: &c.few}, {members: crowdMembers, series: &c.many}}
	for i := range stores {
		if err := r.populate(ctx, &stores[i]); err != nil {
			return c, err
		}
	}
	for round := range r.rounds {
		for _, p := range stores {
			if err := r.turnCrowd(ctx, round, p, &c); err != nil {
				return c, fmt.Errorf("%d members: %w", p.members, err)
			}
		}
	}
	return c, nil
}

// populate makes the store.
func (r *run) populate(ctx context.Context, p *populated) (err error) {
	if p.where, p.site, err = r.ours.prepare(r.dir, ourSite{Kind: "local"}); err != nil {
		return err
	}
	began := time.Now()
	if err := r.ours.importMembers(ctx, p.where, p.members); err != nil {
		return err
	}
	r.say("imported %d members in %v", p.members, time.Since(began).Round(time.Millisecond))
	return nil
}

// turnCrowd measures one store once.
func (r *run) turnCrowd(ctx context.Context, round int, p populated, c *crowd) error {
	s, err := r.ours.start(ctx, r.cores.server, p.where, p.site)
	if err != nil {
		return err
	}
	defer s.stop()
	before, err := s.memory()
	if err != nil {
		return err
	}
	o, err := r.load(ctx, s, job{Method: methods[0], Members: p.members, InFlight: speedInFlight})
	if err != nil {
		return err
	}
	after, err := s.memory()
	if err != nil {
		return err
	}
	r.note(round, fmt.Sprintf("memberradius, %d in local", p.members), o)
	*p.series = append(*p.series, o)
	if p.members == crowdMembers {
		r.say("           ready after %v, resident %d MB, after the load %d MB", s.ready.Round(time.Millisecond), before>>20, after>>20)
		c.start, c.memory, c.loaded = append(c.start, s.ready), append(c.memory, before), append(c.loaded, after)
	}
	return nil
}
