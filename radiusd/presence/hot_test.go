package presence

import (
	"fmt"
	"testing"
	"time"

	"memberradius/member"
)

// TestAdmitAllocs: an admission on the way of a packet costs no memory.
func TestAdmitAllocs(t *testing.T) {
	r := newRig(t, nil)
	plans := map[string]Limits{"desk": {Devices: 3}, "metered": {Quotas: []member.Quota{{Per: member.Day, Octets: 1e9}, {Per: member.Week, Time: time.Hour}}}}
	r.Swap(Tables{Plans: plans, Zones: map[string]*time.Location{"main": time.UTC}})
	for name, change := range map[string]func(*Admission){
		"no plan":        func(a *Admission) { a.Plan = "" },
		"no limits":      func(a *Admission) { a.Plan = "open" },
		"a known device": func(a *Admission) {},
		"her own limit":  func(a *Admission) { a.Plan, a.Devices = "open", 2 },
		"quotas":         func(a *Admission) { a.Plan = "metered" },
	} {
		a := r.admission(mac1)
		change(a)
		if n := testing.AllocsPerRun(1000, func() {
			if r.Admit(a) != in {
				t.Error("refused")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// crowd is 100,000 members online with two devices each.
func crowd(b *testing.B) *rig {
	b.Helper()
	r := &rig{now: time.Now, outcomes: map[string]Outcome{}}
	p, err := New(Config{Ledger: r, Judge: r, Targets: r, NAS: r, Poll: -1, Tables: devices(3)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Close)
	r.Presence = p
	open := make([]Session, 0, 200_000)
	for i := range cap(open) {
		open = append(open, Session{ID: fmt.Sprint(i), Started: r.now(), Updated: r.now(), Report: crowdReport(i)})
	}
	p.Load(open)
	return r
}

func crowdReport(i int) *member.Session {
	return &member.Session{
		Client: "ap1", NAS: "ap1", ID: fmt.Sprint(i), Login: crowdLogin(i / 2), Backend: "club", Plan: "desk", Site: "main", SSID: "Members",
		StationMAC: fmt.Sprintf("00:00:%02x:%02x:%02x:%02x", i>>24&255, i>>16&255, i>>8&255, i&255),
		Decision:   "01890a5d-ac96-774b-bcce-b302099a8057", Interim: 10 * time.Minute,
	}
}

func crowdLogin(i int) string { return fmt.Sprintf("member%d@example.com", i) }

func BenchmarkAdmit(b *testing.B) {
	r := crowd(b)
	admissions := make([]Admission, 100_000)
	for i := range admissions {
		s := crowdReport(2 * i)
		admissions[i] = Admission{Login: s.Login, Backend: "club", Plan: "desk", StationMAC: s.StationMAC, Client: "ap1", Site: "main", SSID: "Members", Now: r.now()}
	}
	for _, c := range []struct{ name, plan string }{{"limited", "desk"}, {"unlimited", "open"}} {
		b.Run(c.name, func(b *testing.B) {
			for i := range admissions {
				admissions[i].Plan = c.plan
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if r.Admit(&admissions[i*7919%len(admissions)]) != in {
					b.Fatal("refused")
				}
			}
		})
	}
}

// BenchmarkSeen is what the ledger's one writer waits for after each report.
func BenchmarkSeen(b *testing.B) {
	r := crowd(b)
	reports := make([]Session, 100_000)
	for i := range reports {
		reports[i] = Session{ID: fmt.Sprint(i), Updated: r.now(), Report: crowdReport(i)}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Seen(reports[i*7919%len(reports)])
	}
}
