package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"memberradius/radiusd"
	"memberradius/radiusd/policy"
)

// clientConfig is a [[client]].
type clientConfig struct {
	radiusd.ClientConfig
	Prefix netip.Prefix
	// CoA is where Disconnect-Requests go; the zero value is where a session's packets come from.
	CoA netip.AddrPort
}

// methodWords are the methods that a client's methods may list.
var methodWords = []string{"pap", "mschap", "mschapv2", "chap", "eap", "mac"}

func (c *config) readClients(tables []*table) {
	seen := map[string]bool{}
	for _, t := range tables {
		c.Clients = append(c.Clients, readClient(t, seen))
		t.end()
	}
}

func readClient(t *table, seen map[string]bool) clientConfig {
	cl := clientConfig{ClientConfig: radiusd.ClientConfig{
		Name:   t.uniqueName(seen),
		Secret: t.secret("secret"),
		Vendor: t.word("vendor", "generic", policy.Vendors()),
		Site:   t.text("site", ""),
		VLAN:   t.vlan("vlan"),
	}}
	cl.Prefix = t.clientPrefix()
	cl.Methods = t.methods()
	cl.TolerateNoMessageAuthenticator = !t.flag("require_message_authenticator")
	if cl.TolerateNoMessageAuthenticator {
		t.warn("require_message_authenticator", "requests without Message-Authenticator are taken: whoever is on the way can turn a refusal into a welcome (CVE-2024-3596)",
			"update the access point so that it sends Message-Authenticator, then take the line out")
	}
	if why, weak := weakSecret(cl.Secret); weak && cl.Secret != "" {
		t.warn("secret", "the secret is weak: "+why, "`memberradius secret generate` makes a good one; put it here and into the access point")
	}
	if s := t.text("coa", ""); s != "" {
		var err error
		if cl.CoA, err = netip.ParseAddrPort(s); err != nil {
			t.wrong("coa", fmt.Sprintf("coa: %q is no address with a port", s), `write it as "192.0.2.10:3799"`)
		}
	}
	return cl
}

func (t *table) clientPrefix() netip.Prefix {
	s := t.text("address", "")
	if s == "" {
		t.wrong("address", "there is no address", `write address = "192.0.2.10" for one access point, or "192.0.2.0/24" for all of a network`)
		return netip.Prefix{}
	}
	p, err := parsePrefix(s)
	if err != nil {
		t.wrong("address", fmt.Sprintf("address %q is neither address nor prefix", s), `write it as "192.0.2.10" or "192.0.2.0/24"; names are not looked up`)
		return netip.Prefix{}
	}
	if m := p.Masked(); m != p {
		t.warn("address", fmt.Sprintf("address %q has bits behind its prefix", s), fmt.Sprintf("it is read as %q; write that, or the address alone for one access point", m))
	}
	return p.Masked()
}

// methods returns nil where the key is not there: NewClient's default holds.
func (t *table) methods() []string {
	list := t.texts("methods")
	if list == nil {
		return nil
	}
	if len(list) == 0 {
		t.warn("methods", "methods is empty: every request of this client is refused", "take the line out for pap, mschapv2 and eap")
	}
	for i, m := range list {
		path := fmt.Sprintf("methods[%d]", i)
		if !slices.Contains(methodWords, m) {
			t.wrong(path, fmt.Sprintf("method %q is unknown", m), "use some of "+strings.Join(methodWords, ", "))
		}
	}
	return list
}

// crossPrefixes refuses two clients at one address that nothing tells apart:
// not even the ports of their sites.
func (c *config) crossPrefixes(r *reader) {
	for i := range c.Clients {
		for j := range i {
			a, b := &c.Clients[i], &c.Clients[j]
			if !a.Prefix.IsValid() || a.Prefix != b.Prefix {
				continue
			}
			if a.Site == b.Site || !c.hasPorts(a.Site) || !c.hasPorts(b.Site) {
				r.add(wrong, fmt.Sprintf("client[%d].address", i), fmt.Sprintf("client %q: %s is client %q already", a.Name, a.Prefix, b.Name),
					"give each its own address, or each its own site with ports of its own (auth)")
			}
		}
	}
}

// hasPorts says whether a site has ports of its own.
func (c *config) hasPorts(site string) bool {
	return slices.ContainsFunc(c.Server.Listen, func(l radiusd.Listen) bool { return l.Site == site })
}

// client returns the place of the client of that name, or -1.
func (c *config) client(name string) int {
	return slices.IndexFunc(c.Clients, func(cl clientConfig) bool { return cl.Name == name })
}
