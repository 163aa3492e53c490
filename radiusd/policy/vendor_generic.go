package policy

// generic is for access points that read what the RFCs and WISPr say.
var generic = vendor{
	name:          "generic",
	rates:         wisprRates,
	redirect:      wisprRedirect,
	source:        `RFC 3580 §3.31; Wi-Fi Alliance, "Best Current Practices for Wireless Internet Service Provider (WISP) Roaming" 1.0, annex C`,
	session:       standardSession,
	sessionSource: `RFC 5176 §3; hostapd, src/radius/radius_das.c (refuses attributes that it does not know, Framed-IP-Address among them, and a NAS-Identifier or NAS-IP-Address that is not its own)`,
	limits: []string{
		"generic access points are sent down and up of plans as WISPr-Bandwidth-Max-Down and -Up: try whether yours heed them",
	},
}
