package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/onboard"
	"memberradius/pki"
	"memberradius/provision"
	"memberradius/store"
	"memberradius/web/me"
)

// Peek implements me.Links.
func (f meFront) Peek(ctx context.Context, link member.Secret) error {
	_, err := f.store().PeekLink(ctx, link)
	return noLink(err)
}

// Take implements me.Links.
func (f meFront) Take(ctx context.Context, link member.Secret, life time.Duration) (member.Secret, error) {
	session, _, err := f.store().TakeLink(ctx, link, life)
	return session, noLink(err)
}

// Session implements me.Links.
func (f meFront) Session(ctx context.Context, session member.Secret) (me.Who, error) {
	l, err := f.store().LinkSession(ctx, session)
	if err != nil {
		return me.Who{}, noLink(err)
	}
	return me.Who{Backend: l.Backend, Login: l.Login}, nil
}

func noLink(err error) error {
	if errors.Is(err, store.ErrNoLink) {
		return me.ErrNoLink
	}
	return err
}

// Sheet implements me.Members.
func (f meFront) Sheet(ctx context.Context, w me.Who) (*me.Sheet, error) {
	c := f.config()
	e, err := f.store().Get(ctx, w.Backend, w.Login)
	if err != nil {
		return nil, err
	}
	verdict, _ := e.Member.Judge(time.Now())
	secrecy := secrecyOf(f.s.systems.bare(w.Backend))
	return &me.Sheet{
		Network: f.s.network(c, w.Backend),
		Access:  onboard.Access{Login: e.Member.Login, Name: e.Member.Name, Password: e.Credential.Password},
		// A password that the member system brings is made there.
		Renewable: f.s.systems.runner(w.Backend) == nil || secrecy == backends.Generated,
		Ended:     verdict != member.Allow || !e.Lapsed.IsZero(),
	}, nil
}

// Renew implements me.Members.
func (f meFront) Renew(ctx context.Context, w me.Who) error {
	_, err := f.renew(ctx, w.Backend, w.Login)
	if errors.Is(err, provision.ErrNotGenerated) || errors.Is(err, provision.ErrEnded) {
		return &me.Refusal{Words: err.Error()}
	}
	return err
}

// secrecyOf says where the passwords of a backend's members come from.
func secrecyOf(b backends.Backend) backends.Secrecy {
	if p, ok := b.(backends.Provisioner); ok {
		return p.Secrecy()
	}
	return backends.Brought
}

// network is the Wi-Fi as the devices of a backend's members are told of it; nil
// where its site says no SSID, or there is no EAP.
func (s *server) network(c *config, backend string) *onboard.Network {
	if s.wpa == nil {
		return nil
	}
	return c.network(backend, s.wpa.keeper.Identity(), secrecyOf(s.systems.bare(backend)))
}

// network is what devices are told: the server's name, its CA where it is a
// private one, and the method by which the members' passwords can be proved.
func (c *config) network(backend string, i *pki.Identity, secrecy backends.Secrecy) *onboard.Network {
	site := c.siteOf(backend)
	if site.SSID == "" {
		return nil
	}
	n := &onboard.Network{Space: site.space(), SSID: site.SSID, ServerName: i.ServerName(), Method: onboard.PEAP,
		ID: fmt.Sprintf("%s/%s", site.Name, i.ServerName())}
	if i.Made {
		n.CA = i.CA
	}
	// A system that keeps the password itself must be told it: by PAP inside TTLS.
	if secrecy == backends.Asked || !slices.Contains(c.EAP.Methods, "peap") {
		n.Method, n.TTLSInner = onboard.TTLS, onboard.PAP
	}
	return n
}
