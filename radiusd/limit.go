package radiusd

import (
	"container/heap"
	"sync"
	"time"
)

const (
	// maxHeld bounds the Access-Rejects that wait for their time: at about
	// 300 octets each, 20 MB.
	maxHeld = 1 << 16
	// jitter spreads the Access-Rejects, so that their moment does not tell
	// what was checked (draft-ietf-radext-deprecating-radius, Access-Reject delay).
	jitter = 100 * time.Millisecond
)

// A held is an Access-Reject that waits for its time.
type held struct {
	*work
	due    time.Time
	from   *socket
	to     Arrival
	number uint64 // keeps the order of those due at once
}

// A delay holds Access-Rejects back, all in one goroutine and one queue: none
// per reject. Time is monotonic, so that a jump of the clock holds nothing up.
type delay struct {
	mu     sync.Mutex
	queue  heldQueue
	number uint64
	wake   chan struct{}
	stop   chan struct{}
	ended  chan struct{}
}

func newDelay() *delay {
	return &delay{wake: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{})}
}

// hold takes h until it is due; false: too many are held already.
func (d *delay) hold(h held) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) >= maxHeld {
		return false
	}
	d.number++
	h.number = d.number
	heap.Push(&d.queue, h)
	if d.queue[0].number == h.number {
		select {
		case d.wake <- struct{}{}:
		default:
		}
	}
	return true
}

// serve sends what is due until close, and then what is left, each still at its time.
func (d *delay) serve() {
	defer close(d.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	stop := d.stop
	for {
		wait, some := d.send(time.Now())
		if !some && stop == nil {
			return
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-d.wake:
		case <-stop:
			stop = nil
		}
	}
}

// send sends all that is due and returns how long the next one waits, and whether there is one.
func (d *delay) send(now time.Time) (wait time.Duration, some bool) {
	for {
		d.mu.Lock()
		if len(d.queue) == 0 {
			d.mu.Unlock()
			return time.Hour, false
		}
		if wait = d.queue[0].due.Sub(now); wait > 0 {
			d.mu.Unlock()
			return wait, true
		}
		h := heap.Pop(&d.queue).(held)
		d.mu.Unlock()
		h.from.send(h.reply, &h.to)
		h.done.Store(true)
	}
}

func (d *delay) size() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queue)
}

// close ends serve once the queue is empty.
func (d *delay) close() {
	close(d.stop)
	<-d.ended
}

// A heldQueue is a heap, the next due first.
type heldQueue []held

func (q heldQueue) Len() int { return len(q) }
func (q heldQueue) Less(i, j int) bool {
	if q[i].due.Equal(q[j].due) {
		return q[i].number < q[j].number
	}
	return q[i].due.Before(q[j].due)
}
func (q heldQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *heldQueue) Push(x any)   { *q = append(*q, x.(held)) }
func (q *heldQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = held{}
	*q = old[:len(old)-1]
	return last
}
