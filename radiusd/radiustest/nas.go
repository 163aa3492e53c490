package radiustest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"memberradius/dictionary"
	"memberradius/member"
)

// identifiers is how many requests one socket may have in work (RFC 2865 §3).
const identifiers = 256

// A NAS sends requests from one UDP socket and takes what verifies as replies.
// Server and Secret must be set; then Open, Do from as many goroutines as
// like, Close.
type NAS struct {
	Server netip.AddrPort
	// Local is where it sends from; the zero value leaves it to the system.
	Local  netip.AddrPort
	Secret member.Secret
	// Timing is when it sends again; the zero value is RFC 5080's.
	Timing Timing
	// TakeUnsigned takes replies without Message-Authenticator, as NASes of
	// before 2024 do (CVE-2024-3596).
	TakeUnsigned bool
	// Dictionary names attributes; nil is dictionary.Builtin.
	Dictionary *dictionary.Dictionary
	// Rand and Now default to crypto/rand and time.Now. They are called by every
	// goroutine that is in Do.
	Rand io.Reader
	Now  func() time.Time

	conn    *net.UDPConn
	free    chan byte     // identifiers not in work, the one longest unused first
	done    chan struct{} // closed when the reader has ended
	refused atomic.Uint64 // ICMP port unreachable

	mu      sync.Mutex
	waiting [identifiers]chan []byte
}

// waitingReplies bounds the datagrams that wait for one request's goroutine;
// what comes beyond is dropped, as a full socket buffer would.
const waitingReplies = 16

var (
	// ErrNotOpen says that Open was not called, or Close was.
	ErrNotOpen   = errors.New("radiustest: the NAS is not open")
	errNoServer  = errors.New("radiustest: the NAS has no server address")
	errNoSecret  = errors.New("radiustest: the NAS has no secret (RFC 2865 §3 forbids an empty one)")
	errOpenTwice = errors.New("radiustest: the NAS is open already")
)

// Open binds the socket and starts its reader, which ends with Close.
func (n *NAS) Open(ctx context.Context) error {
	switch {
	case n.conn != nil:
		return errOpenTwice
	case !n.Server.IsValid() || n.Server.Port() == 0:
		return errNoServer
	case n.Secret == "":
		return errNoSecret
	}
	conn, err := dialUDP(ctx, n.Local, n.Server)
	if err != nil {
		return err
	}
	n.conn, n.done, n.free = conn, make(chan struct{}), make(chan byte, identifiers)
	// A restarted NAS that began with the same identifier each time would meet
	// its own old ones in the server.
	var first [1]byte
	if _, err := io.ReadFull(n.random(), first[:]); err != nil {
		return errors.Join(err, conn.Close())
	}
	for i := range identifiers {
		n.free <- first[0] + byte(i)
	}
	go n.read()
	return nil
}

func dialUDP(ctx context.Context, local, server netip.AddrPort) (*net.UDPConn, error) {
	var d net.Dialer
	if local.IsValid() {
		d.LocalAddr = net.UDPAddrFromAddrPort(local)
	}
	conn, err := d.DialContext(ctx, "udp", server.String())
	if err != nil {
		return nil, fmt.Errorf("radiustest: socket to %s: %w", server, err)
	}
	return conn.(*net.UDPConn), nil
}

// Close gives the socket back and ends every Do.
func (n *NAS) Close() error {
	if n.conn == nil {
		return nil
	}
	err := n.conn.Close()
	<-n.done
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("radiustest: %w", err)
	}
	return nil
}

// Addr returns the socket's own address.
func (n *NAS) Addr() netip.AddrPort {
	if n.conn == nil {
		return n.Local
	}
	return n.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func (n *NAS) random() io.Reader {
	if n.Rand == nil {
		return rand.Reader
	}
	return n.Rand
}

func (n *NAS) now() time.Time {
	if n.Now == nil {
		return time.Now()
	}
	return n.Now()
}

// read hands every datagram to the request that has its identifier, until the
// socket is closed.
func (n *NAS) read() {
	defer close(n.done)
	buffer := make([]byte, 1<<16)
	for {
		size, err := n.conn.Read(buffer)
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			n.refused.Add(1)
			continue
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil || size < 2:
			continue
		}
		n.mu.Lock()
		if waiting := n.waiting[buffer[1]]; waiting != nil {
			select {
			case waiting <- append([]byte(nil), buffer[:size]...):
			default:
			}
		}
		n.mu.Unlock()
	}
}

// Sign returns the request as it would go out under the identifier, without
// sending it. Tests send it by a Wire, and Read the reply.
func (n *NAS) Sign(r *Request, identifier byte) (*Sent, error) {
	if n.Secret == "" {
		return nil, errNoSecret
	}
	names := n.Dictionary
	if names == nil {
		names = dictionary.Builtin()
	}
	c := composer{dictionary: names, local: n.Addr().Addr(), secret: n.Secret, rand: n.random()}
	p, expect, err := c.compose(r)
	if err != nil {
		return nil, err
	}
	p.Identifier = identifier
	bytes, err := p.Encode(n.Secret)
	if err != nil {
		return nil, err
	}
	s := &Sent{
		Bytes: bytes, expect: expect, identifier: identifier, signed: !n.TakeUnsigned,
		signer: newSigner(n.Secret), dictionary: names,
	}
	copy(s.authenticator[:], bytes[4:])
	return s, nil
}

// Do sends the request until a reply verifies, the retransmissions are spent
// or ctx ends. Replies that do not verify are ignored, as RFC 2865 §3 asks; if
// none does, the error is a *NoReplyError and tells how many came. With an EAP
// method it holds the whole conversation and returns its last reply, or an
// *EAPError.
func (n *NAS) Do(ctx context.Context, r *Request) (*Reply, error) {
	switch {
	case n.conn == nil:
		return nil, ErrNotOpen
	case r.Method.EAP():
		return n.converse(ctx, r)
	}
	return n.ask(ctx, r)
}

// ask sends one request and returns its reply.
func (n *NAS) ask(ctx context.Context, r *Request) (*Reply, error) {
	var identifier byte
	select {
	case identifier = <-n.free:
		defer func() { n.free <- identifier }()
	case <-n.done:
		return nil, ErrNotOpen
	case <-ctx.Done():
		return nil, fmt.Errorf("radiustest: %d requests are in work on this socket: %w", identifiers, ctx.Err())
	}
	sent, err := n.Sign(r, identifier)
	if err != nil {
		return nil, err
	}
	replies := make(chan []byte, waitingReplies)
	n.await(identifier, replies)
	defer n.await(identifier, nil)
	return n.exchange(ctx, sent, replies)
}

func (n *NAS) await(identifier byte, replies chan []byte) {
	n.mu.Lock()
	n.waiting[identifier] = replies
	n.mu.Unlock()
}

// exchange sends and waits by RFC 5080 §2.2.1.
func (n *NAS) exchange(ctx context.Context, sent *Sent, replies <-chan []byte) (*Reply, error) {
	begin := n.now()
	timing := n.Timing.orDefault()
	if timing.Most > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timing.Most, errSpent)
		defer cancel()
	}
	failure := &NoReplyError{Server: n.Server}
	refused := n.refused.Load()
	var wait time.Duration
	for {
		// A socket error is no answer: a server may be about to start.
		if _, err := n.conn.Write(sent.Bytes); err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
			failure.Cause = err
		} else if err != nil {
			n.refused.Add(1)
		}
		failure.Tries++
		wait = timing.next(wait, n.random())
		reply, err := n.listen(ctx, wait, sent, replies, failure)
		if reply != nil {
			reply.Tries, reply.Took = failure.Tries, n.now().Sub(begin)
			return reply, nil
		}
		if err == nil && (timing.Count == 0 || failure.Tries < timing.Count) {
			continue
		}
		if err != nil && !errors.Is(err, errSpent) {
			failure.Cause = err
		}
		failure.Waited, failure.Refused = n.now().Sub(begin), n.refused.Load()-refused
		return nil, failure
	}
}

// listen waits for a reply that verifies: nil and nil when the time is over.
func (n *NAS) listen(ctx context.Context, wait time.Duration, sent *Sent, replies <-chan []byte, failure *NoReplyError) (*Reply, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case datagram := <-replies:
			reply, err := sent.Read(datagram)
			if err == nil {
				return reply, nil
			}
			failure.ignore(err)
		case <-timer.C:
			return nil, nil
		case <-n.done:
			return nil, ErrNotOpen
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
