package coa

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layeh.com/radius"
)

// The tests of many requests at once run one after another, and none with more than it
// needs: thousands of goroutines make the race detector itself fail now and then.

// A dead NAS holds a quarter of the places and no more; others go on, and it gives all
// of them back.
func TestDeadNASStarvesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := newWorld(t, Config{Waiting: 400})
		alive := netip.MustParseAddrPort("192.0.2.11:3799")
		w.nases[alive] = says(t, alive, time.Millisecond, radius.CodeDisconnectACK, 0)
		var all sync.WaitGroup
		var mu sync.Mutex
		count := map[Outcome]int{}
		for range 300 {
			all.Go(func() {
				r, err := c.Disconnect(t.Context(), target(lobby), session())
				if r.Outcome == Busy && (r.Took != 0 || !errors.Is(err, ErrBusy)) {
					t.Errorf("%+v, %v", r, err)
				}
				mu.Lock()
				count[r.Outcome]++
				mu.Unlock()
			})
		}
		synctest.Wait()
		if r, err := c.Disconnect(t.Context(), target(alive), session()); err != nil || !r.Gone() {
			t.Errorf("the NAS beside it: %+v, %v", r, err)
		}
		all.Wait()
		if count[Busy] != 200 || count[Timeout] != 100 || time.Since(w.begin) != 30*time.Second {
			t.Errorf("%v after %v", count, time.Since(w.begin))
		}
		if c.waiting != 0 || len(c.gates) != 0 {
			t.Errorf("%d wait, %d NASes are known", c.waiting, len(c.gates))
		}
	})
}

// TestWindow: a burst to one NAS comes in parts, each when the one before is answered.
// A NAS that answers some requests never holds up the others for the first wait alone,
// and whose turn never comes is told so in time.
func TestWindow(t *testing.T) {
	for _, c := range []struct {
		name     string
		requests int
		answers  func(n int) bool
		took     time.Duration
		timeouts int
	}{
		{"all are answered", 5 * window, func(int) bool { return true }, 5 * 100 * time.Millisecond, 0},
		{"the first are not", 3 * window, func(n int) bool { return n >= window }, 30 * time.Second, window},
		{"none is", 17 * window, func(int) bool { return false }, 30 * time.Second, 17 * window},
	} {
		t.Run(c.name, func(t *testing.T) {
			if raceEnabled && c.requests > 1000 {
				t.Skip("too many goroutines for the race detector")
			}
			synctest.Test(t, func(t *testing.T) {
				w, client := newWorld(t, Config{})
				var mu sync.Mutex
				seen, waits, most := map[string]bool{}, 0, 0
				w.nases[lobby] = func(l *line, packet []byte) {
					mu.Lock()
					defer mu.Unlock()
					if seen[string(packet)] {
						return
					}
					answered := c.answers(len(seen))
					seen[string(packet)] = true
					waits++
					most = max(most, waits)
					over := func(after time.Duration) {
						time.AfterFunc(after, func() {
							mu.Lock()
							waits--
							mu.Unlock()
						})
					}
					if !answered {
						over(2*time.Second - 1)
						return
					}
					over(100*time.Millisecond - 1)
					l.put(100*time.Millisecond, datagram{b: answerTo(t, packet, radius.CodeDisconnectACK, testSecret, 0, true), peer: lobby})
				}
				var all sync.WaitGroup
				timeouts, last := 0, time.Duration(0)
				for i := range c.requests {
					all.Go(func() {
						s := session()
						s.ID = fmt.Sprintf("%016X", i)
						r, err := client.Disconnect(t.Context(), target(lobby), s)
						mu.Lock()
						defer mu.Unlock()
						if r.Outcome == Timeout && errors.Is(err, ErrTimeout) {
							timeouts++
						} else if err != nil || !r.Gone() {
							t.Errorf("%+v, %v", r, err)
						} else {
							last = max(last, r.Took)
						}
					})
				}
				all.Wait()
				if took := time.Since(w.begin); took != c.took || timeouts != c.timeouts || most != window {
					t.Errorf("%v, %d were not answered, %d were under way at a time; want %v, %d, %d", took, timeouts, most, c.took, c.timeouts, window)
				}
				if c.name == "the first are not" && last > 3*time.Second {
					t.Errorf("the others waited %v", last)
				}
			})
		})
	}
}

// All places and all ports have bounds.
func TestBounds(t *testing.T) {
	const requests = 600
	for _, c := range []struct {
		name   string
		config Config
		most   int
	}{
		{"places", Config{Waiting: 300}, 300},
		{"ports", Config{Sockets: 2, Waiting: 3000}, 2 * identifiers},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, client := newWorld(t, c.config)
				var all sync.WaitGroup
				busy := make(chan error, requests)
				for i := range requests {
					to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 3799)
					all.Go(func() {
						if r, err := client.Disconnect(t.Context(), target(to), session()); r.Outcome == Busy {
							busy <- err
						}
					})
				}
				synctest.Wait()
				if n := len(w.sendings()); n != c.most || len(busy) != requests-c.most {
					t.Errorf("%d are sent, %d are told that there is no place; want %d, %d", n, len(busy), c.most, requests-c.most)
				}
				all.Wait()
			})
		})
	}
}

// TestPorts: 256 identifiers a port, no two alike at a time; more ports as needed, and
// none a while after. C5.
func TestPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := newWorld(t, Config{})
		var all sync.WaitGroup
		at := func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 20)}), 3799)
		}
		for i := range 20 {
			w.nases[at(i)] = says(t, at(i), 5*time.Second, radius.CodeDisconnectACK, 0)
		}
		for i := range 600 {
			to := at(i)
			all.Go(func() {
				if r, err := c.Disconnect(t.Context(), target(to), session()); err != nil || !r.Gone() {
					t.Errorf("%+v, %v", r, err)
				}
			})
		}
		synctest.Wait()
		taken := map[*line]map[byte]bool{}
		for _, s := range w.sendings() {
			if taken[s.line] == nil {
				taken[s.line] = map[byte]bool{}
			}
			if taken[s.line][s.packet[1]] {
				t.Fatalf("identifier %d waits twice on one port", s.packet[1])
			}
			taken[s.line][s.packet[1]] = true
		}
		if len(taken) != 3 || w.open() != 3 {
			t.Errorf("%d ports are used, %d are open", len(taken), w.open())
		}
		all.Wait()
		time.Sleep(linger - time.Second)
		if w.open() != 3 {
			t.Errorf("%d ports after %v", w.open(), linger-time.Second)
		}
		w.nases[lobby] = says(t, lobby, 5*time.Second, radius.CodeDisconnectACK, 0)
		r, err := c.Disconnect(t.Context(), target(lobby), session())
		if err != nil || !r.Gone() || w.open() != 1 {
			t.Errorf("%+v, %v, %d ports", r, err, w.open())
		}
		time.Sleep(linger + time.Second)
		if w.open() != 0 {
			t.Errorf("%d ports are left", w.open())
		}
	})
}

// An identifier comes again as late as can be, so that an answer that is late finds
// nobody rather than another.
func TestIdentifiersTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, c := newWorld(t, Config{})
		w.nases[lobby] = says(t, lobby, time.Millisecond, radius.CodeDisconnectACK, 0)
		var ids []byte
		for range identifiers {
			if _, err := c.Disconnect(t.Context(), target(lobby), session()); err != nil {
				t.Fatal(err)
			}
			sent := w.sendings()
			ids = append(ids, sent[len(sent)-1].packet[1])
		}
		slices.Sort(ids)
		if n := len(slices.Compact(ids)); n != identifiers || len(w.lines) != 1 {
			t.Errorf("%d identifiers, %d ports", n, len(w.lines))
		}
	})
}
