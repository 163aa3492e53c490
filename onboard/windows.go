package onboard

import (
	"crypto/sha1" // Windows names certificates by it
	"encoding/hex"
	"strconv"
	"strings"
)

// The namespaces of a WLAN profile (Microsoft, [MS-GPWL] §6.3, §6.5 to §6.13).
const (
	spaceWLAN      = "http://www.microsoft.com/networking/WLAN/profile/v1"
	spaceOneX      = "http://www.microsoft.com/networking/OneX/v1"
	spaceEAPHost   = "http://www.microsoft.com/provisioning/EapHostConfig"
	spaceEAPCommon = "http://www.microsoft.com/provisioning/EapCommon"
	spaceEAP       = "http://www.microsoft.com/provisioning/BaseEapConnectionPropertiesV1"
	spacePEAP      = "http://www.microsoft.com/provisioning/MsPeapConnectionPropertiesV1"
	spacePEAP2     = "http://www.microsoft.com/provisioning/MsPeapConnectionPropertiesV2"
	spaceMSCHAPv2  = "http://www.microsoft.com/provisioning/MsChapV2ConnectionPropertiesV1"
	spaceTTLS      = "http://www.microsoft.com/provisioning/EapTtlsConnectionPropertiesV1"
)

// authorTTLS is the AuthorId of Windows' own EAP-TTLS: Microsoft's enterprise number.
const authorTTLS = 311

// Windows writes the profile for Windows: a WLANProfile of version 1 for
// `netsh wlan add profile filename="..." user=current`. A private CA must be
// among the Trusted Root Certification Authorities first
// (`certutil -user -addstore Root ca.crt`). Windows keeps passwords apart from
// profiles and asks for login and password at the first connection.
func (n *Network) Windows(a *Access) ([]byte, error) {
	c, err := n.normalFor(a)
	if err != nil {
		return nil, err
	}
	ssid := []node{leaf("hex", strings.ToUpper(hex.EncodeToString([]byte(c.SSID))))}
	if plain(c.SSID) {
		ssid = append(ssid, leaf("name", c.SSID))
	}
	oneX := branch("OneX",
		leaf("cacheUserData", "true"),
		leaf("authMode", "user"),
		branch("EAPConfig", c.windowsHost()),
	).in(spaceOneX)
	return branch("WLANProfile",
		leaf("name", c.windowsName()),
		branch("SSIDConfig", branch("SSID", ssid...), leaf("nonBroadcast", "false")),
		leaf("connectionType", "ESS"),
		leaf("connectionMode", "auto"),
		branch("MSM", branch("security",
			branch("authEncryption", leaf("authentication", "WPA2"), leaf("encryption", "AES"), leaf("useOneX", "true")),
			oneX,
		)),
	).in(spaceWLAN).document(""), nil
}

// windowsName is what Windows keeps the profile under: a profile of the same
// name replaces it, so what is shown of the place may not be in it.
func (n *Network) windowsName() string {
	if name := display(n.SSID); name != "" && plain(n.SSID) {
		return name
	}
	return "Wi-Fi " + strings.ToUpper(hex.EncodeToString([]byte(n.SSID)))
}

// windowsHost is the method with its settings.
func (n *Network) windowsHost() node {
	author, config := 0, n.windowsPEAP()
	if n.Method == TTLS {
		author, config = authorTTLS, n.windowsTTLS()
	}
	number := func(name string, v int) node { return leaf(name, strconv.Itoa(v)).in(spaceEAPCommon) }
	return branch("EapHostConfig",
		branch("EapMethod", number("Type", n.eapType()), number("VendorId", 0), number("VendorType", 0), number("AuthorId", author)),
		branch("Config", config),
	).in(spaceEAPHost)
}

// windowsPEAP is PEAP with EAP-MSCHAPv2 ([MS-GPWL] §2.2.3.2.6 and §6.9.1).
func (n *Network) windowsPEAP() node {
	// A name with no "*" in it is taken literally, not as a pattern.
	validation := []node{leaf("DisableUserPromptForServerValidation", "true"), leaf("ServerNames", n.ServerName)}
	if n.CA != nil {
		validation = append(validation, leaf("TrustedRootCA", n.thumbprint()))
	}
	inner := branch("Eap",
		leaf("Type", strconv.Itoa(typeMSCHAPv2)),
		branch("EapType", leaf("UseWinLogonCredentials", "false")).in(spaceMSCHAPv2),
	).in(spaceEAP)
	// Windows puts the realm of the login behind the name by itself.
	privacy := branch("IdentityPrivacy", leaf("EnableIdentityPrivacy", "true"), leaf("AnonymousUserName", anonymous)).in(spacePEAP2)
	return branch("Eap",
		leaf("Type", strconv.Itoa(typePEAP)),
		branch("EapType",
			branch("ServerValidation", validation...),
			leaf("FastReconnect", "true"),
			leaf("InnerEapOptional", "false"),
			inner,
			leaf("EnableQuarantineChecks", "false"),
			leaf("RequireCryptoBinding", "false"),
			branch("PeapExtensions",
				leaf("PerformServerValidation", "true").in(spacePEAP2),
				leaf("AcceptServerName", "true").in(spacePEAP2),
				privacy,
			),
		).in(spacePEAP),
	).in(spaceEAP)
}

// windowsTTLS is EAP-TTLS ([MS-GPWL] §6.13.1). Windows writes and reads the
// CA as TrustedRootCAHash, whatever the published schema calls it.
func (n *Network) windowsTTLS() node {
	validation := []node{leaf("ServerNames", n.ServerName)}
	if n.CA != nil {
		validation = append(validation, leaf("TrustedRootCAHash", n.thumbprint()))
	}
	validation = append(validation, leaf("DisablePrompt", "true"))
	inner := branch("PAPAuthentication")
	if n.TTLSInner == MSCHAPv2 {
		inner = branch("MSCHAPv2Authentication", leaf("UseWinlogonCredentials", "false"))
	}
	return branch("EapTtls",
		branch("ServerValidation", validation...),
		branch("Phase2Authentication", inner),
		branch("Phase1Identity", leaf("IdentityPrivacy", "true"), leaf("AnonymousIdentity", n.outer())),
	).in(spaceTTLS)
}

// thumbprint is the SHA-1 of the CA as Windows writes it in profiles.
func (n *Network) thumbprint() string {
	sum := sha1.Sum(n.CA.Raw) // a name, not a proof
	return strings.ToLower(pairs(sum[:], " "))
}
