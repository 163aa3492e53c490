package peer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
)

// A tunnel is the TLS connection of a method. It has no goroutine: until the
// handshake is done, a coroutine that runs only inside shake, then none.
type tunnel struct {
	wire *wire
	conn *tls.Conn
	next func() (struct{}, bool)
	stop func()
	err  error // the handshake's
	done bool

	state tls.ConnectionState // once done
	keys  keys
}

func newTunnel(c *Config) *tunnel {
	w := &wire{}
	config := &tls.Config{
		Rand: c.Rand, Time: c.Now,
		MinVersion: c.MinTLS, MaxVersion: c.MaxTLS, CipherSuites: c.CipherSuites, CurvePreferences: c.Curves,
		// trust checks it: RFC 5216 §5.3 knows no host name, which crypto/tls wants.
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies
		VerifyConnection:   c.trust,
	}
	if c.Session != nil {
		config.ClientSessionCache = c.Session
	}
	if c.Certificate != nil && c.Method == TLS {
		// Whatever CAs the server names: what it makes of ours is the test.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.Certificate, nil }
	}
	t := &tunnel{wire: w, conn: tls.Client(w, config)}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		w.yield = func() bool { return yield(struct{}{}) }
		t.err = t.conn.Handshake()
	})
	return t
}

// shake goes on with the handshake and returns what to send. The error is the
// handshake's; then what is to be sent is an alert, or nothing.
func (t *tunnel) shake(message []byte) ([]byte, error) {
	t.wire.feed(message)
	if _, more := t.next(); more {
		return t.wire.flush(), nil
	}
	t.done, t.wire.yield = true, nil
	if t.err != nil {
		return t.wire.flush(), t.err
	}
	t.state = t.conn.ConnectionState()
	return t.wire.flush(), nil
}

// read returns all that the server has said inside so far.
func (t *tunnel) read() ([]byte, error) {
	var said []byte
	buffer := make([]byte, 1024)
	for {
		n, err := t.conn.Read(buffer)
		said = append(said, buffer[:n]...)
		switch {
		case err == nil && len(said) <= maxMessage:
		case err == nil:
			return nil, fmt.Errorf("peer: the server says more than %d octets inside the tunnel at once", maxMessage)
		case errors.Is(err, io.EOF) || errors.As(err, &dry{}):
			return said, nil
		default:
			return said, fmt.Errorf("peer: inside the tunnel: %w", err)
		}
	}
}

// write returns the record that says it inside.
func (t *tunnel) write(say []byte) ([]byte, error) {
	if len(say) > 0 {
		if _, err := t.conn.Write(say); err != nil {
			return nil, fmt.Errorf("peer: inside the tunnel: %w", err)
		}
	}
	return t.wire.flush(), nil
}

// modern says that it is TLS 1.3, which RFC 9190 and RFC 9427 are about.
func (t *tunnel) modern() bool { return t.state.Version >= tls.VersionTLS13 }
