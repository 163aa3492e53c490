package presence

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"memberradius/member"
	"memberradius/radiusd/coa"

	"github.com/prometheus/client_golang/prometheus"
)

// A Session is a session as the ledger keeps it.
type Session struct {
	// ID is the ledger's own: the same as long as the session lives.
	ID string
	// Report is all that is known of it, its counters those of the last report.
	// It is shared and must not be changed any more.
	Report *member.Session
	// Started, Updated and Ended are the ledger's; Ended is zero while it is open.
	Started, Updated, Ended time.Time
}

// A Use is what a member has used of a day, a week or a month: octets in both
// directions, and time online, all devices together.
type Use struct {
	Octets uint64
	Time   time.Duration
}

// A Ledger keeps sessions.
type Ledger interface {
	// Used returns what the member has used of the calendar's current day, week
	// and month in the site's zone, open sessions included as of their last
	// report. It is asked on the way of a packet: from memory, without waiting,
	// and without keeping the strings.
	Used(login, site string, now time.Time) (day, week, month Use)
	// NoteAttempt keeps an attempt; a second one with the same ID replaces the first.
	// A Change that was acknowledged is what the session has from then on: Seen is told.
	NoteAttempt(ctx context.Context, a *Attempt) error
}

// A Judge says what would hold for sessions that are open.
type Judge interface {
	// Judge says what the session would get if its device came in now. It may wait until ctx ends.
	Judge(ctx context.Context, s *member.Session) Outcome
}

// An Outcome is what would hold for a session. The zero value could not say,
// and leaves the session alone.
type Outcome struct {
	Verdict member.Verdict
	// Reason says why, with Deny.
	Reason member.Reason
	// Plan and VLAN are what she would get, spelled as in member.Session.
	Plan, VLAN string
	// Devices is the member's own limit; 0 leaves it to the plan.
	Devices int
	// Attributes are what a CoA-Request tells the NAS to change to, encoded. Where
	// there are none the session is disconnected instead, and comes back with the new ones.
	Attributes []byte
}

// Targets knows where requests about a session go.
type Targets interface {
	// Target returns where; false where the NAS takes none.
	Target(s *member.Session) (coa.Target, bool)
}

// A NAS is asked to end a session or to change it: *coa.Client.
type NAS interface {
	Disconnect(ctx context.Context, t *coa.Target, s *member.Session) (coa.Result, error)
	Change(ctx context.Context, t *coa.Target, s *member.Session, attributes []byte) (coa.Result, error)
}

var _ NAS = (*coa.Client)(nil)

// Limits are what members of a plan may have.
type Limits struct {
	// Devices is how many may be on at the same time; 0 is no limit.
	Devices int
	// Quotas all hold.
	Quotas []member.Quota
}

// Tables are what a reload may bring anew, as one.
type Tables struct {
	// Plans has the limits by the plan's name; a plan that is missing has none.
	Plans map[string]Limits
	// Zones are the sites' zones; a site that is missing has the server's, as in the ledger.
	Zones map[string]*time.Location
}

// A Finding is what the operator should know.
type Finding struct {
	// What is the matter, and what to do about it.
	What, Remedy string
	// Client, Login and Session (its ID) are of whom, where it is of somebody.
	Client, Login, Session string
}

// Config is what New needs. Ledger, Judge, Targets and NAS must be set.
type Config struct {
	Ledger  Ledger
	Judge   Judge
	Targets Targets
	NAS     NAS
	Tables  Tables
	// Tell gets findings; it must not wait. Nil: nobody does.
	Tell func(Finding)
	// Poll is how often all sessions are judged anew (0: 15 min; negative: never).
	Poll time.Duration
	// Stop is how long after an acknowledged Disconnect-Request the Stop may come (0: 60 s).
	Stop time.Duration
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// Now and Rand default to time.Now and crypto/rand.
	Now  func() time.Time
	Rand io.Reader
}

const (
	defaultPoll = 15 * time.Minute
	defaultStop = time.Minute
	// judges is how many logins are judged at the same time. Of those only some may be of
	// a sweep, so that whoever is named does not wait behind everybody.
	judges, sweepers = 16, 4
	// judgeFor bounds one Judge.
	judgeFor = 10 * time.Second
)

// errClosed says that the server stops.
var errClosed = errors.New("presence: the server stops")

// A Presence is who is online, in memory. Its methods may be called by many goroutines.
type Presence struct {
	config Config
	tables atomic.Pointer[Tables]
	index  *index
	rounds *rounds
	recent *recent
	door   *door
	notes  *notes

	ctx     context.Context // ends what Judge and NAS wait for
	stop    context.CancelFunc
	running sync.WaitGroup
	closing sync.Once
}

// New returns a Presence that knows nobody yet: see Load.
func New(c Config) (*Presence, error) {
	if c.Ledger == nil || c.Judge == nil || c.Targets == nil || c.NAS == nil {
		return nil, errors.New("presence: Ledger, Judge, Targets and NAS are needed")
	}
	c.fill()
	p := &Presence{config: c, index: newIndex(c.Now())}
	p.ctx, p.stop = context.WithCancel(context.Background())
	m := newMeters()
	p.notes = newNotes(&c, m)
	p.rounds = newRounds(p.index.logins)
	p.recent = &recent{now: c.Now, began: c.Now()}
	p.door = newDoor(p.ctx, p, m)
	p.tables.Store(&c.Tables)
	if err := m.register(c.Metrics, p); err != nil {
		p.stop()
		p.notes.close()
		return nil, err
	}
	for range judges {
		p.running.Go(p.judge)
	}
	if c.Poll > 0 {
		p.running.Go(p.poll)
	}
	return p, nil
}

func (c *Config) fill() {
	if c.Poll == 0 {
		c.Poll = defaultPoll
	}
	if c.Stop == 0 {
		c.Stop = defaultStop
	}
	if c.Tell == nil {
		c.Tell = func(Finding) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
}

// Load takes in the sessions that are open at a start. It is called after the
// ledger tells of changes, and before the first packet is answered.
func (p *Presence) Load(open []Session) {
	for _, s := range open {
		p.index.seen(s, p.sign(s))
	}
}

// Swap brings new tables. Sessions are judged by them from then on; ReconsiderAll does it at once.
func (p *Presence) Swap(t Tables) { p.tables.Store(&t) }

// Close ends everything that is under way and returns when no goroutine is left.
// Requests that wait are not sent any more; attempts that were made are still
// noted, so the ledger is closed after it. Calls that come later do nothing.
func (p *Presence) Close() {
	p.closing.Do(func() {
		p.door.shut() // before what is under way ends, and makes room for what waits
		p.stop()
		p.rounds.close()
		p.door.running.Wait()
		p.running.Wait()
		p.notes.close()
	})
}

// Seen takes in a session that has opened, or been reported on. It does not
// wait: the ledger calls it after each commit, for one session in the order of its changes.
func (p *Presence) Seen(s Session) {
	if !s.Ended.IsZero() {
		p.Ended(s)
		return
	}
	if s.Report == nil {
		return
	}
	came, back := p.index.seen(s, p.sign(s))
	if came && p.recent.has(s.Report.Login) || back && p.crowded(s.ID) || p.exhausted(s.Report) {
		p.rounds.want(member.FoldString(s.Report.Login))
	}
}

// Ended takes in that a session is over: a Stop, a restart of its NAS, or
// silence. It does not wait.
func (p *Presence) Ended(s Session) {
	// The door first: whom the index does not know any more has left by it.
	p.door.ended(s.ID, p.config.Now())
	p.index.ended(&s)
}

// sign is when the session was last heard of, by our own clock where that is
// known: a NAS's may be hours off.
func (p *Presence) sign(s Session) time.Time {
	switch {
	case s.Report != nil && !s.Report.Received.IsZero():
		return s.Report.Received
	case !s.Updated.IsZero():
		return s.Updated
	default:
		return s.Started
	}
}

// poll has all sessions judged now and then. It is what ends a session whose
// time is over where the NAS does not heed Session-Timeout, and what tries
// again where a NAS said no.
func (p *Presence) poll() {
	t := time.NewTicker(p.config.Poll)
	defer t.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-t.C:
			p.index.prune(p.config.Now())
			p.door.prune()
			p.rounds.all()
		}
	}
}
