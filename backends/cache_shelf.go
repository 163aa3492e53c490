package backends

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"memberradius/member"
)

const (
	// maxWaiting is how many answers may wait for the store.
	maxWaiting = 8192
	// shelfWait bounds one call of the store, which writes all that waits;
	// shelfRetry is the pause after one that failed.
	shelfWait  = 5 * time.Second
	shelfRetry = time.Second
	// skew is how far in the future a kept answer may lie: a clock that was
	// further off than that would make it young for as long.
	skew = time.Hour
)

// A shelver writes a cache's answers to its Shelf in the background. What waits
// is one map, where a later word on a key replaces an earlier one. Answers
// beyond maxWaiting are dropped; removals never are, since they take an Allow
// away, and there are no more of them than answers were kept.
type shelver struct {
	shelf Shelf
	deps  Deps
	wake  chan struct{}
	stop  chan struct{}
	done  chan struct{}

	mu      sync.Mutex
	waiting map[[32]byte]parcel
	failing bool
	closed  bool
}

// A parcel is an answer to be written; without an entry, one to be removed.
type parcel struct {
	entry *entry
	until time.Time
}

func newShelver(d Deps) *shelver {
	return &shelver{
		shelf: d.Shelf, deps: d, waiting: make(map[[32]byte]parcel),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// put takes e to be written, or says that there is no room for it.
func (s *shelver) put(key [32]byte, e *entry, until time.Time) bool {
	s.mu.Lock()
	_, waits := s.waiting[key]
	room := !s.closed && (waits || len(s.waiting) < maxWaiting)
	if room {
		s.waiting[key] = parcel{entry: e, until: until}
	}
	s.mu.Unlock()
	if !room {
		s.deps.Meter.countShelfDropped()
		return false
	}
	s.nudge()
	return true
}

// remove takes key to be removed.
func (s *shelver) remove(key [32]byte) {
	s.mu.Lock()
	s.waiting[key] = parcel{}
	s.mu.Unlock()
	s.nudge()
}

func (s *shelver) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run writes until close.
func (s *shelver) run() {
	defer close(s.done)
	for {
		select {
		case <-s.wake:
		case <-s.stop:
			s.flush()
			return
		}
		for !s.flush() {
			select {
			case <-time.After(shelfRetry):
			case <-s.stop:
				s.flush()
				return
			}
		}
	}
}

// flush writes what waits, and says whether all of it is written.
func (s *shelver) flush() bool {
	for {
		s.mu.Lock()
		batch := s.waiting
		s.waiting = make(map[[32]byte]parcel)
		s.mu.Unlock()
		if len(batch) == 0 {
			return true
		}
		if err := s.write(batch); err != nil {
			s.failed(batch, err)
			return false
		}
		s.mu.Lock()
		s.failing = false
		s.mu.Unlock()
	}
}

// write writes all of batch or nothing.
func (s *shelver) write(batch map[[32]byte]parcel) error {
	ctx, cancel := context.WithTimeout(context.Background(), shelfWait)
	defer cancel()
	return s.shelf.Change(ctx, s.deps.Name, func(put func([32]byte, []byte, time.Time) error, forget func([32]byte) error) error {
		for key, p := range batch {
			if p.entry == nil {
				if err := forget(key); err != nil {
					return err
				}
				continue
			}
			value, err := encodeEntry(p.entry)
			if err != nil {
				// Trying again would not help: a date beyond the year 9999 has no JSON.
				s.deps.Meter.countShelfFailed()
				continue
			}
			if err := put(key, value, p.until); err != nil {
				return err
			}
		}
		return nil
	})
}

// failed puts back what was not written, unless there is a later word on it.
func (s *shelver) failed(batch map[[32]byte]parcel, err error) {
	s.mu.Lock()
	first := !s.failing
	s.failing = true
	for key, p := range batch {
		if _, later := s.waiting[key]; !later {
			s.waiting[key] = p
		}
	}
	s.mu.Unlock()
	s.deps.Meter.countShelfFailed()
	if first {
		s.deps.Say(Finding{
			Wrong:  true,
			What:   fmt.Sprintf("backend %s: its answers can't be kept for a restart: %v", s.deps.Name, err),
			Remedy: "see to the store (disk full, locked or read-only); answers go on from memory and are written when it works again",
		})
	}
}

// close ends run and waits for it.
func (s *shelver) close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	close(s.stop)
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.waiting); n > 0 {
		return fmt.Errorf("backends: %s: %d answers were not kept for the next start", s.deps.Name, n)
	}
	return nil
}

// load fills memory from the shelf. What can't be read is removed from it.
func (c *Cache) load() {
	now := c.now()
	err := c.deps.Shelf.Each(context.Background(), c.name, func(key [32]byte, value []byte, until time.Time) error {
		e, err := decodeEntry(value)
		if err != nil || e.at.Sub(now) > skew || !until.After(now) {
			c.shelf.remove(key)
			return nil
		}
		if e.at.After(now) {
			e.at = now
		}
		e.answer.Source, e.shelved = c.name, true
		c.entries.Set(key, e)
		return nil
	})
	c.deps.Meter.setEntries(c.entries.EstimatedSize())
	if err != nil {
		c.deps.Meter.countShelfFailed()
		c.deps.Say(Finding{
			Wrong:  true,
			What:   fmt.Sprintf("backend %s: the answers kept from the last run can't be read: %v", c.name, err),
			Remedy: "see to the store; until every member has been asked for again, grace covers only those that were read",
		})
	}
}

// shelvable says that an answer holds nothing that proves anybody. One that
// does lives in memory alone.
func shelvable(a *member.Answer) bool { return a.Credential == nil && a.NTKey == nil }

// entryVersion is raised when the form changes; what has another is asked for anew.
const entryVersion = 1

// A record is an entry as the shelf keeps it.
type record struct {
	Version    int                `json:"v"`
	At         time.Time          `json:"at"`
	Proved     bool               `json:"proved"`
	Member     member.Member      `json:"member"`
	Attributes []member.Attribute `json:"attributes,omitempty"`
	Message    string             `json:"message,omitempty"`
	ReturnURL  string             `json:"return_url,omitempty"`
}

func encodeEntry(e *entry) ([]byte, error) {
	a := &e.answer
	b, err := json.Marshal(record{
		Version: entryVersion, At: e.at.Add(-a.Age), Proved: a.Proved, Member: a.Member,
		Attributes: a.Attributes, Message: a.Message, ReturnURL: a.ReturnURL,
	})
	if err != nil {
		return nil, fmt.Errorf("backends: keeping an answer: %w", err)
	}
	return b, nil
}

var errVersion = errors.New("backends: a kept answer of another version")

func decodeEntry(b []byte) (*entry, error) {
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("backends: a kept answer: %w", err)
	}
	if r.Version != entryVersion || r.At.IsZero() {
		return nil, errVersion
	}
	return &entry{at: r.At, answer: member.Answer{
		Verdict: member.Allow, Proved: r.Proved, Member: r.Member,
		Attributes: r.Attributes, Message: r.Message, ReturnURL: r.ReturnURL,
	}}, nil
}
