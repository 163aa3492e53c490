package onboard

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"memberradius/member"
)

// all are the formats; sign is nil, as where no certificate is set.
func all(n *Network, a *Access) map[string]error {
	_, apple := n.Apple(a, nil)
	_, onc := n.ONC(a)
	_, windows := n.Windows(a)
	return map[string]error{"Apple": apple, "ONC": onc, "Windows": windows}
}

func TestNetwork_Refused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*Network, *Access)
		says   string
		unfit  bool
	}{
		{"no SSID", func(n *Network, _ *Access) { n.SSID = "" }, "SSID", false},
		{"long SSID", func(n *Network, _ *Access) { n.SSID = strings.Repeat("x", 33) }, "33 octets", false},
		{"no server name", func(n *Network, _ *Access) { n.ServerName = "" }, "server name", false},
		{"pattern", func(n *Network, _ *Access) { n.ServerName = "*.example.com" }, "server name", false},
		{"list", func(n *Network, _ *Access) { n.ServerName = "a.example.com;b.example.com" }, "server name", false},
		{"trailing dot", func(n *Network, _ *Access) { n.ServerName = "radius.example.com." }, "server name", false},
		{"hyphen", func(n *Network, _ *Access) { n.ServerName = "-radius.example.com" }, "server name", false},
		{"long name", func(n *Network, _ *Access) { n.ServerName = strings.Repeat("a.", 127) + "a" }, "server name", false},
		{"method", func(n *Network, _ *Access) { n.Method = "tls" }, `method "tls"`, false},
		{"inside", func(n *Network, _ *Access) { n.TTLSInner = "gtc" }, `"gtc"`, false},
		{"no login", func(_ *Network, a *Access) { a.Login = "" }, "login", false},
		{"long login", func(_ *Network, a *Access) { a.Login = strings.Repeat("x", member.MaxLogin+1) }, "login", false},
		{"control character", func(_ *Network, a *Access) { a.Login = "anna\x00" }, "login", true},
		{"no UTF-8", func(_ *Network, a *Access) { a.Login = "anna\xff" }, "login", true},
		{"not in XML", func(_ *Network, a *Access) { a.Login = "anna\uffff" }, "login", true},
		{"password", func(_ *Network, a *Access) { a.Password = "topsecret\n" }, "password", true},
	} {
		n, a := plainNetwork(t), plainAccess()
		c.change(n, a)
		for format, err := range all(n, a) {
			if err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err, ErrUnfit) != c.unfit || strings.Contains(err.Error(), "topsecret") {
				t.Errorf("%s, %s: %v", c.name, format, err)
			}
		}
	}
}

func TestNetwork_Defaults(t *testing.T) {
	t.Parallel()
	n := &Network{SSID: "Members", ServerName: "radius.example.com"}
	c, err := n.normal()
	if err != nil || c.Method != PEAP || c.TTLSInner != PAP || c.ID == "" || n.Method != "" {
		t.Errorf("%+v, %v, from %+v", c, err, n)
	}
}

// TestNetwork_UUID: devices replace a profile by these, so they may never
// change; sha1sum on the same text gives them.
func TestNetwork_UUID(t *testing.T) {
	t.Parallel()
	n := plainNetwork(t)
	const want = "1E1976B8-76E3-5AA2-8977-AC79CC2A8826"
	if got := n.uuid("profile"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	other := *n
	other.ID = "second"
	other.Space, other.SSID = n.Space, n.SSID
	if other.uuid("profile") == n.uuid("profile") || n.uuid("wifi") == n.uuid("profile") {
		t.Error("two parts, or two networks, have one UUID")
	}
	renamed := *n
	renamed.Space, renamed.SSID = "New name", "New"
	if renamed.uuid("wifi") != n.uuid("wifi") {
		t.Error("a network that is renamed gets a second profile instead of a new one")
	}
}

func TestDisplay(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Example Space":             "Example Space",
		" two\r\n\tlines ":          "two lines",
		"user\u202egnp.exe":         "usergnp.exe",
		"bad\xffoctet":              "bad\ufffdoctet",
		"a\u2028b\x00c":             "a b c",
		"":                          "",
		strings.Repeat("é", 200):    strings.Repeat("é", 99) + "…",
		"العربية و עברית stay here": "العربية و עברית stay here",
	} {
		if got := display(in); got != want || utf8.RuneCountInString(got) > maxDisplay {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
	if got := visible("pass  word\u00a0x"); got != "pass  word\u00a0x" {
		t.Errorf("%q: what is typed was changed", got)
	}
}
