package policy

// cambium is cnPilot and XV access points. What has a name there is a pool of VLANs.
var cambium = vendor{
	name:          "cambium",
	rates:         wisprRates,
	vlanName:      "Cambium-VLAN-Pool-Id",
	source:        `Cambium, "How do I rate-limit my wireless client traffic?" (WISPr, at portals and with 802.1X); "Cambium RADIUS dictionary for WiFi"`,
	session:       []identity{nasAddress, userName, callingStation},
	sessionSource: `Cambium community, "Configuring Dynamic Authorization (CoA) on cnPilot E-series" (expects User-Name, NAS-IP-Address, Calling-Station-Id)`,
	limits: []string{
		"cambium takes a VLAN that is a name for the name of a VLAN pool",
	},
}
