package presence

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"memberradius/radiusd/coa"
)

const (
	// A NAS gets few requests at the same time until it answers, and one more for
	// each answer: one that is dead holds few places, one that lives soon as many as it can use.
	firstWindow, lastWindow = 16, 128
	// maxFlying bounds the requests to all NASes.
	maxFlying = 1024
	// maxLane and maxWaiting bound what waits for one NAS, and for all. What finds
	// no place is judged again when there is one.
	maxLane, maxWaiting = 4096, 16384
	// silence is how long a NAS that did not answer is not asked again, but for the
	// operator. It doubles from one time to the next, up to longestSilence: one that was
	// away for a moment is soon asked, one that is dead now and then.
	silence, longestSilence = time.Minute, defaultPoll
)

// A lane is what waits for one NAS.
type lane struct {
	address netip.AddrPort
	queue   []*errand
	flying  int
	window  int
	// heard is when the NAS last answered. silent: it has not answered, and is left
	// alone until then, for that pause; wake has its sessions judged anew.
	heard, silent time.Time
	pause         time.Duration
	wake          *time.Timer
	// over: something found no place; starving: it is in the door's list.
	over, starving bool
}

func (d *door) lane(address netip.AddrPort) *lane {
	l := d.lanes[address]
	if l == nil {
		l = &lane{address: address, window: firstWindow}
		d.lanes[address] = l
	}
	return l
}

// queue gives an errand its place. The door is locked.
func (d *door) queue(e *errand) {
	l := e.lane
	switch now := d.presence.config.Now(); {
	case e.urgent:
		d.launch(e)
	case now.Before(l.silent):
		delete(d.errands, e.session.ID)
		e.attempt = d.attempt(e)
		d.unsent(e, e.silent())
	case l.flying > 0 && (len(l.queue) >= maxLane || d.waiting >= maxWaiting):
		l.over = true
		d.meters.overflow.Inc()
		delete(d.errands, e.session.ID)
		e.end(nil)
	default:
		l.queue = append(l.queue, e)
		d.waiting++
		d.dispatch(l)
	}
}

// unqueue takes a waiting errand out of its lane. The door is locked.
func (d *door) unqueue(e *errand) {
	if i := slices.Index(e.lane.queue, e); i >= 0 {
		e.lane.queue = slices.Delete(e.lane.queue, i, i+1)
		d.waiting--
	}
}

// silent is the error of an errand that is not sent.
func (e *errand) silent() error {
	return fmt.Errorf("presence: client %s: not sent, since its NAS at %s has not answered another request", e.session.Report.Client, e.target.Address)
}

// dispatch sends what the NAS may get now. The door is locked.
func (d *door) dispatch(l *lane) {
	for len(l.queue) > 0 && l.flying < l.window && !d.closed {
		if d.flying >= maxFlying {
			if !l.starving {
				l.starving = true
				d.starving = append(d.starving, l)
			}
			return
		}
		e := l.queue[0]
		l.queue = l.queue[1:]
		d.waiting--
		d.launch(e)
	}
}

// dispatchStarving lets lanes send that could not, since too much was under way.
func (d *door) dispatchStarving() {
	for len(d.starving) > 0 && d.flying < maxFlying {
		l := d.starving[0]
		d.starving = d.starving[1:]
		l.starving = false
		d.dispatch(l)
	}
}

// launch has the NAS asked. The door is locked.
func (d *door) launch(e *errand) {
	e.flying = true
	e.lane.flying++
	d.flying++
	d.running.Add(1)
	go d.fly(e)
}

// landed takes an errand's answer into its lane. It returns those who are not to
// be sent any more, and whether there is room again for such as had none. The door is locked.
func (d *door) landed(e *errand) (stranded []*errand, resume bool) {
	l, now := e.lane, d.presence.config.Now()
	l.flying--
	switch e.attempt.Result.Outcome {
	case coa.ACK, coa.NAK:
		l.heard, l.silent, l.pause = now, time.Time{}, 0
		l.window = min(max(l.window+1, firstWindow), lastWindow)
	case coa.Timeout, coa.Refused:
		if l.heard.After(e.attempt.At) {
			break // it is there, and has answered others meanwhile
		}
		l.window, l.over = 1, false
		d.hush(l, now)
		stranded, l.queue = l.queue, nil
		d.waiting -= len(stranded)
		for _, s := range stranded {
			delete(d.errands, s.session.ID)
			s.attempt = d.attempt(s)
		}
	}
	d.dispatch(l)
	if l.over && len(l.queue) == 0 {
		l.over, resume = false, true
	}
	return stranded, resume
}

// hush leaves a NAS that did not answer alone for a while. The door is locked.
func (d *door) hush(l *lane, now time.Time) {
	if now.Before(l.silent) || d.closed {
		return
	}
	l.pause = min(max(2*l.pause, silence), longestSilence)
	l.silent = now.Add(l.pause)
	l.wake = time.AfterFunc(l.pause, d.presence.rounds.all)
}

// prune forgets lanes that nothing is to be remembered of.
func (d *door) prune() {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.presence.config.Now()
	for address, l := range d.lanes {
		if len(l.queue) == 0 && l.flying == 0 && !now.Before(l.silent.Add(longestSilence)) {
			delete(d.lanes, address)
		}
	}
	d.findings.prune()
}
