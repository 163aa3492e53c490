package policy

// aruba is ArubaOS and Aruba Instant.
var aruba = vendor{
	name:          "aruba",
	rates:         wisprRates,
	vlanNumber:    "Aruba-User-Vlan",
	vlanName:      "Aruba-Named-User-Vlan",
	source:        `ArubaOS user guide, "RADIUS Server VSAs" (Aruba-User-Vlan, Aruba-Named-User-Vlan); Aruba, "Bandwidth VSAs for layer 3 authentication" (WISPr, ArubaOS 8.2 and later)`,
	session:       []identity{nasAddress, userName, callingStation, sessionID},
	sessionSource: `ArubaOS command reference, "aaa rfc-3576-server" (User-Name, Framed-IP-Address, Calling-Station-Id, Acct-Session-Id; all others are ignored); AOS-CX, "Attributes supported in dynamic authorization" (wants User-Name and NAS-IP-Address)`,
	limits: []string{
		`aruba heeds the bandwidth of a reply at captive portals only (ArubaOS 8.2 and later): for WPA-Enterprise make a role with a bandwidth contract per user, and name it in the plan: attributes = [{ name = "Aruba-User-Role", value = "ROLE" }]`,
	},
}
