package radiusd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/sirupsen/logrus"
)

const rigSecret = "a secret of more than twelve octets"

// members is a member system in memory, as those of cmd are. Logins in slow
// are answered by Ask alone, when wait lets them.
type members struct {
	records map[string]*member.Record
	answers map[string]member.Answer // as they are
	slow    map[string]bool
	wait    chan struct{} // closed: nothing waits
	asked   atomic.Int64
	attempt func(member.Attempt)
}

func (m *members) Known(a *member.Attempt, out *member.Answer) bool {
	if m.slow[a.Login] {
		return false
	}
	m.fill(a, out)
	return true
}

func (m *members) Ask(ctx context.Context, a *member.Attempt) member.Answer {
	m.asked.Add(1)
	var out member.Answer
	select {
	case <-m.wait:
		m.fill(a, &out)
	case <-ctx.Done():
		out.Reason = member.ReasonTimeout
	}
	return out
}

func (m *members) fill(a *member.Attempt, out *member.Answer) {
	if m.attempt != nil {
		m.attempt(*a)
	}
	if answer, ok := m.answers[a.Login]; ok {
		*out = answer
		return
	}
	var buf [member.MaxLogin]byte
	r, ok := m.records[string(member.Fold(buf[:0], a.Login))]
	if !ok {
		*out = member.Answer{Verdict: member.Deny, Reason: member.ReasonUnknownLogin}
		return
	}
	*out = member.Answer{Credential: &r.Credential, Member: r.Member, Source: "rig"}
	out.Verdict, out.Reason = r.Member.Judge(a.Received)
}

// A rig is a running server and a NAS that knows its secret.
type rig struct {
	*Server
	t       *testing.T
	log     *syncBuffer
	members *members
	nas     *radiustest.NAS
	metrics *prometheus.Registry
	stop    func() error
	panics  float64 // that the test wants
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func rigMembers() *members {
	hash := member.Hash{0x44, 0xeb, 0xba, 0x8d, 0x53, 0x12, 0xb8, 0xd6, 0x11, 0x47, 0x44, 0x11, 0xf5, 0x69, 0x89, 0xae} // clientPass
	open := make(chan struct{})
	close(open)
	return &members{
		records: map[string]*member.Record{
			"bob":      {Credential: member.Credential{Password: "hello"}},
			"hash":     {Credential: member.Credential{NTHash: &hash}},
			"user":     {Credential: member.Credential{Password: "clientPass"}},
			"argon":    {Credential: member.Credential{Argon2id: "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$M6daiPe6tz+9L3yZOfVOPWabrR3zsy4Kzqj36NAXYug"}},
			"disabled": {Credential: member.Credential{Password: "hello"}, Member: member.Member{Disabled: true}},
			"expired":  {Credential: member.Credential{Password: "hello"}, Member: member.Member{ValidUntil: time.Unix(1, 0)}},
			"empty":    {},
		},
		answers: map[string]member.Answer{}, slow: map[string]bool{}, wait: open,
	}
}

// A setting changes a rig's configuration before it starts.
type setting func(*Config, *ClientConfig, *members)

func quick(c *Config, _ *ClientConfig, _ *members) { c.RejectDelay = 0 }

func startRig(t *testing.T, settings ...setting) *rig {
	t.Helper()
	r := &rig{t: t, log: &syncBuffer{}, members: rigMembers(), metrics: prometheus.NewRegistry()}
	log := logrus.New()
	log.SetOutput(r.log)
	log.SetLevel(logrus.DebugLevel)
	c := Config{
		Listen: []Listen{
			{Address: netip.MustParseAddrPort("127.0.0.1:0")},
			{Address: netip.MustParseAddrPort("127.0.0.1:0"), Role: Acct},
		},
		RejectDelay: 10 * time.Millisecond, Log: log, Metrics: r.metrics, Readers: 2,
	}
	client := ClientConfig{Name: "lobby", Secret: rigSecret, Site: "berlin", Methods: []string{"pap", "mschapv2", "eap"}}
	for _, s := range settings {
		s(&c, &client, r.members)
	}
	if c.Tables.Members == nil {
		c.Tables.Members = r.members
	}
	if c.Tables.Clients == nil {
		made, err := NewClient(client)
		if err != nil {
			t.Fatal(err)
		}
		clients, err := NewClients([]ClientEntry{{netip.MustParsePrefix("127.0.0.0/8"), made}})
		if err != nil {
			t.Fatal(err)
		}
		c.Tables.Clients = clients
	}
	r.run(c)
	r.nas = &radiustest.NAS{Server: r.Addrs()[0], Secret: client.Secret}
	if err := r.nas.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.nas.Close()
		if err := r.stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
		if n := testutil.ToFloat64(r.meters.panics); n != r.panics {
			t.Errorf("%v panics, want %v:\n%s", n, r.panics, r.log)
		}
	})
	return r
}

func (r *rig) run(c Config) {
	r.t.Helper()
	s, err := New(c)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := s.Listen(ctx); err != nil {
		cancel()
		r.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	r.Server = s
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
}

// ask sends a request and wants a reply.
func (r *rig) ask(q *radiustest.Request) *radiustest.Reply {
	r.t.Helper()
	reply, err := r.nas.Do(r.t.Context(), q)
	if err != nil {
		r.t.Fatalf("%v\n%s", err, r.log)
	}
	for _, fault := range reply.Faults {
		r.t.Errorf("reply: %s", fault)
	}
	if !reply.SignedFirst {
		r.t.Error("Message-Authenticator is not first")
	}
	return reply
}

// wire opens a socket for datagrams that no NAS would send.
func (r *rig) wire(port int) *radiustest.Wire {
	r.t.Helper()
	w, err := radiustest.Dial(netip.AddrPort{}, r.Addrs()[port])
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = w.Close() })
	return w
}

// sign makes the datagram of a request, for a wire.
func (r *rig) sign(q *radiustest.Request, id byte) *radiustest.Sent {
	r.t.Helper()
	sent, err := r.nas.Sign(q, id)
	if err != nil {
		r.t.Fatal(err)
	}
	return sent
}

// exchange sends a datagram and returns what comes back, nil for silence. A
// Status-Server after it shows that silence is silence without waiting for it:
// a reader answers in order.
func (r *rig) exchange(w *radiustest.Wire, datagram []byte) []byte {
	r.t.Helper()
	if err := w.Send(datagram); err != nil {
		r.t.Fatal(err)
	}
	fence := r.sign(&radiustest.Request{Method: radiustest.Status}, 0xfe)
	if err := w.Send(fence.Bytes); err != nil {
		r.t.Fatal(err)
	}
	var reply []byte
	for {
		got, err := w.Receive(5 * time.Second)
		if errors.Is(err, radiustest.ErrSilence) {
			r.t.Fatalf("not even Status-Server was answered\n%s", r.log)
		}
		if err != nil {
			r.t.Fatal(err)
		}
		if got[1] == 0xfe {
			return reply
		}
		reply = got
	}
}

// pap is a good request.
func papRequest() *radiustest.Request {
	return &radiustest.Request{Method: radiustest.PAP, Login: "bob", Password: "hello"}
}

// eventually waits for what another goroutine brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not in time: %s", what)
		}
	}
}

func (r *rig) logged(text string) {
	r.t.Helper()
	eventually(r.t, "the log says "+text+"\n"+r.log.String(), func() bool { return strings.Contains(r.log.String(), text) })
}

var _ io.Writer = (*syncBuffer)(nil)

// counter returns a metric's value, 0 where it is not there. Labels are name, value, name, value ...
func (r *rig) counter(name string, labels ...string) float64 {
	r.t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			match := true
			for i := 0; i < len(labels); i += 2 {
				match = match && slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool {
					return l.GetName() == labels[i] && l.GetValue() == labels[i+1]
				})
			}
			if match {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return 0
}

func (r *rig) panicCount() float64 { return testutil.ToFloat64(r.meters.panics) }

// quiet is a log that nobody reads.
func quiet() *logrus.Logger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	log.SetLevel(logrus.WarnLevel)
	return log
}
