package store

import (
	"hash/maphash"
	"math/bits"
	"runtime"

	"memberradius/member"
)

// A table finds entries by the hash of their folded login. It never changes
// once it is published. A map of Go's would do; among 100,000 members each
// piece of memory on the way costs a login as much as its share of the plan,
// and of a table two lie on it: the slot and the entry.
type table struct {
	// slots are a power of two, or none. At most half of them are taken, and
	// an entry lies in the first free one from where its hash says.
	slots []slot
	count int
}

// A slot of no entry is free.
type slot struct {
	hash  uint64
	entry *entry
}

// shardBits of a hash say the shard, those above them the slot.
const shardBits = 8

func newTable(entries []*entry) *table {
	t := &table{count: len(entries)}
	if len(entries) == 0 {
		return t
	}
	t.slots = make([]slot, 1<<bits.Len(uint(2*len(entries)-1)))
	for _, e := range entries {
		i := t.first(e.hash)
		for t.slots[i].entry != nil {
			i = t.after(i)
		}
		t.slots[i] = slot{e.hash, e}
	}
	return t
}

func (t *table) first(hash uint64) int { return int(hash>>shardBits) & (len(t.slots) - 1) }
func (t *table) after(i int) int       { return (i + 1) & (len(t.slots) - 1) }

// find returns the entry of a folded login, or nil.
func (t *table) find(hash uint64, folded []byte) *entry {
	if t.count == 0 {
		return nil
	}
	for i := t.first(hash); t.slots[i].entry != nil; i = t.after(i) {
		if s := &t.slots[i]; s.hash == hash && s.entry.folded == string(folded) {
			return s.entry
		}
	}
	return nil
}

// with returns a table of these entries and the changed ones, without those gone.
func (t *table) with(changed []*entry, gone []string) *table {
	out := make(map[string]bool, len(changed)+len(gone))
	for _, folded := range gone {
		out[folded] = true
	}
	for _, e := range changed {
		out[e.folded] = true
	}
	entries := make([]*entry, 0, t.count+len(changed))
	for _, s := range t.slots {
		if s.entry != nil && !out[s.entry.folded] {
			entries = append(entries, s.entry)
		}
	}
	return newTable(append(entries, changed...))
}

// crowded is from how many members on Expect pays: some megabyte of them.
const crowded = 3000

// together is how many lookups Expect takes side by side.
const together = 64

// Expect has the members of these logins at hand: they will be looked up next.
// It takes no lock, waits for nothing and allocates nothing.
// A lookup waits for memory, several times one after the other, and does little
// else; where their steps are taken together, the waits of many lookups are one.
func (m *Members) Expect(logins []string) {
	if !m.many.Load() {
		return
	}
	var room [member.MaxLogin]byte
	var at [together]struct {
		table *table
		slot  int
		entry *entry
	}
	for ; len(logins) > 0; logins = logins[min(len(logins), together):] {
		n := 0
		for _, login := range logins[:min(len(logins), together)] {
			if len(login) > member.MaxLogin {
				continue
			}
			hash := maphash.Bytes(m.seed, member.Fold(room[:0], login))
			if t := m.shard[hash%shards].Load(); t.count > 0 {
				at[n].table, at[n].slot = t, t.first(hash)
				n++
			}
		}
		for i := range at[:n] {
			at[i].entry = at[i].table.slots[at[i].slot].entry
		}
		touched := 0
		for i := range at[:n] {
			if e := at[i].entry; e != nil {
				touched += e.touch()
			}
		}
		for i := range at[:n] {
			if e := at[i].entry; e != nil && len(e.folded) > 0 {
				touched += int(e.folded[0])
			}
		}
		runtime.KeepAlive(touched)
	}
}

// touch reads something of every 64 octets.
func (e *entry) touch() int {
	m, c := &e.record.Member, &e.record.Credential
	return len(e.folded) + len(m.MembershipID) + len(m.Team) + len(m.TeamVLAN) + m.Devices + len(c.Password) + int(e.nt[0])
}
