package main

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"memberradius/pki"
)

func TestEAPDefaults(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "[eap]\n"} {
		c, found := readConfig("config.toml", "/etc/memberradius", text)
		if found.bad() {
			t.Fatal(found)
		}
		want := eapConfig{
			Methods: []string{"peap", "ttls", "tls"}, TLSMax: map[string]uint16{"tls": tls.VersionTLS13, "peap": tls.VersionTLS12, "ttls": tls.VersionTLS12},
			Resume: 12 * time.Hour, AllowNoEMS: true, Conversations: 16384, PKI: pki.Config{Dir: "/etc/memberradius/data/pki"},
		}
		if !reflect.DeepEqual(c.EAP, want) {
			t.Errorf("%+v", c.EAP)
		}
	}
}

func TestEAPIsRead(t *testing.T) {
	t.Parallel()
	c, found := readConfig("config.toml", "/etc/memberradius", `
[server]
data = "/var/lib/memberradius"
[eap]
methods = ["tls", "mschapv2"]
certificate = "server.pem"
key = "/etc/ssl/server.key"
client_ca = "members.pem"
server_name = "radius.example.com"
tls_max = { tls = "1.2", peap = "1.3" }
resume = "0"
crl = "https://ca.example.com/ca.crl"
ocsp = "server.ocsp"
allow_no_ems = false
conversations = 100
`)
	if found.bad() {
		t.Fatal(found)
	}
	want := eapConfig{
		Methods: []string{"tls", "mschapv2"}, TLSMax: map[string]uint16{"tls": tls.VersionTLS12, "peap": tls.VersionTLS13, "ttls": tls.VersionTLS12},
		Conversations: 100,
		PKI: pki.Config{Dir: "/var/lib/memberradius/pki", ServerName: "radius.example.com", Certificate: "/etc/memberradius/server.pem", Key: "/etc/ssl/server.key",
			ClientCA: "/etc/memberradius/members.pem", CRL: "https://ca.example.com/ca.crl", OCSP: "/etc/memberradius/server.ocsp"},
	}
	if !reflect.DeepEqual(c.EAP, want) {
		t.Errorf("%+v", c.EAP)
	}
	if c, _ := readConfig("config.toml", "/etc/memberradius", "[eap]\ncrl = \"ca.crl\"\n"); c.EAP.PKI.CRL != "/etc/memberradius/ca.crl" {
		t.Errorf("crl is %s", c.EAP.PKI.CRL)
	}
}

func TestEAPFindings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text  string // in [eap], from line 2 on
		level level
		line  int
		what  string
	}{
		{"method = 1", wrong, 2, `unknown key "method"`},
		{"methods = [\"peap\", \"md5\"]", wrong, 2, `method "md5" is unknown`},
		{"methods = [\"peap\", \"peap\"]", wrong, 2, `method "peap" stands twice`},
		{"methods = [\"mschapv2\"]", warn, 2, "without a tunnel"},
		{"methods = []", warn, 2, "no device can join by WPA-Enterprise"},
		{"certificate = \"x.pem\"", wrong, 2, "certificate and key belong together"},
		{"key = \"x.pem\"", wrong, 1, "certificate and key belong together"},
		{"tls_max = \"1.3\"", wrong, 2, "tls_max is no table"},
		{"\ntls_max = { peap = \"1.1\" }", wrong, 3, `[eap] tls_max: peap "1.1" is unknown`},
		{"tls_max = { tls = 1.3 }", wrong, 2, "tls is a number with a fraction"},
		{"tls_max = { peep = \"1.2\" }", wrong, 2, `unknown key "peep"`},
		{"resume = \"8d\"", wrong, 2, `resume "8d" is no duration`},
		{"resume = \"200h\"", wrong, 2, "resume is 200h"},
		{"resume = \"5s\"", wrong, 2, "too short"},
		{"crl = \"ftp://ca.example.com/ca.crl\"", wrong, 2, "no http or https URL"},
		{"crl = \"http://user:secret@ca.example.com/ca.crl\"", wrong, 2, "without a password in it"},
		{"methods = [\"peap\"]\nclient_ca = \"ca.pem\"", note, 3, "client_ca has no effect"},
		{"allow_no_ems = \"yes\"", wrong, 2, "allow_no_ems is text"},
		{"conversations = 0", wrong, 2, "conversations is 0"},
		{"\n[[client]]\nname = \"a\"\naddress = \"192.0.2.1\"\nsecret = \"long enough to be good\"\nmethods = [\"pap\", \"eap\"]", warn, 7, "one secret serves PAP and WPA-Enterprise"},
		{"\n[[client]]\nname = \"a\"\naddress = \"192.0.2.1\"\nsecret = \"long enough to be good\"", note, 3, "methods is not set, and takes both"},
	} {
		_, found := readConfig("config.toml", t.TempDir(), "[eap]\n"+tt.text+"\n")
		hit := false
		for _, f := range found {
			hit = hit || f.Line == tt.line && f.Level == tt.level && strings.Contains(f.What, tt.what) && f.Remedy != ""
		}
		if !hit || found.bad() != (tt.level == wrong) {
			t.Errorf("%q: no %s on line %d with %q, but: %v", tt.text, tt.level, tt.line, tt.what, found)
		}
		if strings.Contains(fmt.Sprint(found), "user:secret") {
			t.Errorf("a password is shown: %v", found)
		}
	}
	_, found := readConfig("config.toml", t.TempDir(), "[eap]\nserver_nam = \"x\"\n")
	if len(found) == 0 || found[len(found)-1].Remedy != "did you mean server_name?" {
		t.Errorf("%v", found)
	}
	_, found = readConfig("config.toml", t.TempDir(), "[eap]\nmethods = []\n[[client]]\nname = \"a\"\naddress = \"192.0.2.1\"\nsecret = \"long enough to be good\"\nmethods = [\"pap\", \"eap\"]\n")
	if strings.Contains(fmt.Sprint(found), "one secret") {
		t.Errorf("without EAP: %v", found)
	}
}

// TestEAPCertificateFindings: what pki finds is said with file and line.
func TestEAPCertificateFindings(t *testing.T) {
	t.Parallel()
	dir := setup(t, map[string]string{"none.pem": "text"})
	check := func(text string) findings {
		c, found := readConfig(filepath.Join(dir, "config.toml"), dir, text)
		if found.bad() {
			t.Fatal(found)
		}
		return c.eapFindings(t.Context(), false)
	}
	found := check("[eap]\nserver_name = \"radius.example.com\"\ncertificate = \"none.pem\"\nkey = \"none.pem\"\nclient_ca = \"away.pem\"\n")
	if len(found) != 2 || found[0].Line != 3 || found[1].Line != 5 || !found.bad() || !strings.Contains(found[0].What, "[eap]: certificate and key can't be used") {
		t.Errorf("%v", found)
	}
	// A list is asked for only by --online, and a first start has nothing to say.
	if found := check("[eap]\ncrl = \"http://127.0.0.1:1/ca.crl\"\n"); len(found) > 0 {
		t.Errorf("%v", found)
	}
	if found := check("[eap]\nmethods = []\nclient_ca = \"away.pem\"\n"); len(found) > 0 {
		t.Errorf("without EAP: %v", found)
	}
	c, _ := readConfig("config.toml", dir, "[eap]\nserver_name = \"no host\"\n")
	if found := c.pkiFindings(func() error { _, err := pki.Open(t.Context(), c.EAP.PKI); return err }()); len(found) != 1 || found[0].Line != 2 {
		t.Errorf("%v", found)
	}
	if found := c.pkiFindings(nil); found != nil {
		t.Errorf("%v", found)
	}
}
