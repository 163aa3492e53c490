package store

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"testing"

	"memberradius/member"
)

// crowd returns so many members in memory, and their logins in no order.
func crowd(n int) (*Members, []string) {
	m := &Members{seed: maphash.MakeSeed()}
	var all [shards][]*entry
	logins := make([]string, n)
	for i := range logins {
		logins[i] = fmt.Sprintf("member%06d@example.com", i)
		e := &entry{record: member.Record{Member: member.Member{Login: logins[i]}, Credential: member.Credential{Password: "hello"}}}
		e.gather(logins[i])
		e.hash = maphash.String(m.seed, e.folded)
		all[e.hash%shards] = append(all[e.hash%shards], e)
	}
	for i := range all {
		m.shard[i].Store(newTable(all[i]))
	}
	rand.Shuffle(n, func(i, j int) { logins[i], logins[j] = logins[j], logins[i] })
	m.many.Store(n >= crowded)
	for i := range logins { // side by side, so that reading them costs nothing
		logins[i] = strings.Clone(logins[i])
	}
	return m, logins
}

// BenchmarkCrowd looks members up batch by batch, as a reader does, with and
// without Expect, and reads what a login reads.
func BenchmarkCrowd(b *testing.B) {
	for _, n := range []int{10, 100_000} {
		m, logins := crowd(n)
		for _, expect := range []bool{false, true} {
			b.Run(fmt.Sprintf("members=%d/expect=%v", n, expect), func(b *testing.B) {
				next, got := 0, 0
				var out member.Record
				batch := make([]string, 64)
				for b.Loop() {
					for i := range batch {
						batch[i] = logins[(next+i)%n]
					}
					next += 64
					if expect {
						m.Expect(batch)
					}
					for _, login := range batch {
						r, _ := m.Lookup(login)
						out = *r
						got += len(out.Credential.Password)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/lookup")
			})
		}
	}
}
