package policy

// ruckus is SmartZone, ZoneDirector and Unleashed.
var ruckus = vendor{
	name:          "ruckus",
	rates:         wisprRates,
	redirect:      wisprRedirect,
	source:        `Ruckus, "SmartZone AAA (RADIUS) Interface Reference Guide" 3.6, hotspot (WISPr) authentication; "ZoneDirector User Guide" 9.8, RADIUS attributes`,
	session:       []identity{nasAddress, userName, callingStation},
	sessionSource: `Ruckus, "ZoneDirector User Guide" 9.8, RADIUS attributes (disconnect messages end a session); PacketFence issue 1971 (ZoneDirector finds no session where Acct-Session-Id is there, and does by User-Name and Calling-Station-Id)`,
	limits: []string{
		"ruckus heeds VLANs of a reply only where the WLAN has dynamic VLAN on",
	},
}
