package coa

import (
	"context"
	"fmt"
	"time"
)

// window is how many requests may be under way to one NAS that it may not have seen
// yet: a burst of more overruns what a NAS's socket holds (200 KB on Linux, 270 packets),
// and what is lost there costs IRT.
const window = 64

// A gate is what waits for one NAS.
type gate struct {
	// waiting is under Client.mu.
	waiting int
	// passing has room for window: a request passes until it is answered, or
	// was not for its first wait. A NAS that is dead, or answers some requests
	// never, holds up the others no longer than that.
	passing chan struct{}
}

// enter takes a place among those that wait, or says that there is none.
func (c *Client) enter(x *exchange) (Outcome, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.gates[x.peer]
	if g == nil {
		g = &gate{passing: make(chan struct{}, window)}
	}
	switch {
	case c.closed:
		return Ended, ErrClosed
	case c.waiting >= c.config.Waiting:
		return Busy, fmt.Errorf("%w: %d to all NASes", ErrBusy, c.waiting)
	case g.waiting >= max(c.config.Waiting/share, 1):
		return Busy, fmt.Errorf("%w: %d to this NAS", ErrBusy, g.waiting)
	}
	c.gates[x.peer] = g
	x.gate = g
	g.waiting++
	c.waiting++
	return Unsent, nil
}

// leave gives the place back.
func (c *Client) leave(x *exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting--
	if x.gate.waiting--; x.gate.waiting == 0 {
		delete(c.gates, x.peer)
	}
}

// pass waits for its turn, at most as long as for an answer: whose turn comes with the
// last moment is not sent, since nobody would wait for what the NAS says.
func (c *Client) pass(ctx context.Context, x *exchange, entered time.Time) (Outcome, error) {
	select {
	case x.gate.passing <- struct{}{}: // mostly there is room
		return Unsent, nil
	default:
	}
	most := c.config.Timers.MRD
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case x.gate.passing <- struct{}{}:
		if c.config.Now().Sub(entered) < most {
			return Unsent, nil
		}
		<-x.gate.passing
	case <-ctx.Done():
		return Ended, ctx.Err()
	case <-c.done:
		return Ended, ErrClosed
	case <-timer.C:
	}
	return Timeout, fmt.Errorf("%w to the requests before it, within %v", ErrTimeout, most)
}
