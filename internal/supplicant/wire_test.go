//go:build linux

package supplicant

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// A fate is what happens to datagrams on the wire.
type fate struct {
	// twice: every datagram of both directions arrives twice.
	twice bool
	// loseReply and loseRequest lose the first copy of every n-th; 0 loses none.
	loseReply, loseRequest int
	// again: the access point, impatient, asks its device once more, and sends
	// the same answer in a new packet from another port, before the server's
	// reply to the first has arrived at the device.
	again bool
	// onAccept is called before the first Access-Accept arrives.
	onAccept func()
}

// A datagram is one that was seen on the wire, once however often it was sent.
type datagram struct {
	reply bool
	raw   []byte
}

// A wire is the way between one device's access point and the server. It sees
// every datagram.
type wire struct {
	t     *testing.T
	fate  fate
	near  *net.UDPConn // the access point's side
	far   *net.UDPConn // the server's side
	other *net.UDPConn // a second socket of the access point, for fate.again

	mu     sync.Mutex
	device netip.AddrPort
	seen   map[string]bool
	counts [2]int // of requests and of replies
	log    []datagram
	lost   int
	asked  int // how often fate.again had its answer
}

// maxDatagram is the most that RADIUS sends (RFC 2865 §3).
const maxDatagram = 4096

// lay lays a wire to the server; it is taken up when the test ends.
func lay(t *testing.T, server netip.AddrPort, f fate) *wire {
	t.Helper()
	w := &wire{t: t, fate: f, seen: map[string]bool{}}
	var err error
	if w.near, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []**net.UDPConn{&w.far, &w.other} {
		if *c, err = net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(server)); err != nil {
			t.Fatal(err)
		}
	}
	var done sync.WaitGroup
	done.Go(w.carryRequests)
	done.Go(w.carryReplies)
	t.Cleanup(func() {
		_ = w.near.Close()
		_ = w.far.Close()
		_ = w.other.Close()
		done.Wait()
	})
	return w
}

// port is where the device's access point sends to.
func (w *wire) port() string {
	_, port, _ := net.SplitHostPort(w.near.LocalAddr().String())
	return port
}

func (w *wire) carryRequests() {
	b := make([]byte, maxDatagram)
	for {
		n, from, err := w.near.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		w.mu.Lock()
		w.device = from
		w.mu.Unlock()
		for range w.copies(b[:n], false) {
			_, _ = w.far.Write(b[:n]) // a refused datagram is a lost one
		}
	}
}

func (w *wire) carryReplies() {
	b := make([]byte, maxDatagram)
	for {
		n, err := w.far.Read(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error of an earlier datagram
		}
		if w.fate.again && !w.known(b[:n]) {
			w.askAgain(b[:n])
		}
		if w.fate.onAccept != nil && b[0] == accessAccept {
			w.fate.onAccept()
			w.fate.onAccept = nil
		}
		w.mu.Lock()
		device := w.device
		w.mu.Unlock()
		for range w.copies(b[:n], true) {
			_, _ = w.near.WriteToUDPAddrPort(b[:n], device)
		}
	}
}

func (w *wire) known(raw []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[string(raw)]
}

// copies records a datagram and returns how many of it arrive.
func (w *wire) copies(raw []byte, reply bool) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	every, direction := w.fate.loseRequest, 0
	if reply {
		every, direction = w.fate.loseReply, 1
	}
	if !w.seen[string(raw)] {
		w.seen[string(raw)] = true
		w.log = append(w.log, datagram{reply, append([]byte(nil), raw...)})
		w.counts[direction]++
		if every > 0 && w.counts[direction]%every == 0 {
			w.lost++
			return 0
		}
	}
	if w.fate.twice {
		return 2
	}
	return 1
}

// datagrams returns what was seen so far.
func (w *wire) datagrams() []datagram {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]datagram(nil), w.log...)
}

// tally returns how many datagrams were lost, and how often fate.again had its answer.
func (w *wire) tally() (lost, asked int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost, w.asked
}

// againWait is how long a repeated answer may take.
const againWait = 5 * time.Second

// askAgain sends the request that reply answers in a new packet, with the same
// State and EAP-Message, and compares the answers: RFC 3579 §2.2 lets an access
// point resend, and the server must not go on a step for it.
func (w *wire) askAgain(reply []byte) {
	request := w.requestOf(reply)
	if request == nil || reply[0] != accessChallenge {
		return
	}
	again, err := resign(request)
	if err != nil {
		w.t.Error(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), againWait)
	defer cancel()
	deadline, _ := ctx.Deadline()
	_ = w.other.SetReadDeadline(deadline)
	if _, err := w.other.Write(again); err != nil {
		return
	}
	b := make([]byte, maxDatagram)
	n, err := w.other.Read(b)
	if err != nil {
		if !errors.Is(err, net.ErrClosed) {
			w.t.Errorf("the same answer in a new packet: %v", err)
		}
		return
	}
	if err := sameStep(reply, b[:n]); err != nil {
		w.t.Errorf("the same answer in a new packet: %v", err)
	}
	w.mu.Lock()
	w.asked++
	w.mu.Unlock()
}

// requestOf returns the last request that reply can answer, if it had a State.
func (w *wire) requestOf(reply []byte) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.log) - 1; i >= 0; i-- {
		d := w.log[i]
		if !d.reply && d.raw[1] == reply[1] && hasState(d.raw) {
			return d.raw
		}
	}
	return nil
}
