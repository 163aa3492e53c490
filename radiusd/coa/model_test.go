package coa

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"layeh.com/radius"
)

// A world is a network without sockets, on the clock of a bubble. What goes to a NAS
// is handed to its function, which may put datagrams back.
type world struct {
	tb    testing.TB
	begin time.Time
	nases map[netip.AddrPort]func(l *line, packet []byte)

	mu    sync.Mutex
	lines []*line
	sent  []sending
	fail  error // what listening fails with
	mute  error // what sending fails with
}

// A sending is one datagram that left.
type sending struct {
	at     time.Duration
	line   *line
	to     netip.AddrPort
	packet []byte
}

// A line is a source port in it.
type line struct {
	world  *world
	in     chan datagram
	closed chan struct{}
	broken chan error
	left   atomic.Bool // its reader has ended
}

func (l *line) send(b []byte, to netip.AddrPort) error {
	w := l.world
	packet := append([]byte(nil), b...)
	w.mu.Lock()
	w.sent = append(w.sent, sending{time.Since(w.begin), l, to, packet})
	nas, mute := w.nases[to], w.mute
	w.mu.Unlock()
	if why := lawful(packet, testSecret, time.Now()); why != "" {
		w.tb.Errorf("%s: %x", why, packet)
	}
	if nas != nil && mute == nil {
		nas(l, packet)
	}
	return mute
}

func (l *line) receive(room []byte) (datagram, error) {
	select {
	case d := <-l.in:
		d.b = room[:copy(room, d.b)]
		return d, nil
	case err := <-l.broken:
		return datagram{}, err
	case <-l.closed:
		<-time.After(time.Millisecond) // as a reader does that is not at once told
		l.left.Store(true)
		return datagram{}, net.ErrClosed
	}
}

func (l *line) Close() error {
	close(l.closed)
	return nil
}

// put delivers a datagram after a delay.
func (l *line) put(after time.Duration, d datagram) {
	time.AfterFunc(after, func() {
		select {
		case l.in <- d:
		case <-l.closed:
		}
	})
}

func (w *world) listen(bool) (wire, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		return nil, w.fail
	}
	l := &line{world: w, in: make(chan datagram, 1024), closed: make(chan struct{}), broken: make(chan error, 1)}
	w.lines = append(w.lines, l)
	return l, nil
}

// line returns the n-th port that was opened.
func (w *world) line(n int) *line {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lines[n]
}

// open returns how many ports are open.
func (w *world) open() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.lines {
		select {
		case <-l.closed:
		default:
			n++
		}
	}
	return n
}

// sendings returns what was sent so far.
func (w *world) sendings() []sending {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]sending(nil), w.sent...)
}

// newWorld makes a client in a world; without jitter, unless the config has dice.
func newWorld(t *testing.T, config Config) (*world, *Client) {
	t.Helper()
	w := &world{tb: t, begin: time.Now(), nases: map[netip.AddrPort]func(*line, []byte){}}
	if config.Rand == nil {
		config.Rand = func() float64 { return 0.5 }
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	c.listen = w.listen
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, c
}

// says answers every request so, after a delay.
func says(t testing.TB, nas netip.AddrPort, after time.Duration, code radius.Code, cause ErrorCause) func(*line, []byte) {
	return func(l *line, packet []byte) {
		l.put(after, datagram{b: answerTo(t, packet, code, testSecret, cause, true), peer: nas})
	}
}

var errNoNetwork = errors.New("network is unreachable")

func target(address netip.AddrPort) *Target {
	return &Target{Address: address, Secret: testSecret, Name: "lobby"}
}
