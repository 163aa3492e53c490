//go:build linux

package supplicant

import "fmt"

// both are the versions that every tunnel is tried with.
var both = []string{tls12, tls13}

// methodRows: every method, as it is meant to go.
func methodRows() []row {
	rows := []row{{name: "mschapv2", device: bare()}}
	for _, version := range both {
		for _, in := range insides {
			rows = append(rows, row{name: in.name + "/" + version, device: tunnelled(in.eap, in.phase2, version)})
		}
		rows = append(rows, row{name: "tls/" + version, device: certified("bob", version)})
	}
	return rows
}

// A way is a device that gets in, for rows about something else than its method.
type way struct {
	name   string
	device device
}

// ways returns one device of each kind of tunnel.
func ways(version string) []way {
	return []way{
		{"peap/" + version, tunnelled("PEAP", "auth=MSCHAPV2", version)},
		{"ttls/" + version, tunnelled("TTLS", "auth=PAP", version)},
		{"tls/" + version, certified("bob", version)},
		{"inner-tls/" + version, tunnelled("TTLS", "autheap=TLS", version)},
	}
}

// fragmentRows: devices that cut their messages into pieces, within phase 2 too.
func fragmentRows() []row {
	var rows []row
	for _, version := range both {
		for _, w := range ways(version) {
			for _, size := range []int{60, 100, 253, 600, 1400} {
				if size < 100 && w.device.phase2 != "auth=PAP" && w.device.eap != "TLS" {
					// wpa_supplicant gives up after 50 rounds of TLS in TLS, and never
					// sends the rest of PEAP's last answer, which has 100 octets.
					continue
				}
				r := row{name: fmt.Sprintf("fragments/%s/%d", w.name, size), device: w.device}
				r.device.fragment = size
				if size <= 100 && w.device.eap != "TLS" {
					r.freeradius = "loses the inner method where the device cuts phase 2 into pieces"
				}
				rows = append(rows, r)
			}
		}
	}
	return rows
}

// mtuRows: access points that carry less, or say that they carry more.
func mtuRows() []row {
	var rows []row
	for _, version := range both {
		for _, w := range ways(version) {
			for _, mtu := range []int{128, 400, 1000, 1500} {
				rows = append(rows, row{name: fmt.Sprintf("mtu/%s/%d", w.name, mtu), device: w.device, mtu: mtu})
			}
		}
	}
	return rows
}

// bindingRows: PEAP's crypto binding, which a device may ignore (0), answer (1)
// or demand (2).
func bindingRows() []row {
	var rows []row
	for _, version := range both {
		for _, phase2 := range []string{"auth=MSCHAPV2", "auth=GTC"} {
			for binding := range 3 {
				r := row{
					name:   fmt.Sprintf("binding/%d/%s/%s", binding, phase2[len("auth="):], version),
					device: tunnelled("PEAP", phase2, version),
				}
				r.device.phase1 = fmt.Sprintf("crypto_binding=%d", binding)
				if binding == 2 {
					r.freeradius = "has no crypto binding"
				}
				rows = append(rows, r)
			}
		}
	}
	return rows
}

// withTickets lets wpa_supplicant use TLS 1.2's tickets, which it leaves out by itself.
const withTickets = "tls_disable_session_ticket=0"

// keepsNothing is why FreeRADIUS is not asked about fast reconnects.
const keepsNothing = "its tickets lie on disk and bring no attributes back as it is set up here"

// resumeRows: devices that come back.
func resumeRows() []row {
	var rows []row
	for _, in := range insides {
		for _, version := range both {
			r := row{
				name: "resume/" + in.name + "/" + version, device: tunnelled(in.eap, in.phase2, version),
				rejoins: 2, resumes: true, freeradius: keepsNothing,
			}
			if in.phase2 == "autheap=TLS" {
				r.rejoins = 1 // wpa_supplicant loses its own session at the second
			}
			if version == tls12 {
				r.device.phase1 = withTickets
			}
			rows = append(rows, r)
		}
	}
	for _, version := range both {
		tls := row{name: "resume/tls/" + version, device: certified("bob", version), rejoins: 2, resumes: true, freeradius: keepsNothing}
		bound := row{name: "resume/binding/" + version, device: tunnelled("PEAP", "auth=MSCHAPV2", version), rejoins: 2, resumes: true, freeradius: keepsNothing}
		bound.device.phase1 = "crypto_binding=2"
		bound.freeradius = "has no crypto binding"
		cut := row{name: "resume/fragments/" + version, device: certified("bob", version), rejoins: 1, resumes: true, freeradius: keepsNothing}
		cut.device.fragment = 100
		if version == tls12 {
			tls.device.phase1, cut.device.phase1 = withTickets, withTickets
			bound.device.phase1 += " " + withTickets
		}
		rows = append(rows, tls, bound, cut)
		for _, w := range ways(version) {
			never := row{name: "resume/off/" + w.name, device: w.device, rejoins: 1, setting: strict}
			never.device.phase1 = withTickets
			rows = append(rows, never)
		}
	}
	for _, w := range ways(tls12) {
		rows = append(rows, row{
			name: "resume/no-ticket/" + w.name, device: w.device, rejoins: 1,
			freeradius: "resumes by session identifier",
		})
	}
	return rows
}

// wireRows: nothing of what a network does to datagrams may show.
func wireRows() []row {
	var rows []row
	fates := []struct {
		name string
		fate fate
	}{
		{"twice", fate{twice: true}},
		{"lost-replies", fate{loseReply: 4}},
		{"lost-requests", fate{loseRequest: 5}},
		{"asked-again", fate{again: true}},
	}
	for _, f := range fates {
		for _, version := range both {
			for _, w := range ways(version) {
				r := row{name: f.name + "/" + w.name, device: w.device, fate: f.fate}
				if f.fate.again {
					r.freeradius = "takes a packet with an answered State for another conversation's"
				}
				rows = append(rows, r)
			}
		}
		for _, w := range ways(tls13)[:3] {
			back := row{name: f.name + "/resume/" + w.name, device: w.device, fate: f.fate, rejoins: 1, resumes: true, freeradius: keepsNothing}
			back.device.phase1 = "tls_disable_session_ticket=0"
			rows = append(rows, back)
		}
		f.fate.loseRequest /= 2 // a short conversation
		rows = append(rows, row{name: f.name + "/mschapv2", device: bare(), fate: f.fate, freeradius: "not tried"})
	}
	return rows
}

// noEMSRows: old and embedded devices without Extended Master Secret (RFC 7627)
// get their keys, and no ticket.
func noEMSRows() []row {
	var rows []row
	devices := ways(tls12)
	devices = append(devices,
		way{"ttls-chap", tunnelled("TTLS", "auth=CHAP", tls12)},
		way{"ttls-mschapv2", tunnelled("TTLS", "auth=MSCHAPV2", tls12)})
	for _, w := range devices {
		r := row{name: "no-ems/" + w.name, device: w.device, noEMS: true, rejoins: 1, freeradius: "resumes them too"}
		r.device.phase1 = withTickets
		refused := row{
			name: "no-ems/refused/" + w.name, device: w.device, noEMS: true, setting: strict,
			refused: "Extended Master Secret", whose: w.device.outer, freeradius: "lets them in",
		}
		rows = append(rows, r, refused)
	}
	bound := row{name: "no-ems/binding", device: tunnelled("PEAP", "auth=MSCHAPV2", tls12), noEMS: true, freeradius: "has no crypto binding"}
	bound.device.phase1 = "crypto_binding=2"
	return append(rows, bound)
}
