package radiustest

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// batchSize is how many datagrams one system call takes or sends.
const batchSize = 64

// A transport moves datagrams in batches over numbered sockets, each connected
// to the server. None of its methods allocates in steady state.
type transport interface {
	// send returns how many of the packets went; fewer is no error. It does not wait.
	send(socket int, packets [][]byte) (int, error)
	// receive returns what has arrived, up to batchSize, until the next call. It does not wait.
	receive(socket int) ([][]byte, error)
	// wait returns when something has arrived at any socket, or d is over.
	wait(d time.Duration)
}

// An opened is a transport, the addresses of its sockets, and how to close it.
type opened struct {
	transport
	addresses []netip.AddrPort
	close     func() error
}

// errRefused is a transport's word that the host answered with port unreachable.
var errRefused = errors.New("radiustest: nothing listens there")

// A socket is what is out on one source port. Times are nanoseconds since the
// generator began.
type socket struct {
	free       [identifiers]byte // a ring: the identifier longest unused first
	head       int
	out, quota int
	busy       [identifiers]bool
	// lost stays set once a request was lost under an identifier: its reply may
	// come at any time, so that every further one under it is checked.
	lost          [identifiers]bool
	sent, due     [identifiers]time.Duration
	authenticator [identifiers][authenticatorSize]byte
}

// A generator is a Load that runs. One goroutine does all of it.
type generator struct {
	load      *Load
	pool      *pool
	transport transport
	signer    *signer
	sockets   []socket
	cursor    int
	out       int
	// waited says that any socket may have something, also one with nothing out:
	// a late reply that nobody took would end every wait at once.
	waited bool

	buffers [batchSize][]byte
	packets [batchSize][]byte

	begin  time.Time
	issued uint64 // requests in all, warm-up included
	counts Counts
	window // what is counted since the warm-up

	replies uint64 // for sampling
	tick    time.Duration
	shown   struct {
		at      time.Duration
		replies uint64
	}
	active time.Duration // when something was last sent or received
}

// A window is the part of the run that counts.
type window struct {
	warm     bool
	from, to time.Duration
	replies  uint64 // at to
	latency  Histogram
	behind   time.Duration
}

// housekeeping is how often timeouts, context and progress are looked after.
const housekeeping = 5 * time.Millisecond

func newGenerator(l *Load, p *pool, t transport) *generator {
	g := &generator{load: l, pool: p, transport: t, signer: newSigner(l.Secret), sockets: make([]socket, l.Sockets)}
	for i := range g.buffers {
		g.buffers[i] = make([]byte, maxPacket)
	}
	for i := range g.sockets {
		s := &g.sockets[i]
		s.quota = l.InFlight / l.Sockets
		if i < l.InFlight%l.Sockets {
			s.quota++
		}
		for id := range s.free {
			s.free[id] = byte(id)
		}
	}
	return g
}

func (g *generator) now() time.Duration { return time.Since(g.begin) }

// run is the loop: send what may be sent, take what has come, sleep where
// there is neither.
func (g *generator) run(ctx context.Context) error {
	g.begin = time.Now()
	for {
		now := g.now()
		if now >= g.tick {
			g.tick = now + housekeeping
			g.warmUp(now)
			g.expire(now)
			g.show(now)
			if err := ctx.Err(); err != nil {
				g.stop(now)
				return err
			}
		}
		sending := g.sending(now)
		if !sending {
			g.stop(now)
			if g.out == 0 {
				return nil
			}
		}
		worked := false
		if sending {
			sent, err := g.send(now)
			if err != nil {
				return err
			}
			worked = sent
		}
		received, err := g.receive()
		if err != nil {
			return err
		}
		if worked || received {
			g.active = now
			continue
		}
		g.idle(now, sending)
	}
}

// sending says whether there is more to send, ever.
func (g *generator) sending(now time.Duration) bool {
	if g.load.Count > 0 && g.counts.Sent >= g.load.Count {
		return false
	}
	return g.load.Duration == 0 || now < g.load.Warmup+g.load.Duration
}

// allowed returns how many requests may be sent now.
func (g *generator) allowed(now time.Duration) int {
	n := g.load.InFlight - g.out
	if g.load.Rate > 0 {
		due := int64(now.Seconds()*g.load.Rate) + 1 - int64(g.issued)
		if due <= 0 && g.due(g.issued) <= now {
			due = 1 // rounding must not make the loop run round a request that is due
		}
		n = int(min(int64(n), due))
	}
	if g.load.Count > 0 {
		n = int(min(uint64(max(n, 0)), g.load.Count-g.counts.Sent))
	}
	return n
}

// due returns when a request of an open loop is: number 0 at once, number i after i/Rate seconds.
func (g *generator) due(number uint64) time.Duration {
	return time.Duration(float64(number) / g.load.Rate * float64(time.Second))
}

// send fills the sockets in turn, a batch each at the most.
func (g *generator) send(now time.Duration) (bool, error) {
	allowed, any := g.allowed(now), false
	for range g.sockets {
		if allowed <= 0 {
			break
		}
		i := g.cursor
		if g.cursor++; g.cursor == len(g.sockets) {
			g.cursor = 0
		}
		n, err := g.sendBatch(i, allowed)
		if err != nil {
			return any, err
		}
		allowed -= n
		any = any || n > 0
	}
	return any, nil
}

// sendBatch sends up to allowed requests on one socket and returns how many went.
func (g *generator) sendBatch(i, allowed int) (int, error) {
	s := &g.sockets[i]
	n := min(allowed, s.quota-s.out, batchSize)
	if n <= 0 {
		return 0, nil
	}
	for k := range n {
		id := s.free[(s.head+k)%identifiers]
		g.packets[k] = g.pool.build(g.buffers[k], id)
		s.authenticator[id] = [authenticatorSize]byte(g.packets[k][4:headerSize])
	}
	now := g.now()
	went, err := g.transport.send(i, g.packets[:n])
	if errors.Is(err, errRefused) {
		g.counts.Refused++
	} else if err != nil {
		return 0, err
	}
	for k := range went {
		id := s.free[(s.head+k)%identifiers]
		s.busy[id], s.sent[id], s.due[id] = true, now, now
		if g.load.Rate > 0 {
			s.due[id] = g.due(g.issued)
			g.behind = max(g.behind, now-s.due[id])
		}
		g.issued++
	}
	s.head = (s.head + went) % identifiers
	s.out += went
	g.out += went
	g.counts.Sent += uint64(went)
	return went, nil
}

// release gives an identifier back: to the end of the ring, so that a late
// reply finds it unused for as long as can be.
func (g *generator) release(s *socket, id byte) {
	s.busy[id] = false
	s.free[(s.head+identifiers-s.out)%identifiers] = id
	s.out--
	g.out--
}

// receive takes what has arrived at every socket.
func (g *generator) receive() (bool, error) {
	any := false
	for i := range g.sockets {
		s := &g.sockets[i]
		if s.out == 0 && !g.waited {
			continue
		}
		packets, err := g.transport.receive(i)
		if errors.Is(err, errRefused) {
			g.counts.Refused++
		} else if err != nil {
			return any, err
		}
		if len(packets) == 0 {
			continue
		}
		any = true
		now := g.now()
		for _, p := range packets {
			g.take(s, p, now)
		}
	}
	g.waited = false
	return any, nil
}

// idle spins for a while and then sleeps, until a reply comes or the next
// request or the housekeeping is due.
func (g *generator) idle(now time.Duration, sending bool) {
	until := g.tick
	if sending && g.load.Rate > 0 && g.out < g.load.InFlight {
		until = min(until, g.due(g.issued))
	}
	// A sleep ends some 50 µs late: it would count as the server's latency.
	const oversleep = 200 * time.Microsecond
	if g.load.Spin >= 0 && (now-g.active < g.load.Spin || until-now < oversleep) {
		return
	}
	g.transport.wait(max(until-now, 0))
	g.waited = true
}
