package nexudus

import (
	"sync"
	"time"

	"memberradius/backends"
)

const (
	// tellEvery is how often the operator hears the same again: each sync would find it again.
	tellEvery = 24 * time.Hour
	// tellMost bounds what is remembered.
	tellMost = 1000
)

// A teller says what the operator should know, each thing once a day.
type teller struct {
	tell func(backends.Finding)
	now  func() time.Time

	mu   sync.Mutex
	said map[string]time.Time
}

func newTeller(tell func(backends.Finding), now func() time.Time) *teller {
	return &teller{tell: tell, now: now, said: map[string]time.Time{}}
}

func (t *teller) say(f backends.Finding) {
	t.mu.Lock()
	at, again := t.said[f.What]
	now := t.now()
	again = again && now.Sub(at) < tellEvery
	if !again {
		if len(t.said) >= tellMost {
			clear(t.said)
		}
		t.said[f.What] = now
	}
	t.mu.Unlock()
	if !again {
		t.tell(f)
	}
}
