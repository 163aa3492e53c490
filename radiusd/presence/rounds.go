package presence

import "sync"

// maxWanted bounds the logins that wait to be judged; more of them are everybody.
const maxWanted = 1 << 16

// rounds are who is to be judged: those who are named first, in their order,
// and then everybody. A login is judged by one at a time; one that is named
// meanwhile is judged again.
type rounds struct {
	snapshot func() []string // everybody

	mu     sync.Mutex
	work   sync.Cond
	wanted map[string]struct{}
	order  []string
	busy   map[string]bool // whether to be judged again
	// sweep is who is left of everybody; due says that all of them are to follow once more.
	sweep    []string
	due      bool
	reading  bool // a snapshot is being made
	sweeping int
	closed   bool
}

func newRounds(snapshot func() []string) *rounds {
	r := &rounds{snapshot: snapshot, wanted: map[string]struct{}{}, busy: map[string]bool{}}
	r.work.L = &r.mu
	return r
}

// want has a folded login judged. It does not wait.
func (r *rounds) want(folded string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(folded)
}

func (r *rounds) add(folded string) {
	if r.closed {
		return
	}
	if _, busy := r.busy[folded]; busy {
		r.busy[folded] = true
		return
	}
	if _, waits := r.wanted[folded]; waits {
		return
	}
	if len(r.wanted) >= maxWanted {
		r.due = true
	} else {
		r.wanted[folded] = struct{}{}
		r.order = append(r.order, folded)
	}
	r.work.Signal()
}

// all has everybody judged. It does not wait.
func (r *rounds) all() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.due = true
	r.work.Broadcast()
}

// next waits for a login; false where there will be none. done must be called with it.
func (r *rounds) next() (folded string, swept, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.closed {
		switch {
		case len(r.order) > 0:
			folded = r.order[0]
			r.order = r.order[1:]
			delete(r.wanted, folded)
			r.busy[folded] = false
			return folded, false, true
		case len(r.sweep) > 0 && r.sweeping < sweepers:
			if folded, ok = r.sweepOne(); ok {
				return folded, true, true
			}
		case len(r.sweep) == 0 && r.due && !r.reading:
			r.read()
		default:
			r.work.Wait()
		}
	}
	return "", false, false
}

// sweepOne takes the next of everybody who is not being judged, or waits to be.
func (r *rounds) sweepOne() (folded string, ok bool) {
	for len(r.sweep) > 0 {
		last := len(r.sweep) - 1
		folded = r.sweep[last]
		r.sweep = r.sweep[:last]
		if _, busy := r.busy[folded]; busy {
			r.busy[folded] = true
			continue
		}
		r.busy[folded] = false
		r.sweeping++
		return folded, true
	}
	return "", false
}

// read begins a sweep. The list is made without the lock: it takes a while.
func (r *rounds) read() {
	r.due, r.reading = false, true
	r.mu.Unlock()
	list := r.snapshot()
	r.mu.Lock()
	r.sweep, r.reading = list, false
	r.work.Broadcast()
}

// done says that a login has been judged.
func (r *rounds) done(folded string, swept bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	again := r.busy[folded]
	delete(r.busy, folded)
	if swept {
		r.sweeping--
		r.work.Signal()
	}
	if again {
		r.add(folded)
	}
}

// load is how many logins wait to be judged.
func (r *rounds) load() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.order) + len(r.sweep)
}

// close ends next.
func (r *rounds) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.work.Broadcast()
}
