//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

const (
	// hooksFrom is the first of the members whose contracts are cancelled.
	hooksFrom = 10_000
	// hooksAlone come one after the other, hooksBursts times hooksTogether at once:
	// more than may wait, so that the server asks for all that changed.
	hooksAlone, hooksBursts, hooksTogether = 60, 4, 10
	// hookPoll is how long it waits between two logins of somebody whose contract
	// was cancelled, hookWait for how long it asks.
	hookPoll = time.Millisecond
	hookWait = 30 * time.Second
)

// pincode is the pincode that the space gives member n.
func pincode(n int) member.Secret { return member.Secret(fmt.Sprintf("%06d", n)) }

// measureHooks returns how long it took from the cancelling of a contract, of
// which a webhook tells, to the first login that was refused, in order.
func (r *run) measureHooks(ctx context.Context) (took []time.Duration, err error) {
	bare := *r.ours
	bare.profile = ""
	f, err := r.follow(ctx, &bare, "pincode")
	if err != nil {
		return nil, err
	}
	defer f.stop()
	if _, err := f.readAll(ctx); err != nil {
		return nil, err
	}
	nas := &radiustest.NAS{Server: f.address, Secret: sharedSecret}
	if err := nas.Open(ctx); err != nil {
		return nil, err
	}
	defer func() { _ = nas.Close() }()
	groups := slices.Concat(slices.Repeat([]int{1}, hooksAlone), slices.Repeat([]int{hooksTogether}, hooksBursts))
	from := hooksFrom
	for _, size := range groups {
		some, err := f.cancel(ctx, nas, from, size)
		if err != nil {
			return nil, f.failure(err)
		}
		took = append(took, some...)
		from += size
	}
	slices.Sort(took)
	r.say("webhook to changed decision: p50 %v, p99 %v, at most %v, of %d", percentile(took, 50).Round(time.Microsecond),
		percentile(took, 99).Round(time.Microsecond), percentile(took, 100).Round(time.Microsecond), len(took))
	return took, nil
}

// cancel has the contracts of some members cancelled, and logs them in until
// they are refused.
func (f *following) cancel(ctx context.Context, nas *radiustest.NAS, from, count int) (took []time.Duration, err error) {
	ctx, stop := context.WithTimeout(ctx, hookWait)
	defer stop()
	left := map[int]bool{}
	for n := from; n < from+count; n++ {
		if in, err := logIn(ctx, nas, n); err != nil || !in {
			return nil, fmt.Errorf("member %d, before the cancelling: let in %t: %w", n, in, err)
		}
		left[n] = true
	}
	told := make(chan error, 1)
	began := time.Now()
	go func() {
		told <- f.space.tell(ctx, order{path: spaceCancel, from: from, count: count, hook: f.hookURL()})
	}()
	for len(left) > 0 {
		for n := range left {
			in, err := logIn(ctx, nas, n)
			if err != nil {
				return nil, fmt.Errorf("member %d, after the cancelling: %w", n, err)
			}
			if !in {
				took = append(took, time.Since(began))
				delete(left, n)
			}
		}
		time.Sleep(hookPoll)
	}
	return took, <-told
}

// logIn says whether member n is let in by her pincode.
func logIn(ctx context.Context, nas *radiustest.NAS, n int) (bool, error) {
	reply, err := nas.Do(ctx, &radiustest.Request{Method: radiustest.PAP, Login: login(n), Password: pincode(n)})
	if err != nil {
		return false, err
	}
	return reply.Code == radiustest.AccessAccept, nil
}
