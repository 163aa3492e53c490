package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"sync"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/mschap"
	"memberradius/store"

	"github.com/sirupsen/logrus"
)

// A system is a [[backend]] that is open.
type system struct {
	config  backendConfig
	backend backends.Backend // with its layers
	bare    backends.Backend // without
	close   func()           // may be called twice
}

// systems keeps the member systems open over reloads: one whose settings have
// not changed goes on with its connections and its cache.
type systems struct {
	log    logrus.FieldLogger
	data   string
	meters *backendMeters

	mu      sync.Mutex
	store   *store.Store // nil until a backend needs it
	members map[string]*store.Members
	open    map[string]*system
	retired []*system
	ctx     context.Context // ends the goroutines that belong to the store
	stop    context.CancelFunc
	running sync.WaitGroup
}

func newSystems(data string, log logrus.FieldLogger) *systems {
	s := &systems{log: log, data: data, meters: newBackendMeters(), members: map[string]*store.Members{}, open: map[string]*system{}}
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
	return all, func() { s.commit(all) }, nil
}

// same says whether two tables mean the same system.
func (b *backendConfig) same(other *backendConfig) bool {
	return reflect.DeepEqual(b, other)
}

func (s *systems) commit(all map[string]*system) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, old := range s.open {
		if all[name] != old {
			s.retired = append(s.retired, old)
			time.AfterFunc(retireAfter, func() { s.bury(old) })
		}
	}
	s.open = all
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
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
		Name:   b.Name,
		Base:   c.Dir,
		Meter:  s.meters.of(b.Name),
		NTHash: func(password string) member.Hash { return mschap.NTHash(password) },
		Now:    time.Now,
		Tell:   s.tell(b.Name),
	}
	if k.stored || k.live && b.Grace > 0 {
		if err := s.openStore(ctx); err != nil {
			return nil, err
		}
	}
	if k.stored {
		members, err := s.directory(ctx, b.Name)
		if err != nil {
			return nil, err
		}
		d.Directory = members
	}
	if k.live && s.store != nil {
		shelf := s.store.Shelf()
		d.Shelf, d.Key = shelf, backends.Key(shelf.Key())
	}
	bare, err := b.opener.Open(d)
	if err != nil {
		return nil, err
	}
	sys := &system{config: *b, backend: bare, bare: bare}
	var cache *backends.Cache
	if k.live {
		cache = layered(bare, b, d)
		sys.backend = cache
	}
	sys.close = sync.OnceFunc(func() {
		if cache != nil {
			s.closed(b.Name, cache)
		}
		if closer, ok := bare.(io.Closer); ok {
			s.closed(b.Name, closer)
		}
	})
	return sys, nil
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

// openStore opens the embedded store the first time that it is needed.
func (s *systems) openStore(ctx context.Context) error {
	if s.store != nil {
		return nil
	}
	db, err := store.Open(ctx, store.Config{Dir: s.data})
	if err != nil {
		return err
	}
	s.store = db
	s.running.Go(func() { s.purge(db) })
	return nil
}

// purgeEvery is how often answers that have run out leave the store.
const purgeEvery = time.Hour

func (s *systems) purge(db *store.Store) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			if _, err := db.Shelf().Purge(s.ctx); err != nil && s.ctx.Err() == nil {
				s.log.WithError(err).Warn("answers that have run out could not be removed from the store")
			}
		}
	}
}

// watchEvery is how often a change of members is looked for that no control
// socket told of: a restored backup, another server on the same store.
const watchEvery = time.Second

// directory returns the members of a backend, and keeps them as they are in the store.
func (s *systems) directory(ctx context.Context, name string) (*store.Members, error) {
	if m := s.members[name]; m != nil {
		return m, nil
	}
	m, err := s.store.Members(ctx, name)
	if err != nil {
		return nil, err
	}
	s.members[name] = m
	s.running.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		m.Watch(s.ctx, tick.C, s.watched(name))
	})
	return m, nil
}

// watched logs when the members of a backend begin to be out of reach, and when
// they are back.
func (s *systems) watched(name string) func(error) {
	log := s.log.WithField("backend", name)
	return func(err error) {
		if err == nil {
			log.Info("members are read again")
			return
		}
		log.WithError(err).Error("members could not be read again; the old ones hold")
	}
}

// refresh reads the changes of the store's members at once.
func (s *systems) refresh(ctx context.Context) error {
	s.mu.Lock()
	members := make([]*store.Members, 0, len(s.members))
	for _, m := range s.members {
		members = append(members, m)
	}
	s.mu.Unlock()
	var errs []error
	for _, m := range members {
		errs = append(errs, m.Refresh(ctx))
	}
	return errors.Join(errs...)
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
