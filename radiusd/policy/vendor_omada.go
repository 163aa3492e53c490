package policy

// omada is TP-Link's Omada. Its own attributes limit octets, not rates.
var omada = vendor{
	name:          "omada",
	rates:         wisprRates,
	source:        `TP-Link, "Omada Controller User Guide" (VLANs by Tunnel-Private-Group-Id); no document on bandwidth`,
	session:       standardSession,
	sessionSource: `no document on which attributes name a session; RFC 5176 §3`,
	limits: []string{
		"omada documents no per-user bandwidth attribute: down and up of plans are sent as WISPr-Bandwidth-Max-Down and -Up, but access points may not heed them; set a rate limit profile in the wireless network itself",
	},
}
