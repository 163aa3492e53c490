package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store/ledger"
)

// inFlight is how many reports NASes have under way at the same time.
const inFlight = 256

// visit returns a session as an access point reports it. Of 40 access points each
// counts its own ids; 20,000 members have two devices each.
func visit(n int, e member.Event, at time.Time) *member.Session {
	ap, who := n%40, n*7919%20_000
	return &member.Session{
		Event: e, Client: "floor", NAS: fmt.Sprintf("ap-%02d.example.com", ap), ID: fmt.Sprintf("%08X-%08X", 0x65a1b200+ap, n/40),
		User: fmt.Sprintf("Member%05d@example.com", who), MultiID: fmt.Sprintf("%016x", n*31),
		Login: fmt.Sprintf("Member%05d@example.com", who), Backend: "members", Plan: []string{"hot-desk", "fixed-desk", "day", "guest"}[n%4],
		VLAN: "30", Decision: fmt.Sprintf("0198c0de-0000-7000-8000-%012x", n), Site: []string{"berlin", "lisbon"}[ap%2], SSID: "Coworking",
		StationMAC: mac(who*2 + n%2), Calling: mac(who*2 + n%2), Called: "AA-BB-CC-DD-EE-FF:Coworking",
		NASIdentifier: fmt.Sprintf("ap-%02d.example.com", ap), Port: uint32(n), HasPort: true, At: at, Received: at,
		Interim: 10 * time.Minute, Timeout: 12 * time.Hour,
	}
}

func mac(n int) string {
	return fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", n>>24&255, n>>16&255, n>>8&255, n&255)
}

// offer sends n reports, inFlight at a time, and returns how long each took.
func offer(tb testing.TB, l *ledger.Ledger, n int, report func(int) *member.Session) []time.Duration {
	tb.Helper()
	took := make([]time.Duration, n)
	var wg sync.WaitGroup
	for worker := range inFlight {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := worker; i < n; i += inFlight {
				s := report(i)
				began := time.Now()
				if err := l.Record(context.Background(), s); err != nil {
					tb.Error(err)
					return
				}
				took[i] = time.Since(began)
			}
		}()
	}
	wg.Wait()
	return took
}

// spent is the processor time of this process so far.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRecord has 256 reports in flight: new sessions, then their Interims,
// then their Stops.
func BenchmarkRecord(b *testing.B) {
	began := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, phase := range []struct {
		name  string
		event member.Event
	}{{"start", member.Start}, {"interim", member.Interim}, {"stop", member.Stop}} {
		b.Run(phase.name, func(b *testing.B) {
			l, err := ledger.Open(context.Background(), ledger.Config{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			if phase.event != member.Start {
				offer(b, l, b.N, func(i int) *member.Session { return visit(i, member.Start, began) })
			}
			before := l.Stats()
			b.ReportAllocs()
			cpu := spent()
			b.ResetTimer()
			took := offer(b, l, b.N, func(i int) *member.Session {
				s := visit(i, phase.event, began)
				if phase.event != member.Start {
					s.At = s.At.Add(10 * time.Minute)
					s.Received, s.Duration, s.Input, s.Output = s.At, 10*time.Minute, uint64(i)*1000+1, uint64(i)*5000+1
				}
				return s
			})
			b.StopTimer()
			b.ReportMetric(float64((spent()-cpu).Nanoseconds())/1000/float64(b.N), "cpu-µs/report")
			slices.Sort(took)
			after := l.Stats()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reports/s")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
			b.ReportMetric(float64(after.Reports-before.Reports)/float64(after.Commits-before.Commits), "reports/commit")
		})
	}
}

// BenchmarkList reads pages of 1,000,000 kept sessions, 20,000 of them open, by each
// filter: the newest page, and one in the middle. Filling takes a minute or two; in
// a -folder it is done once.
func BenchmarkList(b *testing.B) {
	const kept, live = 1_000_000, 20_000
	dir := *folder
	if dir == "" {
		dir = b.TempDir()
	}
	opened := time.Now()
	l, err := ledger.Open(context.Background(), ledger.Config{Dir: dir, Zone: utc})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	b.Logf("%d open sessions, read in %v", l.Count(), time.Since(opened))
	began, missing := noon().AddDate(-1, 0, 0), kept
	if l.Count() == live {
		missing = 0
	}
	offer(b, l, missing, func(i int) *member.Session {
		at := began.Add(time.Duration(i) * 30 * time.Second)
		s := visit(i, member.Stop, at)
		if s.Duration, s.Input = time.Hour, 1000; i%(kept/live) == 0 {
			s.Event = member.Interim
		}
		if i%100_000 == 0 {
			s.Site = "rare"
		}
		return s
	})
	middle := began.Add(kept / 2 * 30 * time.Second)
	some := visit(1, member.Stop, began)
	yes, no := true, false
	for _, f := range []struct {
		name   string
		filter ledger.Filter
	}{
		{"all", ledger.Filter{}}, {"login", ledger.Filter{Login: some.Login}}, {"mac", ledger.Filter{MAC: some.StationMAC}},
		{"client", ledger.Filter{Client: "floor"}}, {"site", ledger.Filter{Site: "lisbon"}}, {"rare-site", ledger.Filter{Site: "rare"}}, {"plan", ledger.Filter{Plan: "day"}},
		{"none", ledger.Filter{Client: "none"}}, {"open", ledger.Filter{Online: &yes}}, {"ended", ledger.Filter{Online: &no}},
		{"open-of-login", ledger.Filter{Login: some.Login, Online: &yes}}, {"plan-and-rare-site", ledger.Filter{Plan: "day", Site: "rare"}},
		{"plan-client-none", ledger.Filter{Plan: "day", Client: "floor", Site: "none"}},
	} {
		for _, until := range []time.Time{{}, middle} {
			for _, most := range []int{100, 1000} {
				f.filter.Until, f.filter.Most = until, most
				b.Run(fmt.Sprintf("%s/middle=%v/most=%d", f.name, !until.IsZero(), most), func(b *testing.B) {
					longest, rows := time.Duration(0), 0
					for b.Loop() {
						began := time.Now()
						found, _, err := l.List(context.Background(), &f.filter)
						if err != nil {
							b.Fatal(err)
						}
						longest, rows = max(longest, time.Since(began)), len(found)
					}
					b.ReportMetric(float64(rows), "rows")
					b.ReportMetric(float64(longest.Microseconds())/1000, "max-ms")
				})
			}
		}
	}
}
