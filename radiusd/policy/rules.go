package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"memberradius/dictionary"
	"memberradius/member"
)

// Numbers of attributes that have rules of their own.
const (
	serviceType    = 6
	sessionTimeout = 27
	idleTimeout    = 28
	tunnelType     = 64
	tunnelMedium   = 65
	tunnelGroup    = 81
	acctInterim    = 85

	vendorCisco     = 9
	vendorMicrosoft = 311
	ciscoAVPair     = 1
)

// minInterim is the shortest Acct-Interim-Interval in seconds (RFC 2869 §5.16).
const minInterim = 60

// allowed are the attributes of the RFCs that a plan or a member system may
// set: those that say what the member gets. All others are the protocol's own,
// the NAS's, or secrets, and radiusd alone writes those it needs.
var allowed = func() (set [256]bool) {
	for _, n := range [...]uint8{
		serviceType, // with a member's values only, see check
		7, 8, 9, 10, // Framed-Protocol, -IP-Address, -IP-Netmask, -Routing
		11,     // Filter-Id
		12, 13, // Framed-MTU, Framed-Compression
		22, // Framed-Route
		sessionTimeout, idleTimeout,
		29,             // Termination-Action
		56, 57, 58, 59, // RFC 4675: Egress-VLANID, Ingress-Filters, Egress-VLAN-Name, User-Priority-Table
		62,                                    // Port-Limit
		tunnelType, tunnelMedium, tunnelGroup, // a VLAN only, see apply
		acctInterim,
		88,              // Framed-Pool
		96, 97, 99, 100, // Framed-Interface-Id, Framed-IPv6-Prefix, -Route, -Pool
		123,                     // Delegated-IPv6-Prefix
		168, 169, 170, 171, 172, // RFC 6911: IPv6 addresses and pools
		174, 178, // RFC 7268: Allowed-Called-Station-Id, Preauth-Timeout
	} {
		set[n] = true
	}
	// Numbers that RFC 2865 §5 leaves to experiments and implementations: an
	// operator who has named one in a dictionary of her own means it.
	for n := 192; n <= 240; n++ {
		set[n] = true
	}
	return set
}()

// management are vendors' attributes that make somebody an administrator of
// the NAS. A member's reply never carries one, whoever asks for it.
var management = map[uint64]bool{
	14823<<32 | 3: true, 14823<<32 | 4: true, 14823<<32 | 42: true, 14823<<32 | 46: true, 14823<<32 | 48: true, // Aruba-Priv-Admin-User, -Admin-Role, -Admin-Path, -Command-String, -Admin-Device-Group
	11<<32 | 1: true, 11<<32 | 2: true, 11<<32 | 3: true, 11<<32 | 26: true, // HP-Privilege-Level, -Command-String, -Command-Exception, -Management-Protocol
	12356<<32 | 3: true, 12356<<32 | 6: true, // Fortinet-Vdom-Name, Fortinet-Access-Profile
	12356<<32 | 30: true, 12356<<32 | 33: true, 12356<<32 | 34: true, 12356<<32 | 36: true, // Fortinet-FDD-*
	14988<<32 | 3: true,                       // Mikrotik-Group: the group of a login to the router
	17713<<32 | 1: true, 17713<<32 | 50: true, // Cambium-Auth-Role, Cambium-ePMP-UserLevel
	2636<<32 | 1: true, 2636<<32 | 2: true, 2636<<32 | 3: true, 2636<<32 | 4: true, 2636<<32 | 5: true, 2636<<32 | 10: true, // Juniper: logins to Junos
	25053<<32 | 10: true, 25053<<32 | 200: true, 25053<<32 | 201: true, // Ruckus-WSG-User, Ruckus-SCI-Role, -Resource-Group
	9<<32 | 252: true, // Cisco-Command-Code
}

// check says why a plan or a member system may not set this attribute to this
// value; empty: it may. It never repeats the value.
func check(a *dictionary.Attribute, value string) (why string) {
	switch {
	case a.Encrypted || a.Secret:
		return "it is a secret, and never set from outside"
	case a.Vendor == vendorMicrosoft:
		return "it belongs to the protocol, which the server writes itself"
	case a.Vendor == 0 && (a.Number > 255 || !allowed[a.Number]):
		return "it belongs to the protocol or to the NAS, and is never set from outside"
	case management[keyOf(a)]:
		return "it is for administrators of the NAS, which members are not"
	case a.Type == dictionary.String && !plainText(value):
		return needText
	}
	switch keyOf(a) {
	case serviceType:
		return checkService(value)
	case vendorCisco<<32 | ciscoAVPair:
		if len(value) >= 6 && strings.EqualFold(value[:6], "shell:") {
			return "shell: is for administrators of the NAS, which members are not"
		}
	}
	return ""
}

const needText = "text without control characters is needed, in UTF-8"

// plainText says whether a NAS can't be led astray by s: no line breaks, no
// control characters, and UTF-8 (RFC 2865 §5).
func plainText(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// checkService keeps members from becoming administrators by
// Service-Type (RFC 2865 §5.6).
func checkService(value string) (why string) {
	for _, s := range [...]string{"Login-User", "1", "Framed-User", "2", "Authenticate-Only", "8", "Call-Check", "10"} {
		if strings.EqualFold(value, s) {
			return ""
		}
	}
	return "only Login-User, Framed-User, Authenticate-Only and Call-Check are for members"
}

// need is what an error of the dictionary says, without the value.
func need(err error) string {
	var e *dictionary.ValueError
	if errors.As(err, &e) {
		return e.Need
	}
	return "it can't be written"
}

// backend applies what the member system asks for, in its order.
func (c *composition) backend(attributes []member.Attribute) {
	c.size, c.most = maxBackendBytes, c.out.n+maxBackendBytes
	for i := range attributes {
		if i == maxAttributes {
			c.refuse(strconv.Itoa(len(attributes)-i)+" attributes", fmt.Sprintf("a member system may set %d", maxAttributes))
			return
		}
		w := &attributes[i]
		a, ok := c.b.d.ByName(w.Name)
		if !ok {
			c.refuse(quoted(w.Name), "no dictionary has an attribute of that name; compare its spelling, or add a dictionary that has it")
			continue
		}
		if why := check(a, w.Value); why != "" {
			c.refuse(a.Name, why)
			continue
		}
		if why := c.apply(a, w); why != "" {
			c.refuse(a.Name, why)
		}
	}
}

// apply does what the operator of one attribute says.
func (c *composition) apply(a *dictionary.Attribute, w *member.Attribute) (why string) {
	k := keyOf(a)
	switch {
	case k == tunnelGroup, k == c.v.vlanNumber.key, k == c.v.vlanName.key:
		return c.applyVLAN(w)
	case k == tunnelType:
		return onlyValue(a, w.Value, tunnelVLAN[:6])
	case k == tunnelMedium:
		return onlyValue(a, w.Value, tunnelVLAN[6:])
	case k == sessionTimeout:
		return c.applySession(w.Value)
	}
	o := c.out
	if w.Op == member.OpFill && o.has(k) {
		return ""
	}
	value := w.Value
	if k == acctInterim {
		value = atLeast(value, minInterim)
	}
	// Only what could be written replaces: a bad value must not cost the plan's.
	if why := o.write(a, value); why != "" {
		return why
	}
	last := o.count - 1
	if o.n > c.most {
		o.count, o.n = last, int(o.entries[last].from)
		return fmt.Sprintf("with it there would be more than %d octets of attributes", c.size)
	}
	if w.Op == member.OpSet {
		o.drop(k, last)
	}
	return ""
}

// atLeast raises a number that is too small.
func atLeast(value string, least uint64) string {
	if n, err := strconv.ParseUint(value, 0, 32); err == nil && n < least {
		return strconv.FormatUint(least, 10)
	}
	return value
}

// applyVLAN sets the VLAN, whichever attribute names it.
func (c *composition) applyVLAN(w *member.Attribute) (why string) {
	v, ok := vlan(w.Value)
	switch {
	case !ok:
		return needVLAN
	case w.Op == member.OpFill && c.vlan != "":
		return ""
	case w.Op == member.OpAdd && c.vlan != "":
		return "a member is in one VLAN: := replaces it"
	}
	c.vlan = v
	return ""
}

// applySession makes the session no longer than the member system says; no
// operator can make it longer than the plan does.
func (c *composition) applySession(value string) (why string) {
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil || n == 0 {
		return "a number of seconds from 1 to 4294967295 is needed"
	}
	c.bound(seconds(n))
	return ""
}

// onlyValue lets an attribute have the one value that belongs to a VLAN, which is written anyway.
func onlyValue(a *dictionary.Attribute, value, encoded string) (why string) {
	var b [16]byte
	got, err := a.Append(b[:0], value)
	if err != nil {
		return need(err)
	}
	if string(got) != encoded {
		return "only " + a.Text([]byte(encoded[2:])) + " is possible, which comes with every VLAN by itself"
	}
	return ""
}

// refuse notes what the NAS is not told.
func (c *composition) refuse(name, why string) {
	c.out.refused = append(c.out.refused, name+": "+why)
}

// quoted shows a name that no dictionary vouches for.
func quoted(name string) string {
	const most = 64
	if len(name) > most {
		return strconv.QuoteToASCII(name[:most]) + "..."
	}
	return strconv.QuoteToASCII(name)
}
