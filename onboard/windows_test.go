package onboard

import (
	"encoding/xml"
	"path/filepath"
	"strings"
	"testing"
)

func TestWindows_Golden(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		profile, err := s.network.Windows(s.access)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, s.name+".xml", profile)
	}
}

// TestWindows_Schema: libxml2 finds names, namespaces, order and types as the
// schemas have them.
func TestWindows_Schema(t *testing.T) {
	t.Parallel()
	xmllint := need(t, "xmllint", "libxml2-utils")
	octets := plainNetwork(t)
	octets.SSID = "\xff\x00<"
	mschapv2 := plainNetwork(t)
	mschapv2.Method, mschapv2.TTLSInner = TTLS, MSCHAPv2
	all := append(samples(t), sample{"octets", octets, plainAccess()}, sample{"mschapv2", mschapv2, plainAccess()})
	for _, s := range all {
		profile, err := s.network.Windows(s.access)
		if err != nil {
			t.Fatal(err)
		}
		check := []string{"--noout", "--nonet", "--schema", filepath.Join("testdata", "windows", "profile.xsd"), "-"}
		run(t, profile, xmllint, check...)
		wrong := strings.Replace(string(profile), "useOneX", "useOneY", 2)
		if runs(t, []byte(wrong), xmllint, check...) == nil {
			t.Errorf("%s: the schema takes anything", s.name)
		}
	}
}

// windowsProfile is what is read back of a profile.
type windowsProfile struct {
	Name string `xml:"name"`
	SSID struct {
		Hex  string `xml:"hex"`
		Name string `xml:"name"`
	} `xml:"SSIDConfig>SSID"`
	Host struct {
		Type   int    `xml:"EapMethod>Type"`
		Author int    `xml:"EapMethod>AuthorId"`
		Names  string `xml:"Config>Eap>EapType>ServerValidation>ServerNames"`
		Root   string `xml:"Config>Eap>EapType>ServerValidation>TrustedRootCA"`
		Prompt string `xml:"Config>Eap>EapType>ServerValidation>DisableUserPromptForServerValidation"`
		TTLS   struct {
			Names  string    `xml:"ServerValidation>ServerNames"`
			Root   string    `xml:"ServerValidation>TrustedRootCAHash"`
			Prompt string    `xml:"ServerValidation>DisablePrompt"`
			PAP    *struct{} `xml:"Phase2Authentication>PAPAuthentication"`
			Outer  string    `xml:"Phase1Identity>AnonymousIdentity"`
		} `xml:"Config>EapTtls"`
	} `xml:"MSM>security>OneX>EAPConfig>EapHostConfig"`
}

func readWindows(t *testing.T, n *Network, a *Access) windowsProfile {
	t.Helper()
	text, err := n.Windows(a)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "abcd-efgh") {
		t.Errorf("a password in a WLAN profile, which Windows leaves readable:\n%s", text)
	}
	var p windowsProfile
	if err := xml.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWindows_Pinned(t *testing.T) {
	t.Parallel()
	// openssl x509 -in testdata/ca.pem -noout -fingerprint -sha1
	const thumbprint = "33 5e 14 62 99 b8 3d 91 af a8 9c f3 8a 28 82 7d 07 91 3e 5c"
	p := readWindows(t, plainNetwork(t), plainAccess())
	if h := p.Host; h.Type != 25 || h.Author != 0 || h.Names != "radius.example.com" || h.Root != thumbprint || h.Prompt != "true" {
		t.Errorf("PEAP: %+v", h)
	}
	n := plainNetwork(t)
	n.Method = TTLS
	p = readWindows(t, n, plainAccess())
	if h := p.Host; h.Type != 21 || h.Author != 311 || h.TTLS.Names != "radius.example.com" || h.TTLS.Root != thumbprint ||
		h.TTLS.Prompt != "true" || h.TTLS.PAP == nil || h.TTLS.Outer != "anonymous@radius.example.com" {
		t.Errorf("TTLS: %+v", h)
	}
}

// TestWindows_Names: Windows finds a network by its octets, and replaces a
// profile by its name.
func TestWindows_Names(t *testing.T) {
	t.Parallel()
	for ssid, want := range map[string][3]string{
		"Members":     {"Members", "4D656D62657273", "Members"},
		"Café <&>":    {"Café <&>", "436166C3A9203C263E", "Café <&>"},
		"\xff\x00<":   {"Wi-Fi FF003C", "FF003C", ""},
		" ":           {"Wi-Fi 20", "20", " "},
		"\u202e":      {"Wi-Fi E280AE", "E280AE", "\u202e"},
		"two  spaces": {"two spaces", "74776F2020737061636573", "two  spaces"},
	} {
		n := plainNetwork(t)
		n.SSID = ssid
		p := readWindows(t, n, plainAccess())
		if got := [3]string{p.Name, p.SSID.Hex, p.SSID.Name}; got != want {
			t.Errorf("%q: %q, want %q", ssid, got, want)
		}
		n.Space = "Another name of the same place"
		if again := readWindows(t, n, plainAccess()); again.Name != p.Name {
			t.Errorf("%q: a second profile %q beside %q", ssid, again.Name, p.Name)
		}
	}
}
