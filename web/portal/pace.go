package portal

import (
	"sync"
	"time"
)

// A pace bounds how often something may be tried for each key: so many at once,
// and one comes back in each recovery.
type pace struct {
	most     int
	recovery time.Duration
}

// The paces. A device makes ten attempts a minute from where it is: who names its
// MAC elsewhere does not keep it out. A login is guessed once a second at the most,
// by all who guess together: that keeps its member in, who needs one right try,
// and a dictionary out. An address may be that of a whole site behind NAT, so it
// counts only what was wrong, and generously; clicks are never wrong, so all of
// them count, for each may be another made-up MAC that takes a grant.
func devicePace() pace  { return pace{10, 6 * time.Second} }
func loginPace() pace   { return pace{30, time.Second} }
func addressPace() pace { return pace{60, time.Second} }
func clickPace() pace   { return pace{200, time.Second / 2} }

// maxKeys bounds the table of one pace: about 1 MiB.
const maxKeys = 8192

// A brake keeps a pace.
type brake struct {
	pace
	now func() time.Time

	mu   sync.Mutex
	free map[string]held
}

// held is when a key has all its tries back, and whether it was told to wait.
type held struct {
	back time.Time
	told bool
}

func newBrake(p pace, now func() time.Time) *brake {
	return &brake{pace: p, now: now, free: map[string]held{}}
}

// take uses a try of key up. Where none is left it returns how long to wait, and
// whether that is news: once until a try is left again.
func (b *brake) take(key string) (wait time.Duration, news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	h, known := b.free[key]
	if h.back.Before(now) {
		h = held{back: now}
	}
	if wait = h.back.Sub(now) - time.Duration(b.most-1)*b.recovery; wait > 0 {
		news = !h.told
		h.told = true
		b.free[key] = h
		return wait, news
	}
	if !known && len(b.free) >= maxKeys {
		b.makeRoom(now)
	}
	b.free[key] = held{back: h.back.Add(b.recovery)}
	return 0, false
}

// giveBack returns a try that was right.
func (b *brake) giveBack(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h, known := b.free[key]; known {
		h.back = h.back.Add(-b.recovery)
		b.free[key] = h
	}
}

// makeRoom forgets who has all tries back and, where nobody has, who has most:
// whoever tries hardest is remembered longest.
func (b *brake) makeRoom(now time.Time) {
	var least string
	var when time.Time
	for key, h := range b.free {
		if !h.back.After(now) {
			delete(b.free, key)
		} else if when.IsZero() || h.back.Before(when) {
			least, when = key, h.back
		}
	}
	if len(b.free) >= maxKeys {
		delete(b.free, least)
	}
}
