package portal

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// A visit is what a controller's redirect says of a device, read into our own
// words. All of it came through the device's browser, which can write what it
// likes: nothing here is trusted, and what can't be read is left empty.
type visit struct {
	Kind Kind `json:"k,omitempty"`
	// MAC is the device, AP its access point, as "aa:bb:cc:dd:ee:ff".
	MAC string `json:"m,omitempty"`
	AP  string `json:"a,omitempty"`
	// Address is the device's IP address.
	Address netip.Addr `json:"i,omitzero"`
	SSID    string     `json:"s,omitempty"`
	// Original is where the device wanted to go: http, https or empty.
	Original string `json:"o,omitempty"`
	// Controller is where the browser is sent with the ticket; it passed admits.
	Controller string `json:"c,omitempty"`
	// ID and Challenge are what the password is to be hashed with; empty: it is not.
	ID        []byte `json:"d,omitempty"`
	Challenge []byte `json:"h,omitempty"`
	// Extra are fields that the controller wants back as it gave them.
	Extra map[string]string `json:"x,omitempty"`
	// Result is what the controller says of the last try.
	Result result `json:"-"`
}

// A result is what a controller says of a device that it sends back.
type result uint8

const (
	// notYet: it has not tried, or the controller does not say.
	notYet result = iota
	// already: it is connected.
	already
	// failed: the controller did not take the ticket.
	failed
)

// A vendor is one kind of controller.
type vendor struct {
	// marks are parameters that no other kind's redirect has.
	marks []string
	// read takes the vendor's parameters over.
	read func(s *Site, q url.Values, v *visit)
	// hand builds what the browser takes to the controller; nil: the browser takes
	// nothing, the server speaks with it.
	hand func(h *handing) *handoff
	// hosts are the vendor's own names, which need not be listed.
	hosts []string
}

// vendors is the table of kinds. It is built anew for each reader, which costs
// little beside a page and needs no state of the package.
func vendors() map[Kind]*vendor {
	return map[Kind]*vendor{
		MikroTik: {marks: []string{"link-login-only", "link-login"}, read: readMikroTik, hand: handMikroTik},
		Chilli:   {marks: []string{"uamip"}, read: readChilli, hand: handChilli},
		Aruba:    {marks: []string{"switchip", "apname", "essid", "cmd"}, read: readAruba, hand: handAruba, hosts: arubaHosts()},
		Cisco:    {marks: []string{"switch_url"}, read: readCisco, hand: handCisco, hosts: []string{ciscoVirtual}},
		Ruckus:   {marks: []string{"sip", "nbiIP"}, read: readRuckus, hand: handRuckus},
		Meraki:   {read: readMeraki, hand: handMeraki, hosts: []string{merakiHosts}},
		UniFi:    {read: readUniFi},
		MAC:      {read: readAny},
	}
}

// uamKinds are what UAM can be, in the order in which they are looked for.
func uamKinds() []Kind { return []Kind{MikroTik, Chilli, Cisco, Ruckus, Aruba} }

func kindWords() []string {
	return []string{string(UAM), string(MikroTik), string(Chilli), string(Aruba), string(Cisco), string(Ruckus), string(Meraki), string(UniFi), string(MAC)}
}

// kindOf returns the kind of the controller that sent a device with these
// parameters; UAM where that can't be seen.
func (s *Site) kindOf(q url.Values) Kind {
	if s.Kind != UAM {
		return s.Kind
	}
	all := vendors()
	for _, k := range uamKinds() {
		if slices.ContainsFunc(all[k].marks, q.Has) {
			return k
		}
	}
	return UAM
}

// read takes a redirect's parameters into a visit.
func (s *Site) read(q url.Values) visit {
	v := visit{Kind: s.kindOf(q)}
	if vendor := vendors()[v.Kind]; vendor != nil {
		vendor.read(s, q, &v)
	} else {
		readAny(s, q, &v)
	}
	return v
}

// ready says whether the device can be let in with what is known of it.
func (v *visit) ready() bool {
	vendor := vendors()[v.Kind]
	return v.MAC != "" && vendor != nil && (vendor.hand == nil || v.Controller != "")
}

// readAny takes the names that most controllers use, for those that are handed
// nothing (kind MAC): Cambium and Omada (clientMac, apMac, ssidName, redirectUrl),
// Fortinet (usermac, apmac, userip), Mist (client_mac, ap_mac, url) and what was
// modelled on them. Sources: TP-Link FAQ 3231, FortiAP guide "Captive portal
// security", Juniper Mist "Use an External Portal for Guest Access".
func readAny(_ *Site, q url.Values, v *visit) {
	v.MAC = mac(first(q, "client_mac", "clientMac", "usermac", "mac", "id"))
	v.AP = mac(first(q, "ap_mac", "apMac", "apmac", "ap"))
	v.Address = address(first(q, "client_ip", "clientIp", "userip", "uip", "ip"))
	v.SSID = text(first(q, "ssid", "ssidName", "essid", "wlan"), maxSSID)
	v.Original = webAddress(first(q, "url", "original_url", "redirectUrl", "redirect_url", "redirect", "continue_url", "userurl"))
}

// first returns the first value that is there, of names in this order.
func first(q url.Values, names ...string) string {
	for _, n := range names {
		if v := q.Get(n); v != "" {
			return v
		}
	}
	return ""
}

// maxSSID is the longest name of a network in octets (IEEE 802.11-2020 §9.4.2.2).
const maxSSID = 32

// text returns s where it is short enough and has no control characters.
func text(s string, most int) string {
	if len(s) > most || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return s
}

// mac returns a MAC address as "aa:bb:cc:dd:ee:ff" of every form that
// controllers send; "" for anything else, so too for "---" (MikroTik) and for
// addresses that a SmartZone has encrypted ("ENC..."), and for those that are
// no single device's: all zeros, and groups.
func mac(s string) string {
	var octets [6]byte
	n := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == ':' || c == '-' || c == '.' {
			continue
		}
		d := strings.IndexByte("0123456789abcdef", c|0x20)
		if d < 0 || c < '0' || n == 12 {
			return ""
		}
		octets[n/2] = octets[n/2]<<4 | byte(d)
		n++
	}
	if n != 12 || len(s) > 17 || octets == [6]byte{} || octets[0]&1 != 0 {
		return ""
	}
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 17)
	for i, o := range octets {
		if i > 0 {
			out = append(out, ':')
		}
		out = append(out, digits[o>>4], digits[o&15])
	}
	return string(out)
}

// address returns an IP address; the zero value for anything else.
func address(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
