package store

import (
	"fmt"
	"strings"
	"testing"

	"memberradius/member"
)

func tableOf(hash func(string) uint64, logins ...string) *table {
	entries := make([]*entry, 0, len(logins))
	for _, login := range logins {
		entries = append(entries, &entry{hash: hash(login), folded: login})
	}
	return newTable(entries)
}

// TestTable finds each of so many, and nobody else, whatever the hashes are:
// spread, all one, or such that the last slot overflows into the first.
func TestTable(t *testing.T) {
	t.Parallel()
	hashes := map[string]func(string) uint64{
		"spread": func(s string) uint64 { return uint64(len(s))*0x9e3779b97f4a7c15 + uint64(s[len(s)-1])<<20 },
		"one":    func(string) uint64 { return 7 },
		"last":   func(s string) uint64 { return ^uint64(0) - uint64(s[len(s)-1]&1) },
	}
	for name, hash := range hashes {
		for n := range 40 {
			logins := make([]string, n)
			for i := range logins {
				logins[i] = fmt.Sprintf("member%d", i)
			}
			table := tableOf(hash, logins...)
			for _, login := range logins {
				if e := table.find(hash(login), []byte(login)); e == nil || e.folded != login {
					t.Fatalf("%s, %d members: %s is not found", name, n, login)
				}
			}
			for _, login := range []string{"nobody", "member", "member40"} {
				if e := table.find(hash(login), []byte(login)); e != nil {
					t.Fatalf("%s, %d members: %s is %s", name, n, login, e.folded)
				}
			}
		}
	}
}

func TestTableWith(t *testing.T) {
	t.Parallel()
	hash := func(s string) uint64 { return uint64(s[0]) << shardBits }
	old := tableOf(hash, "anna", "bert", "carl")
	carl := &entry{hash: hash("carl"), folded: "carl"}
	emil := &entry{hash: hash("emil"), folded: "emil"}
	next := old.with([]*entry{carl, emil}, []string{"bert", "emil", "nobody"})
	if next.count != 3 || next.find(hash("carl"), []byte("carl")) != carl || next.find(hash("emil"), []byte("emil")) != emil ||
		next.find(hash("anna"), []byte("anna")) == nil || next.find(hash("bert"), []byte("bert")) != nil {
		t.Errorf("%d members: %+v", next.count, next.slots)
	}
	if old.count != 3 || old.find(hash("bert"), []byte("bert")) == nil {
		t.Error("the table before has changed")
	}
	if none := next.with(nil, []string{"anna", "carl", "emil"}); none.count != 0 || none.find(hash("anna"), []byte("anna")) != nil {
		t.Errorf("%d members are left", none.count)
	}
}

// TestExpect: any logins, any number of them, before and after there are many.
func TestExpect(t *testing.T) { // not parallel: it counts the allocations of the whole process
	for _, n := range []int{0, 1, crowded} {
		m, logins := crowd(n)
		logins = append(logins, "", "nobody", strings.Repeat("x", member.MaxLogin+1), "Member000000@EXAMPLE.com")
		m.Expect([]string{"\xff", "zoë"})
		for _, some := range [][]string{nil, logins[:min(n, 1)], logins[:min(n, together)], logins} {
			if n := testing.AllocsPerRun(10, func() { m.Expect(some) }); n != 0 {
				t.Errorf("%v allocations for %d logins", n, len(some))
			}
		}
	}
}
