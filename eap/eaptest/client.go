package eaptest

import (
	"crypto/tls"
	"errors"
	"iter"
	"net"
	"time"
)

// A Client is TLS's client, fed a flight at a time. It runs on the goroutine
// that feeds it, so that a conversation comes out the same each time.
type Client struct {
	// Done says that the handshake has ended, Err how: also of what came later.
	Done bool
	Err  error

	tls    *tls.Conn
	wire   *wire
	resume func() (struct{}, bool)
	stop   func()
}

// NewClient returns a Client whose first flight is Feed(nil)'s.
func NewClient(c *tls.Config) *Client {
	w := &wire{}
	cl := &Client{wire: w, tls: tls.Client(w, c)}
	cl.resume, cl.stop = iter.Pull(func(yield func(struct{}) bool) {
		w.wait = yield
		cl.Err = cl.tls.Handshake()
		w.wait = nil
		cl.Done = true
	})
	return cl
}

// Feed takes the server's flight and returns what to send, perhaps nothing.
func (c *Client) Feed(flight []byte) []byte {
	c.wire.in = append(c.wire.in, flight...)
	if !c.Done {
		c.resume()
	}
	return c.take()
}

// Say encrypts.
func (c *Client) Say(plain []byte) []byte {
	if len(plain) > 0 {
		_, c.Err = c.tls.Write(plain)
	}
	return c.take()
}

// Hear decrypts what was fed after the handshake.
func (c *Client) Hear() (plain []byte) {
	room := make([]byte, 2048)
	for c.Err == nil {
		n, err := c.tls.Read(room)
		plain = append(plain, room[:n]...)
		var d drained
		if errors.As(err, &d) {
			break
		}
		c.Err = err
	}
	return plain
}

// Close ends a handshake that will not go on.
func (c *Client) Close() { c.stop() }

// State is TLS's.
func (c *Client) State() tls.ConnectionState { return c.tls.ConnectionState() }

// Trusted says that the handshake was a success.
func (c *Client) Trusted() bool { return c.Done && c.tls.ConnectionState().HandshakeComplete }

func (c *Client) take() []byte {
	out := c.wire.out
	c.wire.out = nil
	return out
}

// A wire is a connection in memory. What crypto/tls does not call is not there.
type wire struct {
	net.Conn
	in, out []byte
	wait    func(struct{}) bool
}

// drained is a temporary error, so that crypto/tls reads on when there is more.
type drained struct{}

func (drained) Error() string   { return "eaptest: nothing to read" }
func (drained) Timeout() bool   { return true }
func (drained) Temporary() bool { return true }

// Read implements net.Conn.
func (w *wire) Read(b []byte) (int, error) {
	for len(w.in) == 0 {
		if w.wait == nil {
			return 0, drained{}
		}
		if !w.wait(struct{}{}) {
			return 0, net.ErrClosed
		}
	}
	n := copy(b, w.in)
	w.in = w.in[n:]
	return n, nil
}

// Write implements net.Conn.
func (w *wire) Write(b []byte) (int, error) {
	w.out = append(w.out, b...)
	return len(b), nil
}

// CloseNotify closes the tunnel and returns the alert that says so.
func (c *Client) CloseNotify() []byte {
	c.Err = c.tls.CloseWrite()
	return c.take()
}

// SetWriteDeadline implements net.Conn: a wire is never slow.
func (*wire) SetWriteDeadline(time.Time) error { return nil }
