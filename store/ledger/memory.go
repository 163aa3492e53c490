package ledger

import (
	"sync"

	"memberradius/member"
)

// The lists under which an open session stands in memory.
const (
	listAll   = iota // under allName
	listLogin        // folded
	listMAC
	listNAS
	lists
)

const allName = "all"

// A slot holds an open session. Its state is replaced, never changed.
type slot struct {
	state *state
	// in are the names of the lists that it stands in, at its places there.
	in [lists]string
	at [lists]int
}

// memory holds the open sessions. One goroutine writes it, many read.
type memory struct {
	mu    sync.RWMutex
	byKey map[key]*slot
	byID  map[int64]*slot
	lists [lists]map[string][]*slot
}

func newMemory() *memory {
	m := &memory{byKey: map[key]*slot{}, byID: map[int64]*slot{}}
	for i := range m.lists {
		m.lists[i] = map[string][]*slot{}
	}
	return m
}

// put takes st in, or takes it out where it has ended.
func (m *memory) put(st *state) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.byID[st.id.head]
	if !st.Open() {
		if s != nil {
			m.drop(s)
		}
		return
	}
	if s == nil {
		s = &slot{}
		m.byID[st.id.head], m.byKey[keyOf(&st.Session.Session)] = s, s
	}
	m.place(s, listAll, allName)
	if s.state == nil || s.state.Login != st.Login {
		m.place(s, listLogin, member.FoldString(st.Login))
	}
	m.place(s, listMAC, st.StationMAC)
	m.place(s, listNAS, nasName(st.Client, st.NAS))
	s.state = st
}

func (m *memory) drop(s *slot) {
	for i := range m.lists {
		m.place(s, i, "")
	}
	delete(m.byID, s.state.id.head)
	if k := keyOf(&s.state.Session.Session); m.byKey[k] == s {
		delete(m.byKey, k)
	}
}

// place puts s into the list of that name, and takes it out of the one where it
// stood before. "" is none.
func (m *memory) place(s *slot, list int, name string) {
	if s.in[list] == name {
		return
	}
	all := m.lists[list]
	if old := s.in[list]; old != "" {
		l := all[old]
		last := l[len(l)-1]
		l[s.at[list]], last.at[list] = last, s.at[list]
		l[len(l)-1] = nil
		if l = l[:len(l)-1]; len(l) == 0 {
			delete(all, old)
		} else {
			all[old] = l
		}
	}
	if s.in[list] = name; name != "" {
		s.at[list] = len(all[name])
		all[name] = append(all[name], s)
	}
}

// nasName names one NAS of a client. Neither can hold a zero octet and stay unlike
// another pair: a client's name is the operator's.
func nasName(client, nas string) string { return client + "\x00" + nas }

// find returns the open session with this key.
func (m *memory) find(k key) *state {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if s := m.byKey[k]; s != nil {
		return s.state
	}
	return nil
}

// findID returns the open session in this row.
func (m *memory) findID(head int64) *state {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if s := m.byID[head]; s != nil {
		return s.state
	}
	return nil
}

// of returns those in the list of that name.
func (m *memory) of(list int, name string) []*state {
	m.mu.RLock()
	defer m.mu.RUnlock()
	slots := m.lists[list][name]
	if len(slots) == 0 {
		return nil
	}
	states := make([]*state, len(slots))
	for i, s := range slots {
		states[i] = s.state
	}
	return states
}

// all returns the open sessions in no order.
func (m *memory) all() []*state { return m.of(listAll, allName) }

func (m *memory) count() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.byID)
}

// Online returns the open sessions in no order.
func (l *Ledger) Online() []*Session { return sessions(l.memory.all()) }

// OnlineOf returns the open sessions of a login; how it is folded does not matter.
func (l *Ledger) OnlineOf(login string) []*Session {
	return sessions(l.memory.of(listLogin, member.FoldString(login)))
}

// OnlineAt returns the open sessions of a device, "aa:bb:cc:dd:ee:ff".
func (l *Ledger) OnlineAt(mac string) []*Session {
	if mac == "" {
		return nil
	}
	return sessions(l.memory.of(listMAC, mac))
}

// Count returns how many sessions are open.
func (l *Ledger) Count() int { return l.memory.count() }

func sessions(states []*state) []*Session {
	if len(states) == 0 {
		return nil
	}
	of := make([]*Session, len(states))
	for i, st := range states {
		of[i] = &st.Session
	}
	return of
}
