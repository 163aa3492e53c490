package radiustest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"memberradius/radiusd/radiustest/peer"
)

const (
	// roundsApart is how many identifiers a flight has to itself, so that a late
	// reply to one round is not taken for the next one's.
	roundsApart      = 4
	flightsPerSocket = identifiers / roundsApart
	// flushAfter is how many answers wait for each other: a handshake's takes the
	// generator longer than a system call, and the server should not wait for many.
	flushAfter = 4
)

// conversations drives a server by whole logins, of which InFlight are in work.
// One goroutine does all of it, TLS included.
type conversations struct {
	tally
	options peer.Options
	pool    *pool
	signer  *signer
	flights []*flight
	// free are the flights that no login is in, ready those of each socket whose
	// next packet is to be sent.
	free    []*flight
	ready   [][]*flight
	buffers [batchSize][]byte
	packets [batchSize][]byte
	warming bool
	checked uint64 // logins accepted, for sampling
	trouble string
}

var _ worker = (*conversations)(nil)

// conversations prepares the logins.
func (l *Load) conversations() (starter, error) {
	pool, err := newPool(l)
	if err != nil {
		return nil, err
	}
	var options peer.Options
	if l.EAP != nil {
		options = *l.EAP
	}
	options.Session = nil
	// What does not fit is said now and not by each of the logins.
	one, err := peer.New(peer.Config{Options: options, Method: peer.Method(l.Mode), Login: l.Users[0].Login})
	if err != nil {
		return nil, fmt.Errorf("radiustest: load: %w", err)
	}
	options.MTU = one.Config().MTU
	one.Close()
	return func(t *opened) runner {
		c := &conversations{
			tally: tally{load: l, transport: t}, options: options, pool: pool,
			signer: newSigner(l.Secret), ready: make([][]*flight, l.Sockets),
		}
		for i := range c.buffers {
			c.buffers[i] = make([]byte, maxPacket)
		}
		for i := range l.InFlight {
			f := &flight{socket: i % l.Sockets, slot: byte(i / l.Sockets)}
			for u := i % len(l.Users); u < len(l.Users); u += l.InFlight {
				f.devices = append(f.devices, device{user: u})
			}
			c.flights = append(c.flights, f)
		}
		c.free = append(c.free, c.flights...)
		return c
	}, nil
}

// run warms up the sessions and then drives the server.
func (c *conversations) run(ctx context.Context) error {
	defer func() {
		for _, f := range c.flights {
			f.close()
		}
	}()
	if c.load.Resume {
		if err := c.warmSessions(ctx); err != nil {
			return err
		}
	}
	c.begin = time.Now()
	return c.loop(ctx, c)
}

// warmSessions logs every device in once, as fast as it goes.
func (c *conversations) warmSessions(ctx context.Context) error {
	devices := uint64(0)
	for _, f := range c.flights {
		for i := range f.devices {
			f.devices[i].session = &peer.Session{}
		}
		devices += uint64(len(f.devices))
	}
	whole := c.load
	first := *whole
	first.Rate, first.Duration, first.Warmup, first.Count, first.Progress = 0, 0, 0, devices, nil
	c.load, c.warming, c.begin = &first, true, time.Now()
	err := c.loop(ctx, c)
	if err == nil && c.counts.Accepted < devices {
		err = fmt.Errorf("radiustest: load: %d of %d devices could not log in to have a session to resume (%s)", devices-c.counts.Accepted, devices, c.trouble)
	}
	t := tally{load: whole, transport: c.transport, out: c.out}
	if err != nil {
		t.begin, t.counts = c.begin, c.counts
	}
	c.tally, c.warming, c.free = t, false, append(c.free[:0], c.flights...)
	return err
}

// send begins as many logins as may be, and sends what is ready.
func (c *conversations) send(now time.Duration) (bool, error) {
	began := false
	for n := c.allowed(now); n > 0 && len(c.free) > 0; n-- {
		f := c.free[0] // the one longest unused, so that all users have their turn
		c.free = c.free[1:]
		if c.warming && f.warmed() {
			n++ // this flight has no more to warm, and others have
			continue
		}
		due := c.now()
		if c.load.Rate > 0 {
			due = c.due(c.issued)
			c.behind = max(c.behind, now-due)
		}
		if err := c.start(f, due); err != nil {
			return began, err
		}
		began = true
	}
	for socket := range c.ready {
		if err := c.flush(socket); err != nil {
			return began, err
		}
	}
	return began, nil
}

// start begins a login.
func (c *conversations) start(f *flight, due time.Duration) error {
	d := f.next()
	user := &c.load.Users[d.user]
	options := c.options
	options.Session = d.session
	p, err := peer.New(peer.Config{
		Options: options, Method: peer.Method(c.load.Mode), Login: user.Login, Password: user.Password, Rand: c.load.Rand,
	})
	if err != nil {
		return fmt.Errorf("radiustest: load: %w", err)
	}
	f.peer, f.device, f.due, f.state = p, d, due, nil
	f.response = p.Identity(byte(c.issued))
	c.issued++
	c.counts.Sent++
	c.out++
	c.ready[f.socket] = append(c.ready[f.socket], f)
	return nil
}

// flush sends what is ready on a socket; what its queue does not take stays.
func (c *conversations) flush(socket int) error {
	ready := c.ready[socket]
	if len(ready) == 0 {
		return nil
	}
	n := min(len(ready), batchSize)
	for i, f := range ready[:n] {
		c.packets[i] = c.build(c.buffers[i], f)
	}
	now := c.now()
	went, err := c.transport.send(socket, c.packets[:n])
	if errors.Is(err, errRefused) {
		c.counts.Refused++
	} else if err != nil {
		return err
	}
	for _, f := range ready[:went] {
		f.sent, f.busy = now, true
	}
	c.ready[socket] = append(ready[:0], ready[went:]...)
	return nil
}

// build writes the flight's next request.
func (c *conversations) build(dst []byte, f *flight) []byte {
	b, signature := c.pool.base(dst, f.device.user)
	b = append(b, typeFramedMTU, 6)
	b = binary.BigEndian.AppendUint32(b, uint32(c.options.MTU))
	for rest := f.response; len(rest) > 0; {
		part := rest[:min(len(rest), maxValue)]
		b = append(append(b, typeEAPMessage, byte(2+len(part))), part...)
		rest = rest[len(part):]
	}
	if f.state != nil {
		b = append(append(b, typeState, byte(2+len(f.state))), f.state...)
	}
	b[1] = f.identifier()
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[signature:], c.signer.messageAuthenticator(b))
	f.authenticator = [authenticatorSize]byte(b[4:])
	return b
}

// receive takes what has arrived at every socket.
func (c *conversations) receive() (bool, error) {
	any := false
	for i := range c.ready {
		packets, err := c.transport.receive(i)
		if errors.Is(err, errRefused) {
			c.counts.Refused++
		} else if err != nil {
			return any, err
		}
		for _, p := range packets {
			any = true
			c.take(i, p)
			if len(c.ready[i]) >= flushAfter {
				if err := c.flush(i); err != nil {
					return any, err
				}
			}
		}
		if err := c.flush(i); err != nil {
			return any, err
		}
	}
	c.waited = false
	return any, nil
}

// expire gives up the logins that had no answer within Timeout.
func (c *conversations) expire(now time.Duration) {
	for _, f := range c.flights {
		if f.busy && now-f.sent >= c.load.Timeout {
			c.counts.Lost++
			c.complain(f, f.peer.Diagnose(peer.Unanswered), "no answer")
			c.release(f)
		}
	}
}

// result implements runner.
func (c *conversations) result() *Result {
	r := c.tally.result()
	r.Trouble = c.trouble
	return r
}
