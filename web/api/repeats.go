package api

import (
	"sync"
	"time"
)

const (
	// repeatsKept is for how long a login is known by its Idempotency-Key: longer
	// than any caller repeats what got no answer.
	repeatsKept = 24 * time.Hour
	// maxRepeats bounds how many are known: some 2 MiB, and 20 where every
	// original_url is as long as may be.
	maxRepeats = 4096
)

// A repeat is a login that a caller has named by an Idempotency-Key.
type repeat struct {
	key   string
	asked PortalLogin
	until time.Time
	// given is the answer; nil while it is in work.
	given *PortalLogin
}

// Repeats know logins by the keys that callers have given them, so that one
// that is sent again, because its answer was lost, has one effect. They do not
// outlive a restart: a login repeated after one is a new login of the same
// device, which takes the place of the first.
type repeats struct {
	now func() time.Time

	mu    sync.Mutex
	known map[string]*repeat
	queue []*repeat // in the order of until
}

func newRepeats(now func() time.Time) *repeats {
	return &repeats{now: now, known: map[string]*repeat{}}
}

// begin returns the login that key names, and whether it is a new one: then the
// caller does it, and calls end.
func (rs *repeats) begin(key string, asked *PortalLogin) (rp *repeat, fresh bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	now := rs.now()
	for len(rs.queue) > 0 && (len(rs.queue) >= maxRepeats || !now.Before(rs.queue[0].until)) {
		rs.forget(rs.queue[0])
		rs.queue[0] = nil
		rs.queue = rs.queue[1:]
	}
	if rp := rs.known[key]; rp != nil {
		shown := *rp // as it is now: end may come beside
		return &shown, false
	}
	rp = &repeat{key: key, asked: *asked, until: now.Add(repeatsKept)}
	rs.known[key], rs.queue = rp, append(rs.queue, rp)
	return rp, true
}

// end notes what came of a new login. One that failed is forgotten: it may be
// tried again by the same key.
func (rs *repeats) end(rp *repeat, given *PortalLogin) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rp.given = given; given == nil {
		rs.forget(rp)
	}
}

// forget takes rp out, unless another login has its key by now.
func (rs *repeats) forget(rp *repeat) {
	if rs.known[rp.key] == rp {
		delete(rs.known, rp.key)
	}
}
