package policy

// mikrotik is RouterOS. Its rate limit is "rx/tx" as the router sees it, so up
// comes first. Where a plan has one of both, WISPr's attribute for that
// direction serves, which RouterOS reads as well: a rate limit of one number
// would hold for both directions.
var mikrotik = vendor{
	name:           "mikrotik",
	rates:          wisprRates,
	pair:           "Mikrotik-Rate-Limit",
	vlanNumber:     "Mikrotik-Wireless-VLANID",
	vlanFixed:      "Mikrotik-Wireless-VLANID-Type",
	vlanFixedValue: "0", // an 802.1Q tag
	redirect:       wisprRedirect,
	source:         `MikroTik, RouterOS documentation, "RADIUS", supported attributes`,
	session:        []identity{hotspotName, wirelessName, sessionID, framedAddress},
	sessionSource:  `MikroTik, RouterOS documentation, "RADIUS", incoming; PacketFence issues 4635 (wireless wants the MAC, with colons, as User-Name) and 7703 (hotspot wants Framed-IP-Address)`,
	limits: []string{
		"mikrotik takes a VLAN by number only: a VLAN name is sent as Tunnel-Private-Group-Id, which its access points do not read",
	},
}
