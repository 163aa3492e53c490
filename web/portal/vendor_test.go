package portal

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/member"
)

// Redirects as controllers really send them; where they were logged stands beside
// each reader.
var redirects = []struct {
	name, query string
	kind        Kind
	want        visit
}{
	{
		"MikroTik with CHAP", `mac=28%3ACF%3AE9%3A13%3A47%3ACB&ip=10.5.50.2&link-login-only=http%3A%2F%2F10.5.50.1%2Flogin&link-orig=http%3A%2F%2Fexample.org%2F&error=&chap-id=\371&chap-challenge=\357\015\330\013\021\234\145\245\303\253\142\246\133\175\375\316`, UAM,
		visit{Kind: MikroTik, MAC: device, Address: addr("10.5.50.2"), Original: "http://example.org/", Controller: "http://10.5.50.1/login",
			ID: []byte{0xf9}, Challenge: unhex("ef0dd80b119c65a5c3ab62a65b7dfdce")},
	},
	{
		"MikroTik with PAP, an old template, and an error", "mac=28:CF:E9:13:47:CB&ip=10.5.50.2&link-login=http%3A%2F%2F10.5.50.1%2Flogin%3Fdst%3Dhttp%253A%252F%252Fx&error=invalid+password&chap-id=&chap-challenge=", MikroTik,
		visit{Kind: MikroTik, MAC: device, Address: addr("10.5.50.2"), Controller: "http://10.5.50.1/login", Result: failed},
	},
	{
		"CoovaChilli", "res=notyet&uamip=192.168.182.1&uamport=3660&challenge=5b1d296db7826a655411dcd83ee25154&called=94-83-C4-01-42-27&mac=28-CF-E9-13-47-CB&ip=192.168.182.64&nasid=fonlo&sessionid=5e6792ce00000006&userurl=http%3a%2f%2fcaptive.apple.com%2fhotspot-detect.html&md=7AD032E82BAC3510BB756B7CF4580355", UAM,
		visit{Kind: Chilli, MAC: device, AP: "94:83:c4:01:42:27", Address: addr("192.168.182.64"), Original: "http://captive.apple.com/hotspot-detect.html",
			Controller: "http://192.168.182.1:3660/logon", Challenge: unhex("5b1d296db7826a655411dcd83ee25154")},
	},
	{
		"CoovaChilli, logged in", "res=success&uamip=10.1.0.1&uamport=3990&mac=28-CF-E9-13-47-CB&ip=10.1.0.2", Chilli,
		visit{Kind: Chilli, MAC: device, Address: addr("10.1.0.2"), Result: already},
	},
	{
		"Aruba Instant", "cmd=login&mac=28:cf:e9:13:47:cb&essid=affinect&ip=172.31.98.220&apname=b4%3A5d%3A50%3Aca%3A81%3Aea&apmac=b4%3A5d%3A50%3Aca%3A81%3Aea&vcname=SetMeUp-CA%3A81%3AEA&switchip=securelogin.arubanetworks.com&url=http%3A%2F%2Fconnect.rom.miui.com%2Fgenerate_204", UAM,
		visit{Kind: Aruba, MAC: device, AP: "b4:5d:50:ca:81:ea", Address: addr("172.31.98.220"), SSID: "affinect",
			Original: "http://connect.rom.miui.com/generate_204", Controller: "https://securelogin.arubanetworks.com/cgi-bin/login"},
	},
	{
		"Aruba Instant On", "cmd=login&mac=28%3Acf%3Ae9%3A13%3A47%3Acb&network=wifi.ten&ip=172.16.0.221&apmac=d0%3A15%3Aa6%3Ac2%3A74%3Ad0&site=wifi-ten%20Site&post=captive-2020.aio.cloudauth.net&url=http%3A%2F%2Fexample.org%2Fgenerate_204", UAM,
		visit{Kind: Aruba, MAC: device, AP: "d0:15:a6:c2:74:d0", Address: addr("172.16.0.221"), SSID: "wifi.ten",
			Original: "http://example.org/generate_204", Controller: "https://captive-2020.aio.cloudauth.net/cgi-bin/login"},
	},
	{
		"Cisco WLC", "switch_url=http://1.1.1.1/login.html&ap_mac=b8:be:bf:14:41:90&client_mac=28:cf:e9:13:47:cb&wlan=Free-WiFi&redirect=bbc.co.uk/", UAM,
		visit{Kind: Cisco, MAC: device, AP: ap, SSID: "Free-WiFi", Original: "http://bbc.co.uk/", Controller: "http://1.1.1.1/login.html"},
	},
	{
		"Cisco WLC after a refusal", "switch_url=https://192.0.2.1/login.html&ap_mac=b8:be:bf:14:41:90&client_mac=28:cf:e9:13:47:cb&wlan=Free-WiFi&statusCode=5", UAM,
		visit{Kind: Cisco, MAC: device, AP: ap, SSID: "Free-WiFi", Controller: "https://192.0.2.1/login.html", Result: failed},
	},
	{
		"Ruckus Unleashed", "sip=192.168.0.253&mac=b479c83c4b20&client_mac=28cfe91347cb&uip=192.168.1.106&lid=&dn=&url=http%3a%2f%2fcaptive.apple.com%2fhotspot%2ddetect.html&ssid=Captive+Ruckus+Test&loc=&vlan=1", UAM,
		visit{Kind: Ruckus, MAC: device, AP: "b4:79:c8:3c:4b:20", Address: addr("192.168.1.106"), SSID: "Captive Ruckus Test",
			Original: "http://captive.apple.com/hotspot-detect.html", Controller: "http://192.168.0.253:9997/login"},
	},
	{
		"Ruckus SmartZone", "nbiIP=192.168.200.211&client_mac=28:CF:E9:13:47:CB&reason=Un-Auth-Captive&wlanName=ruckus&ssid=ruckus&mac=00:33:58:16:ef:20&url=http%3A%2F%2Fexample.org%2Fgenerate_204&proxy=0&sip=192.168.200.211&uip=192.168.200.34&StartURL=https%3A%2F%2Fwww.google.com", UAM,
		visit{Kind: Ruckus, MAC: device, AP: "00:33:58:16:ef:20", Address: addr("192.168.200.34"), SSID: "ruckus", Original: "http://example.org/generate_204",
			Controller: "http://192.168.200.211:9997/SubscriberPortal/hotspotlogin", Extra: map[string]string{"client_mac": "28:CF:E9:13:47:CB", "uip": "192.168.200.34", "proxy": "0"}},
	},
	{
		"Ruckus SmartZone that encrypts", "nbiIP=192.168.200.211&client_mac=ENCd2dbf9a1f1689ed0e5ab4c59c6ea8055bb6673892a41751e&sip=192.168.200.211&uip=ENCb2579826807a6430655a4e4d78347972", UAM,
		visit{Kind: Ruckus, Controller: "http://192.168.200.211:9997/SubscriberPortal/hotspotlogin",
			Extra: map[string]string{"client_mac": "ENCd2dbf9a1f1689ed0e5ab4c59c6ea8055bb6673892a41751e", "uip": "ENCb2579826807a6430655a4e4d78347972", "proxy": ""}},
	},
	{
		"Meraki sign-on", "login_url=https%3A%2F%2Fn949.network-auth.com%2Fsplash%2Flogin%3Fmauth%3DMMmc5c%26continue_url%3Dhttps%253A%252F%252Fwww.google.com&continue_url=https%3A%2F%2Fwww.google.com&ap_mac=5c%3A06%3A10%3A48%3A04%3A45&ap_name=&ap_tags=&client_mac=28%3Acf%3Ae9%3A13%3A47%3Acb&client_ip=10.115.190.13", Meraki,
		visit{Kind: Meraki, MAC: device, AP: "5c:06:10:48:04:45", Address: addr("10.115.190.13"), Original: "https://www.google.com",
			Controller: "https://n949.network-auth.com/splash/login?mauth=MMmc5c&continue_url=https%3A%2F%2Fwww.google.com"},
	},
	{
		"Meraki click-through", "user_continue_url=http%3A%2F%2Fwww.cnn.com%2F&node_id=247&node_mac=e0:cb:bc:b6:0c:83&gateway_id=247&client_ip=10.218.44.108&client_mac=28:cf:e9:13:47:cb&base_grant_url=https%3A%2F%2Fn93.network-auth.com%2Fsplash%2Fgrant", Meraki,
		visit{Kind: Meraki, MAC: device, AP: "e0:cb:bc:b6:0c:83", Address: addr("10.218.44.108"), Original: "http://www.cnn.com/",
			Controller: "https://n93.network-auth.com/splash/grant", Extra: map[string]string{"grant": "1"}},
	},
	{
		"UniFi", "ap=94:2a:6f:d0:30:57&id=28:cf:e9:13:47:cb&t=1742398732&url=http://example.org%2F&ssid=Loft", UniFi,
		visit{Kind: UniFi, MAC: device, AP: "94:2a:6f:d0:30:57", SSID: "Loft", Original: "http://example.org/"},
	},
	{
		"Omada, by MAC", "clientMac=28-CF-E9-13-47-CB&apMac=94-2A-6F-D0-30-57&ssidName=Loft&radioId=1&site=abc&redirectUrl=http%3A%2F%2Fexample.org%2F&t=1", MAC,
		visit{Kind: MAC, MAC: device, AP: "94:2a:6f:d0:30:57", SSID: "Loft", Original: "http://example.org/"},
	},
	{
		"a controller that is not to be seen", "mac=28:cf:e9:13:47:cb", UAM,
		visit{Kind: UAM, MAC: device},
	},
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	for _, tt := range redirects {
		q, _ := url.ParseQuery(tt.query)
		s := Site{Name: "berlin", Kind: tt.kind, Controllers: []string{"1.1.1.1"}}
		if got := s.read(q); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	for _, tt := range redirects {
		want := tt.want.MAC != "" && (tt.want.Controller != "" || tt.kind == UniFi || tt.kind == MAC)
		if got := tt.want.ready(); got != want {
			t.Errorf("%s: ready %v", tt.name, got)
		}
	}
}

// TestHandOff: what the browser takes to each controller, and that the ticket
// goes along, hashed where the controller gave a challenge.
func TestHandOff(t *testing.T) {
	t.Parallel()
	const back = "https://wifi.example.com/portal/berlin/status?g=x"
	sum := func(parts ...string) string {
		d := md5.Sum([]byte(strings.Join(parts, "")))
		return hex.EncodeToString(d[:])
	}
	const chilliURL = "res=notyet&uamip=10.1.0.1&uamport=3990&challenge=532b80e14b14505accd24c79e35004e6&mac=28-CF-E9-13-47-CB"
	challenge := string(unhex("532b80e14b14505accd24c79e35004e6"))
	keyed := md5.Sum([]byte(challenge + "greatsecret"))
	tests := []struct {
		name   string
		site   Site
		query  string
		secure bool
		get    bool
		at     string
		fields string // as a query
	}{
		{"MikroTik with CHAP", Site{Kind: MikroTik}, redirects[0].query, true, true, "http://10.5.50.1/login",
			"username=t-user&password=" + sum("\xf9", ticket, string(unhex("ef0dd80b119c65a5c3ab62a65b7dfdce"))) + "&popup=false&dst=" + url.QueryEscape(back)},
		{"MikroTik with PAP", Site{Kind: MikroTik}, redirects[1].query, false, false, "http://10.5.50.1/login", "username=t-user&password=" + ticket + "&popup=false&dst=" + url.QueryEscape(back)},
		{"MikroTik with PAP, from TLS", Site{Kind: MikroTik}, redirects[1].query, true, true, "http://10.5.50.1/login", "username=t-user&password=" + ticket + "&popup=false&dst=" + url.QueryEscape(back)},
		{"Chilli with uamsecret", Site{Kind: Chilli, UAMSecret: "greatsecret"}, chilliURL, true, true, "http://10.1.0.1:3990/logon",
			"username=t-user&response=" + sum("\x00", ticket, string(keyed[:])) + "&userurl=" + url.QueryEscape(back)},
		{"Chilli without, by TLS", Site{Kind: Chilli, ControllerTLS: true}, chilliURL, true, true, "https://10.1.0.1:3990/logon",
			"username=t-user&response=" + sum("\x00", ticket, challenge) + "&userurl=" + url.QueryEscape(back)},
		{"Aruba", Site{Kind: Aruba}, redirects[4].query, true, false, "https://securelogin.arubanetworks.com/cgi-bin/login",
			"user=t-user&username=t-user&password=" + ticket + "&cmd=authenticate&url=" + url.QueryEscape(back)},
		{"Cisco", Site{Kind: Cisco, Controllers: []string{"1.1.1.1"}}, redirects[6].query, true, false, "http://1.1.1.1/login.html",
			"buttonClicked=4&err_flag=0&username=t-user&password=" + ticket + "&redirect_url=" + url.QueryEscape(back)},
		{"Ruckus", Site{Kind: Ruckus}, redirects[8].query, false, false, "http://192.168.0.253:9997/login", "username=t-user&password=" + ticket + "&url=" + url.QueryEscape(back)},
		{"Ruckus by TLS", Site{Kind: Ruckus, ControllerTLS: true}, redirects[8].query, true, false, "https://192.168.0.253:9998/login", "username=t-user&password=" + ticket + "&url=" + url.QueryEscape(back)},
		{"SmartZone", Site{Kind: Ruckus}, redirects[9].query, true, true, "http://192.168.200.211:9997/SubscriberPortal/hotspotlogin",
			"username=t-user&password=" + ticket + "&url=" + url.QueryEscape(back) + "&client_mac=28%3ACF%3AE9%3A13%3A47%3ACB&uip=192.168.200.34&proxy=0"},
		{"Meraki sign-on", Site{Kind: Meraki}, redirects[11].query, true, false, "https://n949.network-auth.com/splash/login?mauth=MMmc5c&continue_url=https%3A%2F%2Fwww.google.com",
			"username=t-user&password=" + ticket + "&success_url=" + url.QueryEscape(back)},
		{"Meraki click-through", Site{Kind: Meraki}, redirects[12].query, true, true, "https://n93.network-auth.com/splash/grant", "duration=7200&continue_url=" + url.QueryEscape(back)},
	}
	for _, tt := range tests {
		q, _ := url.ParseQuery(tt.query)
		v := tt.site.read(q)
		got := hand(&handing{site: &tt.site, visit: &v, user: "t-user", password: ticket, back: back, session: 2 * time.Hour, secure: tt.secure})
		if got == nil {
			t.Errorf("%s: nothing is handed over", tt.name)
			continue
		}
		want, _ := url.ParseQuery(tt.fields)
		fields, at := url.Values{}, got.Address
		for _, f := range got.Fields {
			fields.Set(f.Name, f.Value)
		}
		if tt.get {
			u, _ := url.Parse(got.Address)
			fields, u.RawQuery = u.Query(), ""
			at = u.String()
		}
		if got.Get != tt.get || at != tt.at || !reflect.DeepEqual(fields, want) || !strings.HasPrefix(tt.at, got.Origin) || got.Origin == "" {
			t.Errorf("%s: Get %v, %s, %v (origin %s)\nwant %v, %s, %v", tt.name, got.Get, at, fields, got.Origin, tt.get, tt.at, want)
		}
	}
}

// TestHandOffVectors: computed by another MD5, of what chilli_response and a
// MikroTik login page hash.
func TestHandOffVectors(t *testing.T) {
	t.Parallel()
	key := chilliKey(unhex("532b80e14b14505accd24c79e35004e6"), "greatsecret")
	if got := hex.EncodeToString(chap([]byte{0}, "secret", key)); got != "689f7757ebbdb66217af6c9b1239804c" {
		t.Errorf("chilli: %s", got)
	}
	if got := hex.EncodeToString(chap(octal(`\134`, 1), "secret", octal(`\017\205\055\122\043\240\041\064\304\257\213\226\265\214\121\323`, 16))); got != "45fcb2fa716daed2225ee140c37b6ecd" {
		t.Errorf("MikroTik: %s", got)
	}
}

func TestMAC(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"28cfe91347cb", "28CFE91347CB", "28-cf-e9-13-47-cb", "28:CF:E9:13:47:CB", "28cf.e913.47cb", "28CFE9-1347CB"} {
		if got := mac(s); got != device {
			t.Errorf("%s is read as %q", s, got)
		}
	}
	for _, s := range []string{"", "---", "28cfe91347c", "28cfe91347cb0", "28cfe91347cg", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "28:cf:e9:13:47:cb:::::::::", "28cfe91347c\x10", `28cfe9"1347cb`} {
		if got := mac(s); got != "" {
			t.Errorf("%q is read as %q", s, got)
		}
	}
}

func TestOctal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		n    int
		want []byte
	}{
		{`\371`, 1, []byte{0xf9}}, {"\xf9", 1, []byte{0xf9}}, {`\001\377`, 2, []byte{1, 255}}, {"", 1, nil}, {`\3711`, 1, nil}, {`\400`, 1, nil}, {`\38a`, 1, nil}, {`x371`, 1, nil}, {`\371`, 2, nil},
	} {
		if got := octal(tt.text, tt.n); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %x, want %x", tt.text, got, tt.want)
		}
	}
}

// TestEveryKindHandsOver: a whole login for each kind, as the browser sees it.
func TestEveryKindHandsOver(t *testing.T) {
	t.Parallel()
	for _, tt := range redirects {
		if !tt.want.ready() || tt.want.Result != notYet {
			continue
		}
		w := newWorld(func(s *Site) { s.Kind = tt.kind })
		b := w.browse(t)
		p := b.logIn(t, "/portal/berlin/?"+tt.query, "anna@example.com", password)
		csp := p.Header.Get("Content-Security-Policy")
		switch tt.want.Kind {
		case UniFi, MAC:
			if p.StatusCode != http.StatusSeeOther || !strings.HasPrefix(p.Header.Get("Location"), "/portal/berlin/status?") || w.tickets != 0 {
				t.Errorf("%s: %d to %q", tt.name, p.StatusCode, p.Header.Get("Location"))
			}
		default:
			if p.StatusCode != http.StatusOK || !strings.Contains(p.body, english.Connect) || !strings.Contains(csp, "form-action 'self' "+originOf(tt.want.Controller)+";") {
				t.Errorf("%s: %d, policy %s\n%s", tt.name, p.StatusCode, csp, p.body)
			}
		}
		if strings.Contains(p.body, password) {
			t.Errorf("%s: the member's password goes to the controller", tt.name)
		}
		g := w.grants[0]
		if g.MAC != device || g.AccessPoint != tt.want.AP || g.Plan != "hot-desk" || g.SessionTimeout != 2*time.Hour || g.IdleTimeout != time.Minute || g.Kind != "portal" || g.Address != tt.want.Address || g.OriginalURL != tt.want.Original {
			t.Errorf("%s: grant %+v", tt.name, g)
		}
		if e := w.last(t); e.Outcome != member.Allow || e.Status != 200 || e.PageID != 1 || e.Method != Login || e.Login != "anna@example.com" || e.Backend != "coworks" || e.Took != 80*time.Millisecond {
			t.Errorf("%s: logged %+v", tt.name, e)
		}
	}
}
