package tunnel

import (
	"iter"
	"sync"
)

// A coroutine runs a handshake until it waits for the peer, and on from there;
// and then the next one, since its stack has grown to what a handshake needs.
type coroutine struct {
	next func() (struct{}, bool)
	stop func()
	task func(wait func())
	// waits says that the task is not done.
	waits bool
}

// begin gives it a task, which waits by calling wait.
func (c *coroutine) begin(task func(wait func())) { c.task, c.waits = task, true }

// resume runs until the task waits, and says whether it does. A panic of the
// task comes out here, and the coroutine has ended.
func (c *coroutine) resume() (waits bool) {
	_, _ = c.next()
	return c.waits
}

// Coroutines are those that wait for a handshake. The zero value keeps none.
// It is safe for use by many.
type Coroutines struct {
	// Most is how many are kept, 16 to 32 KiB each.
	Most int

	mu     sync.Mutex
	idle   []*coroutine
	closed bool
}

// get returns a coroutine without a task.
func (k *Coroutines) get() *coroutine {
	if k != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		if last := len(k.idle) - 1; last >= 0 {
			c := k.idle[last]
			k.idle = k.idle[:last]
			return c
		}
	}
	c := &coroutine{}
	c.next, c.stop = iter.Pull(func(yield func(struct{}) bool) {
		ended := false
		wait := func() { ended = ended || !yield(struct{}{}) }
		for !ended {
			c.task(wait)
			c.task, c.waits = nil, false
			wait()
		}
	})
	return c
}

// put takes back a coroutine whose task is done.
func (k *Coroutines) put(c *coroutine) {
	if k != nil {
		k.mu.Lock()
		if !k.closed && len(k.idle) < k.Most {
			k.idle = append(k.idle, c)
			k.mu.Unlock()
			return
		}
		k.mu.Unlock()
	}
	c.stop()
}

// Close ends those that wait, and keeps no others.
func (k *Coroutines) Close() {
	k.mu.Lock()
	idle := k.idle
	k.idle, k.closed = nil, true
	k.mu.Unlock()
	for _, c := range idle {
		c.stop()
	}
}
