package policy

// cisco is Cisco's wireless controllers, which took their attributes over
// from Airespace. A contract counts kilobits per second. "Data" is TCP and
// "Real-Time" is UDP: both are sent, since with QUIC much of the web is UDP.
var cisco = vendor{
	name: "cisco",
	rates: []rate{
		{attribute: "Airespace-Data-Bandwidth-Average-Contract", down: true, unit: 1000},
		{attribute: "Airespace-Real-Time-Bandwidth-Average-Contract", down: true, unit: 1000},
		{attribute: "Airespace-Data-Bandwidth-Average-Contract-Upstream", unit: 1000},
		{attribute: "Airespace-Real-Time-Bandwidth-Average-Contract-Upstream", unit: 1000},
	},
	vlanName:       "Airespace-Interface-Name",
	source:         `Cisco, "Supported RADIUS Attributes on the Wireless LAN Controller"; "Bi-Directional Rate Limiting" (AireOS 7.3 and later); "Configure QoS Rate Limiting on Catalyst 9800"`,
	session:        []identity{nasAddress, callingStation, auditID},
	sessionSource:  `Cisco, "RADIUS Change of Authorization", session identification (Acct-Session-Id, audit-session-id, Calling-Station-Id: each that is there must match) and CoA request commands`,
	reauthenticate: "subscriber:command=reauthenticate",
	limits: []string{
		"cisco controllers heed VLAN and bandwidth of a reply only where the WLAN has AAA override on",
		`cisco Catalyst 9800 controllers take bandwidth as names of QoS policies: make them, and name them in the plan: attributes = [{ name = "Cisco-AVPair", value = "ip:sub-qos-policy-in=UP", op = "+=" }, { name = "Cisco-AVPair", value = "ip:sub-qos-policy-out=DOWN", op = "+=" }]`,
	},
}
