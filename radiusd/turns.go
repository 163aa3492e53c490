package radiusd

import "sync"

// turns lets a bounded number of conversations compute at the same time: TLS
// handshakes of 200 microseconds each would keep readers from their packets.
// Those under way come before new ones (RFC 5080 §2.2.3).
type turns struct {
	mu             sync.Mutex
	free           int
	started, fresh queue
}

// A queue is who waits, oldest first.
type queue struct {
	waiting []chan struct{}
	head    int
}

func (q *queue) push() chan struct{} {
	c := make(chan struct{})
	q.waiting = append(q.waiting, c)
	return c
}

func (q *queue) pop() chan struct{} {
	if q.head == len(q.waiting) {
		return nil
	}
	c := q.waiting[q.head]
	q.waiting[q.head] = nil
	if q.head++; q.head == len(q.waiting) {
		q.waiting, q.head = q.waiting[:0], 0
	} else if q.head >= 1024 {
		q.waiting = append([]chan struct{}(nil), q.waiting[q.head:]...)
		q.head = 0
	}
	return c
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
	q := &t.fresh
	if started {
		q = &t.started
	}
	c := q.push()
	t.mu.Unlock()
	<-c
}

// give ends the turn: the next one has it.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.started.pop()
	if c == nil {
		c = t.fresh.pop()
	}
	if c == nil {
		t.free++
		return
	}
	close(c)
}
