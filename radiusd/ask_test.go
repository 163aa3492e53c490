package radiusd_test

import (
	"context"
	"net/netip"

	"memberradius/radiusd/radiustest"
)

// askAsBob sends bob's login as an access point would, and returns what came back.
func askAsBob(server netip.AddrPort) string {
	ctx := context.Background()
	nas := radiustest.NAS{Server: server, Secret: "correct horse battery staple"}
	if err := nas.Open(ctx); err != nil {
		return err.Error()
	}
	defer func() { _ = nas.Close() }()
	reply, err := nas.Do(ctx, &radiustest.Request{Method: radiustest.PAP, Login: "bob", Password: "hello"})
	if err != nil {
		return err.Error()
	}
	return reply.Code.String()
}
