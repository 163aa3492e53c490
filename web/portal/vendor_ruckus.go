package portal

import (
	"net"
	"net/url"
	"strings"
)

// Ports of the login page on ZoneDirector, Unleashed and SmartZone.
const (
	ruckusPort    = "9997"
	ruckusTLSPort = "9998"
)

// readRuckus takes what hotspots (WISPr) send: sip (the controller), mac (the
// access point), client_mac, uip, ssid, url, and from SmartZone nbiIP, proxy and
// StartURL. A SmartZone encrypts client_mac and uip until it is told "no
// encrypt-mac-ip": then the device is not known here, and nobody is let in.
// Sources: Ruckus, "Enabling WISPr (Hotspot Services) in the ZoneDirector" and
// "SmartZone Hotspot WISPr Reference Guide".
func readRuckus(s *Site, q url.Values, v *visit) {
	v.MAC = mac(q.Get("client_mac"))
	v.AP = mac(q.Get("mac"))
	v.Address = address(q.Get("uip"))
	v.SSID = text(q.Get("ssid"), maxSSID)
	v.Original = webAddress(first(q, "url", "StartURL"))
	scheme, port := "http", ruckusPort
	if s.ControllerTLS {
		scheme, port = "https", ruckusTLSPort
	}
	path := "/login"
	if q.Has("nbiIP") {
		path = "/SubscriberPortal/hotspotlogin"
		v.Extra = map[string]string{"client_mac": text(q.Get("client_mac"), 64), "uip": text(q.Get("uip"), 64), "proxy": text(q.Get("proxy"), 8)}
	}
	if host := strings.Trim(q.Get("sip"), "[]"); host != "" {
		v.Controller = s.page(Ruckus, scheme, net.JoinHostPort(host, port), path)
	}
}

// handRuckus posts the ticket, or has it in the address where a form would make
// the browser warn: these controllers take both.
func handRuckus(h *handing) *handoff {
	out := &handoff{Address: h.visit.Controller, Get: plainFromSecure(h), Fields: []field{
		{"username", h.user}, {"password", string(h.password)}, {"url", h.back},
	}}
	for _, name := range []string{"client_mac", "uip", "proxy"} {
		if value, ok := h.visit.Extra[name]; ok {
			out.Fields = append(out.Fields, field{name, value})
		}
	}
	return out
}
