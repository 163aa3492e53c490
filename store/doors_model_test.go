package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"memberradius/store"
)

// A model is what the doors of a store should show, kept without thinking.
type model struct {
	grants  []store.Grant
	devices map[string]store.Device
	blocked map[string]bool
}

func (m *model) live(now time.Time, keep func(*store.Grant) bool) (all []*store.Grant) {
	for i := range m.grants {
		if g := &m.grants[i]; g.Live(now) && keep(g) {
			all = append(all, g)
		}
	}
	return all
}

func (m *model) shown(site, mac string, now time.Time) string {
	if m.blocked[mac] {
		return "blocked"
	}
	if live := m.live(now, func(g *store.Grant) bool { return g.MAC == mac && g.Site == site }); len(live) > 0 {
		return fmt.Sprint("grant ", live[0].PageID)
	}
	if d, ok := m.devices[mac]; ok && (d.Site == "" || d.Site == site) {
		return "device of " + d.Login
	}
	return "-"
}

// TestDoorsModel does anything in any order by two processes, and wants the doors
// of both, and those that are read anew, to show what the model says.
func TestDoorsModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			now := newYear
			dir := t.TempDir()
			stores := []*store.Store{openAt(t, dir, &now), openAt(t, dir, &now)}
			both := []*store.Doors{doors(t, stores[0]), doors(t, stores[1])}
			m := &model{devices: map[string]store.Device{}, blocked: map[string]bool{}}
			for range 100 {
				i := r.IntN(2)
				step(t, stores[i], m, r, now)
				now = now.Add(time.Duration(r.IntN(10)) * time.Minute)
				compare(t, both[i], m, now) // at once
				if err := both[1-i].Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				compare(t, both[1-i], m, now)
			}
			compare(t, doors(t, openAt(t, dir, &now)), m, now)
		})
	}
}

func compare(t *testing.T, d *store.Doors, m *model, now time.Time) {
	t.Helper()
	for i := range 6 {
		mac := fmt.Sprintf("02:00:00:00:00:%02d", i)
		for _, site := range []string{"berlin", "hamburg"} {
			if got, want := shown(d, site, mac, now), m.shown(site, mac, now); got != want {
				t.Fatalf("%s at %s: %s, want %s", mac, site, got, want)
			}
		}
	}
}

// step does one thing to the store and to the model.
func step(t *testing.T, s *store.Store, m *model, r *rand.Rand, now time.Time) {
	t.Helper()
	mac, site, login := fmt.Sprintf("02:00:00:00:00:%02d", r.IntN(6)), []string{"berlin", "hamburg"}[r.IntN(2)], []string{"anna", "bob"}[r.IntN(2)]
	var err, want error
	var ends []*store.Grant
	switch r.IntN(10) {
	case 0, 1, 2:
		g := &store.Grant{Kind: store.GrantClick, MAC: mac, Site: site, Backend: club, Login: login, Expires: now.Add(time.Duration(1+r.IntN(60)) * time.Minute)}
		if m.blocked[mac] {
			want = store.ErrBlocked
		}
		if err = s.Grant(t.Context(), g); err == nil {
			ends = m.live(now, func(g *store.Grant) bool { return g.MAC == mac && g.Site == site })
			for _, old := range ends {
				old.Ended = now
			}
			m.grants = append(m.grants, *g)
		}
	case 3:
		if live := m.live(now, func(*store.Grant) bool { return true }); len(live) > 0 {
			g := live[r.IntN(len(live))]
			g.Expires = now.Add(time.Duration(1+r.IntN(60)) * time.Minute)
			err = errorOf(s.Renew(t.Context(), g.PageID, g.Expires))
		}
	case 4:
		if live := m.live(now, func(*store.Grant) bool { return true }); len(live) > 0 {
			ends = live[:1]
			err = errorOf(s.EndGrant(t.Context(), live[0].PageID, store.EndKicked))
		}
	case 5:
		ends = m.live(now, func(g *store.Grant) bool { return g.Login == login })
		var ended []store.Grant
		if ended, err = s.EndGrantsOf(t.Context(), club, login, store.EndKicked); len(ended) != len(ends) {
			t.Fatalf("%d ended, want %d", len(ended), len(ends))
		}
	case 6:
		d := store.Device{MAC: mac, Backend: club, Login: login, Site: []string{"", site}[r.IntN(2)]}
		switch old, taken := m.devices[mac]; {
		case m.blocked[mac]:
			want = store.ErrBlocked
		case taken && old.Login != login:
			want = store.ErrTaken
		default:
			m.devices[mac] = d
		}
		err = s.AddDevice(t.Context(), &d)
	case 7:
		if _, ok := m.devices[mac]; !ok {
			want = store.ErrNoDevice
		}
		delete(m.devices, mac)
		err = s.RemoveDevice(t.Context(), mac)
	case 8:
		m.blocked[mac] = true
		ends = m.live(now, func(g *store.Grant) bool { return g.MAC == mac })
		err = errorOf(s.Block(t.Context(), mac, ""))
	case 9:
		if !m.blocked[mac] {
			want = store.ErrNotBlocked
		}
		delete(m.blocked, mac)
		err = s.Unblock(t.Context(), mac)
	}
	for _, g := range ends {
		g.Ended = now
	}
	if !errors.Is(err, want) {
		t.Fatalf("%v, want %v", err, want)
	}
}
