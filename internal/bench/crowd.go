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

// crowdSlices is how often in a round the load goes from one store to the other. A
// neighbour that takes the machine's caches for a second takes them from both.
const crowdSlices = 3

// measureCrowd takes a small and a large embedded store in turns.
func (r *run) measureCrowd(ctx context.Context) (c crowd, err error) {
	stores := []populated{{members: speedMembers, series: &c.few}, {members: crowdMembers, series: &c.many}}
	for i := range stores {
		if err := r.populate(ctx, &stores[i]); err != nil {
			return c, err
		}
	}
	for round := range r.rounds {
		if err := r.turnCrowd(ctx, round, stores, &c); err != nil {
			return c, err
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

// turnCrowd measures the stores once, a server for each on the same core.
func (r *run) turnCrowd(ctx context.Context, round int, stores []populated, c *crowd) error {
	servers, found := make([]*server, len(stores)), make([]series, len(stores))
	for i, p := range stores {
		s, err := r.ours.start(ctx, r.cores.server, p.where, p.site)
		if err != nil {
			return fmt.Errorf("%d members: %w", p.members, err)
		}
		defer s.stop()
		servers[i] = s
	}
	large := servers[len(servers)-1]
	before, err := large.memory()
	if err != nil {
		return err
	}
	for range crowdSlices {
		for i, p := range stores {
			o, err := r.load(ctx, servers[i], job{Method: methods[0], Members: p.members, InFlight: speedInFlight})
			if err != nil {
				return fmt.Errorf("%d members: %w", p.members, err)
			}
			found[i] = append(found[i], o)
		}
	}
	after, err := large.memory()
	if err != nil {
		return err
	}
	for i, p := range stores {
		o := found[i].median()
		r.note(round, fmt.Sprintf("memberradius, %d in local", p.members), o)
		*p.series = append(*p.series, o)
	}
	r.say("           ready after %v, resident %d MB, after the load %d MB", large.ready.Round(time.Millisecond), before>>20, after>>20)
	c.start, c.memory, c.loaded = append(c.start, large.ready), append(c.memory, before), append(c.loaded, after)
	return nil
}
