package presence

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/coa"

	"layeh.com/radius"
	"layeh.com/radius/rfc2866"
)

// An accessPoint is a NAS on a socket: it knows its sessions by
// Acct-Session-Id, and ends one when it is asked to.
type accessPoint struct {
	t      *testing.T
	conn   *net.UDPConn
	secret string

	mu       sync.Mutex
	dead     bool
	sessions map[string]bool
	fixed    map[string]bool // those that it can't change: Error-Cause 406
	packets  []string        // what was asked, as "code session"
	stop     func(id string) // called for each session that ends
	arrived  chan time.Time  // of the first packet
}

const errorCause = 101 // RFC 5176 §3.5

func newAccessPoint(t *testing.T) *accessPoint {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadBuffer(1 << 20); err != nil {
		t.Fatal(err)
	}
	a := &accessPoint{t: t, conn: conn, secret: "a secret of an access point", sessions: map[string]bool{}, fixed: map[string]bool{}, arrived: make(chan time.Time, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.serve()
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-ended
	})
	return a
}

func (a *accessPoint) address() netip.AddrPort { return a.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (a *accessPoint) serve() {
	b := make([]byte, 4096)
	for {
		n, from, err := a.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		select {
		case a.arrived <- time.Now():
		default:
		}
		a.mu.Lock()
		dead := a.dead
		a.mu.Unlock()
		if dead {
			continue
		}
		request, err := radius.Parse(append([]byte(nil), b[:n]...), []byte(a.secret))
		if err != nil || !radius.IsAuthenticRequest(b[:n], []byte(a.secret)) {
			a.t.Errorf("not a request of ours: %v", err)
			continue
		}
		answer, err := a.answer(request).Encode()
		if err != nil {
			a.t.Error(err)
			continue
		}
		_, _ = a.conn.WriteToUDPAddrPort(answer, from)
	}
}

func (a *accessPoint) answer(request *radius.Packet) *radius.Packet {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := rfc2866.AcctSessionID_GetString(request)
	a.packets = append(a.packets, fmt.Sprintf("%v %s", request.Code, id))
	ack, nak := radius.CodeDisconnectACK, radius.CodeDisconnectNAK
	if request.Code == radius.CodeCoARequest {
		ack, nak = radius.CodeCoAACK, radius.CodeCoANAK
	}
	cause := coa.ErrorCause(0)
	switch {
	case !a.sessions[id]:
		cause = coa.SessionContextNotFound
	case request.Code == radius.CodeCoARequest && a.fixed[id]:
		cause = coa.UnsupportedExtension
	case request.Code == radius.CodeDisconnectRequest:
		delete(a.sessions, id)
		if a.stop != nil {
			go a.stop(id)
		}
	}
	if cause == 0 {
		return request.Response(ack)
	}
	answer := request.Response(nak)
	answer.Add(errorCause, radius.NewInteger(uint32(cause)))
	return answer
}

// set changes the access point.
func (a *accessPoint) set(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// left is how many sessions it has.
func (a *accessPoint) left() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.sessions)
}

// asked returns what the access point was asked.
func (a *accessPoint) asked() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.packets...)
}

// A wired rig has access points on sockets and the real client.
type wired struct {
	*rig
	points map[string]*accessPoint
}

// Target implements Targets.
func (w *wired) Target(s *member.Session) (coa.Target, bool) {
	a := w.points[s.Client]
	if a == nil {
		return coa.Target{}, false
	}
	return coa.Target{Address: a.address(), Secret: member.Secret(a.secret), Name: s.Client}, true
}

func newWired(t *testing.T, timers coa.Timers) *wired {
	t.Helper()
	client, err := coa.New(coa.Config{Timers: timers})
	if err != nil {
		t.Fatal(err)
	}
	w := &wired{points: map[string]*accessPoint{}}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	w.rig = newRig(t, func(c *Config) { c.NAS, c.Targets = client, w })
	return w
}

// open has n sessions of n members at the access point.
func (w *wired) open(client string, n int) *accessPoint {
	a := newAccessPoint(w.t)
	w.points[client] = a
	for i := range n {
		id := fmt.Sprint(client, "-", i)
		a.set(func() { a.sessions[id] = true })
		w.report(id, id, "", at(client), by([16]byte{1}))
	}
	return a
}

// settled waits until n attempts are noted that f wants.
func (w *wired) settled(n int, f func(*Attempt) bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		found := 0
		for _, a := range w.noted() {
			if f(&a) {
				found++
			}
		}
		if found >= n {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("%d of %d", found, n)
		}
	}
}

// TestThousand: 1,000 at once, of one controller and of many access points,
// are all off in well under five seconds.
func TestThousand(t *testing.T) {
	t.Parallel()
	for _, points := range []int{1, 50} {
		t.Run(fmt.Sprint(points), func(t *testing.T) {
			t.Parallel()
			const n = 1000
			w := newWired(t, coa.Timers{})
			for i := range points {
				a := w.open(fmt.Sprint("ap", i), n/points)
				a.set(func() { a.stop = w.over })
			}
			var logins []string
			for id := range w.sessions {
				logins = append(logins, id)
				w.outcomes[id] = denied(member.ReasonExpired)
			}
			begin := time.Now()
			w.Reconsider(logins...)
			w.settled(n, func(a *Attempt) bool { return a.Left() && !a.Gone.IsZero() })
			took := time.Since(begin)
			t.Logf("%d sessions of %d access points were off after %v", n, points, took)
			if took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			for name, a := range w.points {
				if asked := a.asked(); len(asked) < n/points || a.left() != 0 {
					t.Errorf("%s was asked %d times and has %d sessions", name, len(asked), a.left())
				}
			}
		})
	}
}

// over ends a session.
func (w *wired) over(id string) {
	w.Presence.Ended(Session{ID: id, Ended: time.Now()})
}

// TestFirstPacket: from Reconsider to the packet it takes milliseconds, also
// while everybody is judged.
func TestFirstPacket(t *testing.T) {
	t.Parallel()
	w := newWired(t, coa.Timers{})
	a := w.open("ap1", 1)
	for i := range 20_000 {
		login := fmt.Sprint("m", i)
		w.outcomes[login] = allowed("desk", "")
		w.report(login, login, "")
	}
	w.outcomes["ap1-0"] = denied(member.ReasonExpired)
	w.ReconsiderAll()
	begin := time.Now()
	w.Reconsider("ap1-0")
	took := (<-a.arrived).Sub(begin)
	t.Logf("the packet was there after %v", took)
	if took > time.Second { // the bound; it takes less than 1 ms on an idle machine
		t.Errorf("it took %v", took)
	}
}

// TestCoAToDisconnect: what the NAS can't change or does not know is disconnected.
func TestCoAToDisconnect(t *testing.T) {
	t.Parallel()
	w := newWired(t, coa.Timers{})
	a := w.open("ap1", 3)
	a.set(func() {
		a.fixed["ap1-1"] = true
		delete(a.sessions, "ap1-2")
	})
	o := allowed("office", "30")
	o.Attributes = []byte("\x51\x0430") // Tunnel-Private-Group-Id
	for i := range 3 {
		w.outcomes[fmt.Sprint("ap1-", i)] = o
	}
	w.ReconsiderAll()
	w.settled(5, func(*Attempt) bool { return true })
	want := map[string]string{"ap1-0": "coa ack", "ap1-1": "coa nak, disconnect ack", "ap1-2": "coa nak, disconnect nak"}
	for id, want := range want {
		got := ""
		for _, n := range w.noted() {
			if n.Session != id {
				continue
			}
			if got != "" {
				got += ", "
			}
			got += n.Action.String() + " " + n.Result.Outcome.String()
			if n.Action == Disconnect && !n.Left() {
				t.Errorf("%+v", n)
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

// TestDeadAccessPoint: real silence, with timers that are short.
func TestDeadAccessPoint(t *testing.T) {
	t.Parallel()
	w := newWired(t, coa.Timers{IRT: 100 * time.Millisecond, MRT: 200 * time.Millisecond, MRC: 3, MRD: time.Second})
	dead, live := w.open("ap1", 200), w.open("ap2", 200)
	dead.set(func() { dead.dead = true })
	for id := range w.sessions {
		w.outcomes[id] = denied(member.ReasonDisabled)
	}
	w.ReconsiderAll()
	w.settled(400, func(*Attempt) bool { return true })
	timeouts, unsent := 0, 0
	for _, a := range w.noted() {
		switch {
		case a.Client == "ap2" && !a.Left():
			t.Errorf("%+v", a)
		case a.Result.Outcome == coa.Timeout:
			if timeouts++; a.Result.Sends != 3 || a.Err == "" {
				t.Errorf("%+v", a)
			}
		case a.Result.Outcome == coa.Unsent:
			unsent++
		}
	}
	if timeouts != firstWindow || unsent != 200-firstWindow || live.left() != 0 {
		t.Errorf("%d timeouts, %d unsent, %d stay at the one that lives", timeouts, unsent, live.left())
	}
}
