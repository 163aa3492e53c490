package presence

import (
	"sync"
	"time"

	"memberradius/member"
)

// recent are the members who were to be reconsidered lately. What was decided
// before may lead to a session that is reported only afterwards: it is judged
// when it comes.
type recent struct {
	now func() time.Time

	mu    sync.Mutex
	began time.Time // of generation 0
	// Of both generations, the younger first, each of pendingFor: folded logins, or everybody.
	logins [2]map[string]struct{}
	all    [2]bool
}

// turn begins a new generation where the younger is old enough.
func (r *recent) turn() {
	now := r.now()
	for range r.logins {
		if now.Sub(r.began) < pendingFor {
			return
		}
		r.logins[1], r.all[1] = r.logins[0], r.all[0]
		r.logins[0], r.all[0] = nil, false
		r.began = r.began.Add(pendingFor)
	}
	if now.Sub(r.began) >= pendingFor {
		r.began = now
	}
}

func (r *recent) add(folded string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	if len(r.logins[0]) >= maxWanted {
		r.all[0], r.logins[0] = true, nil
	}
	if r.all[0] {
		return
	}
	if r.logins[0] == nil {
		r.logins[0] = map[string]struct{}{}
	}
	r.logins[0][folded] = struct{}{}
}

func (r *recent) addAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	r.all[0], r.logins[0] = true, nil
}

// has says whether the login is one of them; it allocates nothing for one of ASCII.
func (r *recent) has(login string) bool {
	var room [3 * member.MaxLogin]byte
	folded := member.Fold(room[:0], login)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	for i := range r.logins {
		if _, ok := r.logins[i][string(folded)]; ok || r.all[i] {
			return true
		}
	}
	return false
}
