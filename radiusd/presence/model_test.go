package presence

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A model is anna's devices as doc.go has them, told from all that has ever
// happened: it keeps no state that it could have got wrong.
type model struct {
	r        *rig
	rand     *rand.Rand
	limit    int
	admitted map[string]time.Time // device: its last admission without a session yet
	reports  map[string][]heard   // by session
	device   map[string]string    // of open sessions
	lost     map[string]bool
	asked    map[string]bool // sessions that have to be told to leave now
	told     map[string]bool // and those that were, and may be again
	next     int
}

type heard struct {
	at    time.Time
	total uint64
}

var modelMACs = []string{mac1, mac2, mac3, random1, random2, "0a:00:5e:00:53:03"}

// last is when a session was last heard of, every its interval.
func (m *model) last(id string) (last time.Time, every time.Duration) {
	h := m.reports[id]
	n := len(h) - 1
	every = interval
	if n > 0 {
		every = max(every, h[n].at.Sub(h[n-1].at))
	}
	return h[n].at, every
}

func (m *model) sessions(mac string) (all []string) {
	for id, of := range m.device {
		if of == mac {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// there says whether the device is on.
func (m *model) there(mac string) bool {
	if at, ok := m.admitted[mac]; ok && m.r.now().Sub(at) < 2*time.Minute {
		return true
	}
	for _, id := range m.sessions(mac) {
		if last, every := m.last(id); m.r.now().Sub(last) <= every+every/2 {
			return true
		}
	}
	return false
}

// idle says whether the device has moved nothing for an interval, and said so.
func (m *model) idle(mac string) bool {
	if at, ok := m.admitted[mac]; ok && m.r.now().Sub(at) < 2*time.Minute {
		return false
	}
	for _, id := range m.sessions(mac) {
		h := m.reports[id]
		grown := h[0].at
		for i := range h[1:] {
			if h[i+1].total > h[i].total {
				grown = h[i+1].at
			}
		}
		last, every := m.last(id)
		if !last.After(grown) || m.r.now().Sub(grown) < every {
			return false
		}
	}
	return true
}

// places returns who has one.
func (m *model) places() map[string]bool {
	all := map[string]bool{}
	for _, mac := range modelMACs {
		if m.there(mac) && !m.lost[mac] {
			all[mac] = true
		}
	}
	return all
}

func (m *model) admit(mac string) error {
	before, idle := m.places(), map[string]bool{}
	for other := range before {
		if k, _ := macKey(other); other != mac && k.random() && m.idle(other) {
			idle[other] = true
		}
	}
	others := len(before)
	if before[mac] {
		others--
	}
	got := m.r.Admit(m.r.admission(mac))
	want := in
	if !before[mac] && others >= m.limit && others-m.limit+1 > len(idle) {
		want = tooMany
	}
	if got != want {
		return fmt.Errorf("%s: %v, want %v; of %v, idle %v", mac, got, want, before, idle)
	}
	if got == in {
		m.admitted[mac] = m.r.now()
		delete(m.lost, mac)
	}
	return m.compare(mac, before, idle)
}

// compare checks who has lost a place, and takes it over: which of several it
// is the model leaves open.
func (m *model) compare(newcomer string, before, idle map[string]bool) error {
	gave := 0
	e := m.r.index.members[0].entries["anna"]
	for i := range m.r.index.members {
		if found := m.r.index.members[i].entries["anna"]; found != nil {
			e = found
		}
	}
	for _, mac := range modelMACs {
		k, _ := macKey(mac)
		var d *device
		if e != nil {
			d = e.device(k)
		}
		lost := d != nil && d.lost
		if lost && !m.lost[mac] && before[mac] {
			if gave++; mac == newcomer || !idle[mac] {
				return fmt.Errorf("%s lost its place to %s", mac, newcomer)
			}
			for _, id := range m.sessions(mac) {
				m.asked[id] = true
			}
		}
		if lost && !m.lost[mac] && !before[mac] && m.there(mac) {
			return fmt.Errorf("%s lost a place that it did not have", mac)
		}
		if m.lost[mac] = lost; !lost {
			delete(m.lost, mac)
		}
	}
	after := len(m.places())
	if !before[newcomer] && m.places()[newcomer] && (after > m.limit || gave > 0 && after < m.limit) {
		return fmt.Errorf("%d have a place, %d gave theirs to %s", after, gave, newcomer)
	}
	return nil
}

// hear has a session reported on; a device that lost its place may get it back.
func (m *model) hear(id string, octets uint64) {
	mac := m.device[id]
	h := m.reports[id]
	total := octets
	if len(h) > 0 {
		total += h[len(h)-1].total
	}
	if n := len(h); n == 0 || m.r.now().After(h[n-1].at) {
		h = append(h, heard{m.r.now(), total})
	} else {
		h[n-1].total = total
	}
	if len(m.reports[id]) == 0 {
		delete(m.admitted, mac)
	}
	m.reports[id] = h
	if m.lost[mac] {
		if len(m.places()) < m.limit {
			delete(m.lost, mac)
		} else {
			for _, id := range m.sessions(mac) {
				m.asked[id] = true
			}
		}
	}
	m.r.report(id, "anna", mac, moved(octets))
}

func (m *model) step() error {
	mac := modelMACs[m.rand.IntN(len(modelMACs))]
	switch open := m.sessions(mac); m.rand.IntN(8) {
	case 0, 1:
		return m.admit(mac)
	case 2:
		if m.there(mac) && !m.lost[mac] || m.rand.IntN(8) == 0 {
			m.next++
			id := fmt.Sprint("s", m.next)
			m.device[id] = mac
			m.hear(id, 0)
		}
	case 3, 4, 5:
		if len(open) > 0 {
			m.hear(open[0], uint64(m.rand.IntN(2)))
		}
	case 6:
		if len(open) > 0 && m.rand.IntN(2) == 0 {
			m.r.end(open[0])
			delete(m.device, open[0])
			if _, pending := m.admitted[mac]; len(open) == 1 && !pending {
				delete(m.lost, mac)
			}
		}
	default:
		time.Sleep(time.Duration(1+m.rand.IntN(3)) * interval / time.Duration(1+m.rand.IntN(12)))
	}
	return nil
}

// check compares who counts, and who was told to leave.
func (m *model) check() error {
	synctest.Wait()
	want := m.places()
	for _, mac := range modelMACs {
		k, _ := macKey(mac)
		has := false
		for i := range m.r.index.members {
			if e := m.r.index.members[i].entries["anna"]; e != nil && e.device(k) != nil {
				d := e.device(k)
				has = !d.lost && d.there(m.r.index, m.r.now())
			}
		}
		if has != want[mac] {
			return fmt.Errorf("%s has a place: %v, want %v", mac, has, want[mac])
		}
	}
	for _, a := range m.r.took() {
		var id string
		if _, err := fmt.Sscanf(a, "%s disconnect", &id); err != nil || !m.asked[id] && !m.told[id] {
			return fmt.Errorf("%q, which nobody wanted", a)
		}
		delete(m.asked, id)
		m.told[id] = m.lost[m.device[id]]
	}
	for id := range m.asked {
		if m.device[id] != "" {
			if m.r.door.leaving(id) {
				continue
			}
			return fmt.Errorf("session %s of %s was to leave, and was not told", id, m.device[id])
		}
	}
	clear(m.asked)
	return nil
}

// TestModel plays members with many devices against the model.
func TestModel(t *testing.T) {
	t.Parallel()
	for run := range 40 {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := &model{
					r: newRig(t, nil), rand: rand.New(rand.NewPCG(uint64(run), 1)), limit: 1 + run%3,
					admitted: map[string]time.Time{}, reports: map[string][]heard{}, device: map[string]string{}, lost: map[string]bool{}, asked: map[string]bool{}, told: map[string]bool{},
				}
				m.r.Swap(devices(m.limit))
				accepted := 0
				for i := range 500 {
					if err := m.step(); err != nil {
						t.Fatalf("step %d: %v", i, err)
					}
					if err := m.check(); err != nil {
						t.Fatalf("step %d: %v", i, err)
					}
					accepted += len(m.admitted)
				}
				if accepted == 0 || m.next == 0 {
					t.Error("nothing happened")
				}
			})
		})
	}
}
