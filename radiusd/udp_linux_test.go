package radiusd

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A batch answers every datagram once, to its own sender, whatever shares a
// message on the way: replies of one size to one NAS do, where the way out can
// segment them.
func TestBatchAnswersEachOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, listen, ask string
		size              func(i int) int
		noChecksum        bool // makes the kernel refuse to segment
		messages          int
	}{
		{"one size", "127.0.0.1:0", "127.0.0.1", func(int) int { return 200 }, false, 2},
		{"two sizes", "127.0.0.1:0", "127.0.0.1", func(i int) int { return 200 + i%4/2 }, false, 4},
		{"every size", "127.0.0.1:0", "127.0.0.1", func(i int) int { return 100 + i }, false, batchSize},
		{"too long to share", "127.0.0.1:0", "127.0.0.1", func(int) int { return maxSegment + 1 }, false, batchSize},
		{"any address", "0.0.0.0:0", "127.0.0.2", func(int) int { return 200 }, false, 2},
		{"IPv6", "[::1]:0", "::1", func(int) int { return 200 }, false, 2},
		{"any IPv6 address", "[::]:0", "::1", func(int) int { return 200 }, false, 2},
		{"no segmentation", "127.0.0.1:0", "127.0.0.1", func(int) int { return 200 }, true, batchSize},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if netip.MustParseAddr(tt.ask).Is6() && !haveIPv6() {
				t.Skip("no IPv6 here")
			}
			b, clients := batchOf(t, tt.listen, tt.ask)
			if tt.noChecksum {
				noChecksum(t, b.socket.conn)
			}
			n, err := b.receive()
			if err != nil || n != batchSize {
				t.Fatalf("%d datagrams received, %v", n, err)
			}
			want := map[string]string{}
			for i := range n {
				datagram, a, out := b.at(i)
				reply := append(out, bytes.Repeat([]byte{byte(i)}, tt.size(i))...)
				want[string(datagram)] = string(reply)
				if !a.Remote.IsValid() || a.Local.Port() != b.socket.local.Port() {
					t.Errorf("datagram %d: %+v", i, a)
				}
				b.answer(i, reply)
			}
			b.send()
			if b.packed != tt.messages {
				t.Errorf("%d messages, want %d", b.packed, tt.messages)
			}
			for c, client := range clients {
				got := receiveAll(t, client, batchSize/len(clients))
				for i := c; i < batchSize; i += len(clients) {
					if reply := want[fmt.Sprint(i)]; !got[reply] {
						t.Errorf("datagram %d: its reply did not come", i)
					}
				}
			}
		})
	}
}

// batchOf returns a batch whose socket has a full batch of datagrams waiting,
// from two clients in turn, and the clients.
func batchOf(t *testing.T, listen, ask string) (*batch, []*net.UDPConn) {
	t.Helper()
	sockets, err := bind(context.Background(), Listen{Address: netip.MustParseAddrPort(listen)}, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll(sockets) })
	b, err := newBatch(sockets[0])
	if err != nil {
		t.Fatal(err)
	}
	server := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ask), sockets[0].local.Port()))
	var clients []*net.UDPConn
	for range 2 {
		c, err := net.DialUDP("udp", nil, server)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		clients = append(clients, c)
	}
	for i := range batchSize {
		if _, err := clients[i%2].Write(fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	return b, clients
}

func receiveAll(t *testing.T, c *net.UDPConn, n int) map[string]bool {
	t.Helper()
	got := map[string]bool{}
	buffer := make([]byte, maxPacket)
	for range n {
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		size, err := c.Read(buffer)
		if err != nil {
			t.Fatalf("after %d replies: %v", len(got), err)
		}
		got[string(buffer[:size])] = true
	}
	return got
}

func noChecksum(t *testing.T, c *net.UDPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_NO_CHECK, 1)
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
}
