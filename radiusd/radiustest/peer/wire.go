package peer

import (
	"encoding/binary"
	"errors"
	"net"
	"time"
)

// A wire is the net.Conn under TLS, whose both ends are in EAP packets. While
// the handshake runs, an empty one gives control back to the goroutine that
// takes packets; afterwards it says that nothing is there, in a way that
// crypto/tls does not remember.
type wire struct {
	in, out []byte
	// client and server are the hellos' randoms, version what the server's says.
	client, server [randomSize]byte
	version        uint16
	// yield ends with false when the handshake is given up.
	yield func() bool
}

var _ net.Conn = (*wire)(nil)

// errAbandoned ends a handshake that nobody waits for any more.
var errAbandoned = errors.New("peer: the handshake was given up")

// dry is the error of reading an empty wire. Being temporary, it leaves the
// tls.Conn usable.
type dry struct{}

func (dry) Error() string   { return "peer: no octets" }
func (dry) Timeout() bool   { return false }
func (dry) Temporary() bool { return true }

// Read implements net.Conn.
func (w *wire) Read(b []byte) (int, error) {
	for len(w.in) == 0 {
		if w.yield == nil {
			return 0, dry{}
		}
		if !w.yield() {
			return 0, errAbandoned
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

// Close implements net.Conn.
func (w *wire) Close() error { return nil }

// LocalAddr implements net.Conn.
func (w *wire) LocalAddr() net.Addr { return noAddr{} }

// RemoteAddr implements net.Conn. crypto/tls keys its sessions by it, of which
// our cache has one.
func (w *wire) RemoteAddr() net.Addr { return noAddr{} }

// SetDeadline implements net.Conn; packets know no deadlines.
func (w *wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// randomSize is that of a hello's random in octets (RFC 8446 §4.1.2).
const randomSize = 32

// Where a hello that begins a message has its type, version and random: after
// the record's header of 5 octets and the handshake's of 4.
const (
	helloType    = 5
	helloVersion = 9
	helloRandom  = 11
	clientHello  = 1
	serverHello  = 2
)

// feed adds what the server sent.
func (w *wire) feed(message []byte) {
	if r := helloOf(message, serverHello); r != nil {
		w.version, w.server = binary.BigEndian.Uint16(message[helloVersion:]), *r
	}
	w.in = append(w.in, message...)
}

// flush returns what is to be sent; it belongs to the caller.
func (w *wire) flush() []byte {
	out := w.out
	w.out = nil
	if r := helloOf(out, clientHello); r != nil {
		w.client = *r
	}
	return out
}

// helloOf returns the random of a hello that begins a message, nil where it has none.
func helloOf(message []byte, kind byte) *[randomSize]byte {
	const handshakeRecord = 22
	if len(message) < helloRandom+randomSize || message[0] != handshakeRecord || message[helloType] != kind {
		return nil
	}
	return (*[randomSize]byte)(message[helloRandom:])
}

// offered is the version of the server's hello, which for TLS 1.3 claims to be
// 1.2; 0 before it came.
func (w *wire) offered() uint16 { return w.version }

type noAddr struct{}

func (noAddr) Network() string { return "eap" }
func (noAddr) String() string  { return "eap" }
