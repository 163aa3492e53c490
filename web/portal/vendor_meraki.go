package portal

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// merakiHosts are where Meraki's cloud logs guests in ("n143.network-auth.com").
const merakiHosts = "*.network-auth.com"

// merakiMost is the longest that a click-through can be granted for.
const merakiMost = 2592000 * time.Second

// readMeraki takes what a custom splash URL gets: login_url, continue_url,
// ap_mac, client_mac, client_ip with sign-on by RADIUS, and base_grant_url,
// user_continue_url, node_mac with click-through. Sources: Cisco Meraki, Captive
// Portal API, "Sign-on API" and "Click-through API".
func readMeraki(s *Site, q url.Values, v *visit) {
	v.MAC = mac(q.Get("client_mac"))
	v.AP = mac(first(q, "ap_mac", "node_mac"))
	v.Address = address(q.Get("client_ip"))
	v.Original = webAddress(first(q, "continue_url", "user_continue_url"))
	if grant := q.Get("base_grant_url"); grant != "" && !q.Has("login_url") {
		v.Controller = s.admits(Meraki, secureOnly(grant))
		v.Extra = map[string]string{"grant": "1"}
	} else {
		v.Controller = s.admits(Meraki, secureOnly(q.Get("login_url")))
	}
	if q.Get("error_message") != "" {
		v.Result = failed
	}
}

// secureOnly returns an address with TLS: the cloud has no other.
func secureOnly(address string) string {
	if !strings.HasPrefix(address, "https://") {
		return ""
	}
	return address
}

// handMeraki posts the ticket to login_url; the cloud then asks by RADIUS. With
// click-through it asks nobody, and its grant lasts as long as ours.
func handMeraki(h *handing) *handoff {
	if h.visit.Extra["grant"] != "" {
		seconds := int(min(h.session, merakiMost) / time.Second)
		return &handoff{Address: h.visit.Controller, Get: true, Fields: []field{
			{"continue_url", h.back}, {"duration", strconv.Itoa(seconds)},
		}}
	}
	return &handoff{Address: h.visit.Controller, Fields: []field{
		{"username", h.user}, {"password", string(h.password)}, {"success_url", h.back},
	}}
}
