package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/store"
	"memberradius/web/api"
	"memberradius/web/me"
	"memberradius/web/webhook"
)

// A front is the server as HTTP sees it: what packages web/api, web/webhook and
// web/me declare that they need. front_members.go and front_systems.go have the
// operator's API, front_me.go the personal page, this file the pushes.
type front struct{ s *server }

// apiFront, hookFront and meFront tell apart methods of one name.
type (
	apiFront  struct{ front }
	hookFront struct{ front }
	meFront   struct{ front }
)

func (f front) config() *config     { return f.s.config.Load() }
func (f front) store() *store.Store { return f.s.systems.database() }

// signer is what signs Apple's profiles: the certificate of [http], which
// members' devices trust already; nil where there is none.
func (c *config) signer() (*tls.Certificate, error) {
	if c.HTTP.Certificate == "" {
		return nil, nil //nolint:nilnil // unsigned profiles work too
	}
	pair, err := tls.LoadX509KeyPair(c.HTTP.Certificate, c.HTTP.Key)
	if err != nil {
		return nil, fmt.Errorf("[http]: certificate and key: %w", err)
	}
	return &pair, nil
}

// webParts are what the web serves besides metrics and health.
func (s *server) webParts(c *config, sign *tls.Certificate, fault func(error)) (*api.Config, *webhook.Config, *me.Config) {
	a, h, m := apiFront{front{s}}, hookFront{front{s}}, meFront{front{s}}
	told := func(d api.Deed) {
		s.log.WithField("token", d.Token).WithField("address", d.Address).WithField("backend", d.Backend).WithField("login", d.Login).Info("by API: " + d.Did)
	}
	return &api.Config{Tokens: a, Members: a, Editor: a, Access: a, Plans: a, Backends: a, Runs: a,
			Sessions: a, Kicker: a, Usages: a, Devices: a, Blocks: a, Vouchers: a,
			PortalLog: a, PortalLogins: a, PortalPages: a, Told: told, Fault: fault},
		&webhook.Config{Hooks: h, Access: h},
		&me.Config{Links: m, Members: m, Sign: sign, Space: c.Sites[0].space(), Contact: c.Mail.From, Fault: fault}
}

// Take implements webhook.Hooks.
func (f hookFront) Take(ctx context.Context, backend string, h http.Header, body []byte) error {
	n, ok := f.s.systems.bare(backend).(backends.Notified)
	if !ok {
		return webhook.ErrUnknown
	}
	return f.push(ctx, backend, func() (*backends.Push, error) { return n.Notify(ctx, h, body) })
}

// Groups implements webhook.Access.
func (f hookFront) Groups(ctx context.Context, backend string, h http.Header) ([]webhook.Group, error) {
	a, ok := f.s.systems.bare(backend).(backends.AccessControl)
	if !ok {
		return nil, webhook.ErrUnknown
	}
	groups, err := a.Groups(ctx, h)
	if err != nil {
		return nil, pushError(err)
	}
	// Without groups of its own it is what plans there are.
	if len(groups) == 0 {
		for _, p := range f.config().Plans {
			groups = append(groups, backends.AccessGroup{ID: p.Name, Name: p.Name})
		}
	}
	out := make([]webhook.Group, len(groups))
	for i, g := range groups {
		out[i] = webhook.Group(g)
	}
	return out, nil
}

// Grant implements webhook.Access.
func (f hookFront) Grant(ctx context.Context, backend string, h http.Header, body []byte) error {
	a, ok := f.s.systems.bare(backend).(backends.AccessControl)
	if !ok {
		return webhook.ErrUnknown
	}
	return f.push(ctx, backend, func() (*backends.Push, error) { return a.Grant(ctx, h, body) })
}

// push hands what was verified to whoever keeps the members.
func (f hookFront) push(ctx context.Context, backend string, verify func() (*backends.Push, error)) error {
	p, err := verify()
	if err != nil {
		return pushError(err)
	}
	runner := f.s.systems.runner(backend)
	if runner == nil {
		return webhook.ErrUnknown
	}
	if err := runner.Push(ctx, p); err != nil {
		return fmt.Errorf("backend %q: a push could not be taken: %w", backend, err)
	}
	return nil
}

// pushError is what the sender of a push is told.
func pushError(err error) error {
	var unfit *backends.Error
	switch {
	case errors.Is(err, backends.ErrUnsigned):
		return webhook.ErrUnsigned
	case errors.Is(err, backends.ErrDeaf):
		return webhook.ErrDeaf
	case errors.As(err, &unfit) && unfit.Class == backends.BadAnswer:
		return &webhook.Refusal{Words: unfit.Err.Error()}
	}
	return err
}

// keyed returns the error of the store in the words of the API.
func keyed(err error) error {
	switch {
	case errors.Is(err, member.ErrUnknown):
		return api.ErrUnknown
	case errors.Is(err, store.ErrExists):
		return api.ErrExists
	}
	return err
}
