package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"memberradius/backends/portallogin"
	"memberradius/store"
)

// This file tells other systems of our portal's logins: those whose controllers
// let in whom they know. The outbox has what waits.

// tellPosters puts a login into the outbox for each system that is to know.
func (s *server) tellPosters(ctx context.Context, g *store.Grant) error {
	var errs []error
	told := false
	for _, b := range s.config.Load().Backends {
		p, ok := s.systems.bare(b.Name).(portallogin.Poster)
		if !ok || !p.Serves(g.Site) {
			continue
		}
		told = true
		_, err := s.systems.database().Apply(ctx, b.Name, &store.Changes{
			Events: []store.Event{{Login: strconv.FormatInt(g.PageID, 10), Kind: store.EventPortalLogin}},
		})
		errs = append(errs, err)
	}
	if told {
		s.systems.wakeLetters()
	}
	return errors.Join(errs...)
}

// post tells a system of a login that goes on.
func (s *server) post(ctx context.Context, db *store.Store, e *store.Event) error {
	p, ok := s.systems.bare(e.Backend).(portallogin.Poster)
	if !ok {
		return fmt.Errorf("backend %q takes no portal logins any more: %w", e.Backend, errUndeliverable)
	}
	page, err := strconv.ParseInt(e.Login, 10, 64)
	if err != nil {
		return fmt.Errorf("portal login %q: %w", e.Login, errUndeliverable)
	}
	g, err := db.GrantByPage(ctx, page)
	switch {
	case errors.Is(err, store.ErrNoGrant), err == nil && !g.Live(time.Now()):
		return fmt.Errorf("portal login %d has ended: %w", page, errUndeliverable)
	case err != nil:
		return err
	}
	l := &portallogin.Login{
		ID: e.ID, UID: g.UID, APMAC: g.AccessPoint, MAC: g.MAC, OriginalURL: g.OriginalURL, Session: time.Until(g.Expires), Idle: g.IdleTimeout,
	}
	// What is no address was not known, or is a name.
	l.IP, _ = netip.ParseAddr(g.Address)
	l.Controller, _ = netip.ParseAddr(g.Controller)
	if _, err = p.Post(ctx, l); errors.Is(err, portallogin.ErrRefused) {
		return fmt.Errorf("%w: %w", err, errUndeliverable)
	}
	return err
}
