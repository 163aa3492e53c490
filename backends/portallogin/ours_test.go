package portallogin

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/web/api"
)

// An other is another memberradius, as far as its portal login API is concerned.
type other struct {
	api.Members
	api.Editor
	api.Access
	granted []api.PortalLogin
	refuse  error
}

func (*other) Plans() []*member.Plan { return nil }

func (*other) Backends(context.Context) ([]api.Backend, error) { return nil, nil }

func (*other) Start(context.Context, api.Order) (*api.Started, error) { return nil, api.ErrUnknown }

func (*other) Runs(context.Context, string, int) ([]api.Run, error) { return nil, nil }

func (o *other) FindToken(_ context.Context, presented member.Secret) (*api.Token, error) {
	if presented != token {
		return nil, api.ErrNoToken
	}
	return &api.Token{ID: "1", Name: "neighbour", Scopes: []string{"portal_login"}}, nil
}

func (o *other) GrantLogin(_ context.Context, order *api.PortalLogin) (*api.PortalLogin, error) {
	if o.refuse != nil {
		return nil, o.refuse
	}
	o.granted = append(o.granted, *order)
	given := *order
	given.PageID = 12344 + int64(len(o.granted))
	return &given, nil
}

func (o *other) RenewLogin(context.Context, int64, time.Duration) (*api.PortalLogin, error) {
	return nil, api.ErrUnknown
}

func (o *other) EndLogin(context.Context, int64) error { return api.ErrUnknown }

func (o *other) FindLogin(context.Context, int64) (*api.PortalLogin, error) {
	return nil, api.ErrUnknown
}

// TestOurOwnAPI: what is sent here is what our own API takes, and what that
// answers is understood.
func TestOurOwnAPI(t *testing.T) {
	t.Parallel()
	o := &other{}
	h, err := api.New(api.Config{Tokens: o, Members: o, Editor: o, Access: o, Plans: o, Backends: o, Runs: o, PortalLogins: o, PortalPages: o})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	defer s.Close()
	b := open(t, s.URL+"/api/v1", nil, backends.Deps{})
	if found := b.Check(t.Context()); found != nil || len(o.granted) > 0 {
		t.Errorf("check finds %+v, granted %v", found, o.granted)
	}
	l := whole()
	for range 2 { // the second time its answer was lost
		if page, err := b.Post(t.Context(), l); err != nil || page != 12345 {
			t.Errorf("page %d, %v", page, err)
		}
	}
	want := api.PortalLogin{
		UID: l.UID, MAC: l.MAC, APMAC: l.APMAC, IP: l.IP, Controller: l.Controller, OriginalURL: l.OriginalURL, Session: 2 * time.Hour, Idle: 2 * time.Second,
	}
	if len(o.granted) != 1 || o.granted[0] != want {
		t.Errorf("granted %+v", o.granted)
	}
	l.ID, o.refuse = "0199-8", api.ErrBlocked
	if _, err := b.Post(t.Context(), l); !errors.Is(err, ErrRefused) || !strings.HasSuffix(err.Error(), "mac: this device is blocked") {
		t.Errorf("a blocked device: %v", err)
	}
	o.refuse = api.ErrNoAnswer
	var e *backends.Error
	if _, err := b.Post(t.Context(), l); errors.Is(err, ErrRefused) || !errors.As(err, &e) || e.Class != backends.Faulty || e.After != 5*time.Second {
		t.Errorf("nobody could say: %v", err)
	}
	stranger := open(t, s.URL+"/api/v1", func(c *Config) { c.Token = "another" }, backends.Deps{})
	if _, err := stranger.Post(t.Context(), l); backends.ClassOf(err) != backends.TokenRefused {
		t.Errorf("another token: %v", err)
	}
}
