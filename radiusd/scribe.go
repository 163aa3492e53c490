package radiusd

import (
	"fmt"
	"sync/atomic"
	"time"

	"memberradius/member"

	"github.com/sirupsen/logrus"
)

const (
	// maxLines bounds the lines that wait for the log besides decisions.
	maxLines = 256
	// sameDrop is how often one kind of drop of one client is logged.
	sameDrop = time.Minute
	// unknownDrop is how often drops of unknown sources are logged, all together.
	unknownDrop = time.Second
	// refusedPause is how often attributes that were left out are logged.
	refusedPause = 10 * time.Second
)

// A line is one line for the log.
type line struct {
	level  logrus.Level
	text   string
	fields logrus.Fields
}

// A scribe is the one goroutine that writes the log: a slow log never holds a
// reader up. Decisions it reads from the journals, which are its bounded
// queue; what it misses there, and lines that found no room, it counts.
type scribe struct {
	server *Server
	lines  chan line
	wake   chan struct{}
	stop   chan struct{}
	ended  chan struct{}
	read   []uint64 // how far each journal is written down
	room   []record
}

func newScribe(s *Server) *scribe {
	return &scribe{
		server: s, lines: make(chan line, maxLines), wake: make(chan struct{}, 1),
		stop: make(chan struct{}), ended: make(chan struct{}), room: make([]record, 0, 64),
	}
}

// nudge says that there are new decisions.
func (c *scribe) nudge() {
	if !c.server.log.IsLevelEnabled(logrus.InfoLevel) {
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *scribe) say(l line) {
	select {
	case c.lines <- l:
	default:
		c.server.meters.unlogged.Inc()
	}
}

func (c *scribe) serve() {
	defer close(c.ended)
	for {
		select {
		case l := <-c.lines:
			c.server.log.WithFields(l.fields).Log(l.level, l.text)
		case <-c.wake:
			c.decisions()
		case <-c.stop:
			c.decisions()
			for {
				select {
				case l := <-c.lines:
					c.server.log.WithFields(l.fields).Log(l.level, l.text)
				default:
					return
				}
			}
		}
	}
}

// close writes down what is left and ends serve.
func (c *scribe) close() {
	close(c.stop)
	<-c.ended
}

// decisions writes a line for each decision since the last time.
func (c *scribe) decisions() {
	if !c.server.log.IsLevelEnabled(logrus.InfoLevel) {
		return
	}
	if c.read == nil {
		c.read = make([]uint64, len(c.server.journals))
	}
	for i, j := range c.server.journals {
		for {
			records, next, lost := j.since(c.read[i], c.room[:0])
			c.read[i] = next
			if lost > 0 {
				c.server.meters.unlogged.Add(float64(lost))
			}
			if len(records) == 0 {
				break
			}
			for k := range records {
				c.decision(&records[k])
			}
		}
	}
}

func (c *scribe) decision(r *record) {
	d := r.decision()
	f := logrus.Fields{
		"id": d.ID, "login": printable(d.Login), "client": d.Client, "method": d.Method,
		"verdict": d.Verdict.String(), "took": d.Took.Round(time.Microsecond).String(),
	}
	for key, value := range map[string]string{
		"site": d.Site, "nas": printable(d.NAS), "ssid": printable(d.SSID), "station": d.StationMAC,
		"plan": d.Plan, "vlan": d.VLAN, "backend": d.Source, "message": printable(d.Message), "detail": printable(d.Detail),
	} {
		if value != "" {
			f[key] = value
		}
	}
	if d.Age > 0 {
		f["age"] = d.Age.Round(time.Second).String()
	}
	if d.SessionTimeout > 0 {
		f["session"] = lasting(d.SessionTimeout)
	}
	if d.Resumed {
		f["resumed"] = true
	}
	level := logrus.InfoLevel
	if d.Verdict != member.Allow {
		f["reason"] = d.Reason.String()
	}
	if d.Verdict == member.Unanswered {
		level = logrus.WarnLevel
	}
	c.server.log.WithFields(f).Log(level, "access")
}

// dropped counts a packet that gets no reply, and says so in the log, but not
// for each: somebody may send a million of them.
func (s *Server) dropped(c *Client, a *Arrival, why drop) {
	s.meters.drop(c, why)
	last, pause := &s.unknownSaid, unknownDrop
	name := ""
	if c != nil {
		last, pause, name = &c.said[why], sameDrop, c.config.Name
	}
	if tooSoon(last, pause) {
		return
	}
	s.scribe.say(line{logrus.WarnLevel, "no reply: " + dropped[why].what, logrus.Fields{
		"client": name, "source": a.Remote.String(), "port": a.Local.Port(), "drop": dropped[why].word, "do": dropped[why].remedy,
	}})
}

// tooSoon says whether the pause since the last time is not over; where it is,
// this is the last time now.
func tooSoon(last *atomic.Int64, pause time.Duration) bool {
	now, before := time.Now().Unix(), last.Load()
	return now-before < int64(pause/time.Second) || !last.CompareAndSwap(before, now)
}

// trouble logs a fault of this server. The pool and the readers go on.
func (s *Server) trouble(err error) {
	s.scribe.say(line{logrus.ErrorLevel, "a fault of this server", logrus.Fields{logrus.ErrorKey: err}})
}

// refusedAttributes logs what a member system sent but the NAS did not get: it
// sends the same with every answer, and so it is said now and then.
func (s *Server) refusedAttributes(source string, why []string) {
	s.meters.refused.Add(float64(len(why)))
	if tooSoon(&s.refusedSaid, refusedPause) {
		return
	}
	s.scribe.say(line{logrus.WarnLevel, "attributes from a member system were left out", logrus.Fields{
		"backend": source, "attributes": printable(fmt.Sprint(why)),
	}})
}
