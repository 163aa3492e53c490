package presence

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"memberradius/member"
	"memberradius/radiusd/coa"
)

// An errand is a session whose NAS is to be asked for something.
type errand struct {
	session    Session
	target     coa.Target
	action     Action
	reason     member.Reason
	why        string
	plan, vlan string
	attributes []byte
	// urgent: the operator waits for it.
	urgent bool

	// Under the door's lock:
	lane   *lane
	flying bool
	again  bool // the session is to be judged again afterwards
	gone   time.Time

	// attempt and err are set before done is closed.
	attempt Attempt
	err     error
	done    chan struct{}
}

// A door is where sessions leave: it asks their NASes, many at the same time,
// and no session twice.
type door struct {
	presence *Presence
	meters   *meters
	ctx      context.Context
	running  sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	errands  map[string]*errand // by session, waiting or under way
	lanes    map[netip.AddrPort]*lane
	starving []*lane // they may send more, but too much is under way in all
	waiting  int
	flying   int
	watched  map[string]*watch
	findings findings
}

func newDoor(ctx context.Context, p *Presence, m *meters) *door {
	return &door{
		presence: p, meters: m, ctx: ctx, errands: map[string]*errand{}, lanes: map[netip.AddrPort]*lane{},
		watched: map[string]*watch{}, findings: findings{tell: p.config.Tell, now: p.config.Now, last: map[string]time.Time{}},
	}
}

// ask has the errand done and returns it, or the one that is on its way already
// for the same session. It does not wait.
func (d *door) ask(e *errand) *errand {
	e.done = make(chan struct{})
	target, known := d.presence.config.Targets.Target(e.session.Report)
	e.target = target
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return e.end(errClosed)
	}
	id := e.session.ID
	if old := d.errands[id]; old != nil {
		return d.join(old, e)
	}
	if !e.urgent && (d.watched[id] != nil || !d.presence.index.open(id)) {
		return e.end(nil) // it has been told so and its Stop may come yet, or it has gone
	}
	if !known {
		e.attempt = d.attempt(e)
		err := fmt.Errorf("presence: client %s takes no Disconnect-Request or CoA-Request: set its coa", e.session.Report.Client)
		d.unsent(e, err)
		return e
	}
	d.errands[id] = e
	e.lane = d.lane(target.Address)
	d.queue(e)
	return e
}

// join lets a session's errand that waits become the new one, and has one that
// is under way followed by another look.
func (d *door) join(old, e *errand) *errand {
	if old.flying {
		old.again = old.again || !e.urgent
		return old
	}
	old.session, old.action, old.reason, old.why = e.session, e.action, e.reason, e.why
	old.plan, old.vlan, old.attributes = e.plan, e.vlan, e.attributes
	if e.urgent && !old.urgent {
		old.urgent = true
		d.unqueue(old)
		d.launch(old)
	}
	return old
}

// end settles an errand on which nobody was asked.
func (e *errand) end(err error) *errand {
	e.err = err
	close(e.done)
	return e
}

const askedRemedy = "see that the NAS takes such requests, at this address and with the client's secret"

// unsent settles an errand that is not done, and notes it.
func (d *door) unsent(e *errand, err error) {
	e.attempt.Err = err.Error()
	d.count(&e.attempt)
	d.presence.notes.note(e.attempt)
	d.findings.say(&e.attempt, err.Error(), askedRemedy)
	e.end(err)
}

// attempt begins an attempt at the errand.
func (d *door) attempt(e *errand) Attempt {
	r, now := e.session.Report, d.presence.config.Now()
	a := Attempt{
		Session: e.session.ID, Login: r.Login, Client: r.Client, At: now, Action: e.action,
		Reason: e.reason, Why: clip(e.why), Plan: e.plan, VLAN: e.vlan,
	}
	if e.target.Address.IsValid() {
		a.Target = e.target.Address.String()
	}
	a.ID = newID(now, d.presence.config.Rand)
	return a
}

// fly asks the NAS and settles the errand.
func (d *door) fly(e *errand) {
	defer d.running.Done()
	for {
		e.attempt, e.err = d.once(e)
		if e.action != Change || e.err != nil || !refusesChange(e.attempt.Result) {
			break
		}
		d.presence.notes.note(e.attempt)
		d.count(&e.attempt)
		d.mu.Lock()
		e.action, e.attributes = Disconnect, nil
		d.mu.Unlock()
	}
	d.settle(e)
}

// once makes one attempt.
func (d *door) once(e *errand) (Attempt, error) {
	a := d.attempt(e)
	nas, report := d.presence.config.NAS, e.session.Report
	var err error
	if e.action == Change {
		a.Result, err = nas.Change(d.ctx, &e.target, report, e.attributes)
	} else {
		a.Result, err = nas.Disconnect(d.ctx, &e.target, report)
	}
	if err != nil {
		a.Err = err.Error()
	}
	return a, err
}

// refusesChange says whether the NAS can't change the session, so that it has
// to be disconnected and come back: it does not know it, or not how.
func refusesChange(r coa.Result) bool {
	if r.Outcome != coa.NAK {
		return false
	}
	switch r.Cause {
	case coa.SessionContextNotFound, coa.UnsupportedAttribute, coa.MissingAttribute, coa.NASIdentificationMismatch,
		coa.InvalidRequest, coa.UnsupportedService, coa.UnsupportedExtension, coa.InvalidAttributeValue,
		0: // RFC 5176 §3.5 leaves the cause to the NAS, and many give none
		return true
	}
	return false
}

// settle is the end of an errand on which the NAS was asked.
func (d *door) settle(e *errand) {
	p := d.presence
	a := &e.attempt
	switch {
	case e.action == Change && a.Result.Acked():
		p.index.told(a.Session, e.plan, e.vlan)
	case e.action == Disconnect && a.Result.Gone() && !a.Result.Acked():
		p.index.unknown(a.Session)
	}
	open := p.index.open(a.Session)
	d.mu.Lock()
	delete(d.errands, a.Session)
	d.flying--
	stranded, resume := d.landed(e)
	if a.Gone = e.gone; open && e.gone.IsZero() && a.Action == Disconnect && a.Result.Acked() && !d.closed {
		d.watch(e.attempt)
	}
	d.dispatchStarving()
	d.count(a)
	p.notes.note(*a)
	d.mu.Unlock()
	if e.err != nil && a.Result.Outcome != coa.Ended {
		d.findings.say(a, a.Err, askedRemedy+"; the session is tried again")
	}
	close(e.done)
	for _, s := range stranded {
		d.unsent(s, s.silent())
	}
	if e.again {
		p.rounds.want(member.FoldString(e.session.Report.Login))
	}
	if resume {
		p.rounds.all()
	}
}

// ended takes in that a session is over.
func (d *door) ended(id string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.errands[id]; e != nil {
		e.gone = at
		if !e.flying {
			d.unqueue(e)
			delete(d.errands, id)
			e.attempt = d.attempt(e)
			e.attempt.Gone = at
			e.end(nil)
		}
	}
	if w := d.watched[id]; w != nil {
		w.timer.Stop()
		delete(d.watched, id)
		w.attempt.Gone = at
		d.presence.notes.note(w.attempt)
	}
}

// spare drops what waits to be asked about a session: it may stay as it is.
func (d *door) spare(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.errands[id]; e != nil && !e.flying {
		d.unqueue(e)
		delete(d.errands, id)
		e.end(nil)
	}
}

// leaving says whether the session's NAS is being asked, or has said yes.
func (d *door) leaving(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.errands[id]; e != nil {
		return e.action == Disconnect
	}
	return d.watched[id] != nil
}

func (d *door) load() (waiting, flying int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting, d.flying
}

// shut drops what waits, and takes nothing more.
func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for id, e := range d.errands {
		if !e.flying {
			delete(d.errands, id)
			e.end(errClosed)
		}
	}
	for _, l := range d.lanes {
		l.queue = nil
		if l.wake != nil {
			l.wake.Stop()
		}
	}
	d.starving, d.waiting = nil, 0
	for id, w := range d.watched {
		w.timer.Stop()
		delete(d.watched, id)
	}
}

// count counts an attempt.
func (d *door) count(a *Attempt) {
	reason := a.Reason.String()
	if a.Reason == member.ReasonNone {
		reason = "changed"
		if a.Action == Disconnect && a.Plan == "" && a.VLAN == "" {
			reason = "kick"
		}
	}
	d.meters.attempts.WithLabelValues(a.Action.String(), reason, a.Result.Outcome.String()).Inc()
}

// Kick has the operator's wish done: the session is disconnected, whatever
// else is under way for it, and Kick waits for the answer. An error says that
// there was none; Attempt.Left says whether the session is off. The errand goes on where ctx ends first.
func (p *Presence) Kick(ctx context.Context, s Session, why string) (Attempt, error) {
	if s.Report == nil {
		return Attempt{}, fmt.Errorf("presence: session %s: nothing is known of it", s.ID)
	}
	for {
		e := p.door.ask(&errand{session: s, action: Disconnect, why: why, urgent: true})
		select {
		case <-e.done:
		case <-ctx.Done():
			return Attempt{}, fmt.Errorf("presence: session %s: the NAS has not answered yet: %w", s.ID, ctx.Err())
		}
		if e.err != nil || e.attempt.Action == Disconnect || e.attempt.Left() {
			return e.attempt, e.err
		}
	}
}
