package caller

import (
	"net/netip"
	"sync"
)

// A Gate bounds how many requests are in work at the same time, of all and of
// each address, so that one who sends slowly can't take every place.
type Gate struct {
	all, each int

	mu     sync.Mutex
	inside int
	of     map[netip.Addr]int
}

// NewGate returns a Gate of all places, each at the most for one address.
func NewGate(all, each int) *Gate {
	return &Gate{all: all, each: each, of: map[netip.Addr]int{}}
}

// Enter takes a place for a; ok says whether there was one. Whoever has it
// calls leave once.
func (g *Gate) Enter(a netip.Addr) (leave func(), ok bool) {
	a = network(a)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside >= g.all || g.of[a] >= g.each {
		return nil, false
	}
	g.inside++
	g.of[a]++
	return func() { g.leave(a) }, true
}

func (g *Gate) leave(a netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.of[a]--; g.of[a] == 0 {
		delete(g.of, a)
	}
}
