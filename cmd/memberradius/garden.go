package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"

	"memberradius/web/portal"
)

type walledGardenCmd struct {
	Site  string   `arg:"" optional:"" help:"Which [[site]] with a [[portal]] (default: the only one)."`
	Hosts []string `name:"host" placeholder:"HOST" help:"Another host that guests need before they are in: of payment, of single sign-on. May be repeated."`
}

// Help implements kong.HelpProvider.
func (walledGardenCmd) Help() string {
	return "Prints what a device must reach before it has logged in, and where to enter it, for the site's kind of controller.\n\n" +
		example("memberradius walled-garden berlin --host pay.example.com")
}

// A gardenView is the list as JSON.
type gardenView struct {
	Site   string   `json:"site"`
	Portal string   `json:"portal"`
	API    string   `json:"captive_portal_api"`
	Hosts  []string `json:"hosts"`
}

// Run prints the walled garden of a site.
func (v *walledGardenCmd) Run(p *program) error {
	c, err := p.wholeConfig()
	if err != nil {
		return err
	}
	site, err := v.site(c)
	if err != nil {
		return err
	}
	hosts := append(c.hostsOf(site.Name), v.Hosts...)
	text, err := portal.Garden(site, c.HTTP.PublicURL, hosts)
	if err != nil {
		return err
	}
	if p.JSON {
		u, err := url.Parse(c.HTTP.PublicURL)
		if err != nil {
			return err
		}
		return p.printJSON(gardenView{
			Site: site.Name, Portal: u.JoinPath("portal", site.Name, "/").String(), API: portal.APIURL(site, c.HTTP.PublicURL),
			Hosts: append([]string{u.Hostname()}, hosts...),
		})
	}
	p.printf("%s", text)
	return nil
}

func (v *walledGardenCmd) site(c *config) (*portal.Site, error) {
	if len(c.Portals) == 0 {
		return nil, fmt.Errorf("%s has no [[portal]]", c.File)
	}
	if v.Site == "" {
		if len(c.Portals) > 1 {
			return nil, errors.New("there are several [[portal]]: say which by the name of its site")
		}
		return &c.Portals[0].Site, nil
	}
	i := slices.IndexFunc(c.Portals, func(p portalConfig) bool { return p.Name == v.Site })
	if i < 0 {
		return nil, fmt.Errorf("site %q has no [[portal]] in %s", v.Site, c.File)
	}
	return &c.Portals[i].Site, nil
}

// hostsOf are the hosts of the member systems that a site asks: seeds of walled
// gardens list them, and their pages for a lost password are there.
func (c *config) hostsOf(site string) []string {
	s := c.site(site)
	if s == nil {
		return nil
	}
	var hosts []string
	for i := range c.Backends {
		b := &c.Backends[i]
		if !slices.Contains(s.Ask, b.Name) && !slices.Contains(s.Gates, b.Name) {
			continue
		}
		if u, err := url.Parse(b.URL); err == nil && u.Hostname() != "" && !slices.Contains(hosts, u.Hostname()) {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}
