package main

import (
	"context"
	"fmt"
	"slices"

	"memberradius/web/portal"
	"memberradius/web/portal/unifi"
)

// portalFindings says what a [[portal]] lacks elsewhere in the file, and, where
// online is set, whether its UniFi controller takes us.
func (c *config) portalFindings(ctx context.Context, online bool) (found findings) {
	for i := range c.Portals {
		p := &c.Portals[i].Site
		say := func(l level, what, remedy string) {
			found = append(found, finding{File: c.File, Line: c.lines.line(fmt.Sprintf("portal[%d]", i)), Level: l,
				What: fmt.Sprintf("portal of site %q: %s", p.Name, what), Remedy: remedy})
		}
		if c.HTTP.PublicURL == "" {
			say(warn, "guests are told no address", "set public_url of [http], and public where guests may not reach listen")
		}
		if p.Kind == portal.MAC && !c.anyClient(p.Name, "mac") {
			say(wrong, "it lets devices in by their address, and no client of the site has mac among its methods", `add "mac" to the methods of the site's [[client]]`)
		}
		if p.Kind != portal.MAC && p.Kind != portal.UniFi && !c.anyClient(p.Name, "pap") && !c.anyClient(p.Name, "chap") {
			say(wrong, "its controller logs guests in by PAP or CHAP, and no client of the site has either among its methods", `add "pap" and "chap" to the methods of the site's [[client]]`)
		}
		if client, ok := p.Guests.(*unifi.Client); ok && online {
			within, cancel := context.WithTimeout(ctx, checkTimeout)
			if err := client.Check(within); err != nil {
				say(wrong, err.Error(), "see url, username, password and fingerprint of [portal.unifi]")
			}
			cancel()
		}
	}
	return found
}

// anyClient says whether a client of the site has a method. The default is pap, mschapv2 and eap.
func (c *config) anyClient(site, method string) bool {
	return slices.ContainsFunc(c.Clients, func(cl clientConfig) bool {
		return cl.Site == site && (slices.Contains(cl.Methods, method) || cl.Methods == nil && method == "pap")
	})
}
