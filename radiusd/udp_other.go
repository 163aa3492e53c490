//go:build !linux

package radiusd

import "net/netip"

// A batch without recvmmsg is one datagram: slower, and the same otherwise.
// Replies of an unspecified address leave from whichever address the system chooses.
type batch struct {
	socket  *socket
	in, out [maxPacket]byte
	size    int
	from    netip.AddrPort
	reply   []byte
}

func newBatch(s *socket) (*batch, error) { return &batch{socket: s}, nil }

func (b *batch) receive() (int, error) {
	b.reply = nil
	n, from, err := b.socket.conn.ReadFromUDPAddrPort(b.in[:])
	b.size, b.from = n, from
	return 1, err
}

func (b *batch) at(int) (datagram []byte, a Arrival, out []byte) {
	return b.in[:b.size], Arrival{Local: b.socket.local, Remote: b.from}, b.out[:0]
}

func (b *batch) answer(_ int, reply []byte) { b.reply = reply }

func (b *batch) send() {
	if len(b.reply) > 0 {
		_, _ = b.socket.conn.WriteToUDPAddrPort(b.reply, b.from)
	}
}

func sourceControl([]byte, netip.Addr) []byte { return nil }

func prepare(uintptr, netip.AddrPort, bool) error { return nil }
