package radiusd

import (
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/policy"
	"memberradius/radiusd/radiustest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
)

// hotRequests is how many different datagrams a hot loop takes in turn: more
// than 256, so that each meets its identifier's last one and none is a repeat.
const hotRequests = 1024

// memory is a batch that comes from no socket and goes to none.
type memory struct {
	in      [][]byte
	out     [batchSize][]byte
	replies [batchSize][]byte
}

func (m *memory) at(i int) (datagram []byte, a Arrival, out []byte) {
	if m.out[i] == nil {
		m.out[i] = make([]byte, 0, maxPacket+256)
	}
	m.replies[i] = nil
	return m.in[i], Arrival{Local: netip.MustParseAddrPort("127.0.0.1:1812"), Remote: localhost}, m.out[i]
}

func (m *memory) answer(i int, reply []byte) { m.replies[i] = reply }
func (*memory) send()                        {}

// handle takes a batch the way of a reader and returns the replies.
func (m *memory) handle(r *reader, in ...[]byte) [][]byte {
	m.in = in
	r.work(m, len(in))
	return m.replies[:len(in)]
}

// hotPath returns a reader that has no socket, and signed requests for it.
func hotPath(tb testing.TB, method radiustest.Method) (*reader, [][]byte) {
	tb.Helper()
	log := logrus.New()
	log.SetOutput(io.Discard)
	log.SetLevel(logrus.WarnLevel)
	client, err := NewClient(ClientConfig{Name: "lobby", Secret: rigSecret, Site: "berlin", Vendor: "unifi", Methods: Methods()})
	if err != nil {
		tb.Fatal(err)
	}
	clients, err := NewClients([]ClientEntry{{netip.MustParsePrefix("127.0.0.1/32"), client}})
	if err != nil {
		tb.Fatal(err)
	}
	m := rigMembers()
	m.records["bob"].Member.Plans = []string{"hot-desk"}
	down, _ := member.ParseRate("50M")
	book, err := policy.New(policy.Config{
		Plans: []member.Plan{{Name: "hot-desk", VLAN: "101", Down: down, Up: down, Session: 12 * time.Hour, Idle: time.Hour}},
		Sites: []policy.Site{{Name: "berlin"}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	door := openDoor{answer: member.Answer{Verdict: member.Allow, Proved: true, Member: m.records["bob"].Member}}
	s, err := New(Config{Tables: Tables{Clients: clients, Members: m, Gates: allow{}, Doors: door, Book: book}, Log: log, Metrics: prometheus.NewRegistry()})
	if err != nil {
		tb.Fatal(err)
	}
	x := newExchange(s)
	x.repeats, x.journal, x.keys = newRepeats(maxReplies), newJournal(64), newKeys(1024)
	nas := &radiustest.NAS{Secret: rigSecret}
	requests, asForms := make([][]byte, hotRequests), forms()
	for i := range requests {
		q := &radiustest.Request{
			Method: method, Login: "Bob", Password: "hello", Form: asForms[i%len(asForms)],
			AccessPoint: radiustest.AccessPoint{SSID: "Members", Station: []byte{2, 0, 0, 0, 0, 7}},
		}
		if method == radiustest.MAC {
			q.Login = ""
		}
		sent, err := nas.Sign(q, byte(i))
		if err != nil {
			tb.Fatal(err)
		}
		requests[i] = sent.Bytes
	}
	return &reader{socket: &socket{local: netip.MustParseAddrPort("127.0.0.1:1812")}, x: x}, requests
}

// allow is a gate that is open.
type allow struct{ *members }

func (allow) Known(_ *member.Attempt, out *member.Answer) bool {
	*out = member.Answer{Verdict: member.Allow}
	return true
}

// openDoor lets every device in.
type openDoor struct {
	*members
	answer member.Answer
}

func (d openDoor) Known(_ *member.Attempt, out *member.Answer) bool {
	*out = d.answer
	return true
}

// hotLoop handles one batch as a reader does. Verifying writes into the
// datagrams, so that each batch is a copy.
func hotLoop(tb testing.TB, method radiustest.Method) func() {
	r, requests := hotPath(tb, method)
	return hotLoopOf(tb, r, requests)
}

func hotLoopOf(tb testing.TB, r *reader, requests [][]byte) func() {
	in := make([][]byte, batchSize)
	for i := range in {
		in[i] = make([]byte, 0, maxPacket)
	}
	var m memory
	next := 0
	return func() {
		for i := range in {
			in[i] = append(in[i][:0], requests[next%hotRequests]...)
			next++
		}
		for i, reply := range m.handle(r, in...) {
			if len(reply) == 0 || reply[0] != codeAccessAccept {
				tb.Fatalf("request %d: no Access-Accept: %v", i, r.x.reason)
			}
		}
	}
}

// foretold is a Members that wants to know logins ahead.
type foretold struct {
	*members
	logins []string
}

func (f *foretold) Expect(site string, logins []string) {
	for _, login := range logins {
		f.logins = append(f.logins, site+": "+login)
	}
}

// TestExpect: member systems hear of the logins of a batch before its first is
// asked for, of those alone that are on their way, and of none that comes alone.
func TestExpect(t *testing.T) {
	t.Parallel()
	r, requests := hotPath(t, radiustest.PAP)
	tables := *r.x.server.tables.Load()
	f := &foretold{members: tables.Members.(*members)}
	tables.Members = f
	r.x.server.tables.Store(&tables)
	garbage := []byte{1, 2, 3}
	var m memory
	m.handle(r, requests[0])
	if len(f.logins) != 0 {
		t.Errorf("one alone: %q", f.logins)
	}
	m.handle(r, requests[1:4]...)
	f.logins = nil
	m.handle(r, requests[4], garbage, requests[5]) // garbage, where a login was before
	if want := []string{"berlin: Bob", "berlin: Bob"}; !slices.Equal(f.logins, want) {
		t.Errorf("%q, want %q", f.logins, want)
	}
}

// TestBatchOfMSCHAPv2: what is computed for a batch together reaches each
// member's own reply, beside refusals and other methods and whatever the number.
func TestBatchOfMSCHAPv2(t *testing.T) {
	t.Parallel()
	r, _ := hotPath(t, radiustest.MSCHAPv2)
	nas := &radiustest.NAS{Secret: rigSecret}
	var m memory
	identifier := byte(0)
	for n := range batchSize + 1 {
		sent, datagrams := make([]*radiustest.Sent, n), make([][]byte, n)
		for i := range n {
			request := &radiustest.Request{Method: radiustest.MSCHAPv2, Login: "bob", Password: "hello",
				AccessPoint: radiustest.AccessPoint{SSID: "Members", Station: []byte{2, 0, 0, 0, 0, 7}}}
			switch i % 7 {
			case 3:
				request.Method = radiustest.PAP
			case 5:
				request.Password = "wrong"
			}
			var err error
			if sent[i], err = nas.Sign(request, identifier); err != nil {
				t.Fatal(err)
			}
			datagrams[i] = slices.Clone(sent[i].Bytes)
			identifier++
		}
		for i, datagram := range m.handle(r, datagrams...) {
			if i%7 == 5 {
				continue // its reply waits for the reject delay
			}
			reply, err := sent[i].Read(datagram)
			if err != nil {
				t.Fatalf("reply %d of %d: %v", i, n, err)
			}
			wanted := radiustest.Right
			if i%7 == 3 {
				wanted = radiustest.Check(0)
			}
			if reply.Code != radiustest.AccessAccept || reply.Success != wanted || reply.Keys != wanted {
				t.Fatalf("reply %d of %d: %v, success %v, keys %v", i, n, reply.Code, reply.Success, reply.Keys)
			}
		}
		if len(r.x.accepted) > n {
			t.Fatalf("%d exchanges are kept after a batch of %d", len(r.x.accepted), n)
		}
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	for _, method := range []radiustest.Method{radiustest.PAP, radiustest.CHAP, radiustest.MSCHAPv2, radiustest.MAC} {
		loop := hotLoop(t, method)
		for range 2 * hotRequests / batchSize {
			loop()
		}
		if n := testing.AllocsPerRun(100, loop); n != 0 {
			t.Errorf("%s: %v allocations for each batch of %d accepted requests", method, n, batchSize)
		}
	}
}

func BenchmarkAccept(b *testing.B) {
	for _, method := range []radiustest.Method{radiustest.PAP, radiustest.CHAP, radiustest.MSCHAPv2, radiustest.MAC} {
		b.Run(string(method), func(b *testing.B) {
			loop := hotLoop(b, method)
			b.ReportAllocs()
			for b.Loop() {
				loop()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batchSize, "ns/request")
		})
	}
}
