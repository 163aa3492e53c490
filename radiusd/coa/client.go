package coa

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"memberradius/member"
	"memberradius/radiusd/policy"

	"github.com/prometheus/client_golang/prometheus"
)

// Bounds that hold where Config does not say.
const (
	defaultSockets = 64
	defaultWaiting = 8192
	// share is the part of all places that one NAS may hold, so that one that is dead
	// leaves the others most of them.
	share = 4
	// linger is how long a source port without requests stays open: what comes late is
	// then known for what it is, and a burst does not open ports anew.
	linger = 10 * time.Second
)

// A Config is what a Client is made of. The zero value serves.
type Config struct {
	// Sockets is how many source ports there are at most, of 256 identifiers each; 0: 64.
	Sockets int
	// Waiting bounds the requests that wait for answers, those to one NAS at a quarter
	// of it; 0: 8,192.
	Waiting int
	// Bind is the address that requests leave from; the zero Addr is the one that the
	// route to the NAS has.
	Bind netip.Addr
	// Timers may be zero: those of RFC 5080 §2.2.1.
	Timers Timers
	// Now and Rand, uniform in [0, 1), are for tests; nil: the clock, math/rand/v2.
	Now  func() time.Time
	Rand func() float64
	// Metrics may be nil.
	Metrics prometheus.Registerer
}

// A Target is a NAS that requests go to.
type Target struct {
	// Address is where it listens for them; RFC 5176 §2.1 gives it port 3799.
	Address netip.AddrPort
	// Secret is shared with it; it must not be empty.
	Secret member.Secret
	// Vendor is the client's; empty is generic.
	Vendor string
	// Name is the client's, for metrics and errors.
	Name string
}

// A Client sends requests to NASes. It may be used by many goroutines.
type Client struct {
	config Config
	meters *meters
	listen func(six bool) (wire, error)

	done    chan struct{} // closed by Close
	readers sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	ports   []*port
	waiting int
	// gates has those of NASes that a request waits for.
	gates map[netip.AddrPort]*gate
}

// New makes a Client, and fails where its Config says what can't be. It opens no
// socket before one is needed.
func New(config Config) (*Client, error) {
	c := &Client{config: config, done: make(chan struct{}), gates: map[netip.AddrPort]*gate{}}
	c.listen = func(six bool) (wire, error) { return listen(config.Bind, six) }
	var err error
	if c.config.Timers, err = config.Timers.orDefault(); err != nil {
		return nil, err
	}
	if config.Sockets < 0 || config.Waiting < 0 {
		return nil, errors.New("coa: Sockets and Waiting must not be negative")
	}
	if config.Sockets == 0 {
		c.config.Sockets = defaultSockets
	}
	if config.Waiting == 0 {
		c.config.Waiting = defaultWaiting
	}
	if config.Now == nil {
		c.config.Now = time.Now
	}
	if config.Rand == nil {
		c.config.Rand = rand.Float64
	}
	c.meters = newMeters()
	if err := c.meters.register(config.Metrics, c); err != nil {
		return nil, fmt.Errorf("coa: metrics: %w", err)
	}
	return c, nil
}

// Close ends what waits, with ErrClosed, and closes every port. It returns when all
// readers have ended.
func (c *Client) Close() error {
	c.mu.Lock()
	var ports []*port
	if !c.closed {
		c.closed = true
		close(c.done)
		ports, c.ports = c.ports, nil
		for _, p := range ports {
			if p.idle != nil {
				p.idle.Stop()
			}
		}
	}
	c.mu.Unlock()
	var errs []error
	for _, p := range ports {
		errs = append(errs, p.wire.Close())
	}
	c.readers.Wait()
	return errors.Join(errs...)
}

// Disconnect asks the NAS to end the session (RFC 5176 §2.1), and waits for its
// answer. The error is nil where it has answered, with an ACK or a NAK.
func (c *Client) Disconnect(ctx context.Context, t *Target, s *member.Session) (Result, error) {
	return c.ask(ctx, t, &request{code: codeDisconnectRequest, session: policy.Identify(t.Vendor, s, nil)})
}

// Change asks the NAS to change the session (RFC 5176 §2.2): attributes, encoded, are
// what holds from now on, or policy.Reauthenticate's. The error is nil where it has
// answered.
func (c *Client) Change(ctx context.Context, t *Target, s *member.Session, attributes []byte) (Result, error) {
	return c.ask(ctx, t, &request{code: codeCoARequest, session: policy.Identify(t.Vendor, s, nil), changes: attributes})
}

// ask sends a request and waits for what becomes of it.
func (c *Client) ask(ctx context.Context, t *Target, r *request) (Result, error) {
	begin := c.config.Now()
	x := &exchange{target: t, settled: make(chan settlement, 1)}
	x.address = netip.AddrPortFrom(t.Address.Addr().Unmap(), t.Address.Port())
	x.peer = netip.AddrPortFrom(x.address.Addr().WithZone(""), t.Address.Port())
	result, err := c.run(ctx, x, r)
	result.Took = c.config.Now().Sub(begin)
	c.meters.count(t, r.code, &result)
	if err != nil {
		err = fmt.Errorf("coa: client %s: %s to %s: %w", t.Name, nameOf(r.code), t.Address, err)
	}
	return result, err
}

// run is the way of a request: a place, its turn, an identifier, the packet, and the
// waits for its answer.
func (c *Client) run(ctx context.Context, x *exchange, r *request) (Result, error) {
	if err := x.check(r); err != nil {
		return Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return Result{Outcome: Ended}, err
	}
	if outcome, err := c.enter(x); err != nil {
		return Result{Outcome: outcome}, err
	}
	defer c.leave(x)
	entered := c.config.Now()
	if outcome, err := c.pass(ctx, x, entered); err != nil {
		return Result{Outcome: outcome}, err
	}
	passed := sync.OnceFunc(func() { <-x.gate.passing })
	defer passed()
	if outcome, err := c.bind(x); err != nil {
		return Result{Outcome: outcome}, err
	}
	defer c.free(x)
	now := c.config.Now()
	r.id, r.secret, r.at = x.id, x.target.Secret, now
	var err error
	if x.packet, err = r.encode(); err != nil {
		return Result{}, err
	}
	c.open(x)
	plan := &schedule{timers: c.config.Timers, random: c.config.Rand, elapsed: now.Sub(entered)}
	return c.await(ctx, x, plan, passed)
}

// check says why a request can't be sent.
func (x *exchange) check(r *request) error {
	switch {
	case !x.address.IsValid() || x.address.Port() == 0 || x.address.Addr().IsUnspecified() || x.address.Addr().IsMulticast():
		return errors.New("that is no address and port of a NAS: set the client's coa")
	case x.target.Secret == "":
		return errors.New("the client has no secret")
	case len(r.session) == 0:
		return ErrUnidentified
	}
	return nil
}
