package portal

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// probes are what devices ask to find out whether they are captive: once these are
// reachable before the login, no device opens the portal by itself.
func probes() []string {
	return []string{"captive.apple.com", "connectivitycheck.gstatic.com", "www.msftconnecttest.com", "detectportal.firefox.com"}
}

// A garden is what the text of Garden is made from.
type garden struct {
	site *Site
	// portal is the login page, api the captive-portal API; host and port are the portal's.
	portal, api, host, port string
	// hosts are all that must be reachable before the login, the portal first.
	hosts []string
}

// Garden says what devices must reach before they have logged in, and where to
// enter it, for the site's kind of controller; for UAM, of each. PublicURL is
// this server's, hosts are others that guests need then: those of member systems
// that the site's pages lead to, of payment and of single sign-on.
func Garden(s *Site, publicURL string, hosts []string) (string, error) {
	u, err := url.Parse(publicURL)
	if err != nil || webAddress(publicURL) == "" {
		return "", fmt.Errorf("portal: walled garden: public_url of [http] is %q: guests need an address as https://wifi.example.com", publicURL)
	}
	g := &garden{site: s, portal: strings.TrimSuffix(publicURL, "/") + s.root(), api: APIURL(s, publicURL), host: u.Hostname(), port: u.Port()}
	if g.port == "" {
		g.port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	g.hosts = []string{g.host}
	for _, h := range hosts {
		if !hostPattern.MatchString(h) {
			return "", fmt.Errorf("portal: walled garden: %q is no host", h)
		}
		if h = strings.ToLower(h); !slices.Contains(g.hosts, h) {
			g.hosts = append(g.hosts, h)
		}
	}
	var b strings.Builder
	g.common(&b, u.Scheme == "https")
	sections := map[Kind]func(*strings.Builder){
		MikroTik: g.mikrotik, Chilli: g.chilli, Aruba: g.aruba, Cisco: g.cisco, Ruckus: g.ruckus, Meraki: g.meraki, UniFi: g.unifi, MAC: g.mac,
	}
	kinds := []Kind{s.Kind}
	if s.Kind == UAM {
		kinds = uamKinds()
	}
	for _, k := range kinds {
		if section := sections[k]; section != nil {
			section(&b)
		}
	}
	return b.String(), nil
}

func say(b *strings.Builder, format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }

func (g *garden) common(b *strings.Builder, secure bool) {
	say(b, "Site %s: what devices must reach before they have logged in", g.site.Name)
	g.list(b)
	say(b, "\nThe login page: %s", g.portal)
	if secure {
		say(b, "DHCP option 114 and the captive-portal option of router advertisements (RFC 8910): %s", g.api)
	} else {
		say(b, "No DHCP option 114: devices ask the captive-portal API over TLS alone, and public_url has none.")
	}
	say(b, "\nNever add %s: devices find the portal because these can't be reached.", strings.Join(probes(), ", "))
}

func (g *garden) list(b *strings.Builder) {
	for _, h := range g.hosts {
		say(b, "  %s", h)
	}
}

func (g *garden) mikrotik(b *strings.Builder) {
	say(b, "\nMikroTik, in the terminal:")
	for _, h := range g.hosts {
		// The proxy of the walled garden sees plain HTTP alone; TLS needs the second.
		say(b, `  /ip hotspot walled-garden add action=allow dst-host="%s" comment="memberradius"`, h)
		say(b, `  /ip hotspot walled-garden ip add action=accept dst-host="%s" comment="memberradius"`, h)
	}
	say(b, `  /ip hotspot profile set [find] login-by=http-chap,http-pap use-radius=yes radius-accounting=yes`)
	say(b, `  /ip dhcp-server option add name=captive-portal code=114 value="'%s'"`, g.api)
	say(b, "and as hotspot/login.html:")
	say(b, `  <html><head><meta http-equiv="refresh" content="0; url=%s?mac=$(mac-esc)&ip=$(ip)&link-login-only=$(link-login-only-esc)&link-orig=$(link-orig-esc)&error=$(error-esc)&chap-id=$(chap-id)&chap-challenge=$(chap-challenge)"></head></html>`, g.portal)
}

func (g *garden) chilli(b *strings.Builder) {
	say(b, "\nCoovaChilli, /etc/chilli/config:")
	say(b, `  HS_UAMFORMAT="%s"`, g.portal)
	say(b, `  HS_UAMALLOW="%s"`, strings.Join(g.hosts, ","))
	say(b, `  HS_UAMSECRET=the uam_secret of this site's portal`)
}

func (g *garden) aruba(b *strings.Builder) {
	say(b, "\nAruba Instant: External captive portal profile, type RADIUS authentication; Walled garden, whitelist:")
	say(b, "  IP or hostname %s, port %s, URL %s, redirect URL empty", g.host, g.port, g.site.root())
	g.list(b)
	say(b, "Aruba controllers: the same hosts as a netdestination in the white list of the captive portal profile; login page %s, add switch IP address in redirection URL.", g.portal)
}

func (g *garden) cisco(b *strings.Builder) {
	say(b, "\nCisco WLC: Web authentication type external, URL %s; virtual interface 192.0.2.1, or list its address under controllers; redirect URL after login: empty.", g.portal)
	say(b, "Pre-authentication ACL, or URL filter, of the WLAN:")
	g.list(b)
}

func (g *garden) ruckus(b *strings.Builder) {
	say(b, "\nRuckus: Hotspot (WISPr) with external login page %s, start page: redirect to %sstatus.", g.portal, g.portal)
	say(b, "SmartZone encrypts device addresses: enter `no encrypt-mac-ip` on its command line.")
	say(b, "Walled garden:")
	g.list(b)
}

func (g *garden) meraki(b *strings.Builder) {
	say(b, "\nMeraki: Access control, splash page: sign-on with my RADIUS server; custom splash URL %s", g.portal)
	say(b, "Walled garden:")
	g.list(b)
	say(b, "  %s", merakiHosts)
}

func (g *garden) unifi(b *strings.Builder) {
	say(b, "\nUniFi: Hotspot, Captive portal, External portal server: %s. The controller sends guests to /guest/s/%s/, which this server takes.", g.host, g.site.UniFiSite)
	say(b, "Pre-authorization allowances:")
	g.list(b)
}

func (g *garden) mac(b *strings.Builder) {
	say(b, "\nOther controllers: MAC authentication by RADIUS, and a redirect to %s with the device's address as mac. Allow before the login:", g.portal)
	g.list(b)
}
