package radiusd

import (
	"io"
	"net/netip"
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

// hotPath returns an exchange that has no socket, and signed requests for it.
func hotPath(tb testing.TB, method radiustest.Method) (*exchange, [][]byte) {
	tb.Helper()
	log := logrus.New()
	log.SetOutput(io.Discard)
	log.SetLevel(logrus.WarnLevel)
	client, err := NewClient(ClientConfig{Name: "lobby", Secret: rigSecret, Site: "berlin", Vendor: "unifi"})
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
	s, err := New(Config{Tables: Tables{Clients: clients, Members: m, Gates: allow{}, Book: book}, Log: log, Metrics: prometheus.NewRegistry()})
	if err != nil {
		tb.Fatal(err)
	}
	x := newExchange(s)
	x.repeats, x.journal = newRepeats(maxReplies), newJournal(64)
	nas := &radiustest.NAS{Secret: rigSecret}
	requests := make([][]byte, hotRequests)
	for i := range requests {
		sent, err := nas.Sign(&radiustest.Request{
			Method: method, Login: "Bob", Password: "hello",
			AccessPoint: radiustest.AccessPoint{SSID: "Members", Station: []byte{2, 0, 0, 0, 0, 7}},
		}, byte(i))
		if err != nil {
			tb.Fatal(err)
		}
		requests[i] = sent.Bytes
	}
	return x, requests
}

// allow is a gate that is open.
type allow struct{ *members }

func (allow) Known(_ *member.Attempt, out *member.Answer) bool {
	*out = member.Answer{Verdict: member.Allow}
	return true
}

// hotLoop handles one request as a reader does.
func hotLoop(tb testing.TB, method radiustest.Method) func() {
	x, requests := hotPath(tb, method)
	from := &socket{local: netip.MustParseAddrPort("127.0.0.1:1812")}
	remote := netip.MustParseAddrPort("127.0.0.1:40000")
	out := make([]byte, 0, maxPacket)
	next := 0
	return func() {
		x.begin(from, time.Now())
		x.arrival, x.out = Arrival{Local: from.local, Remote: remote}, out
		x.handle(requests[next%hotRequests])
		next++
		if len(x.out) == 0 || x.out[0] != codeAccessAccept {
			tb.Fatalf("request %d: no Access-Accept: %v", next, x.reason)
		}
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	for _, method := range []radiustest.Method{radiustest.PAP, radiustest.MSCHAPv2} {
		loop := hotLoop(t, method)
		for range 2 * hotRequests {
			loop()
		}
		if n := testing.AllocsPerRun(hotRequests, loop); n != 0 {
			t.Errorf("%s: %v allocations for each accepted request", method, n)
		}
	}
}

func BenchmarkAccept(b *testing.B) {
	for _, method := range []radiustest.Method{radiustest.PAP, radiustest.MSCHAPv2} {
		b.Run(string(method), func(b *testing.B) {
			loop := hotLoop(b, method)
			b.ReportAllocs()
			for b.Loop() {
				loop()
			}
		})
	}
}
