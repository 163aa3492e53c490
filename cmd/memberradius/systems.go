package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"memberradius/backends"
	"memberradius/store"

	"github.com/sirupsen/logrus"
)

// A system is a [[backend]] that is open.
type system struct {
	config  backendConfig
	backend backends.Backend // with its layers
	bare    backends.Backend // without
	close   func()           // may be called twice
	// keeper is a synced system's, stopKeeper ends it once it runs.
	keeper     *keeper
	stopKeeper context.CancelFunc
}

// systems keeps the member systems open over reloads: one whose settings have
// not changed goes on with its connections and its cache.
type systems struct {
	log    logrus.FieldLogger
	data   string
	meters *backendMeters
	// current is the configuration that holds; nil before there is one.
	current atomic.Pointer[config]
	// letters has what waits in the outbox looked at.
	letters chan struct{}
	// stale has why members can't be read again, by their backend.
	stale sync.Map
	// follower hears whose record has changed; nil: nobody does.
	follower atomic.Pointer[follower]

	mu      sync.Mutex
	store   *store.Store // nil until it is needed
	uses    *store.FirstUses
	doors   *store.Doors
	members map[string]*store.Members
	open    map[string]*system
	retired []*system
	ctx     context.Context // ends the goroutines that belong to the store
	stop    context.CancelFunc
	running sync.WaitGroup
}

func newSystems(data string, log logrus.FieldLogger) *systems {
	s := &systems{log: log, data: data, meters: newBackendMeters(), members: map[string]*store.Members{}, open: map[string]*system{}, letters: make(chan struct{}, 1)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// retireAfter is how long a system that a reload has replaced may go on with
// the calls that are under way. It outlasts radiusd's bound for one request.
const retireAfter = 15 * time.Second

// renew opens the systems of c, and returns them by name. Nothing changes for
// those that are open until commit is called; findings say why one could not
// be opened, and then there is nothing to commit.
func (s *systems) renew(ctx context.Context, c *config) (all map[string]*system, commit func(), found findings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all = map[string]*system{}
	var opened []*system
	for i := range c.Backends {
		b := &c.Backends[i]
		if old := s.open[b.Name]; old != nil && old.config.same(b) {
			all[b.Name] = old
			continue
		}
		sys, err := s.start(ctx, c, b)
		if err != nil {
			found = append(found, c.openFindings(i, err)...)
			continue
		}
		all[b.Name] = sys
		opened = append(opened, sys)
	}
	if len(found) > 0 {
		for _, sys := range opened {
			sys.close()
		}
		return nil, nil, found
	}
	return all, func() { s.commit(c, all) }, nil
}

// same says whether two tables mean the same system.
func (b *backendConfig) same(other *backendConfig) bool {
	return reflect.DeepEqual(b, other)
}

func (s *systems) commit(c *config, all map[string]*system) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.Store(c)
	for name, old := range s.open {
		if all[name] != old {
			if old.stopKeeper != nil { // two of them would undo each other's work
				old.stopKeeper()
			}
			s.retired = append(s.retired, old)
			time.AfterFunc(retireAfter, func() { s.bury(old) })
		}
	}
	s.open = all
	names := make([]string, 0, len(all))
	for name, sys := range all {
		names = append(names, name)
		if sys.keeper != nil && sys.stopKeeper == nil {
			s.serveKeeper(sys)
		}
	}
	s.meters.keep(names)
}

// bury closes a system that has been replaced.
func (s *systems) bury(old *system) {
	old.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retired = slices.DeleteFunc(s.retired, func(r *system) bool { return r == old })
}

// start opens one system with its layers.
func (s *systems) start(ctx context.Context, c *config, b *backendConfig) (*system, error) {
	k := kinds()[b.Kind]
	d := backends.Deps{
		Name:    b.Name,
		Base:    c.Dir,
		Meter:   s.meters.of(b.Name),
		NTHash:  ntHash,
		Now:     time.Now,
		Tell:    s.tell(b.Name),
		Changed: func() { s.followed(nil) },
	}
	kept, err := s.stock(ctx, b, &d)
	if err != nil {
		return nil, err
	}
	bare, err := b.opener.Open(d)
	if err != nil {
		return nil, err
	}
	sys := &system{config: *b, backend: bare, bare: bare, keeper: kept}
	if kept != nil {
		s.keep(kept, c, sys)
	}
	var cache *backends.Cache
	if k.live {
		cache = layered(bare, b, d)
		sys.backend = cache
	}
	sys.close = sync.OnceFunc(func() {
		if sys.stopKeeper != nil {
			sys.stopKeeper()
		}
		if cache != nil {
			s.closed(b.Name, cache)
		}
		if closer, ok := bare.(io.Closer); ok {
			s.closed(b.Name, closer)
		}
	})
	return sys, nil
}

// stock gives a backend what it needs of the store. Where its system is synced
// it has a keeper, which gets its Runner when the backend is open.
func (s *systems) stock(ctx context.Context, b *backendConfig, d *backends.Deps) (*keeper, error) {
	k := kinds()[b.Kind]
	if k.stored || k.live && b.Grace > 0 {
		if err := s.openStore(ctx); err != nil {
			return nil, err
		}
	}
	if (k.live || k.remote) && s.store != nil {
		shelf := s.store.Shelf()
		d.Shelf, d.Key = shelf, backends.Key(shelf.Key())
	}
	if !k.stored {
		return nil, nil //nolint:nilnil // it has none
	}
	members, err := s.directory(ctx, b.Name)
	if err != nil {
		return nil, err
	}
	d.Directory = members
	if !k.synced {
		return nil, nil //nolint:nilnil // it has none
	}
	run, err := s.store.LastGood(ctx, b.Name, store.RunFull)
	if err != nil {
		return nil, err
	}
	kept := &keeper{members: members}
	kept.said.Store(run != nil)
	d.Synced = kept.said.Load
	return kept, nil
}

func (s *systems) closed(name string, c io.Closer) {
	if err := c.Close(); err != nil {
		s.log.WithField("backend", name).WithError(err).Warn("backend did not close as it should")
	}
}

// tell logs what a backend wants the operator to know.
func (s *systems) tell(name string) func(backends.Finding) {
	return func(f backends.Finding) {
		entry := s.log.WithFields(logrus.Fields{"backend": name, "remedy": f.Remedy})
		switch {
		case f.Wrong:
			entry.Error(f.What)
		case f.Remedy != "":
			entry.Warn(f.What)
		default: // nothing is to be done about it
			s.log.WithField("backend", name).Info(f.What)
		}
	}
}

// count returns how many members are in memory.
func (s *systems) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, sys := range s.open {
		if m := s.members[sys.config.Name]; m != nil && kinds()[sys.config.Kind].stored {
			n += m.Len()
		} else if counted, ok := sys.bare.(interface{ Members() int }); ok {
			n += counted.Members()
		}
	}
	return n
}

// membersOf returns how many members of a backend are in memory.
func (s *systems) membersOf(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.members[name]; m != nil {
		return m.Len()
	}
	if sys := s.open[name]; sys != nil {
		if counted, ok := sys.bare.(interface{ Members() int }); ok {
			return counted.Members()
		}
	}
	return 0
}

// shut closes everything.
func (s *systems) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sys := range s.open {
		sys.close()
	}
	for _, sys := range s.retired {
		sys.close()
	}
	s.stop()
	s.running.Wait()
	if s.store != nil {
		if err := s.store.Close(); err != nil {
			s.log.WithError(err).Warn("the store did not close as it should")
		}
	}
}

// openFindings says why backend i could not be opened, at the key that it
// names. An error that joins several is a finding each.
func (c *config) openFindings(i int, err error) findings {
	path := fmt.Sprintf("backend[%d]", i)
	prefix := fmt.Sprintf("backend %q: ", c.Backends[i].Name)
	var key *backends.KeyError
	if errors.As(err, &key) {
		path, prefix, err = path+"."+key.Key, prefix+key.Key+" ", key.Err
	}
	causes := []error{err}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		causes = joined.Unwrap()
	}
	var found findings
	for _, cause := range causes {
		found = append(found, finding{File: c.File, Line: c.lines.line(path), Level: wrong, What: prefix + cause.Error(), Remedy: "put it right, then try again"})
	}
	return found
}
