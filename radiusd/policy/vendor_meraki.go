package policy

// meraki is Cisco Meraki MR. Splash pages read the Broadband Forum's rates; with
// WPA-Enterprise bandwidth is part of a group policy, which an attribute
// chooses by name.
var meraki = vendor{
	name: "meraki",
	rates: []rate{
		{attribute: "Maximum-Data-Rate-Downstream", down: true, unit: 1},
		{attribute: "Maximum-Data-Rate-Upstream", unit: 1},
	},
	source:         `Cisco Meraki documentation, "Configuring RADIUS Authentication with a Sign-On Splash Page" (bandwidth, RFC 4679); "MR Meraki RADIUS 2.0" (group policies by Filter-Id)`,
	session:        []identity{callingStation, auditID},
	sessionSource:  `Cisco Meraki documentation, "Change of Authorization with RADIUS (CoA) on MR Access Points" and "CoA Disconnect for Splash Sign-on" (both are heeded); PacketFence, Meraki MR (Calling-Station-Id and audit-session-id; Service-Type is refused)`,
	reauthenticate: "subscriber:command=reauthenticate",
	limits: []string{
		`meraki heeds the bandwidth of a reply at sign-on splash pages only: for WPA-Enterprise make a group policy with the limit, choose Filter-Id as its attribute in the dashboard, and name it in the plan: attributes = [{ name = "Filter-Id", value = "POLICY" }]`,
	},
}
