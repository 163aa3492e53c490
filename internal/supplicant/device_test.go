//go:build linux

package supplicant

import (
	"fmt"
	"path/filepath"
	"strings"
)

// The TLS versions that a device is held to.
const (
	tls12 = "1.2"
	tls13 = "1.3"
	tls10 = "1.0"
)

// A device is what its owner has set on it: wpa_supplicant's network block.
type device struct {
	// eap is the method, phase2 the one inside the tunnel.
	eap, phase2 string
	// tls is the only version that it speaks; "" leaves it to the library.
	tls string
	// phase1 has more options of the tunnel.
	phase1 string
	person
	// outer is the name outside the tunnel; "" sends the login itself.
	outer string
	// ca is the CA that it trusts, certificate its own: names of files of the run.
	ca, certificate string
	// fragment is the most octets of TLS in one of its EAP packets; 0 is 1,398.
	fragment int
	// more are lines of the block.
	more []string
}

// versions are the options of phase1 that leave one version.
var versions = map[string]string{
	"":    "",
	tls10: "tls_disable_tlsv1_0=0 tls_disable_tlsv1_1=1 tls_disable_tlsv1_2=1 tls_disable_tlsv1_3=1",
	tls12: "tls_disable_tlsv1_2=0 tls_disable_tlsv1_3=1",
	// With a hole between the versions OpenSSL takes those below it.
	tls13: "tls_disable_tlsv1_0=1 tls_disable_tlsv1_1=1 tls_disable_tlsv1_2=1 tls_disable_tlsv1_3=0",
}

// block returns the network block for wpa_supplicant.conf, with the lines of
// how the network is joined first.
func (d *device) block(join ...string) string {
	var b strings.Builder
	b.WriteString("network={\n")
	for _, line := range join {
		fmt.Fprintf(&b, "\t%s\n", line)
	}
	fmt.Fprintf(&b, "\teap=%s\n", d.eap)
	text := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "\t%s=\"%s\"\n", key, value)
		}
	}
	text("identity", d.Login)
	text("password", d.Password)
	text("anonymous_identity", d.outer)
	text("phase1", strings.TrimSpace(versions[d.tls]+" "+d.phase1))
	inner := d.phase2
	if strings.Contains(inner, "=TLS") {
		inner = strings.TrimSpace(inner + " " + versions[d.tls])
	}
	text("phase2", inner)
	for _, layer := range []string{"", "2"} {
		if d.eap == "MSCHAPV2" || layer == "2" && !strings.Contains(d.phase2, "=TLS") {
			continue
		}
		text("ca_cert"+layer, filepath.Join(shop.dir, d.ca+".pem"))
		if d.certificate != "" {
			text("client_cert"+layer, filepath.Join(shop.dir, d.certificate+".pem"))
			text("private_key"+layer, filepath.Join(shop.dir, d.certificate+".key"))
		}
	}
	if d.fragment > 0 {
		fmt.Fprintf(&b, "\tfragment_size=%d\n", d.fragment)
	}
	for _, line := range d.more {
		fmt.Fprintf(&b, "\t%s\n", line)
	}
	b.WriteString("}\n")
	return b.String()
}

// anonymous is the outer name of who does not want to be known on the way.
const anonymous = "anonymous@example.com"

// tunnelled returns bob's device with a method inside PEAP or TTLS.
func tunnelled(eap, phase2, version string) device {
	d := device{eap: eap, phase2: phase2, tls: version, person: bob, outer: anonymous, ca: "ca"}
	if strings.Contains(phase2, "=TLS") {
		d.certificate = "bob"
	}
	return d
}

// certified returns a device of EAP-TLS with that certificate.
func certified(certificate, version string) device {
	return device{eap: "TLS", tls: version, person: person{Login: bob.Login}, ca: "ca", certificate: certificate}
}

// bare returns a device that does EAP-MSCHAPv2 without a tunnel.
func bare() device { return device{eap: "MSCHAPV2", person: bob} }

// An inside is a method within a tunnel.
type inside struct{ name, eap, phase2 string }

// insides are all that this server has.
var insides = []inside{
	{"peap/mschapv2", "PEAP", "auth=MSCHAPV2"},
	{"peap/gtc", "PEAP", "auth=GTC"},
	{"ttls/pap", "TTLS", "auth=PAP"},
	{"ttls/chap", "TTLS", "auth=CHAP"},
	{"ttls/mschap", "TTLS", "auth=MSCHAP"},
	{"ttls/mschapv2", "TTLS", "auth=MSCHAPV2"},
	{"ttls/eap-mschapv2", "TTLS", "autheap=MSCHAPV2"},
	{"ttls/eap-gtc", "TTLS", "autheap=GTC"},
	{"ttls/eap-tls", "TTLS", "autheap=TLS"},
}
