package onboard

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// oncFile is an UnencryptedConfiguration of the Open Network Configuration
// (Chromium, components/onc/docs/onc_spec.md).
type oncFile struct {
	Type                  string
	NetworkConfigurations []oncNetwork
	Certificates          []oncCertificate `json:",omitempty"`
}

type oncNetwork struct {
	GUID, Name, Type string
	WiFi             oncWiFi
}

type oncWiFi struct {
	SSID        string `json:",omitempty"`
	HexSSID     string
	HiddenSSID  bool
	AutoConnect bool
	Security    string
	EAP         oncEAP
}

type oncEAP struct {
	Outer, Inner      string
	Identity          string
	AnonymousIdentity string
	Password          string `json:",omitempty"`
	// SaveCredentials must be set wherever an identity is.
	SaveCredentials bool
	ServerCARefs    []string `json:",omitempty"`
	// UseSystemCAs is on by default, and would let in every CA of the web besides ours.
	UseSystemCAs bool
	// DomainSuffixMatch: without it Android refuses a network as insecure.
	DomainSuffixMatch []string
}

// oncCertificate has no TrustBits: the CA counts for this network, not for web pages.
type oncCertificate struct {
	GUID, Type string
	X509       string
}

// ONC writes the profile for ChromeOS, where it is imported at
// chrome://network#general, and for Android devices under management (the same
// format as a policy's openNetworkConfiguration). Android phones that nobody
// manages take no file: for them there is ByHand.
//
// ChromeOS replaces ${...} in a login by what it knows of the device's owner,
// and a password of ${PASSWORD} by her own: such texts give ErrUnfit.
func (n *Network) ONC(a *Access) ([]byte, error) {
	c, err := n.normalFor(a)
	if err != nil {
		return nil, err
	}
	if strings.Contains(a.Login, "${") || strings.Contains(string(a.Password), "${") {
		return nil, fmt.Errorf("onboard: ONC: login or password has a placeholder of ChromeOS in it: %w", ErrUnfit)
	}
	eap := oncEAP{
		Outer: map[string]string{PEAP: "PEAP", TTLS: "EAP-TTLS"}[c.Method], Inner: "MSCHAPv2",
		Identity: a.Login, AnonymousIdentity: c.outer(), Password: string(a.Password), SaveCredentials: true,
		UseSystemCAs: c.CA == nil, DomainSuffixMatch: []string{c.ServerName},
	}
	if c.Method == TTLS && c.TTLSInner == PAP {
		eap.Inner = "PAP"
	}
	file := oncFile{Type: "UnencryptedConfiguration"}
	if c.CA != nil {
		guid := "{" + c.uuid(c.caPart()) + "}"
		eap.ServerCARefs = []string{guid}
		// Base64 of the DER alone: ChromeOS takes it with and without PEM's
		// lines around it, Android without.
		file.Certificates = []oncCertificate{{GUID: guid, Type: "Authority", X509: base64.StdEncoding.EncodeToString(c.CA.Raw)}}
	}
	wifi := oncWiFi{HexSSID: strings.ToUpper(hex.EncodeToString([]byte(c.SSID))), AutoConnect: true, Security: "WPA-EAP", EAP: eap}
	if plain(c.SSID) {
		wifi.SSID = c.SSID
	}
	file.NetworkConfigurations = []oncNetwork{{GUID: "{" + c.uuid("wifi") + "}", Name: c.title(), Type: "WiFi", WiFi: wifi}}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("onboard: ONC: %w", err)
	}
	return append(text, '\n'), nil
}
