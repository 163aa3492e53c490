package radiustest

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/member"
)

func TestLoad_ClosedLoop(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ inFlight, sockets int }{{1, 0}, {10, 3}, {64, 0}, {600, 0}, {512, 2}} {
		const each, most = 10 * time.Millisecond, 300 * time.Millisecond
		simulate(t, Load{Mode: PAP, InFlight: c.inFlight, Sockets: c.sockets, Duration: most, VerifyEvery: 1},
			func(m *model) { m.delay = func(int) time.Duration { return each } },
			func(m *model, r *Result) {
				want := float64(c.inFlight) / each.Seconds()
				if r.Rate < 0.95*want || r.Rate > 1.01*want || m.most > c.inFlight || r.Elapsed != most {
					t.Errorf("%d in flight: %.0f/s in %s, at most %d out", c.inFlight, r.Rate, r.Elapsed, m.most)
				}
				if r.Sent != r.Replies || r.Replies != r.Accepted || r.Replies != r.Verified || r.Lost+r.Wrong+r.Late != 0 || r.Replies != r.Latency.Count() {
					t.Errorf("%d in flight: %+v", c.inFlight, r.Counts)
				}
				if r.Latency.Quantile(0.5) != each || r.Latency.Max() != each {
					t.Errorf("%d in flight: median %s, most %s", c.inFlight, r.Latency.Quantile(0.5), r.Latency.Max())
				}
			})
	}
}

// TestLoad_OpenLoop: a server that stalls for a second makes every request
// late that was due meanwhile, although few of them were out.
func TestLoad_OpenLoop(t *testing.T) {
	t.Parallel()
	stall := func(m *model) {
		m.delay = func(int) time.Duration {
			now := time.Since(m.begin)
			if now >= time.Second && now < 2*time.Second {
				return 2*time.Second - now
			}
			return time.Millisecond
		}
	}
	check := func(r *Result, p95 time.Duration) {
		t.Helper()
		if r.Sent < 9990 || r.Sent > 10010 || r.Sent != r.Replies || r.Lost != 0 {
			t.Errorf("%+v", r.Counts)
		}
		got, most := r.Latency.Quantile(0.95), r.Latency.Max()
		if r.Latency.Quantile(0.5) > 2*time.Millisecond || got < p95-50*time.Millisecond || got > p95+50*time.Millisecond {
			t.Errorf("median %s, 95 %% %s, want %s", r.Latency.Quantile(0.5), got, p95)
		}
		if most < 990*time.Millisecond || most > 1010*time.Millisecond {
			t.Errorf("longest %s", most)
		}
	}
	// A tenth of ten seconds is stalled, for half a second on average.
	simulate(t, Load{Mode: PAP, Rate: 1000, Duration: 10 * time.Second}, stall, func(_ *model, r *Result) {
		check(r, 500*time.Millisecond)
	})
	// No more than two may be out: the schedule counts all the same, and what
	// has piled up takes another second to work off.
	simulate(t, Load{Mode: PAP, Rate: 1000, InFlight: 2, Duration: 10 * time.Second}, stall, func(m *model, r *Result) {
		check(r, 750*time.Millisecond)
		if m.most > 2 || r.Behind < 900*time.Millisecond {
			t.Errorf("%d out, %s behind", m.most, r.Behind)
		}
	})
}

func TestLoad_LostAndWrong(t *testing.T) {
	t.Parallel()
	// One socket, so that late replies come when their identifier is in use again.
	simulate(t, Load{Mode: PAP, InFlight: 100, Sockets: 1, Count: 5000, Timeout: 100 * time.Millisecond},
		func(m *model) {
			m.delay = func(n int) time.Duration {
				switch n % 10 {
				case 0:
					return -1
				case 1:
					return 300 * time.Millisecond // after Timeout
				}
				return time.Millisecond
			}
			m.code = func(n int) Code {
				return []Code{AccessAccept, AccessAccept, AccessReject, AccessChallenge}[n%4]
			}
			m.busy = nil // identifiers of lost requests are used again
		},
		func(_ *model, r *Result) {
			if r.Sent != 5000 || r.Lost != 1000 || r.Replies != 4000 || r.Accepted+r.Rejected+r.Challenged != 4000 || r.Rejected == 0 || r.Challenged == 0 || r.Late == 0 || r.Wrong != 0 {
				t.Errorf("%+v", r.Counts)
			}
			if r.Latency.Quantile(0) != time.Millisecond || r.Latency.Max() != time.Millisecond {
				t.Errorf("from %s to %s: a late reply was taken for another's", r.Latency.Quantile(0), r.Latency.Max())
			}
		})
	// Late replies to a socket with nothing out do not keep the loop from sleeping.
	simulate(t, Load{Mode: PAP, Rate: 1, Sockets: 2, Count: 5, Timeout: 100 * time.Millisecond},
		func(m *model) { m.delay = func(int) time.Duration { return 300 * time.Millisecond } },
		func(m *model, r *Result) {
			if r.Lost != 5 || r.Late != 4 || m.waits > 2000 {
				t.Errorf("%+v after %d waits", r.Counts, m.waits)
			}
		})
	simulate(t, Load{Mode: PAP, InFlight: 10, Count: 100, Timeout: 100 * time.Millisecond, VerifyEvery: 1},
		func(m *model) { m.broken = true },
		func(_ *model, r *Result) {
			if r.Wrong != 100 || r.Lost != 100 || r.Replies != 0 {
				t.Errorf("%+v", r.Counts)
			}
			if err := r.silence(netip.AddrPort{}); !strings.Contains(err.Error(), "100 replies came that can't be trusted") {
				t.Error(err)
			}
		})
	simulate(t, Load{Mode: PAP, InFlight: 10, Count: 100, Timeout: 100 * time.Millisecond},
		func(m *model) { m.code = func(int) Code { return AccountingResponse } },
		func(_ *model, r *Result) {
			if r.Wrong != 100 || r.Replies != 0 {
				t.Errorf("%+v", r.Counts)
			}
		})
}

func TestLoad_Progress(t *testing.T) {
	t.Parallel()
	var shown []Snapshot
	simulate(t, Load{Mode: PAP, InFlight: 10, Warmup: 2 * time.Second, Duration: 3500 * time.Millisecond,
		Progress: func(s Snapshot) { shown = append(shown, s) }},
		func(*model) {},
		func(_ *model, r *Result) {
			if len(shown) != 3 {
				t.Fatalf("%d snapshots", len(shown))
			}
			for i, s := range shown {
				if at := time.Duration(i+1) * time.Second; s.Elapsed < at || s.Elapsed > at+50*time.Millisecond || s.Rate < 9500 || s.Rate > 10500 || s.P99 != time.Millisecond {
					t.Errorf("snapshot %d: %+v", i, s)
				}
			}
			if r.Sent != r.Replies || r.Elapsed != 3500*time.Millisecond || r.Rate < 9500 || r.Rate > 10500 {
				t.Errorf("%s, %.0f/s, %+v", r.Elapsed, r.Rate, r.Counts)
			}
		})
}

// TestLoad_Sockets runs every mode over real sockets, through both transports,
// and looks at every request that arrives.
func TestLoad_Sockets(t *testing.T) {
	t.Parallel()
	open := map[string]func(*Load) (*opened, error){"this system's": openTransport, "portable": openPortable}
	for name, open := range open {
		for _, mode := range []Method{PAP, CHAP, MSCHAP, MSCHAPv2, Status, Echo} {
			server := anna()
			answer := server.answer
			switch mode {
			case CHAP:
				server.edit = func(p *Packet) { p.Code = AccessAccept }
			case Echo:
				answer = func(request []byte) [][]byte { return [][]byte{request} }
			}
			responder := respond(t, answer)
			l := &Load{Server: responder.addr(), Secret: testSecret, Mode: mode, Users: []User{{"anna", "correct horse"}},
				InFlight: 40, Count: 1000, VerifyEvery: 1, Proofs: 50, Timeout: 20 * time.Second}
			r, err := runWith(t.Context(), l, open)
			if err != nil || r.Accepted != 1000 || r.Sent != 1000 || r.Lost+r.Wrong+r.Late != 0 {
				t.Errorf("%s transport, %s: %+v, %v", name, mode, r.Counts, err)
			}
			checkDistinct(t, mode, responder.requests())
		}
	}
}

// runWith is Load.Run through a transport of the test's choice.
func runWith(ctx context.Context, l *Load, open func(*Load) (*opened, error)) (*Result, error) {
	c, err := l.complete()
	if err != nil {
		return nil, err
	}
	start, err := c.single()
	if err != nil {
		return nil, err
	}
	return c.drive(ctx, start, open)
}

// checkDistinct proves that a server which keeps replies for repeats can't
// answer from there, and that every request is signed right.
func checkDistinct(t *testing.T, mode Method, requests [][]byte) {
	t.Helper()
	seen := map[string]bool{}
	for _, b := range requests {
		if mode == Echo {
			continue
		}
		if seen[string(b[4:headerSize])] {
			t.Errorf("%s: a Request Authenticator comes again", mode)
			return
		}
		seen[string(b[4:headerSize])] = true
		if !slices.Equal(b[22:38], hmacOf(testSecret, b, 22)) {
			t.Errorf("%s: a wrong Message-Authenticator", mode)
			return
		}
	}
}

func TestLoad_Run(t *testing.T) {
	t.Parallel()
	server := respond(t, anna().answer)
	l := Load{Server: server.addr(), Secret: testSecret, Mode: MSCHAPv2, Users: []User{{"anna", "correct horse"}, {"bert", "?"}},
		Local: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Count: 200, Proofs: 2}
	r, err := l.Run(t.Context())
	if err != nil || r.Accepted != 100 || r.Rejected != 100 {
		t.Errorf("%+v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := l.Run(ctx); !errors.Is(err, context.Canceled) || r == nil {
		t.Errorf("cancelled: %v", err)
	}
	// What is closed refuses.
	w, err := Dial(netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("127.0.0.1:9"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	l.Server, l.Timeout, l.Count = w.Addr(), 20*time.Millisecond, 10
	if _, err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "nothing listens") {
		t.Errorf("closed port: %v", err)
	}
}

// TestLoad_Opened: who is told of the sockets is told before the first request,
// and of each that one comes from.
func TestLoad_Opened(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		for name, open := range map[string]func(*Load) (*opened, error){"this system's": openTransport, "portable": openPortable} {
			server := respondAt(t, address, anna().answer)
			var sockets []netip.AddrPort
			l := &Load{Server: server.addr(), Secret: testSecret, Mode: PAP, Users: []User{{"anna", "correct horse"}}, Count: 200,
				Opened: func(s []netip.AddrPort) error {
					if sockets = s; len(server.requests()) > 0 {
						t.Errorf("%s, %s transport: a request was sent before", address, name)
					}
					return nil
				}}
			if r, err := runWith(t.Context(), l, open); err != nil || r.Accepted != 200 {
				t.Errorf("%s, %s transport: %+v, %v", address, name, r, err)
			}
			peers := server.peers()
			slices.SortFunc(sockets, netip.AddrPort.Compare)
			if len(sockets) != defaultSockets || !slices.Equal(sockets, peers) {
				t.Errorf("%s, %s transport: told of %v, requests from %v", address, name, sockets, peers)
			}
			no := errors.New("no")
			l.Opened = func([]netip.AddrPort) error { return no }
			if _, err := runWith(t.Context(), l, open); !errors.Is(err, no) {
				t.Errorf("%s, %s transport: what is refused runs: %v", address, name, err)
			}
		}
	}
}

func TestLoad_Refuses(t *testing.T) {
	t.Parallel()
	good := Load{Server: netip.MustParseAddrPort("127.0.0.1:1812"), Secret: testSecret, Mode: PAP, Users: []User{{"anna", "x"}}, Count: 1}
	for name, edit := range map[string]func(*Load){
		"server":  func(l *Load) { l.Server = netip.AddrPort{} },
		"secret":  func(l *Load) { l.Secret = "" },
		"users":   func(l *Load) { l.Users = nil },
		"mode":    func(l *Load) { l.Mode = "" },
		"rate":    func(l *Load) { l.Rate = -1 },
		"sockets": func(l *Load) { l.Sockets = maxSockets + 1 },
		"password": func(l *Load) {
			l.Users = []User{{"anna", "x"}, {"bert", member.Secret(strings.Repeat("x", maxPassword+1))}}
		},
		"random": func(l *Load) { l.Rand = strings.NewReader("") },
	} {
		l := good
		edit(&l)
		if _, err := l.Run(t.Context()); err == nil {
			t.Errorf("%s: it runs", name)
		}
	}
	l := good
	l.Count = 0
	if _, err := l.Run(context.Background()); err == nil {
		t.Error("it runs without an end")
	}
	l = good
	l.Rand = io.LimitReader(fixed(1), 20)
	if _, err := l.Run(t.Context()); err == nil {
		t.Error("it runs without randomness")
	}
}

// TestLoad_Allocations: the loop allocates nothing, whatever the number of requests.
func TestLoad_Allocations(t *testing.T) {
	p := testPool(t, MSCHAPv2)
	l := &Load{Server: netip.MustParseAddrPort("127.0.0.1:1812"), Secret: testSecret, Mode: MSCHAPv2, Users: []User{{"anna", "x"}}, InFlight: 64, Sockets: 1, VerifyEvery: 1 << 30}
	run := func(count uint64) uint64 {
		l.Count = count
		c, err := l.complete()
		if err != nil {
			t.Fatal(err)
		}
		g := newGenerator(c, p, &instant{})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := g.run(t.Context()); err != nil || g.counts.Replies != count {
			t.Fatalf("%+v, %v", g.counts, err)
		}
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs
	}
	run(100)
	if few, many := run(1000), run(50_000); many > few+200 {
		t.Errorf("%d allocations for 1,000 requests, %d for 50,000", few, many)
	}
}
