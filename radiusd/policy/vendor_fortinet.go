package policy

// fortinet is FortiGate with FortiAP.
var fortinet = vendor{
	name:   "fortinet",
	rates:  wisprRates,
	source: `Fortinet, "FortiOS Administration Guide", Traffic shaping based on dynamic RADIUS VSAs; "FortiWiFi and FortiAP Configuration Guide", VLAN assignment by RADIUS`,
	limits: []string{
		"fortinet heeds the bandwidth of a reply only where a traffic shaping policy takes it from RADIUS, and not on ports that NP hardware accelerates",
	},
}
