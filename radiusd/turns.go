package radiusd

import "sync"

// turns lets a bounded number of conversations compute at the same time: TLS
// handshakes of 200 microseconds each would keep readers from their packets.
// Those under way come before new ones (RFC 5080 §2.2.3).
type turns struct {
	mu      sync.Mutex
	free    int
	waiting lanes[chan struct{}]
}

func newTurns(most int) *turns { return &turns{free: most} }

// take returns when it is the caller's turn.
func (t *turns) take(started bool) {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return
	}
	c := make(chan struct{})
	t.waiting.push(c, started)
	t.mu.Unlock()
	<-c
}

// give ends the turn: the next one has it.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.waiting.pop()
	if c == nil {
		t.free++
		return
	}
	close(c)
}
