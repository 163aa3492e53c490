//go:build linux

package supplicant

import "fmt"

// passwordRows: who has the wrong password, no membership, or one that rests.
func passwordRows() []row {
	var rows []row
	people := []struct {
		name, refused string
		person        person
	}{
		{"wrong-password", "wrong_password", person{bob.Login, "Hello"}},
		{"unknown", "unknown_login", person{"nobody@example.com", "hello"}},
		{"disabled", "disabled", dora},
	}
	for _, p := range people {
		for i, in := range insides {
			if in.phase2 == "autheap=TLS" {
				continue
			}
			r := row{
				name:   p.name + "/" + in.name,
				device: tunnelled(in.eap, in.phase2, both[i%2]), refused: p.refused,
			}
			r.device.person = p.person
			rows = append(rows, r)
		}
		alone := row{name: p.name + "/mschapv2", device: bare(), refused: p.refused}
		alone.device.person = p.person
		rows = append(rows, alone)
	}
	// One whose outer name is a member's and whose inner is not.
	masked := row{name: "unknown/behind-bob", device: tunnelled("TTLS", "auth=PAP", tls12), refused: "unknown_login"}
	masked.device.person, masked.device.outer = person{"nobody@example.com", "hello"}, bob.Login
	return append(rows, masked)
}

// certificateRows: the wrong certificate on either side.
func certificateRows() []row {
	var rows []row
	for _, version := range both {
		for _, w := range ways(version) {
			r := row{name: "wrong-ca/" + w.name, device: w.device, refused: "does not trust this server's certificate", whose: w.device.outer}
			r.device.ca = "other"
			rows = append(rows, r)
		}
		name := row{
			name: "wrong-name/" + version, device: tunnelled("PEAP", "auth=MSCHAPV2", version),
			refused: "the device ended it", whose: anonymous,
		}
		name.device.more = []string{`domain_match="other.example.com"`}
		rows = append(rows, name)
		for _, c := range []struct{ certificate, refused, whose string }{
			{"expired", "expired", bob.Login},
			{"revoked", "revoked", bob.Login},
			{"foreign", "certificate", bob.Login},
			{"stranger", "unknown_login", "stranger@example.com"},
			{"dora", "disabled", dora.Login},
		} {
			alone := row{
				name:   fmt.Sprintf("client-certificate/%s/%s", c.certificate, version),
				device: certified(c.certificate, version), refused: c.refused, whose: c.whose,
				// RFC 9190 §2.5: this octet would promise success.
				unsaid: "EAP-TLS: ACKing Commitment Message",
			}
			alone.device.Login = c.whose
			inner := row{
				name:   fmt.Sprintf("inner-certificate/%s/%s", c.certificate, version),
				device: tunnelled("TTLS", "autheap=TLS", version), refused: c.refused, whose: c.whose,
			}
			inner.device.Login, inner.device.certificate = c.whose, c.certificate
			rows = append(rows, alone, inner)
		}
		// wpa_supplicant does not begin EAP-TLS without one.
		none := row{name: "client-certificate/none/" + version, device: certified("", version), refused: "no EAP method in common"}
		rows = append(rows, none)
	}
	return rows
}
