package portal

import (
	"net/url"
	"strings"
)

// ciscoVirtual is the virtual interface that Cisco recommends for WLCs. Others,
// 1.1.1.1 most of all, are somebody's public address: they must be listed.
const ciscoVirtual = "192.0.2.1"

// readCisco takes what a WLC sends for external web authentication: switch_url,
// ap_mac, client_mac, wlan, redirect (often without a scheme), statusCode after a
// refusal (1: already logged in, 2 to 5: refused). Sources: Cisco, "External Web
// Authentication Using a RADIUS Server" and "Web Authentication on WLAN
// Controller" (document 115951).
func readCisco(s *Site, q url.Values, v *visit) {
	v.MAC = mac(q.Get("client_mac"))
	v.AP = mac(q.Get("ap_mac"))
	v.SSID = text(q.Get("wlan"), maxSSID)
	original := q.Get("redirect")
	if original != "" && !strings.Contains(original, "://") {
		original = "http://" + original
	}
	v.Original = webAddress(original)
	v.Controller = s.admits(Cisco, q.Get("switch_url"))
	switch q.Get("statusCode") {
	case "":
	case "1":
		v.Result = already
	default:
		v.Result = failed
	}
}

// handCisco posts to the WLC. Without buttonClicked=4 it shows its page again.
func handCisco(h *handing) *handoff {
	return &handoff{Address: h.visit.Controller, Fields: []field{
		{"buttonClicked", "4"}, {"err_flag", "0"}, {"redirect_url", h.back},
		{"username", h.user}, {"password", string(h.password)},
	}}
}
