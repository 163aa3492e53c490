package coa

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

// identifiers is how many requests may wait on one source port: the Identifier is one
// octet (RFC 2865 §3, RFC 5176 §2.3).
const identifiers = 256

// A port is one source port, and which request waits under which identifier.
type port struct {
	wire  wire
	six   bool
	slots [identifiers]*exchange
	used  int
	// next is the identifier to try first: each is used again as late as can be.
	next uint8
	// idle closes the port; nil while a request waits.
	idle *time.Timer
}

// An exchange is one request and the wait for its answer.
type exchange struct {
	target *Target
	// address is where the request goes, peer where the answer must come from.
	address, peer netip.AddrPort
	gate          *gate
	port          *port
	id            uint8
	// forged: something answered that was not signed right.
	forged atomic.Bool
	// packet is written before sent, which is under Client.mu: an answer may come.
	packet []byte
	sent   bool
	// over says that settled, which takes one, has had it.
	over    atomic.Bool
	settled chan settlement
}

// settle says whether s is the first that was found for x.
func (x *exchange) settle(s settlement) bool {
	if x.over.Swap(true) {
		return false
	}
	x.settled <- s
	return true
}

// A settlement is what the reader found for an exchange.
type settlement struct {
	answer  answer
	refused bool
	// lost is why the port is gone.
	lost error
}

// bind takes an identifier of a port for the exchange.
func (c *Client) bind(x *exchange) (Outcome, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return Ended, ErrClosed
	}
	p, outcome, err := c.portFor(x.address.Addr().Is6())
	if err != nil {
		return outcome, err
	}
	for p.slots[p.next] != nil {
		p.next++
	}
	x.port, x.id = p, p.next
	p.slots[x.id] = x
	p.next++
	p.used++
	if p.idle != nil {
		p.idle.Stop()
		p.idle = nil
	}
	return Unsent, nil
}

// portFor returns a port of the family that has a free identifier; it opens one where
// none has.
func (c *Client) portFor(six bool) (*port, Outcome, error) {
	for _, p := range c.ports {
		if p.six == six && p.used < identifiers {
			return p, Unsent, nil
		}
	}
	if len(c.ports) >= c.config.Sockets {
		return nil, Busy, fmt.Errorf("%w: all %d source ports are in use", ErrBusy, len(c.ports))
	}
	w, err := c.listen(six)
	if err != nil {
		return nil, Unsent, err
	}
	p := &port{wire: w, six: six, next: uint8(c.config.Rand() * identifiers)}
	c.ports = append(c.ports, p)
	c.readers.Go(func() { c.read(p) })
	return p, Unsent, nil
}

// open lets answers to the packet in.
func (c *Client) open(x *exchange) {
	c.mu.Lock()
	x.sent = true
	c.mu.Unlock()
}

// free gives the identifier back.
func (c *Client) free(x *exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := x.port
	p.slots[x.id] = nil
	p.used--
	if p.used == 0 && !c.closed {
		p.idle = time.AfterFunc(linger, func() { c.retire(p) })
	}
}

// retire closes a port that nothing has needed for a while.
func (c *Client) retire(p *port) {
	c.mu.Lock()
	i := slices.Index(c.ports, p)
	unused := i >= 0 && p.used == 0
	if unused {
		c.ports = slices.Delete(c.ports, i, i+1)
	}
	c.mu.Unlock()
	if unused {
		_ = p.wire.Close() // nothing is lost with it
	}
}

// await sends the packet, and sends the same again, Event-Timestamp and identifier
// included, until an answer comes or the timers end (RFC 5080 §2.2.1). first is called
// when the first wait is over.
func (c *Client) await(ctx context.Context, x *exchange, plan *schedule, first func()) (Result, error) {
	var r Result
	var unsent error
	for again := true; again; {
		r.Sends++
		unsent = x.port.wire.send(x.packet, x.address)
		var wait time.Duration
		wait, again = plan.next()
		timer := time.NewTimer(wait)
		select {
		case s := <-x.settled:
			timer.Stop()
			return s.result(r)
		case <-ctx.Done():
			timer.Stop()
			r.Outcome = Ended
			return r, ctx.Err()
		case <-c.done:
			timer.Stop()
			r.Outcome = Ended
			return r, ErrClosed
		case <-timer.C:
		}
		first()
	}
	r.Outcome = Timeout
	return r, x.silence(unsent, plan)
}

// silence says what a NAS that has not answered may lack.
func (x *exchange) silence(unsent error, plan *schedule) error {
	switch {
	case unsent != nil:
		return fmt.Errorf("%w: it can't be sent: %w", ErrTimeout, unsent)
	case x.forged.Load():
		return fmt.Errorf("%w that is signed with the client's secret: something answers without it; compare the secret with that of the NAS", ErrTimeout)
	}
	return fmt.Errorf("%w within %v, sent %d times: look whether the NAS takes such requests from here, at that port, with this secret", ErrTimeout, plan.elapsed.Round(time.Millisecond), plan.sends)
}

// result completes r with what was found.
func (s *settlement) result(r Result) (Result, error) {
	switch {
	case s.lost != nil:
		r.Outcome = Ended
		return r, s.lost
	case s.refused:
		r.Outcome = Refused
		return r, fmt.Errorf("%w: switch CoA (RFC 5176) on at the NAS, or set the client's coa to the port where it listens", ErrRefused)
	case s.answer.ack:
		r.Outcome = ACK
	default:
		r.Outcome = NAK
	}
	r.Cause = s.answer.cause
	return r, nil
}

// read takes what comes to a port, until it is closed.
func (c *Client) read(p *port) {
	room := make([]byte, maxPacket)
	for {
		d, err := p.wire.receive(room)
		if err != nil {
			c.lose(p, err)
			return
		}
		if reason := c.take(p, &d); reason != "" {
			c.meters.ignored.WithLabelValues(reason).Inc()
		}
	}
}

// take settles the exchange that a datagram belongs to, or says why it was ignored.
// Nobody else can settle one: the source must be the NAS, and the answer signed.
func (c *Client) take(p *port, d *datagram) (ignored string) {
	if len(d.b) < headerSize {
		return ignoredMalformed
	}
	c.mu.Lock()
	x := p.slots[d.b[1]]
	expected := x != nil && x.sent && x.peer == d.peer
	c.mu.Unlock()
	if !expected {
		return ignoredUnknown
	}
	var s settlement
	if d.refused {
		// An ICMP error is anybody's to forge who does not see the request: it counts
		// where it quotes the Request Authenticator.
		if subtle.ConstantTimeCompare(d.b[:headerSize], x.packet[:headerSize]) != 1 {
			return ignoredUnknown
		}
		s.refused = true
	} else {
		var err error
		if s.answer, err = decodeAnswer(d.b, x.packet, x.target.Secret); errors.Is(err, errForged) {
			x.forged.Store(true)
			return ignoredForged
		} else if err != nil {
			return ignoredMalformed
		}
	}
	if !x.settle(s) {
		return ignoredUnknown // answered before
	}
	return ""
}

// lose ends what waits on a port that can't be read any more.
func (c *Client) lose(p *port, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.ports, p); i >= 0 {
		c.ports = slices.Delete(c.ports, i, i+1)
		_ = p.wire.Close() // it is broken
	}
	for _, x := range p.slots {
		if x != nil && !c.closed {
			x.settle(settlement{lost: fmt.Errorf("the source port is lost: %w", err)})
		}
	}
}
