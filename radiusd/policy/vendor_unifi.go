package policy

// unifi is Ubiquiti's UniFi Network. It publishes no attributes of its own;
// WISPr's are sent because NASes ignore what they do not know (RFC 2865 §5.26).
var unifi = vendor{
	name:          "unifi",
	rates:         wisprRates,
	source:        `Ubiquiti help center, "Configuring RADIUS in UniFi" (VLANs by Tunnel-Private-Group-Id); no document on bandwidth`,
	session:       []identity{nasIdentifier, nasAddress, callingStation, sessionID},
	sessionSource: `Ubiquiti, "UniFi hotspot RADIUS attributes" (Acct-Session-Id is for accounting and disconnecting); RADIUSdesk issue 48 (these four end a session of a Dream Machine)`,
	limits: []string{
		"unifi documents no per-user bandwidth attribute: down and up of plans are sent as WISPr-Bandwidth-Max-Down and -Up, but access points may not heed them; set the limit in the Wi-Fi network itself",
	},
}
