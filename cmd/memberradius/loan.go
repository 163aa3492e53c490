package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"memberradius/member"
)

// A target is where on the running server to try a login, and as whom.
type target struct {
	Client string `placeholder:"NAME" help:"Try it as this [[client]]: its vendor, methods, VLAN and site."`
	Site   string `placeholder:"NAME" help:"Try it at this [[site]] (default: the client's, or the first)."`
}

// A borrowed is a client that the running server has lent.
type borrowed struct {
	control   *controlClient
	addresses []netip.AddrPort
}

// server returns where to send requests: to a port of the site's own where it
// has one.
func (t *target) server(ctx context.Context, control *controlClient, c *config) (netip.AddrPort, error) {
	var st status
	if err := control.call(ctx, http.MethodGet, "/status", nil, &st); err != nil {
		return netip.AddrPort{}, err
	}
	site := t.Site
	if i := c.client(t.Client); site == "" && i >= 0 {
		site = c.Clients[i].Site
	}
	var found netip.AddrPort
	for _, l := range st.Listen {
		if l.For == "auth" && (l.Site == "" && !found.IsValid() || l.Site != "" && l.Site == site) {
			found = l.Address
		}
	}
	if !found.IsValid() {
		return found, errors.New("the server listens for authentication at ports of other sites only: say which with --site")
	}
	return reachable(found), nil
}

// reachable is how this machine reaches an address that it listens on itself.
func reachable(a netip.AddrPort) netip.AddrPort {
	ip := a.Addr().Unmap()
	switch {
	case !ip.IsUnspecified():
		return netip.AddrPortFrom(ip, a.Port())
	case ip.Is4():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port())
	default:
		return netip.AddrPortFrom(netip.IPv6Loopback(), a.Port())
	}
}

// borrow makes the server take requests from the addresses, under the secret, for d.
func (t *target) borrow(ctx context.Context, control *controlClient, addresses []netip.AddrPort, secret member.Secret, d time.Duration) (*borrowed, error) {
	req := loanRequest{Addresses: addresses, Secret: string(secret), Client: t.Client, Site: t.Site, Seconds: d.Seconds()}
	if err := control.call(ctx, http.MethodPost, "/clients/lend", &req, nil); err != nil {
		return nil, fmt.Errorf("the server lends no client: %w", err)
	}
	return &borrowed{control, addresses}, nil
}

// giveBack ends the loan, if there is one, also where the verb was interrupted.
func (b *borrowed) giveBack(ctx context.Context) {
	if b == nil {
		return
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = b.control.call(end, http.MethodPost, "/clients/return", &loanRequest{Addresses: b.addresses}, nil)
}
