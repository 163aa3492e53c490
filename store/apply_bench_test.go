package store_test

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
)

// synced returns n members as a member system delivers them: half of the terms
// are each her own.
func synced(n int) []store.Edit {
	edits := crowd(n)
	for i := range edits {
		r := &edits[i].Record
		r.Email = r.Member.Login
		r.Member.ID, r.Member.MembershipID = fmt.Sprint(1_500_000+i), fmt.Sprint(2_700_000+i)
		r.Member.ValidUntil, r.Member.Devices = time.Time{}, 0
		r.Member.TeamVLAN = member.VLAN(fmt.Sprint(100 + i%500))
		r.Member.Terms = []member.Term{{From: newYear.Add(time.Duration(i%2*i) * time.Second)}}
		r.Credential.Password = member.Secret(fmt.Sprintf("abcd-%04d-jkmn-%04d", i/10000, i%10000))
	}
	return edits
}

func openBench(b *testing.B, dir string) *store.Store {
	b.Helper()
	s, err := store.Open(context.Background(), store.Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func apply(b *testing.B, s *store.Store, c *store.Changes) {
	b.Helper()
	if _, err := s.Apply(context.Background(), "members", c); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkApply is a first sync of 100,000 members with passwords, without
// letters and with one for each.
func BenchmarkApply(b *testing.B) {
	for _, letters := range []bool{false, true} {
		b.Run(fmt.Sprintf("letters=%v", letters), func(b *testing.B) {
			edits := synced(hundredThousand)
			var events []store.Event
			for i := 0; letters && i < len(edits); i++ {
				events = append(events, store.Event{Login: edits[i].Record.Member.Login, Kind: "welcome"})
			}
			for b.Loop() {
				apply(b, openBench(b, b.TempDir()), &store.Changes{Edits: edits, Events: events, Run: &store.Run{Kind: "full"}})
			}
		})
	}
}

// BenchmarkApplyAll changes the team of all 100,000 members.
func BenchmarkApplyAll(b *testing.B) {
	s := openBench(b, b.TempDir())
	edits := synced(hundredThousand)
	apply(b, s, &store.Changes{Edits: edits})
	round := 0
	for b.Loop() {
		round++
		for i := range edits {
			edits[i].Fields, edits[i].Record.Member.Team = store.FieldTeam, fmt.Sprint("round ", round)
		}
		apply(b, s, &store.Changes{Edits: edits})
	}
}

// BenchmarkApplySome changes some of 100,000 members, as a hook or an
// incremental sync does, and has the members in memory follow.
func BenchmarkApplySome(b *testing.B) {
	s := openBench(b, b.TempDir())
	edits := synced(hundredThousand)
	apply(b, s, &store.Changes{Edits: edits})
	m, err := s.Members(context.Background(), "members")
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 10, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			round := 0
			var logins []string
			for i := range n {
				logins = append(logins, edits[i*97].Record.Member.Login)
			}
			for b.Loop() {
				round++
				some := make([]store.Edit, n)
				for i := range some {
					some[i] = edits[i*97]
					some[i].Record.Member.Team = fmt.Sprint("round ", round)
				}
				counter, err := s.KeptOf(context.Background(), "members", logins, func(*store.Kept) error { return nil })
				if err != nil {
					b.Fatal(err)
				}
				apply(b, s, &store.Changes{Seen: counter, Edits: some, Run: &store.Run{Kind: "changes"}})
				if err := m.Refresh(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkKept reads 100,000 members for a sync to compare with, and says what
// it takes to hold all of them.
func BenchmarkKept(b *testing.B) {
	s := openBench(b, b.TempDir())
	apply(b, s, &store.Changes{Edits: synced(hundredThousand)})
	var each float64
	for b.Loop() {
		before := heap()
		all := make(map[string]*store.Kept, hundredThousand)
		_, err := s.Kept(context.Background(), "members", func(k *store.Kept) error { all[k.Member.Login] = k; return nil })
		if err != nil || len(all) != hundredThousand {
			b.Fatal(len(all), err)
		}
		b.StopTimer()
		each = float64(heap()-before) / float64(len(all))
		runtime.KeepAlive(all)
		b.StartTimer()
	}
	b.ReportMetric(each, "B/member")
}

// BenchmarkLoadSynced starts a store of 100,000 synced members.
func BenchmarkLoadSynced(b *testing.B) {
	dir := b.TempDir()
	apply(b, openBench(b, dir), &store.Changes{Edits: synced(hundredThousand)})
	debug.FreeOSMemory()
	var each float64
	for b.Loop() {
		before := heap()
		s, err := store.Open(context.Background(), store.Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		m, err := s.Members(context.Background(), "members")
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		each = float64(heap()-before) / float64(m.Len())
		_ = s.Close()
		runtime.KeepAlive(m)
		b.StartTimer()
	}
	b.ReportMetric(each, "B/member")
	b.ReportMetric(resident()/1e6, "MB-RSS")
}
