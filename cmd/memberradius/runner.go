package main

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/mschap"
	"memberradius/provision"
	"memberradius/store"
)

// A keeper keeps the members of one synced system as the system says.
type keeper struct {
	*provision.Runner
	members *store.Members
	// said: the system has said once who its members are.
	said atomic.Bool
}

// syncing says whether all members of a system are being read.
func (s *systems) syncing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sys := range s.open {
		if sys.keeper != nil && sys.keeper.Runner != nil && sys.keeper.Full() {
			return true
		}
	}
	return false
}

// keep gives the keeper of a system its Runner.
func (s *systems) keep(kept *keeper, c *config, sys *system) {
	b, bare := &sys.config, sys.bare
	source, _ := bare.(backends.Syncer)
	if source == nil { // it speaks up by itself, and until then there is nobody
		kept.said.Store(true)
	}
	latest := func() *config {
		if now := s.current.Load(); now != nil {
			return now
		}
		return c
	}
	kept.Runner = provision.New(provision.Config{
		Backend: b.Name, Store: s.store, Source: source, Secrecy: secrecyOf(bare),
		Provision: b.Sync.Provision, Deprovision: b.Sync.Deprovision,
		Keep: b.Sync.Keep, Shrink: b.Sync.Shrink, Every: b.Sync.Every,
		NTHash:     ntHash,
		KnownPlan:  func(name string) bool { return latest().plan(name) != nil },
		HasDefault: func() bool { return latest().hasDefault(b.Name) },
		Mail:       c.Mail.Set, WriteBack: writesBack(bare),
		Refresh: func(ctx context.Context) error {
			kept.said.Store(true)
			s.wakeLetters()
			return kept.members.Refresh(ctx)
		},
		Changed: func(_ context.Context, all []provision.Change) { s.changed(b.Name, all) },
		Tell:    s.tell(b.Name),
		Now:     time.Now,
	})
}

// ntHash is mschap.NTHash for whoever keeps passwords and knows members only.
func ntHash(password string) member.Hash { return mschap.NTHash(password) }

// writesBack says whether the system shows members their Wi-Fi passwords.
func writesBack(b backends.Backend) bool {
	w, ok := b.(backends.Writer)
	return ok && w.WritesBack()
}

// hasDefault says whether every site that asks the backend has a plan for
// members whose own is not configured.
func (c *config) hasDefault(backend string) bool {
	return !slices.ContainsFunc(c.Sites, func(s siteConfig) bool { return s.DefaultPlan == "" && slices.Contains(s.Ask, backend) })
}

// serveKeeper runs the keeper of a system until the system is closed.
func (s *systems) serveKeeper(sys *system) {
	ctx, stop := context.WithCancel(s.ctx)
	sys.stopKeeper = stop
	log := s.log.WithField("backend", sys.config.Name)
	s.running.Go(func() {
		if err := sys.keeper.Serve(ctx); err != nil && !errors.Is(err, context.Canceled) {
			log.WithError(err).Error("its members are not kept up to date any more; restart the server")
		}
	})
}

// runner returns the Runner of a synced backend that is open; nil where there is none.
func (s *systems) runner(name string) *provision.Runner {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sys := s.open[name]; sys != nil && sys.keeper != nil {
		return sys.keeper.Runner
	}
	return nil
}

// said says whether the member system of a backend has said once who its members are.
func (s *systems) said(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sys := s.open[name]
	return sys != nil && (sys.keeper == nil || sys.keeper.said.Load())
}

// wakeLetters has the outbox looked at.
func (s *systems) wakeLetters() {
	select {
	case s.letters <- struct{}{}:
	default: // it is to be looked at already
	}
}

// changed says in the log whose access has changed.
func (s *systems) changed(backend string, all []provision.Change) {
	log := s.log.WithField("backend", backend)
	for _, c := range all[:min(len(all), mostSaid)] {
		log.WithField("login", c.Login).Info(c.String())
	}
	if more := len(all) - mostSaid; more > 0 {
		log.WithField("more", more).Info("more members have changed; the journal of runs counts them")
	}
}

// mostSaid is how many changes of a run the log says one by one.
const mostSaid = 20
