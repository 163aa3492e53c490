package portal

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The address of the controller comes from the redirect, so from the browser:
// whoever can send a guest a link can write another one there. The server never
// speaks with it, the guest's browser does, and it takes a ticket along. So it
// must be a host that the operator lists, a name of the vendor's own, or a
// private address: that is where a gateway stands, seen from its guests.
// Loopback would hand the ticket to whatever runs on the guest's own device,
// and link-local addresses are where clouds keep their metadata; both are refused.

// admits returns the address of a controller's page where a browser may be sent,
// "" where not. Only http and https, no user, no fragment.
func (s *Site) admits(kind Kind, page string) string {
	clean := webAddress(page)
	if clean == "" {
		return ""
	}
	u, err := url.Parse(clean)
	if err != nil || !plainHost(u.Host) || !portOK(u.Port()) || !s.admitsHost(kind, u) {
		return ""
	}
	u.Fragment, u.RawFragment = "", ""
	u.Host = strings.ToLower(u.Host)
	return u.String()
}

// plainHost keeps out what could say more than a host where it is quoted: in a
// Content-Security-Policy a ";" or a space would begin another rule.
func plainHost(host string) bool {
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(".-:[]", r))
	})
}

func portOK(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func (s *Site) admitsHost(kind Kind, u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	listed := func(pattern string) bool { return matches(pattern, host, u.Port()) }
	if slices.ContainsFunc(s.Controllers, listed) {
		return true
	}
	if v := vendors()[kind]; v != nil && slices.ContainsFunc(v.hosts, listed) {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Zone() == "" && private(a.Unmap())
}

// matches says whether a host is the one of a pattern: "host", "host:port" or "*.domain".
func matches(pattern, host, port string) bool {
	pattern = strings.ToLower(pattern)
	if p, ok := strings.CutPrefix(pattern, "*."); ok {
		p, only, _ := strings.Cut(p, ":")
		return strings.HasSuffix(host, "."+p) && (only == "" || only == port)
	}
	if u, err := url.Parse("//" + pattern); err == nil && u.Hostname() == host {
		return u.Port() == "" || u.Port() == port
	}
	return false
}

// private says whether an address is one of a site's own: RFC 1918, RFC 4193,
// and RFC 6598, which some gateways give their guests.
func private(a netip.Addr) bool {
	return a.IsPrivate() || netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10).Contains(a)
}

// originOf returns scheme, host and port of an address, as policies name it.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
