package coa

import (
	"errors"
	"maps"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"layeh.com/radius"
)

// A nas is one on a real port, which holds requests to hostapd's rules.
type nas struct {
	t      testing.TB
	conn   *net.UDPConn
	answer func(n *nas, packet []byte, from netip.AddrPort)

	mu sync.Mutex
	// seen are the sources of requests.
	seen map[netip.AddrPort]bool
}

// sources returns where requests came from.
func (n *nas) sources() []netip.AddrPort {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Collect(maps.Keys(n.seen))
}

// startNAS listens at a free port of an address.
func startNAS(t testing.TB, address string, answer func(n *nas, packet []byte, from netip.AddrPort)) *nas {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 0)))
	if err != nil {
		t.Skipf("no %s here: %v", address, err)
	}
	n := &nas{t: t, conn: conn, answer: answer, seen: map[netip.AddrPort]bool{}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		room := make([]byte, maxPacket)
		for {
			size, from, err := conn.ReadFromUDPAddrPort(room)
			if err != nil {
				return
			}
			if why := lawful(room[:size], testSecret, time.Now()); why != "" {
				t.Errorf("%s: %x", why, room[:size])
				continue
			}
			n.mu.Lock()
			n.seen[from] = true
			n.mu.Unlock()
			n.answer(n, append([]byte(nil), room[:size]...), from)
		}
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-ended
	})
	return n
}

func (n *nas) target() *Target {
	a := n.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return target(netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
}

func (n *nas) send(b []byte, to netip.AddrPort) {
	if _, err := n.conn.WriteToUDPAddrPort(b, to); err != nil && !errors.Is(err, net.ErrClosed) {
		n.t.Error(err)
	}
}

func acks(n *nas, packet []byte, from netip.AddrPort) {
	n.send(answerTo(n.t, packet, radius.Code(packet[0]+toACK), testSecret, 0, true), from)
}

func start(t testing.TB, config Config) *Client {
	t.Helper()
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestUDP asks NASes of both families, from an address of choice too.
func TestUDP(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, at string
		bind     netip.Addr
	}{
		{name: "IPv4", at: "127.0.0.1"},
		{name: "IPv6", at: "::1"},
		{name: "from an address", at: "127.0.0.1", bind: netip.MustParseAddr("127.0.0.2")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.bind.IsValid() && runtime.GOOS != "linux" {
				t.Skip("127.0.0.2 is an address on Linux alone")
			}
			n := startNAS(t, c.at, acks)
			client := start(t, Config{Bind: c.bind})
			for range 3 {
				if r, err := client.Disconnect(t.Context(), n.target(), session()); err != nil || !r.Gone() || r.Sends != 1 {
					t.Fatalf("%+v, %v", r, err)
				}
			}
			if r, err := client.Change(t.Context(), n.target(), session(), []byte{27, 6, 0, 0, 14, 16}); err != nil || !r.Acked() {
				t.Errorf("%+v, %v", r, err)
			}
			if len(n.sources()) != 1 {
				t.Errorf("from %v", n.sources())
			}
			for _, from := range n.sources() {
				if c.bind.IsValid() && from.Addr().Unmap() != c.bind {
					t.Errorf("from %v, not %v", from, c.bind)
				}
			}
		})
	}
	n := startNAS(t, "127.0.0.1", acks)
	if r, err := start(t, Config{Bind: netip.MustParseAddr("::1")}).Disconnect(t.Context(), n.target(), session()); err == nil || r.Outcome != Unsent {
		t.Errorf("to IPv4 from IPv6: %+v, %v", r, err)
	}
}

// What answers from another port than was asked is not the NAS.
func TestUDPAnotherPort(t *testing.T) {
	t.Parallel()
	other := startNAS(t, "127.0.0.1", acks)
	n := startNAS(t, "127.0.0.1", func(n *nas, packet []byte, from netip.AddrPort) {
		other.send(answerTo(t, packet, radius.CodeDisconnectACK, testSecret, 0, true), from)
		n.send(answerTo(t, packet, radius.CodeDisconnectNAK, testSecret, SessionContextNotFound, false), from)
	})
	c := start(t, Config{})
	r, err := c.Disconnect(t.Context(), n.target(), session())
	if err != nil || r.Outcome != NAK || r.Cause != SessionContextNotFound || counted(t, c.meters.ignored.WithLabelValues("unknown")) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestUDPRefused: where nobody listens, the host says so, and others on the same
// source port are none the worse.
func TestUDPRefused(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a port that is not connected")
	}
	for _, address := range []string{"127.0.0.1", "::1"} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			dead := startNAS(t, address, acks)
			alive := startNAS(t, address, acks)
			_ = dead.conn.Close()
			c := start(t, Config{})
			var all sync.WaitGroup
			// A host sends so many ICMP errors at once and no more, 50 on Linux.
			for range 5 {
				all.Go(func() {
					if r, err := c.Disconnect(t.Context(), dead.target(), session()); r.Outcome != Refused || !errors.Is(err, ErrRefused) {
						t.Errorf("dead: %+v, %v", r, err)
					}
				})
			}
			for range 50 {
				all.Go(func() {
					if r, err := c.Disconnect(t.Context(), alive.target(), session()); err != nil || !r.Gone() {
						t.Errorf("alive: %+v, %v", r, err)
					}
				})
			}
			all.Wait()
			if n := len(alive.sources()); n != 1 {
				t.Errorf("%d source ports", n)
			}
		})
	}
}

// What one NAS's host has refused is not told to the next datagram, to another.
func TestUDPSendAfterRefusal(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1", "::1"} {
		dead := startNAS(t, address, acks)
		_ = dead.conn.Close()
		alive := startNAS(t, address, func(*nas, []byte, netip.AddrPort) {})
		w, err := listen(netip.Addr{}, address == "::1")
		if err != nil {
			t.Fatal(err)
		}
		b := encoded(t, request{code: codeDisconnectRequest, secret: testSecret, at: time.Now(), session: []byte{44, 3, '1'}})
		for range 5 {
			for _, to := range []*nas{dead, alive} {
				if err := w.send(b, to.target().Address); err != nil {
					t.Errorf("%s: %v", address, err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestThousandAtOnce: 1,000 Disconnects at once to five NASes, and to one.
func TestThousandAtOnce(t *testing.T) {
	if raceEnabled {
		t.Skip("too many goroutines for the race detector")
	}
	for _, count := range []int{5, 1} {
		var nases []*nas
		for range count {
			nases = append(nases, startNAS(t, "127.0.0.1", acks))
		}
		c := start(t, Config{})
		begin := time.Now()
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() {
				s := session()
				s.ID = s.ID[:12] + string([]byte{byte('A' + i/260), byte('A' + i/26%26), byte('A' + i%26)})
				if r, err := c.Disconnect(t.Context(), nases[i%count].target(), s); err != nil || !r.Gone() {
					t.Errorf("%+v, %v", r, err)
				}
			})
		}
		all.Wait()
		took := time.Since(begin)
		t.Logf("1,000 Disconnects to %d: %v, %v sent again", count, took, counted(t, c.meters.resends.WithLabelValues("lobby")))
		if took > 5*time.Second {
			t.Errorf("%v", took)
		}
	}
}
