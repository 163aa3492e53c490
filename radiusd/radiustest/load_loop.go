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
	tally
	pool    *pool
	signer  *signer
	sockets []socket
	cursor  int

	buffers [batchSize][]byte
	packets [batchSize][]byte

	replies uint64 // for sampling
}

var _ worker = (*generator)(nil)

func newGenerator(l *Load, p *pool, t transport) *generator {
	g := &generator{tally: tally{load: l, transport: t}, pool: p, signer: newSigner(l.Secret), sockets: make([]socket, l.Sockets)}
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

// run sends until it is to end.
func (g *generator) run(ctx context.Context) error {
	g.begin = time.Now()
	return g.loop(ctx, g)
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
