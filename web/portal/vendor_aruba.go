package portal

import "net/url"

// arubaLogin is the name under which Instant APs and controllers answer their
// guests where the redirect names none: their DNS answers it with themselves.
const arubaLogin = "securelogin.arubanetworks.com"

// arubaHosts are Aruba's own: that name, its successor, and where Instant On logs in.
func arubaHosts() []string { return []string{arubaLogin, "securelogin.hpe.com", "*.cloudauth.net"} }

// readAruba takes what Instant APs (cmd, mac, essid, ip, apname, apmac, vcname,
// switchip, url), Instant On (network, site, post) and controllers (switchip where
// they are told to add it) send. Sources: Aruba Instant 6.4.3 user guide, table
// "External Captive Portal Redirect Parameters"; Aruba Instant On, "External
// Captive Portal configuration and parameters"; ArubaOS CLI reference, aaa
// authentication captive-portal, switchip-in-redirection-url.
func readAruba(s *Site, q url.Values, v *visit) {
	v.MAC = mac(q.Get("mac"))
	v.AP = mac(first(q, "apmac", "apname"))
	v.Address = address(q.Get("ip"))
	v.SSID = text(first(q, "essid", "network"), maxSSID)
	v.Original = webAddress(q.Get("url"))
	host := first(q, "switchip", "post")
	if host == "" {
		host = arubaLogin
	}
	v.Controller = s.page(Aruba, "https", host, "/cgi-bin/login")
	if q.Get("errmsg") != "" {
		v.Result = failed
	}
}

// handAruba posts to /cgi-bin/login. Instant and controllers read user,
// Instant On username.
func handAruba(h *handing) *handoff {
	return &handoff{Address: h.visit.Controller, Fields: []field{
		{"user", h.user}, {"username", h.user}, {"password", string(h.password)}, {"cmd", "authenticate"}, {"url", h.back},
	}}
}
