package onboard

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"memberradius/member"
)

func TestONC_Golden(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		profile, err := s.network.ONC(s.access)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, s.name+".onc", profile)
	}
}

// TestONC_Rules are what the specification says of fields that hang together.
func TestONC_Rules(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		text, err := s.network.ONC(s.access)
		if err != nil {
			t.Fatal(err)
		}
		var file oncFile
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		wifi := file.NetworkConfigurations[0].WiFi
		eap := wifi.EAP
		if ssid, err := hex.DecodeString(wifi.HexSSID); err != nil || string(ssid) != s.network.SSID || wifi.SSID != s.network.SSID {
			t.Errorf("%s: SSID %q, hexadecimal %q (%v)", s.name, wifi.SSID, wifi.HexSSID, err)
		}
		if eap.Identity != s.access.Login || eap.Password != string(s.access.Password) || !eap.SaveCredentials {
			t.Errorf("%s: %+v", s.name, eap)
		}
		if len(eap.DomainSuffixMatch) != 1 || eap.DomainSuffixMatch[0] != s.network.ServerName {
			t.Errorf("%s: domains %q", s.name, eap.DomainSuffixMatch)
		}
		if s.network.CA == nil {
			if !eap.UseSystemCAs || eap.ServerCARefs != nil || file.Certificates != nil || strings.Contains(string(text), "ServerCARefs") {
				t.Errorf("%s: %+v", s.name, eap)
			}
			continue
		}
		ca := file.Certificates[0]
		der, err := base64.StdEncoding.DecodeString(ca.X509)
		if err != nil || string(der) != string(s.network.CA.Raw) || ca.Type != "Authority" {
			t.Errorf("%s: CA %+v (%v)", s.name, ca, err)
		}
		if eap.UseSystemCAs || len(eap.ServerCARefs) != 1 || eap.ServerCARefs[0] != ca.GUID {
			t.Errorf("%s: the network trusts the web or another CA: %+v", s.name, eap)
		}
	}
}

// TestONC_Placeholders: ChromeOS would send the password of the device's owner.
func TestONC_Placeholders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		login    string
		password member.Secret
	}{{"${LOGIN_EMAIL}", "x"}, {"anna", "${PASSWORD}"}} {
		if _, err := plainNetwork(t).ONC(&Access{Login: c.login, Password: c.password}); !errors.Is(err, ErrUnfit) {
			t.Errorf("%q: %v", c.login, err)
		}
	}
}

func TestONC_SSIDOfOctets(t *testing.T) {
	t.Parallel()
	n := plainNetwork(t)
	n.SSID = "\xff\x00<"
	text, err := n.ONC(plainAccess())
	if err != nil || !strings.Contains(string(text), `"HexSSID": "FF003C"`) || strings.Contains(string(text), `"SSID"`) {
		t.Errorf("%v\n%s", err, text)
	}
}
