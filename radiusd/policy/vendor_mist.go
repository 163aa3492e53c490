package policy

// mist is Juniper Mist, whose access points read Airespace's attribute for the name of a VLAN.
var mist = vendor{
	name:          "mist",
	vlanName:      "Airespace-Interface-Name",
	source:        `Juniper, "Juniper Mist RADIUS Attributes"; Mist API, WLAN dynamic_vlan (Tunnel-Private-Group-ID, or airespace-interface-name)`,
	session:       standardSession,
	sessionSource: `no document on which attributes name a session; RFC 5176 §3`,
	limits: []string{
		"mist has no per-user bandwidth attribute: down and up of plans are not sent there; set the WLAN's rate limit per client",
		"mist takes a VLAN that is a name only where the WLAN's dynamic VLAN is of type named (Airespace), and then no number",
	},
}
