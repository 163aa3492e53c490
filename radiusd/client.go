package radiusd

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"

	"memberradius/member"
	"memberradius/radiusd/policy"
)

// An Arrival is how a request came in: all that may say who speaks.
type Arrival struct {
	Local, Remote netip.AddrPort
	// Site is set where the port is a site's own.
	Site string
}

// ClientConfig describes a NAS. Zero fields refuse or mean what their comment says.
type ClientConfig struct {
	// Name is for log, metrics and policy; it must be set.
	Name string
	// Secret is the RADIUS shared secret; it must not be empty (RFC 2865 §3).
	Secret member.Secret
	// Vendor names a file of vendor attributes; empty is generic.
	Vendor string
	// Methods are those that its users may use, of Methods(); nil: pap,
	// mschapv2 and eap.
	Methods []string
	// TolerateNoMessageAuthenticator takes Access-Requests without a
	// Message-Authenticator, unless they carry Proxy-State (CVE-2024-3596).
	TolerateNoMessageAuthenticator bool
	// Site is which site it belongs to.
	Site string
	// VLAN is for members whose plan has none.
	VLAN member.VLAN
}

// A Client is a NAS, ready for use. Make it with NewClient: a zero Client has
// no secret and so no request of it is ever authentic.
type Client struct {
	config  ClientConfig
	key     key
	methods methodSet
	meters  atomic.Pointer[clientMeters]
	said    [drops]atomic.Int64 // when each kind of drop was last logged, Unix seconds
}

// Config returns what the client was made of.
func (c *Client) Config() ClientConfig { return c.config }

// NewClient checks a client and works ahead what depends on its secret alone.
func NewClient(c ClientConfig) (*Client, error) {
	switch {
	case c.Name == "":
		return nil, errors.New("radiusd: a client needs a name")
	case c.Secret == "":
		return nil, fmt.Errorf("radiusd: client %s: the secret is empty", c.Name)
	case c.Vendor != "" && !policy.KnownVendor(c.Vendor):
		return nil, fmt.Errorf("radiusd: client %s: vendor %q is unknown: it is one of %v", c.Name, c.Vendor, policy.Vendors())
	}
	methods, err := parseMethods(c.Methods)
	if err != nil {
		return nil, fmt.Errorf("radiusd: client %s: %w", c.Name, err)
	}
	return &Client{config: c, key: newKey(c.Secret), methods: methods}, nil
}

// A ClientEntry is a Client at an address or a prefix.
type ClientEntry struct {
	Prefix netip.Prefix
	Client *Client
}

// NewClients returns a table that finds clients by the longest prefix of the
// source address. At a site's own port only clients of that site are known; at
// the other ports all are. A prefix that two clients share is an error, unless
// they belong to different sites: then neither is known at the shared ports.
func NewClients(entries []ClientEntry) (Clients, error) {
	t := clientTable{"": {}}
	for _, e := range entries {
		if e.Client == nil {
			return nil, fmt.Errorf("radiusd: client for %v is nil", e.Prefix)
		}
		if !e.Prefix.IsValid() {
			return nil, fmt.Errorf("radiusd: client %s: its address is not an address or a prefix", e.Client.config.Name)
		}
		p := netip.PrefixFrom(e.Prefix.Addr().Unmap(), unmapBits(e.Prefix)).Masked()
		site := e.Client.config.Site
		if site != "" {
			if other := t.at(site).add(p, e.Client); other != nil {
				return nil, fmt.Errorf("radiusd: clients %s and %s of site %q share the address %v: give one of them an address or a prefix of its own", other.config.Name, e.Client.config.Name, site, p)
			}
		}
		if other := t.at("").add(p, e.Client); other != nil {
			if other.config.Site == site || site == "" || other.config.Site == "" {
				return nil, fmt.Errorf("radiusd: clients %s and %s share the address %v: give one of them an address or a prefix of its own, or sites with ports of their own", other.config.Name, e.Client.config.Name, p)
			}
			t.at("").set(p, nil)
		}
	}
	return t, nil
}

func unmapBits(p netip.Prefix) int {
	if p.Addr().Is4In6() {
		return p.Bits() - 96
	}
	return p.Bits()
}

// A clientTable holds one prefix table per site, and that of the shared ports under "".
type clientTable map[string]*prefixTable

func (t clientTable) at(site string) *prefixTable {
	if t[site] == nil {
		t[site] = &prefixTable{}
	}
	return t[site]
}

// Find implements Clients.
func (t clientTable) Find(a *Arrival) (*Client, bool) {
	p, ok := t[a.Site]
	if !ok {
		return nil, false
	}
	return p.find(a.Remote.Addr().Unmap().WithZone(""))
}

// A prefixTable looks an address up once for every prefix length in use,
// longest first: a site has a handful of lengths, whatever its number of NASes.
type prefixTable struct {
	lengths4, lengths6 []int // descending
	byPrefix           map[netip.Prefix]*Client
}

// add returns the client that is there already, if any.
func (t *prefixTable) add(p netip.Prefix, c *Client) *Client {
	if other, ok := t.byPrefix[p]; ok {
		return other
	}
	t.set(p, c)
	return nil
}

func (t *prefixTable) set(p netip.Prefix, c *Client) {
	if t.byPrefix == nil {
		t.byPrefix = map[netip.Prefix]*Client{}
	}
	t.byPrefix[p] = c
	lengths := &t.lengths6
	if p.Addr().Is4() {
		lengths = &t.lengths4
	}
	if !slices.Contains(*lengths, p.Bits()) {
		*lengths = append(*lengths, p.Bits())
		slices.Sort(*lengths)
		slices.Reverse(*lengths)
	}
}

func (t *prefixTable) find(a netip.Addr) (*Client, bool) {
	lengths := t.lengths6
	if a.Is4() {
		lengths = t.lengths4
	}
	for _, bits := range lengths {
		p, err := a.Prefix(bits)
		if err != nil {
			continue
		}
		if c, ok := t.byPrefix[p]; ok {
			return c, c != nil
		}
	}
	return nil, false
}
