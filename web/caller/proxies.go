package caller

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the addresses of proxies of the operator's own. What they say of
// a request is believed; what anybody else says is not. None believes nobody.
type Proxies []netip.Prefix

// Address returns where r comes from: the peer of its connection, or, where
// that is one of the proxies, the last address of X-Forwarded-For that is none.
// What stands further left in that header anybody may have written. The zero
// value is an address that can't be read.
func (p Proxies) Address(r *http.Request) netip.Addr {
	address := peer(r)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !p.trusts(address) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break // the proxy says nothing more that can be used
		}
		address = next.Unmap()
	}
	return address
}

// Secure says whether the browser speaks TLS: with us, or with a proxy of ours
// that says so in X-Forwarded-Proto.
func (p Proxies) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	said := r.Header.Values("X-Forwarded-Proto")
	if len(said) == 0 || !p.trusts(peer(r)) {
		return false
	}
	// Each proxy adds its own at the end; the last is that of our peer.
	protos := strings.Split(said[len(said)-1], ",")
	return strings.EqualFold(strings.TrimSpace(protos[len(protos)-1]), "https")
}

func (p Proxies) trusts(a netip.Addr) bool {
	return a.IsValid() && slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(a) })
}

func peer(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}
