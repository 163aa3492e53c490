package radiusd_test

import (
	"context"
	"fmt"
	"io"
	"net/netip"

	"memberradius/member"
	"memberradius/radiusd"

	"github.com/sirupsen/logrus"
)

// club is a member system of one's own: who it lets in is up to it.
type club map[string]member.Secret

func (c club) Known(a *member.Attempt, out *member.Answer) bool {
	*out = member.Answer{Verdict: member.Deny, Reason: member.ReasonUnknownLogin, Source: "club"}
	if password, ok := c[a.Login]; ok {
		*out = member.Answer{Verdict: member.Allow, Credential: &member.Credential{Password: password}, Source: "club"}
	}
	return true
}

func (club) Ask(context.Context, *member.Attempt) member.Answer { return member.Answer{} }

// A program that brings its own members needs no more than this.
func Example() {
	lobby, _ := radiusd.NewClient(radiusd.ClientConfig{Name: "lobby", Secret: "correct horse battery staple"})
	clients, _ := radiusd.NewClients([]radiusd.ClientEntry{{Prefix: netip.MustParsePrefix("127.0.0.1/32"), Client: lobby}})
	log := logrus.New()
	log.SetOutput(io.Discard)
	server, err := radiusd.New(radiusd.Config{
		Listen: []radiusd.Listen{{Address: netip.MustParseAddrPort("127.0.0.1:0")}},
		Tables: radiusd.Tables{Clients: clients, Members: club{"bob": "hello"}},
		Log:    log,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if err := server.Listen(ctx); err != nil {
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
