package portal

import (
	"crypto/md5"
	"encoding/hex"
	"net/url"

	"memberradius/member"
)

// readMikroTik takes the variables of RouterOS' hotspot pages as the router's
// login.html sends them on; Garden prints one that does. link-login-only is the
// router's own login page, chap-id and chap-challenge are there where its
// profile has login-by=http-chap. Sources: MikroTik RouterOS manual, "HotSpot
// customisation" and "HotSpot external login page".
func readMikroTik(s *Site, q url.Values, v *visit) {
	v.MAC = mac(first(q, "mac", "mac-esc"))
	v.Address = address(q.Get("ip"))
	v.Original = webAddress(first(q, "link-orig", "link-orig-esc"))
	v.SSID = text(q.Get("ssid"), maxSSID)
	v.Controller = s.admits(MikroTik, first(q, "link-login-only", "link-login-only-esc"))
	if v.Controller == "" {
		v.Controller = s.admits(MikroTik, withoutQuery(q.Get("link-login")))
	}
	id, challenge := octal(q.Get("chap-id"), 1), octal(q.Get("chap-challenge"), 16)
	if id != nil && challenge != nil {
		v.ID, v.Challenge = id, challenge
	}
	if q.Get("error") != "" {
		v.Result = failed
	}
}

// withoutQuery takes the dst off that link-login has.
func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.RawQuery = ""
	return u.String()
}

// octal reads n octets that RouterOS writes as it would in a script: "\371\357",
// or as they are, where the page was told to escape them for addresses. Nil for
// anything else.
func octal(s string, n int) []byte {
	if len(s) == n {
		return []byte(s)
	}
	if len(s) != 4*n {
		return nil
	}
	out := make([]byte, 0, n)
	for ; s != ""; s = s[4:] {
		value := 0
		for _, c := range []byte(s[1:4]) {
			if c < '0' || c > '7' {
				return nil
			}
			value = value<<3 | int(c-'0')
		}
		if s[0] != '\\' || value > 0xff {
			return nil
		}
		out = append(out, byte(value))
	}
	return out
}

// handMikroTik sends the ticket to the router's login page, hashed where it
// gave a challenge: MD5 of chap-id, password and chap-challenge, as the script
// of its own page does, and the CHAP of RFC 2865 §5.3 once it goes on to RADIUS.
func handMikroTik(h *handing) *handoff {
	out := &handoff{Address: h.visit.Controller}
	password := string(h.password)
	if h.visit.Challenge != nil {
		password = hex.EncodeToString(chap(h.visit.ID, h.password, h.visit.Challenge))
		out.Get = true
	} else {
		out.Get = plainFromSecure(h)
	}
	out.Fields = []field{{"username", h.user}, {"password", password}, {"dst", h.back}, {"popup", "false"}}
	return out
}

// chap returns MD5(id, password, challenge), RFC 1994 §4.1.
func chap(id []byte, password member.Secret, challenge []byte) []byte {
	d := md5.New()
	d.Write(id)
	d.Write([]byte(password))
	d.Write(challenge)
	return d.Sum(nil)
}

// plainFromSecure says whether the browser would warn of a form from our page to the controller.
func plainFromSecure(h *handing) bool {
	u, err := url.Parse(h.visit.Controller)
	return err == nil && h.secure && u.Scheme == "http"
}
