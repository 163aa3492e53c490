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

// measureCrowd takes a small and a large embedded store in turns.
func (r *run) measureCrowd(ctx context.Context) (c crowd, err error) {
	type store struct {
		members int
		where   string
		site    ourSite
		series  *series
	}
	stores := []store{{members: speedMembers, series: &c.few}, {members: crowdMembers, series: &c.many}}
	for i := range stores {
		s := &stores[i]
		if s.where, s.site, err = r.ours.prepare(r.dir, ourSite{Kind: "local"}); err != nil {
			return c, err
		}
		began := time.Now()
		if err := r.ours.importMembers(ctx, s.where, s.members); err != nil {
			return c, err
		}
		r.say("imported %d members in %v", s.members, time.Since(began).Round(time.Millisecond))
	}
	for round := range r.rounds {
		for _, s := range stores {
			started, err := r.ours.start(ctx, r.cores.server, s.where, s.site)
			if err != nil {
				return c, err
			}
			err = r.fill(ctx, round, s.members, started, s.series, &c)
			started.stop()
			if err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

// fill measures one store once.
func (r *run) fill(ctx context.Context, round, members int, s *server, to *series, c *crowd) error {
	before, err := s.memory()
	if err != nil {
		return err
	}
	o, err := r.load(ctx, s, job{Method: methods[0], Members: members, InFlight: speedInFlight})
	if err != nil {
		return fmt.Errorf("%d members: %w", members, err)
	}
	after, err := s.memory()
	if err != nil {
		return err
	}
	r.note(round, fmt.Sprintf("memberradius, %d in local", members), o)
	*to = append(*to, o)
	if members == crowdMembers {
		r.say("           ready after %v, resident %d MB, after the load %d MB", s.ready.Round(time.Millisecond), before>>20, after>>20)
		c.start, c.memory, c.loaded = append(c.start, s.ready), append(c.memory, before), append(c.loaded, after)
	}
	return nil
}
