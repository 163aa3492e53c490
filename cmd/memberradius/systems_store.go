package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"memberradius/backends"
	"memberradius/store"
)

// This file is how the systems use the embedded store: opened once, its members
// followed, what has run out removed.

// keepStore opens the embedded store, where no backend has: tokens and first
// uses of plans live there too.
func (s *systems) keepStore(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openStore(ctx)
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
	uses, err := db.FirstUses(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	doors, err := db.Doors(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	s.store, s.uses, s.doors = db, uses, doors
	doors.Follow(s.followedDoors)
	s.running.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		doors.Watch(s.ctx, tick.C, s.watched("doors"))
	})
	s.running.Go(func() { s.purge(db) })
	s.running.Go(func() { s.saveUses(uses) })
	return nil
}

// saveEvery is how often first uses of plans are written.
const saveEvery = time.Second

// saveUses writes them until the systems are shut, and then what is left.
func (s *systems) saveUses(uses *store.FirstUses) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	failing := false
	for {
		err := uses.Save(context.WithoutCancel(s.ctx))
		if err != nil && !failing {
			s.log.WithError(err).Error("first uses of day passes can't be written: they hold until a restart")
		}
		failing = err != nil
		select {
		case <-s.ctx.Done():
			if err := uses.Save(context.WithoutCancel(s.ctx)); err != nil {
				s.log.WithError(err).Error("first uses of day passes could not be written")
			}
			return
		case <-tick.C:
		}
	}
}

// purgeEvery is how often answers, links and deliveries that have run out leave the store.
const purgeEvery = time.Hour

func (s *systems) purge(db *store.Store) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			_, err := db.Shelf().Purge(s.ctx)
			if err = errors.Join(err, db.Sweep(s.ctx), s.uses.Reload(s.ctx)); err != nil && s.ctx.Err() == nil {
				s.log.WithError(err).Warn("what has run out could not be removed from the store")
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
	m.Follow(s.followed)
	s.running.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		m.Watch(s.ctx, tick.C, s.watched(name))
	})
	return m, nil
}

// A follower is told whose record has changed: who is online may have to leave.
type follower struct {
	some    func(logins ...string)
	devices func(macs []string)
	all     func()
}

// follow has a follower told from now on; nil: nobody.
func (s *systems) follow(f *follower) { s.follower.Store(f) }

// followed passes on who changed; nil is anybody.
func (s *systems) followed(logins []string) {
	f := s.follower.Load()
	switch {
	case f == nil:
	case logins == nil:
		f.all()
	default:
		f.some(logins...)
	}
}

// followedDoors passes on whose door was opened or shut: by the address, which
// is the login of a guest's session.
func (s *systems) followedDoors(macs []string) {
	f := s.follower.Load()
	switch {
	case f == nil:
	case macs == nil:
		f.all()
	default:
		f.devices(macs)
	}
}

// watched logs when the members of a backend begin to be out of reach, and when
// they are back.
func (s *systems) watched(name string) func(error) {
	log := s.log.WithField("backend", name)
	return func(err error) {
		if err == nil {
			s.stale.Delete(name)
			log.Info("members are read again")
			return
		}
		s.stale.Store(name, err)
		log.WithError(err).Error("members could not be read again; the old ones hold")
	}
}

// unread says of which backends the members can't be read again; nil: of none.
func (s *systems) unread() error {
	var all []error
	s.stale.Range(func(name, err any) bool {
		all = append(all, fmt.Errorf("backend %s: members can't be read again, the old ones hold: %w", name, err.(error)))
		return true
	})
	return errors.Join(all...)
}

// database returns the embedded store; nil where nothing needs it.
func (s *systems) database() *store.Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store
}

// bare returns the backend of that name without its layers; nil where it is not open.
func (s *systems) bare(name string) backends.Backend {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sys := s.open[name]; sys != nil {
		return sys.bare
	}
	return nil
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
	if s.doors != nil {
		errs = append(errs, s.doors.Refresh(ctx))
	}
	return errors.Join(errs...)
}
