package api

import (
	"sync"
	"time"
)

// maxPaced bounds the table of a pace: about 1 MiB.
const maxPaced = 16384

// A pace lets each key do something so many times at once, and once more each
// time that every has passed.
type pace struct {
	burst int
	every time.Duration
	now   func() time.Time

	mu   sync.Mutex
	free map[string]time.Time // when the key has all its times back
}

func newPace(burst int, every time.Duration, now func() time.Time) *pace {
	return &pace{burst: burst, every: every, now: now, free: map[string]time.Time{}}
}

// take counts one time of key. Where there is none left it counts nothing and
// returns how long to wait for one.
func (p *pace) take(key string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	free, known := p.free[key]
	if free.Before(now) {
		free = now
	}
	if wait := free.Sub(now) - time.Duration(p.burst-1)*p.every; wait > 0 {
		return wait
	}
	if !known && len(p.free) >= maxPaced {
		p.makeRoom(now)
	}
	p.free[key] = free.Add(p.every)
	return 0
}

// makeRoom forgets who has all times back, and, where nobody has, who has most
// of them: whoever asks hardest is remembered longest.
func (p *pace) makeRoom(now time.Time) {
	var least string
	var when time.Time
	for key, free := range p.free {
		if !free.After(now) {
			delete(p.free, key)
		} else if when.IsZero() || free.Before(when) {
			least, when = key, free
		}
	}
	if len(p.free) >= maxPaced {
		delete(p.free, least)
	}
}
