package portal

import (
	"crypto/md5"
	"encoding/hex"
	"net/url"
	"strings"

	"memberradius/member"
)

// chilliChallenge is how many octets the challenge has.
const chilliChallenge = 16

// readChilli takes what CoovaChilli adds to its uamserver address: res (notyet,
// failed, success, already, logoff), uamip, uamport, challenge, called, mac, ip,
// ssid, userurl. Devices of many makers (old Ruckus, Xirrus, Cradlepoint,
// LigoWave) run it. Source: CoovaChilli, src/redir.c and chilli.conf(5).
func readChilli(s *Site, q url.Values, v *visit) {
	v.MAC = mac(q.Get("mac"))
	v.AP = mac(first(q, "apmac", "called"))
	v.Address = address(q.Get("ip"))
	v.SSID = text(q.Get("ssid"), maxSSID)
	v.Original = webAddress(q.Get("userurl"))
	scheme := "http"
	if s.ControllerTLS {
		scheme = "https"
	}
	host := q.Get("uamip")
	if port := q.Get("uamport"); port != "" {
		host += ":" + port
	}
	challenge, err := hex.DecodeString(q.Get("challenge"))
	if err == nil && len(challenge) == chilliChallenge {
		v.Challenge = challenge
		v.Controller = s.page(Chilli, scheme, host, "/logon")
	}
	switch strings.ToLower(q.Get("res")) {
	case "already", "success":
		v.Result = already
	case "failed":
		v.Result = failed
	}
}

// handChilli sends the browser to /logon with the answer to the challenge.
func handChilli(h *handing) *handoff {
	response := chap([]byte{0}, h.password, chilliKey(h.visit.Challenge, h.site.UAMSecret))
	return &handoff{Address: h.visit.Controller, Get: true, Fields: []field{
		{"username", h.user}, {"response", hex.EncodeToString(response)}, {"userurl", h.back},
	}}
}

// chilliKey is what the response is computed with: MD5 of challenge and
// uamsecret, which chilli hands to RADIUS as CHAP-Challenge with the identifier 0;
// without a uamsecret it is the challenge.
func chilliKey(challenge []byte, secret member.Secret) []byte {
	if secret == "" {
		return challenge
	}
	d := md5.New()
	d.Write(challenge)
	d.Write([]byte(secret))
	return d.Sum(nil)
}
