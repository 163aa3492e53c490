package backends

import (
	"sync"
	"time"

	"memberradius/member"
)

// crewIdle is how long a goroutine without work stays for the next call.
const crewIdle = 5 * time.Second

// flights are the calls of a Cache that are under way, by key: who asks the
// same waits for the same call. A call runs in a goroutine of its own, so that
// a caller can leave it. Those goroutines are used again, since an HTTP call
// grows its stack several times: docs/decisions/0009 has the figures.
type flights struct {
	work chan *flight  // unbuffered: taken by a goroutine that is idle, or not at all
	stop chan struct{} // closed: the idle ones end

	mu     sync.Mutex
	flying map[[32]byte]*flight
}

// A flight is one call. Its answer may be read when done is closed.
type flight struct {
	key    [32]byte
	call   func() (member.Answer, error)
	done   chan struct{}
	answer member.Answer
	err    error
}

func newFlights() *flights {
	return &flights{work: make(chan *flight), stop: make(chan struct{}), flying: make(map[[32]byte]*flight)}
}

// join returns the flight of key, and whether it was under way already. Where
// it was not, prepare makes its call.
func (f *flights) join(key [32]byte, prepare func() func() (member.Answer, error)) (fl *flight, joined bool) {
	f.mu.Lock()
	if fl, ok := f.flying[key]; ok {
		f.mu.Unlock()
		return fl, true
	}
	fl = &flight{key: key, call: prepare(), done: make(chan struct{})}
	f.flying[key] = fl
	f.mu.Unlock()
	select {
	case f.work <- fl:
	default:
		go f.crew(fl)
	}
	return fl, false
}

// crew makes one call after another, until none came for a while.
func (f *flights) crew(fl *flight) {
	idle := time.NewTimer(crewIdle)
	defer idle.Stop()
	for {
		f.fly(fl)
		idle.Reset(crewIdle)
		select {
		case fl = <-f.work:
		case <-idle.C:
			return
		case <-f.stop:
			return
		}
	}
}

// fly makes the call. Who comes after it has left the map makes another.
func (f *flights) fly(fl *flight) {
	fl.answer, fl.err = fl.call()
	f.mu.Lock()
	delete(f.flying, fl.key)
	f.mu.Unlock()
	close(fl.done)
}

// close ends the idle goroutines; the others end after their call.
func (f *flights) close() { close(f.stop) }
