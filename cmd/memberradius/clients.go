package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"memberradius/member"
	"memberradius/radiusd"
)

// Bounds of what the control socket lends.
const (
	maxLoans    = 4096
	maxLoanTime = time.Hour
)

// loans are one-time clients for `memberradius test` and `load`, which need no
// [[client]]. Each belongs to one address and port of this machine, so that a
// loan never stands before a real client for anybody else.
type loans struct {
	now func() time.Time
	mu  sync.Mutex // of writers
	// lent is nil where there are none: the usual case costs one load.
	lent atomic.Pointer[map[netip.AddrPort]loan]
}

type loan struct {
	client *radiusd.Client
	until  time.Time
}

func (l *loans) find(remote netip.AddrPort) (*radiusd.Client, bool) {
	lent := l.lent.Load()
	if lent == nil {
		return nil, false
	}
	found, ok := (*lent)[plain(remote)]
	if !ok || !l.now().Before(found.until) {
		return nil, false
	}
	return found.client, true
}

// lend makes client answer for every address until d is over.
func (l *loans) lend(addresses []netip.AddrPort, client *radiusd.Client, d time.Duration) error {
	if d <= 0 || d > maxLoanTime {
		return fmt.Errorf("a loan lasts up to %s", maxLoanTime)
	}
	for _, a := range addresses {
		if a.Port() == 0 || !ownAddress(a.Addr()) {
			return fmt.Errorf("%s is no socket of this machine", a)
		}
	}
	return l.change(func(m map[netip.AddrPort]loan) error {
		if len(m)+len(addresses) > maxLoans {
			return errors.New("too many clients are lent at the moment; try again when a test or load has ended")
		}
		for _, a := range addresses {
			m[plain(a)] = loan{client, l.now().Add(d)}
		}
		return nil
	})
}

// giveBack ends loans.
func (l *loans) giveBack(addresses []netip.AddrPort) {
	_ = l.change(func(m map[netip.AddrPort]loan) error {
		for _, a := range addresses {
			delete(m, plain(a))
		}
		return nil
	})
}

// change edits a copy, without what has run out, and puts it in place.
func (l *loans) change(edit func(map[netip.AddrPort]loan) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := map[netip.AddrPort]loan{}
	if lent := l.lent.Load(); lent != nil {
		m = maps.Clone(*lent)
	}
	now := l.now()
	maps.DeleteFunc(m, func(_ netip.AddrPort, old loan) bool { return !now.Before(old.until) })
	if err := edit(m); err != nil {
		return err
	}
	if len(m) == 0 {
		l.lent.Store(nil)
		return nil
	}
	l.lent.Store(&m)
	return nil
}

// plain is an address as a table finds it: IPv4 as such, without a zone.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// ownAddress says whether an address belongs to this machine.
func ownAddress(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if a.IsLoopback() {
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, o := range own {
		if p, err := netip.ParsePrefix(o.String()); err == nil && p.Addr().Unmap() == a {
			return true
		}
	}
	return false
}

// clients are the configured ones and, before them, the loans.
type clients struct {
	configured radiusd.Clients
	*loans
}

var _ radiusd.Clients = clients{}

// Find implements radiusd.Clients.
func (c clients) Find(a *radiusd.Arrival) (*radiusd.Client, bool) {
	if client, ok := c.find(a.Remote); ok {
		return client, true
	}
	return c.configured.Find(a)
}

// A loanRequest asks the running server for a client.
type loanRequest struct {
	// Addresses are the sockets that requests will come from.
	Addresses []netip.AddrPort `json:"addresses"`
	// Secret is the borrower's own. It travels in clear over the control
	// socket, which nobody else can open.
	Secret string `json:"secret"`
	// Client names a [[client]] whose vendor, methods, VLAN and site to take.
	Client string `json:"client,omitempty"`
	Site   string `json:"site,omitempty"`
	// Seconds is how long it is needed.
	Seconds float64 `json:"seconds"`
}

// loanName is how log and metrics call a client that is lent.
const loanName = "control"

// borrowed makes the client that a loanRequest asks for.
func (c *config) borrowed(r *loanRequest) (*radiusd.Client, error) {
	as := radiusd.ClientConfig{Methods: radiusd.Methods(), Site: c.Sites[0].Name}
	if r.Client != "" {
		i := c.client(r.Client)
		if i < 0 {
			return nil, fmt.Errorf("client %q is unknown: use the name of a [[client]]", r.Client)
		}
		as = c.Clients[i].ClientConfig
		as.TolerateNoMessageAuthenticator = false
	}
	if r.Site != "" {
		if !c.hasSite(r.Site) {
			return nil, fmt.Errorf("site %q is unknown: use the name of a [[site]]", r.Site)
		}
		as.Site = r.Site
	}
	if as.Name == "" {
		as.Name = loanName
	}
	as.Secret = member.Secret(r.Secret)
	return radiusd.NewClient(as)
}
