package onboard

import (
	"crypto/tls"
	"fmt"
	"strings"
)

// The numbers of EAP methods (IANA, EAP Method Types).
const (
	typeTTLS     = 21
	typePEAP     = 25
	typeMSCHAPv2 = 26
)

// eapType returns the number of the network's method.
func (n *Network) eapType() int {
	if n.Method == TTLS {
		return typeTTLS
	}
	return typePEAP
}

// Apple writes the profile for iPhone, iPad and Mac (.mobileconfig, Apple's
// "Configuration Profile Reference", payloads com.apple.wifi.managed and
// com.apple.security.root). With a certificate and its RSA or ECDSA key the
// profile is signed (CMS, RFC 5652), and the device names the signer instead of
// "Not Signed". An SSID that is no text gives ErrUnfit.
func (n *Network) Apple(a *Access, sign *tls.Certificate) ([]byte, error) {
	c, err := n.normalFor(a)
	if err != nil {
		return nil, err
	}
	if !plain(c.SSID) {
		return nil, fmt.Errorf("onboard: Apple profile: the SSID is no text: %w", ErrUnfit)
	}
	payloads := []node{c.applePayload(a).node()}
	if c.CA != nil {
		payloads = append(payloads, c.appleRoot().node())
	}
	profile := c.applePart("profile", "Configuration", c.title()).
		text("PayloadDescription", appleDescription(a)).
		text("PayloadOrganization", display(c.Space)).
		set("PayloadContent", branch("array", payloads...)).
		plist()
	if sign == nil {
		return profile, nil
	}
	signed, err := signCMS(profile, sign)
	if err != nil {
		return nil, fmt.Errorf("onboard: Apple profile: %w", err)
	}
	return signed, nil
}

// applePart begins a payload, or the profile itself, with what all must have.
// The identifier and the UUID stay, so that a new profile takes the old one's place.
func (n *Network) applePart(part, kind, title string) dictionary {
	identifier := "memberradius." + strings.ToLower(n.uuid("profile"))
	if part != "profile" {
		word, _, _ := strings.Cut(part, "\x00")
		identifier += "." + word
	}
	return dictionary{}.
		text("PayloadType", kind).
		integer("PayloadVersion", 1).
		text("PayloadIdentifier", identifier).
		text("PayloadUUID", n.uuid(part)).
		text("PayloadDisplayName", title)
}

func (n *Network) applePayload(a *Access) dictionary {
	eap := dictionary{}.
		set("AcceptEAPTypes", branch("array", leaf("integer", fmt.Sprint(n.eapType())))).
		text("UserName", a.Login)
	if a.Password != "" {
		eap = eap.text("UserPassword", string(a.Password))
	}
	eap = eap.text("OuterIdentity", n.outer())
	if n.Method == TTLS {
		eap = eap.text("TTLSInnerAuthentication", map[string]string{PAP: "PAP", MSCHAPv2: "MSCHAPv2"}[n.TTLSInner])
	}
	eap = eap.text("TLSMinimumVersion", "1.2").
		set("TLSTrustedServerNames", branch("array", leaf("string", n.ServerName)))
	if n.CA != nil {
		eap = eap.set("PayloadCertificateAnchorUUID", branch("array", leaf("string", n.uuid(n.caPart()))))
	}
	return n.applePart("wifi", "com.apple.wifi.managed", "Wi-Fi "+display(n.SSID)).
		text("SSID_STR", n.SSID).
		set("AutoJoin", branch("true")).
		set("HIDDEN_NETWORK", branch("false")).
		text("ProxyType", "None").
		// "WPA2" takes WPA3 too, since iOS 16 and macOS 13.
		text("EncryptionType", "WPA2").
		set("EAPClientConfiguration", eap.node())
}

func (n *Network) appleRoot() dictionary {
	return n.applePart(n.caPart(), "com.apple.security.root", n.caName()).
		text("PayloadCertificateFileName", "ca.crt").
		set("PayloadContent", data(n.CA.Raw))
}

// appleDescription is what she reads before she installs the profile.
func appleDescription(a *Access) string {
	var b strings.Builder
	b.WriteString("Wi-Fi")
	if name := display(a.Name); name != "" {
		b.WriteString(" of " + name)
	}
	b.WriteString(": user name " + display(a.Login))
	if a.Password != "" {
		b.WriteString(" and password")
		if !a.Changed.IsZero() {
			b.WriteString(" of " + a.Changed.UTC().Format("2 January 2006"))
		}
		b.WriteString(". After a new password this profile must be installed again")
	}
	return b.String() + "."
}
