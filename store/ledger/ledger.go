package ledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"memberradius/member"
	"memberradius/store"
)

//go:embed migration/*.sql
var migrations embed.FS

// File is the database file in the data directory.
const File = "sessions.db"

// What a Ledger does where its Config does not say.
const (
	defaultWait  = 10 * time.Millisecond
	defaultBatch = 512
	// maxWaiting is how many reports may wait for their commit. More would wait
	// longer than their NAS does.
	maxWaiting = 8192
)

var (
	// ErrBusy: too many reports wait already. The NAS will report again.
	ErrBusy = errors.New("too many reports wait to be written")
	// ErrUnknown: there is no such session.
	ErrUnknown = errors.New("no such session")
	// ErrSeveral: several open sessions have this Acct-Session-Id.
	ErrSeveral = errors.New("several open sessions have this Acct-Session-Id: name one by its own id")
	// errClosed: the ledger was closed.
	errClosed = errors.New("the ledger is closed")
)

// A Config says where a Ledger keeps its file, and how it writes.
type Config struct {
	// Dir is the data directory. It is made where it is missing, mode 0700.
	Dir string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Random is where ids come from, read by several goroutines at once; nil is crypto/rand.
	Random io.Reader
	// Zone is where a site keeps its days, for usage; nil, and a nil answer, is time.Local.
	Zone func(site string) *time.Location
	// Wait is the longest that a report waits for others to share its commit, as long
	// as more are coming; one that comes alone waits a twentieth of it. 0 is 10 ms.
	Wait time.Duration
	// Batch is how many reports share a commit at most; 0 is 512.
	Batch int
	// Changed is told what has happened, after the commit and before Record
	// returns, in order, by one goroutine. Everything waits for it, so it must be
	// quick, and must not call what writes (Record, NoteAttempt, Sweep). May be nil.
	Changed func(Change)
}

// A Ledger is an open file of sessions. It may be used by many goroutines.
type Ledger struct {
	config Config
	now    func() time.Time
	path   string
	// write has one connection, the writer's own: nobody waits for it.
	write, read *sql.DB
	memory      *memory
	used        used
	queue       chan *task
	// mu keeps Record from sending into a queue that Close has closed.
	mu     sync.RWMutex
	closed bool
	ended  chan struct{}
	// fault is what the last commit failed with; nil where it did not.
	fault atomic.Pointer[error]
	stats struct{ refused, commits, reports, failed atomic.Uint64 }
}

// Open opens the file in c.Dir, and makes it where it is missing (mode 0600). It
// refuses one that is damaged or newer than this program. Open sessions and this
// month's usage are read into memory: 20 to 50 µs a session.
func Open(ctx context.Context, c Config) (*Ledger, error) {
	path, unlock, err := store.Prepare(c.Dir, File)
	if err != nil {
		return nil, err
	}
	defer unlock()
	l := &Ledger{
		config: c, now: c.Now, path: path, memory: newMemory(), used: used{of: map[string][]dayUse{}},
		queue: make(chan *task, maxWaiting), ended: make(chan struct{}),
	}
	if l.now == nil {
		l.now = time.Now
	}
	if l.config.Random == nil {
		l.config.Random = rand.Reader
	}
	if l.config.Wait <= 0 {
		l.config.Wait = defaultWait
	}
	if l.config.Batch <= 0 {
		l.config.Batch = defaultBatch
	}
	w, err := l.open(ctx)
	if err != nil {
		return nil, errors.Join(l.explain("open the database", err), l.closeFiles())
	}
	go w.run()
	return l, nil
}

// open opens and migrates the file, and reads what memory holds.
func (l *Ledger) open(ctx context.Context) (*writer, error) {
	var err error
	if l.write, err = store.OpenSQLite(l.path, true); err != nil {
		return nil, err
	}
	l.write.SetMaxOpenConns(1)
	if err := store.Migrate(ctx, l.write, migrations); err != nil {
		return nil, err
	}
	if l.read, err = store.OpenSQLite(l.path, false); err != nil {
		return nil, err
	}
	last, err := l.loadOpen(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.loadUsed(ctx); err != nil {
		return nil, err
	}
	return newWriter(ctx, l, last)
}

// Close waits for what is in work and closes the file. Records that come later
// are refused.
func (l *Ledger) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.queue)
	l.mu.Unlock()
	<-l.ended
	return l.explain("close the database", l.closeFiles())
}

func (l *Ledger) closeFiles() error {
	var errs []error
	for _, db := range []*sql.DB{l.read, l.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Path returns the path of the database file.
func (l *Ledger) Path() string { return l.path }

func (l *Ledger) explain(doing string, err error) error {
	return store.Explain("ledger: "+doing, l.path, err)
}

// Stats are what a Ledger has counted since it was opened.
type Stats struct {
	// Open is how many sessions are open, Waiting how many reports wait.
	Open, Waiting int
	// Refused is how many reports found the queue full, Reports how many are on the
	// disk, in how many Commits, and Failed how many the database did not take.
	Refused, Reports, Commits, Failed uint64
}

// Stats returns the counts of now.
func (l *Ledger) Stats() Stats {
	return Stats{
		Open: l.memory.count(), Waiting: len(l.queue), Refused: l.stats.refused.Load(),
		Reports: l.stats.reports.Load(), Commits: l.stats.commits.Load(), Failed: l.stats.failed.Load(),
	}
}

// Fault returns what the last commit failed with, nil where it did not: until
// another succeeds no report is acknowledged.
func (l *Ledger) Fault() error {
	if err := l.fault.Load(); err != nil {
		return l.explain("write", *err)
	}
	return nil
}

// Record takes in what a NAS reports, and returns nil once it is on the disk: then
// it survives a power cut. The same report again changes nothing. Where it returns
// an error, be it that ctx has ended, the report may come again; ErrBusy is that
// of a full queue. s is the ledger's from then on.
func (l *Ledger) Record(ctx context.Context, s *member.Session) error {
	if err := l.legible(s); err != nil {
		return fmt.Errorf("ledger: record a session: %w", err)
	}
	return l.do(ctx, "record a session", task{report: s})
}

// legible makes a report what the ledger writes, or says what is wrong with it.
func (l *Ledger) legible(r *member.Session) error {
	switch r.Event {
	case member.Start, member.Interim, member.Stop:
		if r.ID == "" {
			return errors.New("it has no Acct-Session-Id (RFC 2866 §5.5)")
		}
	case member.NASOn, member.NASOff:
	default:
		return fmt.Errorf("event %v is nothing that is kept", r.Event)
	}
	for _, text := range [...]string{
		r.Client, r.NAS, r.ID, r.User, r.MultiID, r.Login, r.Backend, r.Plan, r.VLAN, r.Decision, r.Site, r.SSID,
		r.StationMAC, r.Calling, r.Called, r.NASIdentifier, r.PortID, r.Audit, r.Cause,
	} {
		if len(text) > member.MaxSessionText {
			return fmt.Errorf("a text of %d octets, at most %d", len(text), member.MaxSessionText)
		}
	}
	if r.Received.IsZero() {
		r.Received = l.now()
	}
	if r.At.IsZero() {
		r.At = r.Received
	}
	r.At, r.Received = instant(r.At), instant(r.Received)
	r.Input, r.Output = min(r.Input, maxCounter), min(r.Output, maxCounter)
	r.InputPackets, r.OutputPackets = min(r.InputPackets, maxCounter), min(r.OutputPackets, maxCounter)
	for _, d := range []*time.Duration{&r.Duration, &r.Interim, &r.Timeout} {
		*d = max(0, d.Truncate(time.Millisecond))
	}
	if r.Event != member.Stop {
		r.Cause = ""
	}
	return nil
}
