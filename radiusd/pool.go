package radiusd

import (
	"slices"
	"sync"
	"time"
)

// A job is a request that must wait for a member system: a copy of the
// datagram and of what the reader found out about it.
type job struct {
	work
	datagram []byte
	arrival  Arrival
	from     *socket
	client   *Client
	received time.Time
	// started: the request carries a State, and so is part of a login under way.
	started bool
}

// A pool runs jobs on a bounded number of goroutines. Where all are busy jobs
// wait in a bounded queue, those of logins under way before new ones (RFC 5080
// §2.2.3): half a login is work thrown away.
//
// A goroutine that has nothing to do waits a while for the next job: TLS and
// HTTP need large stacks, and to grow one costs a tenth of what they cost.
type pool struct {
	mu      sync.Mutex
	drained sync.Cond // no worker is busy
	run     func(*job)
	waiting lanes[*job]
	// busy is how many workers run a job; idle wait for one, the last to come first.
	busy            int
	idle            []chan *job
	closed          bool
	most, mostQueue int
}

// idleWorker is how long a worker without work waits for some.
const idleWorker = 5 * time.Second

func newPool(workers, queue int, run func(*job)) *pool {
	p := &pool{most: workers, mostQueue: queue, run: run}
	p.drained.L = &p.mu
	return p
}

// submit takes j, or returns the job that has to go: j itself, or the oldest
// new request where j is part of a login under way.
func (p *pool) submit(j *job) (shed *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy < p.most {
		p.busy++
		if last := len(p.idle) - 1; last >= 0 {
			p.idle[last] <- j
			p.idle = p.idle[:last]
		} else {
			go p.work(j)
		}
		return nil
	}
	if p.waiting.size() >= p.mostQueue {
		if !j.started {
			return j
		}
		if shed = p.waiting.fresh.pop(); shed == nil {
			return j
		}
	}
	p.waiting.push(j, j.started)
	return shed
}

// work runs j and then whatever waits, or comes within idleWorker.
func (p *pool) work(j *job) {
	c, timer := make(chan *job, 1), time.NewTimer(idleWorker)
	defer timer.Stop()
	for j != nil {
		p.run(j)
		timer.Reset(idleWorker)
		j = p.another(c, timer)
	}
}

// another returns the next job of a worker that submit reaches by c, or nil
// where there is none for it until the timer.
func (p *pool) another(c chan *job, timer *time.Timer) *job {
	p.mu.Lock()
	if j := p.waiting.pop(); j != nil {
		p.mu.Unlock()
		return j
	}
	if p.busy--; p.busy == 0 {
		p.drained.Broadcast()
	}
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.idle = append(p.idle, c)
	p.mu.Unlock()
	select {
	case j := <-c:
		return j
	case <-timer.C:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.idle, c); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
		return nil
	}
	return <-c // it came at this moment
}

// wait returns when no job is left, and ends the workers. No job may be
// submitted from then on.
func (p *pool) wait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.busy > 0 {
		p.drained.Wait()
	}
	p.closed = true
	for _, c := range p.idle {
		close(c)
	}
	p.idle = nil
}

func (p *pool) load() (working, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.busy, p.waiting.size()
}
