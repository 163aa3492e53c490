package radiusd

import (
	"container/heap"
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/radiustest"
)

var localhost = netip.MustParseAddrPort("127.0.0.1:40000")

// X1: an Access-Reject is held back, counted from receipt, with some jitter; an
// Access-Accept is not.
func TestX1RejectDelay(t *testing.T) {
	t.Parallel()
	const delay = 150 * time.Millisecond
	r := startRig(t, func(c *Config, _ *ClientConfig, _ *members) { c.RejectDelay = delay })
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			q := papRequest()
			if i%2 == 0 {
				q.Login = "nobody" + strconv.Itoa(i) // each her own: the second of one waits longer
			}
			reply, err := r.nas.Do(t.Context(), q)
			switch {
			case err != nil:
				t.Error(err)
			case i%2 == 0 && (reply.Code != radiustest.AccessReject || reply.Took < delay):
				t.Errorf("%v after %v", reply.Code, reply.Took)
			case i%2 != 0 && reply.Code != radiustest.AccessAccept:
				t.Errorf("%v", reply.Code)
			}
		})
	}
	wait.Wait()
}

// The queue of held rejects is a queue by time, on one goroutine, and bounded.
func TestX1HeldQueue(t *testing.T) {
	t.Parallel()
	d := newDelay()
	start := time.Now()
	for i := range 100 {
		d.hold(held{work: &work{}, due: start.Add(time.Duration(i*37%100) * time.Second), from: &socket{}})
	}
	for last := start; len(d.queue) > 0; {
		h := heap.Pop(&d.queue).(held)
		if h.due.Before(last) {
			t.Fatal("out of order")
		}
		last = h.due
	}
	full := newDelay()
	full.queue = make(heldQueue, maxHeld)
	if full.hold(held{work: &work{}}) {
		t.Error("more are held than may")
	}
}

// A member system that waits does not hold up who is answered from memory.
func TestSlowMembersHoldNobodyUp(t *testing.T) {
	t.Parallel()
	var open func()
	r := startRig(t, quick, slowBob(&open), func(c *Config, _ *ClientConfig, _ *members) { c.Readers = 1 })
	w := r.wire(0)
	for id := range byte(100) {
		if reply := r.exchange(w, r.sign(papRequest(), id).Bytes); reply != nil {
			t.Fatal("answered too early")
		}
	}
	if reply := r.ask(&radiustest.Request{Method: radiustest.PAP, Login: "hash", Password: "clientPass"}); reply.Code != radiustest.AccessAccept {
		t.Errorf("%v", reply.Code)
	}
	open()
	for range 100 {
		if _, err := w.Receive(5 * time.Second); err != nil {
			t.Fatal(err)
		}
	}
}

// A member system that never answers ends in silence at the deadline.
func TestTimeoutIsSilence(t *testing.T) {
	t.Parallel()
	var open func()
	r := startRig(t, quick, slowBob(&open), func(c *Config, _ *ClientConfig, _ *members) { c.Timeout = 20 * time.Millisecond })
	w := r.wire(0)
	if reply := r.exchange(w, r.sign(papRequest(), 1).Bytes); reply != nil {
		t.Fatal("answered")
	}
	eventually(t, "the decision", func() bool { return len(r.Why("bob", 1)) == 1 })
	if why := r.Why("bob", 1)[0]; why.Verdict != member.Unanswered || why.Reason != member.ReasonTimeout {
		t.Errorf("%+v", why)
	}
	r.logged("verdict=\"could not say\"")
	open()
}

// D6: when more comes than can be worked on, requests with a State go first
// and the newest without one are shed, silently and counted.
func TestD6StateFirst(t *testing.T) {
	t.Parallel()
	var order []string
	var mu sync.Mutex
	block := make(chan struct{})
	p := newPool(1, 4, func(j *job) {
		<-block
		mu.Lock()
		defer mu.Unlock()
		order = append(order, string(j.datagram))
	})
	submit := func(name string, started bool) string {
		if shed := p.submit(&job{datagram: []byte(name), started: started}); shed != nil {
			return string(shed.datagram)
		}
		return ""
	}
	steps := []struct {
		name    string
		started bool
		shed    string
	}{
		{"running", false, ""}, {"new1", false, ""}, {"new2", false, ""}, {"eap1", true, ""}, {"new3", false, ""},
		{"new4", false, "new4"}, // full: the new one goes
		{"eap2", true, "new1"},  // the oldest new one makes room, nobody waits for it any more
	}
	for _, s := range steps {
		if shed := submit(s.name, s.started); shed != s.shed {
			t.Errorf("%s sheds %q, want %q", s.name, shed, s.shed)
		}
	}
	if working, waiting := p.load(); working != 1 || waiting != 4 {
		t.Errorf("%d working, %d waiting", working, waiting)
	}
	close(block)
	p.wait()
	if got := strings.Join(order, " "); got != "running eap1 eap2 new2 new3" {
		t.Errorf("worked on %s", got)
	}
	if working, waiting := p.load(); working != 0 || waiting != 0 {
		t.Errorf("%d working, %d waiting at the end", working, waiting)
	}
	full := newPool(0, 1, nil)
	for i, name := range []string{"eap1", "eap2"} { // where all are under way the last one goes
		j := &job{datagram: []byte(name), started: true}
		if shed := full.submit(j); (shed == j) != (i == 1) {
			t.Errorf("%s sheds %v", name, shed)
		}
	}
}

// D6 on the wire: twice as many requests as fit; those with a State all finish.
func TestD6Overload(t *testing.T) {
	t.Parallel()
	var open func()
	r := startRig(t, quick, slowBob(&open), func(c *Config, _ *ClientConfig, _ *members) { c.Pool, c.Queue, c.Readers = 2, 30, 1 })
	w := r.wire(0)
	started := map[byte]bool{}
	var shed []byte
	for id := range byte(64) {
		q := papRequest()
		if id >= 36 { // the last 28 are logins under way
			q.Octets = []byte{typeState, 6, 's', 't', 'a', 't'}
			started[id] = true
		}
		sent := r.sign(q, id)
		if id == 33 {
			shed = sent.Bytes
		}
		if reply := r.exchange(w, sent.Bytes); reply != nil {
			t.Fatal("answered too early")
		}
	}
	open()
	for range 32 {
		reply, err := w.Receive(5 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		delete(started, reply[1])
	}
	if len(started) != 0 {
		t.Errorf("%d logins under way were shed", len(started))
	}
	if n := r.counter("memberradius_drops_total", "client", "lobby", "reason", "busy"); n != 32 {
		t.Errorf("%v shed, want 32", n)
	}
	// What was shed may come again, octet for octet: nobody was asked.
	if err := w.Send(shed); err != nil {
		t.Fatal(err)
	}
	if reply, err := w.Receive(5 * time.Second); err != nil || reply[1] != 33 {
		t.Errorf("what was shed and comes again: %v", err)
	}
}

// A worker recovers from a panic, counts it and goes on.
func TestPanicIsCounted(t *testing.T) {
	t.Parallel()
	for _, slow := range []bool{false, true} {
		boom := func(a member.Attempt) {
			if a.Login == "boom" {
				panic("a fault with hello in it")
			}
		}
		r := startRig(t, quick, func(_ *Config, _ *ClientConfig, m *members) { m.attempt, m.slow["boom"] = boom, slow })
		w := r.wire(0)
		q := papRequest()
		q.Login = "boom"
		if reply := r.exchange(w, r.sign(q, 1).Bytes); reply != nil {
			t.Error("answered")
		}
		eventually(t, "the panic is counted", func() bool { return r.counter("memberradius_panics_total") == 1 })
		r.logged("a worker panicked")
		if strings.Contains(r.log.String(), "hello") {
			t.Error("the panic's value is in the log")
		}
		if reply := r.ask(papRequest()); reply.Code != radiustest.AccessAccept {
			t.Errorf("after a panic: %v", reply.Code)
		}
		r.panics = 1
	}
}

// Replies leave from the address that was asked, on IPv4 and IPv6.
func TestReplyFromTheAddressAsked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		listen string
		ask    []string
	}{
		{"0.0.0.0:0", []string{"127.0.0.1", "127.0.0.2", "127.3.2.1"}},
		{"[::]:0", []string{"::1"}},
		{"[::1]:0", []string{"::1"}},
	} {
		if strings.Contains(tt.listen, ":0]") && !haveIPv6() {
			continue
		}
		r := startRig(t, func(c *Config, cc *ClientConfig, _ *members) {
			c.Listen = []Listen{{Address: netip.MustParseAddrPort(tt.listen)}}
			client, _ := NewClient(*cc)
			c.Tables.Clients, _ = NewClients([]ClientEntry{{netip.MustParsePrefix("127.0.0.0/8"), client}, {netip.MustParsePrefix("::1/128"), client}})
			c.RejectDelay = time.Millisecond
		}, func(_ *Config, _ *ClientConfig, m *members) { m.slow["slow"] = true })
		for _, a := range tt.ask {
			// A connected socket takes replies of the address it asked alone.
			nas := &radiustest.NAS{Server: netip.AddrPortFrom(netip.MustParseAddr(a), r.Addrs()[0].Port()), Secret: rigSecret}
			if nas.Server.Addr().Is4() { // or the system would choose the same address on both sides
				nas.Local = netip.MustParseAddrPort("127.0.0.1:0")
			}
			if err := nas.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, login := range []string{"bob", "nobody", "slow"} { // from the reader, the delay, the pool
				reply, err := nas.Do(t.Context(), &radiustest.Request{Method: radiustest.PAP, Login: login, Password: "hello"})
				if err != nil || reply.Tries != 1 {
					t.Errorf("%s at %s asked as %s: %+v, %v", login, tt.listen, a, reply, err)
				}
			}
			_ = nas.Close()
		}
	}
}

func haveIPv6() bool {
	conn, err := open(context.Background(), netip.MustParseAddrPort("[::1]:0"), false)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// A port that another server has is an error, though both would share it.
func TestPortInUse(t *testing.T) {
	t.Parallel()
	r := startRig(t)
	c := Config{Listen: []Listen{{Address: r.Addrs()[0]}}, Tables: *r.tables.Load(), Log: r.Server.log}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Listen(t.Context())
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), r.Addrs()[0].String()) {
		t.Errorf("a second server on the same port: %v", err)
	}
}

// A site's own port knows the site's clients alone, and tells its number.
func TestSitePorts(t *testing.T) {
	t.Parallel()
	var port atomic.Int32
	r := startRig(t, quick, func(c *Config, cc *ClientConfig, m *members) {
		free := netip.MustParseAddrPort("127.0.0.1:0")
		c.Listen = []Listen{{Address: free}, {Address: free, Site: "berlin"}, {Address: free, Site: "paris"}}
		berlin, paris := *cc, *cc
		paris.Name, paris.Site, paris.Secret = "louvre", "paris", "the secret of paris, another"
		a, _ := NewClient(berlin)
		b, _ := NewClient(paris)
		everywhere := netip.MustParsePrefix("0.0.0.0/0")
		var err error
		if c.Tables.Clients, err = NewClients([]ClientEntry{{everywhere, a}, {everywhere, b}}); err != nil {
			t.Fatal(err)
		}
		if client, ok := c.Tables.Clients.Find(&Arrival{Remote: localhost}); ok {
			t.Errorf("the shared port takes both for %s", client.Config().Name)
		}
		m.attempt = func(a member.Attempt) { port.Store(int32(a.Port)) }
	})
	for i, secret := range map[int]member.Secret{1: rigSecret, 2: "the secret of paris, another"} {
		nas := &radiustest.NAS{Server: r.Addrs()[i], Secret: secret}
		if err := nas.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		reply, err := nas.Do(t.Context(), papRequest())
		if err != nil || reply.Code != radiustest.AccessAccept {
			t.Errorf("port %d: %v %v", i, reply, err)
		}
		if got := port.Load(); got != int32(r.Addrs()[i].Port()) {
			t.Errorf("the attempt came to port %d, want %v", got, r.Addrs()[i])
		}
		_ = nas.Close()
	}
}

// New tables hold at once for the next request, and no request is lost by a swap (F22).
func TestSwapLosesNothing(t *testing.T) {
	t.Parallel()
	r := startRig(t, quick)
	tables := *r.tables.Load()
	ctx, cancel := context.WithCancel(t.Context())
	var swaps sync.WaitGroup
	swaps.Go(func() {
		for i := 0; ctx.Err() == nil && i < 1e6; i++ {
			r.Swap(tables)
		}
	})
	r.nas.Timing = radiustest.Timing{} // a lost request would take 2 s and count as a second try
	for range 300 {
		if reply := r.ask(papRequest()); reply.Tries != 1 {
			t.Error("a request was lost")
		}
	}
	cancel()
	swaps.Wait()
	none := tables
	none.Members = &members{}
	r.Swap(none)
	if reply := r.ask(papRequest()); reply.Code != radiustest.AccessReject {
		t.Errorf("after bob is gone: %v", reply.Code)
	}
}

// At the end what is in work is finished: replies of the pool and held rejects.
func TestServeFinishesWork(t *testing.T) {
	t.Parallel()
	var open func()
	r := startRig(t, slowBob(&open), func(c *Config, _ *ClientConfig, _ *members) { c.RejectDelay = 50 * time.Millisecond })
	w := r.wire(0)
	wrong := &radiustest.Request{Method: radiustest.PAP, Login: "nobody", Password: "x"}
	for id, q := range []*radiustest.Request{papRequest(), wrong} {
		if err := w.Send(r.sign(q, byte(id)).Bytes); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "both are in work", func() bool { return r.members.asked.Load() == 1 && len(r.Why("nobody", 1)) == 1 })
	done := make(chan error)
	go func() { done <- r.stop() }()
	open()
	codes := map[radiustest.Code]int{}
	for range 2 {
		reply, err := w.Receive(5 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		codes[radiustest.Code(reply[0])]++
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if codes[radiustest.AccessAccept] != 1 || codes[radiustest.AccessReject] != 1 {
		t.Errorf("%v", codes)
	}
}
