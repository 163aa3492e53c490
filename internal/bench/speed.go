//go:build linux

package main

import (
	"context"
	"fmt"

	"memberradius/radiusd/radiustest"
)

// speedMembers is how many members there are where their number does not matter.
const speedMembers = 10

// A speed is what the three contenders reach, the servers by method.
type speed struct {
	floor      series
	free, ours map[string]series
}

// A contender is one of them.
type contender struct {
	name    string
	start   func(context.Context) (*server, error)
	methods []string
	series  map[string]series
}

// measureSpeed takes the floor, FreeRADIUS and ours in turns.
func (r *run) measureSpeed(ctx context.Context) (speed, error) {
	s := speed{free: map[string]series{}, ours: map[string]series{}}
	floor := map[string]series{}
	contenders := []contender{{"UDP", r.startEcho, []string{string(radiustest.Echo)}, floor}}
	if r.free != nil {
		if err := r.choosePool(ctx); err != nil {
			return s, err
		}
		contenders = append(contenders, contender{"FreeRADIUS", r.startFree, methods, s.free})
	}
	where, site, err := r.ours.prepare(r.dir, ourSite{Kind: "file", Members: speedMembers})
	if err != nil {
		return s, err
	}
	startOurs := func(ctx context.Context) (*server, error) {
		return r.ours.start(ctx, r.cores.server, where, site)
	}
	contenders = append(contenders, contender{"memberradius", startOurs, methods, s.ours})
	for round := range r.rounds {
		for _, c := range contenders {
			if err := r.turn(ctx, round, c); err != nil {
				return s, err
			}
		}
	}
	s.floor = floor[string(radiustest.Echo)]
	return s, nil
}

// turn measures one contender by every method once.
func (r *run) turn(ctx context.Context, round int, c contender) error {
	s, err := c.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	for _, method := range c.methods {
		o, err := r.load(ctx, s, job{Method: method, Members: speedMembers, InFlight: speedInFlight})
		if err != nil {
			return fmt.Errorf("%s, %s: %w", c.name, method, err)
		}
		r.note(round, c.name+" "+method, o)
		c.series[method] = append(c.series[method], o)
	}
	return nil
}

// startFree starts FreeRADIUS with members of its own.
func (r *run) startFree(ctx context.Context) (*server, error) {
	return r.free.start(ctx, r.cores.server, r.dir, freeradiusSite{Threads: 1, Members: speedMembers})
}

// choosePool finds out whether FreeRADIUS is faster with its thread pool on
// this one core or without: it is to be compared at its best.
func (r *run) choosePool(ctx context.Context) error {
	var rates [2]float64
	for i, single := range []bool{false, true} {
		r.free.single = single
		s, err := r.startFree(ctx)
		if err != nil {
			return err
		}
		o, err := r.load(ctx, s, job{Method: methods[0], Members: speedMembers, InFlight: speedInFlight})
		s.stop()
		if err != nil {
			return fmt.Errorf("FreeRADIUS: %w", err)
		}
		rates[i] = o.Rate
	}
	r.free.single = rates[1] > rates[0]
	r.say("FreeRADIUS: %.0f/s with its thread pool, %.0f/s without (-s): the better one is taken", rates[0], rates[1])
	return nil
}
