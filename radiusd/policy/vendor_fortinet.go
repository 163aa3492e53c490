package policy

// fortinet is FortiGate with FortiAP.
var fortinet = vendor{
	name:          "fortinet",
	rates:         wisprRates,
	source:        `Fortinet, "FortiOS Administration Guide", Traffic shaping based on dynamic RADIUS VSAs; "FortiWiFi and FortiAP Configuration Guide", VLAN assignment by RADIUS`,
	session:       []identity{nasAddress, userName, callingStation, framedAddress},
	sessionSource: `Fortinet community, technical tip 198689 (User-Name and Framed-IP-Address together, NAS-IP-Address) and FortiAP troubleshooting tip 407800 (Calling-Station-Id besides)`,
	limits: []string{
		"fortinet heeds the bandwidth of a reply only where a traffic shaping policy takes it from RADIUS, and not on ports that NP hardware accelerates",
	},
}
