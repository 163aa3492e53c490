//go:build linux

package supplicant

// peopleRows: names and passwords as people have them, and records as systems
// keep them.
func peopleRows() []row {
	var rows []row
	for i, in := range insides {
		if in.phase2 == "autheap=TLS" {
			continue
		}
		zoes := row{name: "utf-8/" + in.name, device: tunnelled(in.eap, in.phase2, both[i%2])}
		zoes.device.person = zoe
		eriks := row{name: "own-vlan/" + in.name, device: tunnelled(in.eap, in.phase2, both[(i+1)%2]), vlan: ownVLAN}
		eriks.device.person = erik
		carols := row{name: "nt-hash/" + in.name, device: tunnelled(in.eap, in.phase2, both[i%2])}
		carols.device.person = carol
		if in.phase2 == "auth=CHAP" { // needs the password itself (RFC 1994 §2)
			carols.refused = "no_credential"
		}
		rows = append(rows, zoes, eriks, carols)
	}
	// A password beyond the Basic Multilingual Plane, which wpa_supplicant can't turn into UTF-16 for MS-CHAP.
	for i, in := range []inside{{"peap/gtc", "PEAP", "auth=GTC"}, {"ttls/pap", "TTLS", "auth=PAP"}, {"ttls/chap", "TTLS", "auth=CHAP"}} {
		idas := row{name: "emoji/" + in.name, device: tunnelled(in.eap, in.phase2, both[i%2])}
		idas.device.person = ida
		rows = append(rows, idas)
	}
	alone := row{name: "utf-8/mschapv2", device: bare()}
	alone.device.person = zoe
	known := row{name: "utf-8/no-privacy", device: tunnelled("PEAP", "auth=MSCHAPV2", tls13), freeradius: "answers twice with what outer and inner name have"}
	known.device.person, known.device.outer = zoe, ""
	realm := row{name: "outer/realm-only", device: tunnelled("TTLS", "auth=PAP", tls13)}
	realm.device.outer = "@example.com" // RFC 9190 §2.1.8
	return append(rows, alone, known, realm)
}

// offerRows: what device and server agree on.
func offerRows() []row {
	var rows []row
	for _, w := range ways("") {
		// By itself the server keeps PEAP and TTLS to TLS 1.2.
		r := row{name: "offer/by-itself/" + w.name, device: w.device, setting: plain, version: tls12}
		r.device.phase1 = "tls_disable_tlsv1_3=0"
		if w.device.eap == "TLS" {
			r.version = tls13
			r.freeradius = "one version for all methods here"
		}
		old := row{
			name: "offer/tls-1.0/" + w.name, device: w.device, noEMS: true,
			refused: "offers only TLS 1.0", whose: w.device.outer,
		}
		old.device.tls = tls10
		old.device.more = []string{`openssl_ciphers="DEFAULT@SECLEVEL=0"`}
		rows = append(rows, r, old)
	}
	rows = append(rows,
		row{name: "offer/eap/pwd", device: device{eap: "PWD", person: bob}, refused: "no EAP method in common"},
		row{name: "offer/eap/md5", device: device{eap: "MD5", person: bob}, refused: "no EAP method in common", freeradius: "not tried"},
		row{name: "offer/eap/mschapv2-is-off", device: bare(), setting: plain, refused: "no EAP method in common", freeradius: "has every method switched on"},
		row{name: "offer/inner/peap-md5", device: tunnelled("PEAP", "auth=MD5", tls12), refused: "no inner method in common"},
		row{name: "offer/inner/ttls-md5", device: tunnelled("TTLS", "autheap=MD5", tls13), refused: "no inner method in common"},
	)
	return rows
}

// extraRows: what access points ask for besides, and what careful owners set.
func extraRows() []row {
	var rows []row
	for _, version := range both {
		for _, w := range ways(version) {
			key := row{name: "key-name/" + w.name, device: w.device, keyName: true, rejoins: 1, resumes: true, freeradius: keepsNothing}
			key.device.phase1 = withTickets
			staple := row{name: "ocsp/" + w.name, device: w.device, freeradius: "has no stapling from a file"}
			staple.device.more = []string{"ocsp=2"}
			name := row{name: "right-name/" + w.name, device: w.device}
			name.device.more = []string{`domain_match="` + serverName + `"`}
			rows = append(rows, key, staple, name)
		}
	}
	return rows
}
