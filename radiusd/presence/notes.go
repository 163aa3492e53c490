package presence

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"time"
)

const (
	// noters write attempts down, each those of some sessions, so that what is
	// noted of one comes in its order.
	noters = 8
	// maxNotes bounds the attempts that wait for each of them: a ledger that stands
	// still must not hold up who has to leave.
	maxNotes = 2048
	// noteFor bounds one note, lastNotes all that are left at the end.
	noteFor, lastNotes = 10 * time.Second, 5 * time.Second
)

// notes write attempts into the ledger.
type notes struct {
	ledger  Ledger
	tell    func(Finding)
	meters  *meters
	seed    maphash.Seed
	waiting [noters]chan Attempt
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
}

func newNotes(c *Config, m *meters) *notes {
	n := &notes{ledger: c.Ledger, tell: c.Tell, meters: m, seed: maphash.MakeSeed()}
	n.ctx, n.stop = context.WithCancel(context.Background())
	for i := range n.waiting {
		n.waiting[i] = make(chan Attempt, maxNotes)
		n.running.Go(func() { n.write(n.waiting[i]) })
	}
	return n
}

// note has an attempt written down. It does not wait.
func (n *notes) note(a Attempt) {
	select {
	case n.waiting[maphash.String(n.seed, a.Session)%noters] <- a:
	default:
		n.meters.lost.Inc()
	}
}

func (n *notes) write(attempts <-chan Attempt) {
	for a := range attempts {
		ctx, cancel := context.WithTimeout(n.ctx, noteFor)
		err := n.ledger.NoteAttempt(ctx, &a)
		cancel()
		if err != nil {
			n.meters.lost.Inc()
			n.tell(Finding{
				What:   fmt.Sprintf("an attempt to make a session leave was made, but could not be noted: %v", err),
				Remedy: "see what ails the database of sessions", Client: a.Client, Login: a.Login, Session: a.Session,
			})
		}
	}
}

// close writes what waits and returns; note must not be called any more.
func (n *notes) close() {
	for _, c := range n.waiting {
		close(c)
	}
	t := time.AfterFunc(lastNotes, n.stop)
	defer t.Stop()
	n.running.Wait()
	n.stop()
}
