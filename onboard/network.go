package onboard

import (
	"crypto/sha1" // RFC 9562 §5.5 names by it
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"memberradius/member"
)

// ErrUnfit says that a format has no way to say what it is asked to: an SSID
// that is no text in Apple's, a login that ChromeOS would take for a
// placeholder. Whoever gets it offers the other formats, or ByHand.
var ErrUnfit = errors.New("this format can't express it")

// The content types under which profiles are served.
const (
	AppleType   = "application/x-apple-aspen-config" // .mobileconfig
	ONCType     = "application/x-onc"                // .onc (ONC specification, "Detection")
	WindowsType = "application/xml"                  // .xml
	CAType      = "application/x-x509-ca-cert"       // .crt, DER: the CA alone
)

// The methods of EAP that profiles set up.
const (
	PEAP = "peap" // PEAPv0 with EAP-MSCHAPv2
	TTLS = "ttls" // EAP-TTLS with PAP or MS-CHAPv2
)

// What EAP-TTLS carries in its tunnel.
const (
	PAP      = "pap"
	MSCHAPv2 = "mschapv2"
)

// maxSSID is the longest SSID in octets (IEEE 802.11-2020 §9.4.2.2).
const maxSSID = 32

// maxDisplay is how many characters of a name devices are given to show.
const maxDisplay = 100

// A Network is the Wi-Fi as devices must be told of it.
type Network struct {
	// Space is what people call the place. It is shown and means nothing to a device.
	Space string
	// SSID is 1 to 32 octets of any value.
	SSID string
	// ServerName is the dNSName in the server's certificate. Devices take no other.
	ServerName string
	// CA is the private CA that devices are told to trust for this network; nil
	// where the certificate is from a CA of the web.
	CA *x509.Certificate
	// Method is PEAP or TTLS; empty is PEAP.
	Method string
	// TTLSInner is PAP or MSCHAPv2, for TTLS alone; empty is PAP.
	TTLSInner string
	// ID is what a device knows the network's profile by: a profile of the same
	// ID replaces the one that is there. Empty: the SSID and the server's name.
	ID string
}

// An Access is what one member gets in with.
type Access struct {
	// Login is her user name, Name what people call her.
	Login, Name string
	// Password is hers for the Wi-Fi. Empty: her devices ask her for it.
	Password member.Secret
	// Changed is when Password was made; zero: nobody knows.
	Changed time.Time
}

// normal returns the network with its defaults filled in, or what is wrong with it.
func (n *Network) normal() (*Network, error) {
	c := *n
	if c.Method == "" {
		c.Method = PEAP
	}
	if c.TTLSInner == "" {
		c.TTLSInner = PAP
	}
	if c.ID == "" {
		c.ID = c.ServerName + "\x00" + c.SSID
	}
	switch {
	case len(c.SSID) == 0 || len(c.SSID) > maxSSID:
		return nil, fmt.Errorf("onboard: SSID: it has %d octets, not 1 to %d", len(c.SSID), maxSSID)
	case !hostName(c.ServerName):
		return nil, fmt.Errorf("onboard: server name %q: it must be a host name, as in the server's certificate", c.ServerName)
	case c.Method != PEAP && c.Method != TTLS:
		return nil, fmt.Errorf("onboard: method %q: it must be %s or %s", c.Method, PEAP, TTLS)
	case c.TTLSInner != PAP && c.TTLSInner != MSCHAPv2:
		return nil, fmt.Errorf("onboard: inside TTLS %q: it must be %s or %s", c.TTLSInner, PAP, MSCHAPv2)
	}
	return &c, nil
}

// normalFor is normal, where a member's access is to be written too.
func (n *Network) normalFor(a *Access) (*Network, error) {
	c, err := n.normal()
	switch {
	case err != nil:
		return nil, err
	case a.Login == "" || len(a.Login) > member.MaxLogin:
		return nil, fmt.Errorf("onboard: login: it has %d octets, not 1 to %d", len(a.Login), member.MaxLogin)
	case !plain(a.Login):
		return nil, fmt.Errorf("onboard: login: it has characters that no device lets her type: %w", ErrUnfit)
	case !plain(string(a.Password)):
		return nil, fmt.Errorf("onboard: password: it has characters that no device lets her type: %w", ErrUnfit)
	}
	return c, nil
}

// outer is what devices say of themselves in clear. Its realm is the
// operator's own name: that of the login would tell who is nearby.
func (n *Network) outer() string { return anonymous + "@" + n.ServerName }

// anonymous is the user part of an identity that hides one (RFC 7542 §2.4).
const anonymous = "anonymous"

// title is the network's name for a person's eyes.
func (n *Network) title() string {
	ssid := display(n.SSID)
	if space := display(n.Space); space != "" && space != ssid {
		return space + " (" + ssid + ")"
	}
	return ssid
}

// uuid returns the UUID of a part of the network's profile. It is always the
// same for an ID and a part: devices replace by it (RFC 9562 §5.5).
func (n *Network) uuid(part string) string {
	h := sha1.New()
	h.Write([]byte("memberradius profile\x00" + n.ID + "\x00" + part))
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	x := strings.ToUpper(hex.EncodeToString(u))
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// caPart is the part of the profile that the CA is: another CA is another part.
func (n *Network) caPart() string { return "ca\x00" + string(n.CA.Raw) }

// caName is what devices call the CA.
func (n *Network) caName() string {
	if name := display(n.CA.Subject.CommonName); name != "" {
		return name
	}
	return display(n.CA.Subject.String())
}

// hostName says whether a name is one that a certificate can have as dNSName
// and that means itself: Windows reads patterns and lists, Apple's wildcards.
func hostName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

// plain says whether a text can be typed and stands unchanged in XML 1.0 (§2.2)
// and in JSON: UTF-8 without control characters and the like.
func plain(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == 0xfffe || r == 0xffff {
			return false
		}
	}
	return true
}

// visible makes a text of any origin fit for one line. What turns the direction
// of writing is left out: with it a name can pass for another.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == 0x2028, r == 0x2029:
			return ' '
		case unicode.Is(unicode.Bidi_Control, r), r == 0xfffe, r == 0xffff:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// display is visible for names, which have no need of a hundred characters.
func display(s string) string {
	s = strings.Join(strings.Fields(visible(s)), " ")
	if utf8.RuneCountInString(s) > maxDisplay {
		s = string([]rune(s)[:maxDisplay-1]) + "…"
	}
	return s
}
