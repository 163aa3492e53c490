package radiustest

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A model is a server without a network: it answers after delay, on the clock
// of the test. It checks what a generator must never do.
type model struct {
	tb      testing.TB
	delay   func(number int) time.Duration // negative: never
	code    func(number int) Code
	begin   time.Time
	sign    bool
	broken  bool
	signer  *signer
	queues  [][]answer
	out     int
	most    int
	number  int
	waits   int
	busy    map[[2]int]bool // socket and identifier
	seen    map[[authenticatorSize]byte]bool
	packets [][]byte
}

type answer struct {
	at     time.Duration
	packet []byte
}

func newModel(tb testing.TB) *model {
	return &model{
		tb: tb, begin: time.Now(), signer: newSigner(testSecret), sign: true,
		delay: func(int) time.Duration { return time.Millisecond }, code: func(int) Code { return AccessAccept },
		busy: map[[2]int]bool{}, seen: map[[authenticatorSize]byte]bool{},
	}
}

func (m *model) send(socket int, packets [][]byte) (int, error) {
	for len(m.queues) <= socket {
		m.queues = append(m.queues, nil)
	}
	// A full queue takes a part only, now and then.
	if len(packets) > 3 && m.number%5 == 0 {
		packets = packets[:3]
	}
	for _, p := range packets {
		slot := [2]int{socket, int(p[1])}
		if m.busy[slot] {
			m.tb.Errorf("identifier %d of socket %d is used twice", p[1], socket)
		}
		authenticator := [authenticatorSize]byte(p[4:headerSize])
		if m.seen[authenticator] {
			m.tb.Error("a Request Authenticator comes again")
		}
		m.seen[authenticator] = true
		d := m.delay(m.number)
		code := m.code(m.number)
		m.number++
		if d < 0 {
			continue
		}
		if m.busy != nil {
			m.busy[slot] = true
		}
		m.out++
		m.most = max(m.most, m.out)
		m.queues[socket] = append(m.queues[socket], answer{time.Since(m.begin) + d, m.reply(p, code)})
	}
	return len(packets), nil
}

func (m *model) reply(request []byte, code Code) []byte {
	b := make([]byte, headerSize)
	b[0], b[1] = byte(code), request[1]
	binary.BigEndian.PutUint16(b[2:], headerSize)
	copy(b[4:], request[4:headerSize])
	sum := m.signer.authenticator(b)
	copy(b[4:], sum[:])
	if m.broken {
		b[19] ^= 1
	}
	return b
}

func (m *model) receive(socket int) ([][]byte, error) {
	m.packets = m.packets[:0]
	if socket >= len(m.queues) {
		return nil, nil
	}
	m.queues[socket] = slices.DeleteFunc(m.queues[socket], func(a answer) bool {
		if a.at > time.Since(m.begin) || len(m.packets) == batchSize {
			return false
		}
		m.packets = append(m.packets, a.packet)
		delete(m.busy, [2]int{socket, int(a.packet[1])})
		m.out--
		return true
	})
	return m.packets, nil
}

func (m *model) wait(d time.Duration) {
	if m.waits++; m.waits > 1_000_000 {
		m.tb.Fatal("the loop does not sleep")
	}
	next := time.Since(m.begin) + d
	for _, queue := range m.queues {
		for _, a := range queue {
			next = min(next, a.at)
		}
	}
	time.Sleep(next - time.Since(m.begin))
}

// simulate runs a Load against the model on a clock of its own.
func simulate(t *testing.T, l Load, prepare func(*model), check func(*model, *Result)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l.Server, l.Secret, l.Spin = netip.MustParseAddrPort("192.0.2.1:1812"), testSecret, -1
		if l.Users == nil {
			l.Users = []User{{"anna", "x"}, {"bert", "y"}}
		}
		c, err := l.complete()
		if err != nil {
			t.Fatal(err)
		}
		p, err := newPool(c)
		if err != nil {
			t.Fatal(err)
		}
		m := newModel(t)
		prepare(m)
		g := newGenerator(c, p, m)
		if err := g.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(m, g.result())
	})
}

// instant is a transport that answers at once and allocates nothing.
type instant struct {
	buffers [batchSize][headerSize]byte
	packets [batchSize][]byte
	n       int
}

func (i *instant) send(_ int, packets [][]byte) (int, error) {
	for k, p := range packets {
		i.buffers[k] = [headerSize]byte(p)
		i.buffers[k][0] = byte(AccessAccept)
		binary.BigEndian.PutUint16(i.buffers[k][2:], headerSize)
		i.packets[k] = i.buffers[k][:]
	}
	i.n = len(packets)
	return i.n, nil
}

func (i *instant) receive(int) ([][]byte, error) {
	n := i.n
	i.n = 0
	return i.packets[:n], nil
}

func (i *instant) wait(time.Duration) {}
