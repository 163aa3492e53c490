package caller

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// guesses is how many wrong ones an address has at once; one comes back in
	// each recovery. A person who mistypes stays below, a script does not.
	guesses  = 20
	recovery = 3 * time.Second
	// maxAddresses bounds the table: about 400 KiB.
	maxAddresses = 4096
)

// Guesses counts wrong tokens and links of each address, so that nobody can
// have many looked up. A right one costs nothing. IPv6 counts by /64, which is
// what one customer has.
type Guesses struct {
	now func() time.Time

	mu   sync.Mutex
	free map[netip.Addr]time.Time // when the address has all its guesses back
}

// NewGuesses returns an empty count on the clock now; nil is time.Now.
func NewGuesses(now func() time.Time) *Guesses {
	if now == nil {
		now = time.Now
	}
	return &Guesses{now: now, free: map[netip.Addr]time.Time{}}
}

// Wait returns how long a must wait until it may guess again; 0 is not at all.
func (g *Guesses) Wait(a netip.Addr) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	free, known := g.free[network(a)]
	if !known {
		return 0
	}
	return max(0, free.Sub(g.now())-(guesses-1)*recovery)
}

// Wrong notes that a's guess was wrong.
func (g *Guesses) Wrong(a netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a, now := network(a), g.now()
	from := g.free[a]
	if from.Before(now) {
		from = now
	}
	if _, known := g.free[a]; !known && len(g.free) >= maxAddresses {
		g.makeRoom(now)
	}
	g.free[a] = from.Add(recovery)
}

// makeRoom forgets who has all guesses back, and, where nobody has, who has
// most of them: whoever guesses hardest is remembered longest.
func (g *Guesses) makeRoom(now time.Time) {
	var least netip.Addr
	var when time.Time
	for a, free := range g.free {
		if !free.After(now) {
			delete(g.free, a)
		} else if when.IsZero() || free.Before(when) {
			least, when = a, free
		}
	}
	if len(g.free) >= maxAddresses {
		delete(g.free, least)
	}
}

// network returns what is counted as one address.
func network(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
