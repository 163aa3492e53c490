package store_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
)

const hundredThousand = 100_000

// crowd returns n members as a club of that size has them.
func crowd(n int) []store.Edit {
	edits := make([]store.Edit, n)
	for i := range edits {
		nt := &member.Hash{byte(i), byte(i >> 8), byte(i >> 16), 7}
		edits[i] = store.Edit{Fields: store.AllFields, Record: member.Record{
			Member: member.Member{
				Login: fmt.Sprintf("member%06d@example.com", i), Name: fmt.Sprintf("Member Number %d", i),
				Plans: []string{[]string{"hot-desk", "fixed-desk", "day"}[i%3]}, Team: fmt.Sprintf("team %d", i%500),
				ValidUntil: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), Devices: i % 4,
			},
			Credential: member.Credential{Password: member.Secret(fmt.Sprintf("secret-%08d-word", i)), NTHash: nt},
		}}
	}
	return edits
}

// resident returns the memory of this process in octets, where the system says.
func resident() float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.Atoi(strings.Fields(string(b))[1])
	return float64(pages * os.Getpagesize())
}

func heap() uint64 {
	var ms runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&ms)
	return ms.HeapAlloc
}

// BenchmarkLoad starts a store of 100,000 members: from Open to members that answer.
func BenchmarkLoad(b *testing.B) {
	ctx := context.Background()
	dir := filledDir(b, hundredThousand)
	debug.FreeOSMemory()
	var perMember float64
	for b.Loop() {
		before := heap()
		s, err := store.Open(ctx, store.Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		m, err := s.Members(ctx, "members")
		if err != nil {
			b.Fatal(err)
		}
		perMember = float64(heap()-before) / float64(m.Len())
		b.StopTimer()
		_ = s.Close()
		runtime.KeepAlive(m)
		b.StartTimer()
	}
	b.ReportMetric(perMember, "B/member")
	b.ReportMetric(resident()/1e6, "MB-RSS")
}

// BenchmarkImport writes 100,000 new members.
func BenchmarkImport(b *testing.B) {
	edits := crowd(hundredThousand)
	for b.Loop() {
		s, err := store.Open(context.Background(), store.Config{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Import(context.Background(), "members", edits); err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
}

// BenchmarkLookup finds members of 10 and of 100,000.
func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{10, hundredThousand} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			s, err := store.Open(context.Background(), store.Config{Dir: filledDir(b, n)})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			m, err := s.Members(context.Background(), "members")
			if err != nil {
				b.Fatal(err)
			}
			logins := make([]string, 0, 1000)
			for i := range 1000 {
				logins = append(logins, fmt.Sprintf("Member%06d@example.com", i*7919%n))
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, ok := m.Lookup(logins[i%len(logins)]); !ok {
					b.Fatal(logins[i%len(logins)])
				}
				i++
			}
		})
	}
}

// BenchmarkShelf keeps 1,000 answers: each alone, and all at once.
func BenchmarkShelf(b *testing.B) {
	for _, at := range []int{1, 1000} {
		b.Run(strconv.Itoa(at), func(b *testing.B) {
			s, err := store.Open(context.Background(), store.Config{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			value, until := make([]byte, 300), time.Now().Add(time.Hour)
			for b.Loop() {
				for i := 0; i < 1000; i += at {
					err := s.Shelf().Change(context.Background(), "club", func(put putFunc, _ forgetFunc) error {
						for k := range at {
							if err := put([32]byte{byte(i + k), byte((i + k) >> 8)}, value, until); err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/answer")
		})
	}
}

// filledDir returns a data directory with n members of the backend "members".
func filledDir(tb testing.TB, n int) string {
	tb.Helper()
	dir := tb.TempDir()
	s, err := store.Open(context.Background(), store.Config{Dir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := s.Import(context.Background(), "members", crowd(n)); err != nil {
		tb.Fatal(err)
	}
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	return dir
}
