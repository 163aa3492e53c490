package radiusd_test

import (
	"context"
	"fmt"
	"net/netip"

	"memberradius/member"
	"memberradius/radiusd"

	"github.com/sirupsen/logrus"
)

// club is a member system of one's own: whom it lets in is up to it.
type club map[string]member.Secret

func (c club) Known(a *member.Attempt, out *member.Answer) bool {
	*out = member.Answer{Verdict: member.Deny, Reason: member.ReasonUnknownLogin}
	if password, ok := c[a.Login]; ok {
		*out = member.Answer{Verdict: member.Allow, Credential: &member.Credential{Password: password}}
	}
	return true
}
func (club) Ask(context.Context, *member.Attempt) member.Answer { return member.Answer{} }

// embed is all that a program needs: run what it returns with Serve.
func embed(ctx context.Context, log *logrus.Logger) (*radiusd.Server, error) {
	lobby, err := radiusd.NewClient(radiusd.ClientConfig{Name: "lobby", Secret: "correct horse battery staple"})
	if err != nil {
		return nil, err
	}
	clients, err := radiusd.NewClients([]radiusd.ClientEntry{{Prefix: netip.MustParsePrefix("127.0.0.1/32"), Client: lobby}})
	if err != nil {
		return nil, err
	}
	server, err := radiusd.New(radiusd.Config{
		Listen: []radiusd.Listen{{Address: netip.MustParseAddrPort("127.0.0.1:0")}},
		Tables: radiusd.Tables{Clients: clients, Members: club{"bob": "hello"}}, Log: log,
	})
	if err != nil {
		return nil, err
	}
	return server, server.Listen(ctx)
}

// A server with members of its own: club and embed are all there is to it.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	log := logrus.New()
	log.SetLevel(logrus.ErrorLevel)
	server, err := embed(ctx, log)
	if err != nil {
		fmt.Println(err)
		return
	}
	done := make(chan error)
	go func() { done <- server.Serve(ctx) }()

	fmt.Println(askAsBob(server.Addrs()[0]))
	stop()
	fmt.Println(<-done)
	// Output:
	// Access-Accept
	// <nil>
}
