package radiustest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// A Wire is a UDP socket towards a server, for tests that send what no NAS
// would. It takes replies only from the address that it sends to, as NASes do.
type Wire struct{ conn *net.UDPConn }

// Dial opens a Wire. A zero local address leaves it to the system.
func Dial(local, server netip.AddrPort) (*Wire, error) {
	conn, err := dialUDP(context.Background(), local, server)
	if err != nil {
		return nil, err
	}
	return &Wire{conn}, nil
}

// Close gives the socket back.
func (w *Wire) Close() error { return w.conn.Close() }

// Addr returns the socket's own address.
func (w *Wire) Addr() netip.AddrPort { return w.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Send sends one datagram.
func (w *Wire) Send(datagram []byte) error {
	if _, err := w.conn.Write(datagram); err != nil {
		return fmt.Errorf("radiustest: %w", err)
	}
	return nil
}

// ErrSilence says that nothing came in time.
var ErrSilence = errors.New("radiustest: no datagram came")

// Receive returns the next datagram, or ErrSilence when none came within wait.
func (w *Wire) Receive(wait time.Duration) ([]byte, error) {
	if err := w.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return nil, fmt.Errorf("radiustest: %w", err)
	}
	buffer := make([]byte, 1<<16)
	n, err := w.conn.Read(buffer)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, ErrSilence
	}
	if err != nil {
		return nil, fmt.Errorf("radiustest: %w", err)
	}
	return buffer[:n], nil
}
