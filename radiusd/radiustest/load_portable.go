package radiustest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// portable moves datagrams through package net, one system call each, for
// systems without sendmmsg: slower, and the same everywhere.
type portable struct {
	sockets []*portableSocket
	held    [][]byte // what receive returned last, from the socket from
	from    *portableSocket
	ready   chan struct{}
	timer   *time.Timer
	refused atomic.Bool
	ended   sync.WaitGroup
}

// A portableSocket is read by a goroutine of its own into a queue of batchSize
// datagrams. While none of its buffers is free it waits, and the system's own
// queue fills.
type portableSocket struct {
	conn          *net.UDPConn
	arrived, free chan []byte
}

var _ transport = (*portable)(nil)

func openPortable(l *Load) (*opened, error) {
	var addresses []netip.AddrPort
	p := &portable{ready: make(chan struct{}, 1), held: make([][]byte, 0, batchSize), timer: time.NewTimer(time.Hour)}
	for i := range l.Sockets {
		var local netip.AddrPort
		if len(l.Local) > 0 {
			local = netip.AddrPortFrom(l.Local[i%len(l.Local)], 0)
		}
		conn, err := dialUDP(context.Background(), local, l.Server)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		s := &portableSocket{conn, make(chan []byte, batchSize), make(chan []byte, batchSize)}
		for range batchSize {
			s.free <- make([]byte, maxPacket)
		}
		p.sockets = append(p.sockets, s)
		addresses = append(addresses, conn.LocalAddr().(*net.UDPAddr).AddrPort())
		p.ended.Go(func() { p.read(s) })
	}
	return &opened{p, addresses, p.close}, nil
}

// close ends every reader and waits for it.
func (p *portable) close() error {
	p.timer.Stop()
	var failed error
	for _, s := range p.sockets {
		if err := s.conn.Close(); err != nil {
			failed = fmt.Errorf("radiustest: load: %w", err)
		}
		close(s.free)
	}
	p.ended.Wait()
	return failed
}

func (p *portable) read(s *portableSocket) {
	for buffer := range s.free {
		n, err := s.conn.Read(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			if errors.Is(err, syscall.ECONNREFUSED) {
				p.refused.Store(true)
			}
			n = 0
		}
		s.arrived <- buffer[:n]
		select {
		case p.ready <- struct{}{}:
		default:
		}
	}
}

// send implements transport.
func (p *portable) send(socket int, packets [][]byte) (int, error) {
	for i, b := range packets {
		if _, err := p.sockets[socket].conn.Write(b); errors.Is(err, syscall.ECONNREFUSED) {
			return i, errRefused
		} else if err != nil {
			return i, fmt.Errorf("radiustest: load: %w", err)
		}
	}
	return len(packets), nil
}

// receive implements transport.
func (p *portable) receive(socket int) ([][]byte, error) {
	for _, b := range p.held {
		p.from.free <- b[:maxPacket]
	}
	s := p.sockets[socket]
	p.held, p.from = p.held[:0], s
	for range batchSize {
		select {
		case b := <-s.arrived:
			if len(b) == 0 { // a failed read: only its buffer comes back
				s.free <- b[:maxPacket]
				continue
			}
			p.held = append(p.held, b)
			continue
		default:
		}
		break
	}
	if p.refused.CompareAndSwap(true, false) {
		return p.held, errRefused
	}
	return p.held, nil
}

// wait implements transport.
func (p *portable) wait(d time.Duration) {
	p.timer.Reset(d)
	select {
	case <-p.ready:
	case <-p.timer.C:
	}
}
