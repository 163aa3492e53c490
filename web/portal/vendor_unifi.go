package portal

import "net/url"

// readUniFi takes what a UniFi controller adds to /guest/s/{site}/: id (the
// device), ap, t (a time), url, ssid. It sends no address. Source: Ubiquiti,
// "External Hotspot API for Authorization Clients".
func readUniFi(_ *Site, q url.Values, v *visit) {
	v.MAC = mac(first(q, "id", "mac"))
	v.AP = mac(q.Get("ap"))
	v.SSID = text(q.Get("ssid"), maxSSID)
	v.Original = webAddress(q.Get("url"))
}
