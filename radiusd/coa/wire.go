package coa

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// A wire is one source port.
type wire interface {
	// send sends one datagram.
	send(b []byte, to netip.AddrPort) error
	// receive waits for one, into room. It fails for good where the wire is closed or broken.
	receive(room []byte) (datagram, error)
	// Close ends receive.
	Close() error
}

// A datagram is what came to a port.
type datagram struct {
	b []byte
	// peer has no zone, and is IPv4 where it can be.
	peer netip.AddrPort
	// refused: it did not come from peer. It is the beginning of what was sent there,
	// as ICMP brings it back where nobody listens.
	refused bool
}

// A udp is a wire of the system's. It is not connected, since one port serves many
// NASes.
type udp struct {
	conn *net.UDPConn
	raw  syscall.RawConn
}

// listen opens a port for NASes of one family.
func listen(bind netip.Addr, six bool) (wire, error) {
	network := "udp4"
	if six {
		network = "udp6"
	}
	if bind.IsValid() && bind.Unmap().Is6() != six {
		return nil, fmt.Errorf("requests leave from %v, which can't reach it: they are not both IPv4 or both IPv6", bind)
	}
	var local netip.AddrPort
	if bind.IsValid() {
		local = netip.AddrPortFrom(bind.Unmap(), 0)
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(local))
	if err != nil {
		return nil, fmt.Errorf("a source port: %w", err)
	}
	u := &udp{conn: conn}
	if u.raw, err = conn.SyscallConn(); err == nil {
		err = u.watchErrors(six)
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("a source port: %w", err)
	}
	return u, nil
}

// Close implements wire.
func (u *udp) Close() error { return u.conn.Close() }
