package presence

import (
	"fmt"
	"sync"
	"time"
)

// A watch is kept on a session whose NAS has acknowledged a Disconnect-Request:
// some do, and leave the device on.
type watch struct {
	attempt Attempt
	timer   *time.Timer
}

// watch waits for the Stop of the attempt's session. The door is locked.
func (d *door) watch(a Attempt) {
	if old := d.watched[a.Session]; old != nil {
		old.timer.Stop()
	}
	w := &watch{attempt: a}
	w.timer = time.AfterFunc(d.presence.config.Stop, func() { d.overdue(w) })
	d.watched[a.Session] = w
}

// overdue says that no Stop has come.
func (d *door) overdue(w *watch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := &w.attempt
	if d.watched[a.Session] != w {
		return
	}
	delete(d.watched, a.Session)
	a.Stayed = true
	d.meters.stayed.Inc()
	d.presence.notes.note(*a)
	d.findings.say(a, fmt.Sprintf("client %s said that it ended a session, but no Stop of it came within %v: the device may still be on", a.Client, d.presence.config.Stop),
		"look whether it is; if so, its NAS acknowledges what it does not do, else it loses accounting")
}

// sameFinding is how often a finding of one client is told: it may be true of a thousand sessions.
const sameFinding = time.Minute

// findings tell the operator, but not of everything.
type findings struct {
	tell func(Finding)
	now  func() time.Time

	mu   sync.Mutex
	last map[string]time.Time // by client
}

// say tells a finding about an attempt.
func (f *findings) say(a *Attempt, what, remedy string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if last, ok := f.last[a.Client]; ok && now.Sub(last) < sameFinding {
		return
	}
	f.last[a.Client] = now
	f.tell(Finding{What: what, Remedy: remedy, Client: a.Client, Login: a.Login, Session: a.Session})
}

// prune forgets what was told long ago.
func (f *findings) prune() {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	for client, last := range f.last {
		if now.Sub(last) >= sameFinding {
			delete(f.last, client)
		}
	}
}
