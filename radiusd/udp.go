package radiusd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

const (
	// batchSize is how many datagrams one system call moves at most.
	batchSize = 64
	// receiveBuffer is what the kernel may hold while a batch is worked on; it
	// grants less where net.core.rmem_max says so.
	receiveBuffer = 4 << 20
)

// A socket is one of the sockets that share an address.
type socket struct {
	conn  *net.UDPConn
	local netip.AddrPort
	role  Role
	site  string
	// anywhere: the address is unspecified, so that each reply must say where
	// it comes from: a NAS drops a reply from another address than it asked.
	anywhere bool
}

// bind opens count sockets on one address. The first try shares it with
// nobody: with SO_REUSEPORT alone a second server would silently get half of
// the packets. An address in use is an error that wraps syscall.EADDRINUSE.
func bind(ctx context.Context, l Listen, count int) ([]*socket, error) {
	address := l.Address
	probe, err := open(ctx, address, false)
	if err != nil {
		return nil, err
	}
	if address.Port() == 0 {
		address = netip.AddrPortFrom(address.Addr(), probe.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	}
	if err := probe.Close(); err != nil {
		return nil, fmt.Errorf("radiusd: udp %v: %w", address, err)
	}
	sockets := make([]*socket, 0, count)
	for range count {
		conn, err := open(ctx, address, true)
		if err != nil {
			closeAll(sockets)
			return nil, err
		}
		sockets = append(sockets, &socket{conn: conn, local: address, role: l.Role, site: l.Site, anywhere: address.Addr().IsUnspecified()})
	}
	return sockets, nil
}

func open(ctx context.Context, address netip.AddrPort, shared bool) (*net.UDPConn, error) {
	network := "udp4"
	if address.Addr().Is6() {
		network = "udp6" // IPv6 alone, so that 0.0.0.0 and [::] can both be given
	}
	var failed error
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		err := c.Control(func(fd uintptr) { failed = prepare(fd, address, shared) })
		return errors.Join(err, failed)
	}}
	conn, err := config.ListenPacket(ctx, network, address.String())
	if err != nil {
		return nil, fmt.Errorf("radiusd: udp %v: %w", address, err)
	}
	udp := conn.(*net.UDPConn)
	if shared {
		// A smaller buffer than asked for only drops sooner.
		_ = udp.SetReadBuffer(receiveBuffer)
	}
	return udp, nil
}

func closeAll(sockets []*socket) {
	for _, s := range sockets {
		_ = s.conn.Close()
	}
}

// send sends one reply from outside the reader. A reply that can't be sent is
// lost as any datagram may be: the NAS asks again.
func (s *socket) send(reply []byte, to *Arrival) {
	var control []byte
	if s.anywhere {
		control = sourceControl(nil, to.Local.Addr())
	}
	_, _, _ = s.conn.WriteMsgUDPAddrPort(reply, control, to.Remote)
}

// datagrams are those of one batch, and the way back for their replies.
type datagrams interface {
	// at returns datagram i, how it arrived, and room for its reply.
	at(i int) (datagram []byte, a Arrival, out []byte)
	// answer takes the reply to datagram i; send sends all of them.
	answer(i int, reply []byte)
	send()
}

// A reader reads one socket and answers from memory; what must wait leaves for the pool.
type reader struct {
	socket  *socket
	x       *exchange
	batch   *batch
	arrived [batchSize]arrived
	// logins are those of the batch that one site's member systems will be asked.
	logins []string
}

func newReader(s *Server, sock *socket) (*reader, error) {
	b, err := newBatch(sock)
	if err != nil {
		return nil, err
	}
	x := newExchange(s)
	x.repeats, x.journal, x.keys = newRepeats(maxReplies), newJournal(s.journalSize), newKeys(1024)
	return &reader{socket: sock, x: x, batch: b}, nil
}

// run returns when the socket's read deadline has passed, which is how Serve ends it.
func (r *reader) run() error {
	for {
		n, err := r.batch.receive()
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("radiusd: udp %v: %w", r.socket.local, err)
		}
		if n > 0 {
			r.work(r.batch, n)
		}
	}
}

// work takes a batch all the way. The wall clock is read once for all of it,
// and the journal locked once.
func (r *reader) work(in datagrams, n int) {
	x := r.x
	x.from, x.received, x.tables = r.socket, x.server.clock(), x.server.tables.Load()
	x.now, x.outbox, x.accepted = x.received, x.outbox[:0], x.accepted[:0]
	for i := range n {
		r.arrive(in, i)
	}
	x.verify(r.arrived[:n])
	r.expect(n)
	evicted := x.repeats.early
	x.journal.Lock()
	before := x.journal.next
	for i := range n {
		r.handle(in, i)
	}
	x.journal.settle(before, time.Since(x.received), x.server.meters)
	decided := x.journal.next != before
	x.journal.Unlock()
	x.sign(x.outbox)
	for i := range x.outbox {
		o := &x.outbox[i]
		x.arrived = &r.arrived[o.slot]
		if now := x.deliver(o); now != nil {
			in.answer(o.slot, now)
		}
	}
	in.send()
	if decided {
		x.server.scribe.nudge()
	}
	if d := x.repeats.early - evicted; d > 0 {
		x.server.meters.evicted.Add(float64(d))
	}
}

func (r *reader) arrive(in datagrams, i int) {
	a := &r.arrived[i]
	a.client, a.again, a.onItsWay, a.authentic = nil, nil, false, false
	defer r.x.rescue()
	var datagram []byte
	datagram, a.arrival, a.out = in.at(i)
	a.arrival.Site = r.socket.site
	r.x.arrived = a
	r.x.arrive(datagram)
}

// expect tells the member systems of each site which logins they will be asked.
func (r *reader) expect(n int) {
	ahead, ok := r.x.tables.Members.(Expecter)
	if !ok || n == 1 {
		return
	}
	site := ""
	r.logins = r.logins[:0]
	for i := range n {
		a := &r.arrived[i]
		if !a.onItsWay || a.userName == nil {
			continue
		}
		if of := a.client.config.Site; of != site {
			ahead.Expect(site, r.logins)
			site, r.logins = of, r.logins[:0]
		}
		r.logins = append(r.logins, alias(a.userName))
	}
	ahead.Expect(site, r.logins)
}

func (r *reader) handle(in datagrams, i int) {
	a := &r.arrived[i]
	if !a.onItsWay {
		return
	}
	defer r.x.rescue()
	r.x.begin(a)
	r.x.slot = i
	r.x.handle()
	if a.again != nil {
		in.answer(i, a.again)
	}
}
