package tunnel

import (
	"errors"
	"net"
	"time"
)

var errClosed = errors.New("tunnel: the conversation has ended")

// A conn is the connection that crypto/tls reads from and writes to: octets in
// memory, and a way to stop where there are none to read.
type conn struct {
	in, out []byte
	// wait stops the handshake's coroutine until the next flight; nil after it.
	// closed says that no flight will come.
	wait   func()
	closed bool
}

// empty is the error of a Read after the handshake with nothing to read. It is
// temporary, so that crypto/tls does not keep it.
type empty struct{}

func (empty) Error() string   { return "tunnel: nothing to read yet" }
func (empty) Timeout() bool   { return true }
func (empty) Temporary() bool { return true }

func (c *conn) Read(b []byte) (int, error) {
	for len(c.in) == 0 {
		switch {
		case c.closed:
			return 0, errClosed
		case c.wait == nil:
			return 0, empty{}
		}
		c.wait()
	}
	n := copy(b, c.in)
	c.in = c.in[n:]
	return n, nil
}

func (c *conn) Write(b []byte) (int, error) {
	c.out = append(c.out, b...)
	return len(b), nil
}

// take returns what was written since the last time.
func (c *conn) take() []byte {
	out := c.out
	c.out = nil
	return out
}

func (*conn) Close() error                     { return nil }
func (*conn) LocalAddr() net.Addr              { return address{} }
func (*conn) RemoteAddr() net.Addr             { return address{} }
func (*conn) SetDeadline(time.Time) error      { return nil }
func (*conn) SetReadDeadline(time.Time) error  { return nil }
func (*conn) SetWriteDeadline(time.Time) error { return nil }

// address is that of a peer which has none.
type address struct{}

func (address) Network() string { return "eap" }
func (address) String() string  { return "eap" }
