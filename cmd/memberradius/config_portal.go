package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"memberradius/member"
	"memberradius/web/portal"
	"memberradius/web/portal/unifi"
)

// portalConfig is a [[portal]]: the captive portal of one site.
type portalConfig struct{ portal.Site }

// What a logo and terms may hold at most, in octets.
const (
	maxPortalLogo  = 256 << 10
	maxPortalTerms = 64 << 10
)

func (c *config) readPortals(tables []*table) {
	seen := map[string]bool{}
	for _, t := range tables {
		name := t.text("site", "")
		site := c.site(name)
		switch {
		case site == nil:
			t.wrong("site", fmt.Sprintf("site %q is unknown", name), `write site = "..." with the name of a [[site]]`)
		case seen[name]:
			t.wrong("site", fmt.Sprintf("site %q has a portal already", name), "put both into one [[portal]]")
		}
		seen[name] = true
		c.Portals = append(c.Portals, c.readPortal(t, name, site))
		t.end()
	}
}

func (c *config) readPortal(t *table, name string, site *siteConfig) portalConfig {
	p := portal.Site{
		Name: name, Title: t.text("title", name), Accent: t.text("accent", ""), Languages: t.texts("languages"),
		Kind: portal.Kind(t.text("controller", string(portal.MAC))), Controllers: t.texts("controllers"), ControllerTLS: t.has("controller_tls") && t.flag("controller_tls"),
		UAMSecret: t.secretIfAny("uam_secret"),
		Session:   t.duration("session", 0, 0), Idle: t.duration("idle", 0, 0),
		Landing: t.text("landing", ""), Venue: t.text("venue", ""), Contact: t.text("contact", c.Mail.From),
	}
	if site != nil {
		p.Zone = site.Zone
		if !t.has("title") {
			p.Title = site.space()
		}
	}
	for _, m := range t.texts("methods") {
		p.Methods = append(p.Methods, portal.Method(m))
	}
	p.Logo = t.logo()
	p.Terms = t.terms()
	t.unifi(&p)
	if err := p.Check(); err != nil {
		for _, cause := range causesOf(err) {
			t.wrong("", strings.TrimPrefix(cause.Error(), "portal: "), "put it right, then try again")
		}
	}
	return portalConfig{p}
}

// secretIfAny reads a secret that need not be there.
func (t *table) secretIfAny(key string) member.Secret {
	if !t.has(key) {
		return ""
	}
	return t.secret(key)
}

// causesOf takes apart an error that joins several.
func causesOf(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	return []error{err}
}

// logo reads the image.
func (t *table) logo() portal.Logo {
	return portal.LogoOf(t.portalFile("logo", maxPortalLogo))
}

// terms reads what guests accept, a file a language.
func (t *table) terms() map[string]string {
	if !t.has("terms") {
		return nil
	}
	files, terms := t.child("terms"), map[string]string{}
	for language := range files.m {
		terms[language] = string(files.portalFile(language, maxPortalTerms))
	}
	files.end()
	return terms
}

// portalFile reads a file that a key names, relative to the configuration.
func (t *table) portalFile(key string, most int) []byte {
	path := t.filePath(key, "")
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err == nil && len(data) > most {
		err = fmt.Errorf("%s has %d octets, more than %d", path, len(data), most)
	}
	if err != nil {
		t.wrong(key, fmt.Sprintf("%s: %v", key, err), "name a file that the server may read")
		return nil
	}
	return data
}

// unifi reads [portal.unifi]: how a UniFi controller is told of guests.
func (t *table) unifi(p *portal.Site) {
	if !t.has("unifi") {
		return
	}
	u := t.child("unifi")
	cfg := unifi.Config{
		URL: u.text("url", ""), Site: u.text("site", "default"), Username: u.text("username", ""),
		Password: u.secretIfAny("password"), APIKey: u.secretIfAny("api_key"), Fingerprint: u.text("fingerprint", ""),
	}
	if pem := u.portalFile("ca", maxPortalLogo); len(pem) > 0 {
		cfg.CA = x509.NewCertPool()
		if !cfg.CA.AppendCertsFromPEM(pem) {
			u.wrong("ca", "ca holds no certificate", "name a PEM file with the certificate of who signed the controller's")
		}
	}
	u.end()
	client, err := unifi.New(cfg)
	if err != nil {
		u.wrong("url", err.Error(), "put it right; the controller's own page on local administrators says how to make one")
		return
	}
	p.Guests, p.UniFiSite = client, cfg.Site
}
