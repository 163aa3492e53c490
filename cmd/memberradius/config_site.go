package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"memberradius/member"
	"memberradius/radiusd"
)

// siteConfig is a [[site]]: one coworking space.
type siteConfig struct {
	Name string
	// Space is what people call it, SSID its network: what letters and profiles speak of.
	Space, SSID string
	// Ask are the backends that are asked, in order; Gates those that must allow as well.
	Ask, Gates  []string
	DefaultPlan string
	Zone        *time.Location
}

func (c *config) readSites(tables []*table) {
	seen := map[string]bool{}
	for _, t := range tables {
		s := siteConfig{
			Name:        t.uniqueName(seen),
			Space:       t.text("space", ""),
			SSID:        t.ssid(),
			Ask:         t.texts("ask"),
			Gates:       t.texts("gates"),
			DefaultPlan: t.text("default_plan", ""),
			Zone:        t.zone(),
		}
		if s.Ask == nil {
			for _, b := range c.Backends {
				if !slices.Contains(s.Gates, b.Name) {
					s.Ask = append(s.Ask, b.Name)
				}
			}
		}
		c.readListens(t, "auth", "", radiusd.Listen{Role: radiusd.Auth, Site: s.Name})
		c.readListens(t, "acct", "", radiusd.Listen{Role: radiusd.Acct, Site: s.Name})
		c.Sites = append(c.Sites, s)
		t.end()
	}
}

// ssid reads the name of a network: up to 32 octets (IEEE 802.11 §9.4.2.2).
func (t *table) ssid() string {
	s := t.text("ssid", "")
	if len(s) > 32 {
		t.wrong("ssid", fmt.Sprintf("ssid has %d octets", len(s)), "a network's name has 32 at the most; write it as the access points do")
		return ""
	}
	return s
}

func (t *table) zone() *time.Location {
	name := t.text("zone", "")
	if name == "" {
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		t.wrong("zone", fmt.Sprintf("zone %q is unknown", name), `write it as "Europe/Berlin"`)
		return time.UTC
	}
	return zone
}

// crossSite checks a site's backends and plan.
func (c *config) crossSite(r *reader, s *siteConfig, path string) {
	known := names(c.Backends, func(b backendConfig) string { return b.Name })
	for _, key := range []string{"ask", "gates"} {
		list := s.Ask
		if key == "gates" {
			list = s.Gates
		}
		for i, name := range list {
			at := fmt.Sprintf("%s.%s[%d]", path, key, i)
			switch {
			case !slices.Contains(known, name):
				r.add(wrong, at, fmt.Sprintf("site %q: %s: backend %q is unknown", s.Name, key, name), "use the name of a [[backend]]: "+strings.Join(known, ", "))
			case key == "gates" && kinds()[c.backend(name).Kind].told:
				r.add(wrong, at, fmt.Sprintf("site %q: gates: backend %q lets nobody in: it is told of portal logins", s.Name, name), "take it out of gates")
			case slices.Index(list, name) < i:
				r.add(wrong, at, fmt.Sprintf("site %q: %s: backend %q stands twice", s.Name, key, name), "name each once")
			}
		}
	}
	if s.DefaultPlan != "" && c.plan(s.DefaultPlan) == nil {
		r.add(wrong, path+".default_plan", fmt.Sprintf("site %q: default_plan %q is unknown", s.Name, s.DefaultPlan),
			"use the name of a [[plan]]: "+strings.Join(names(c.Plans, func(p planConfig) string { return p.Name }), ", "))
	}
}

// plan returns the plan that a member system's name for it stands for: a
// plan's own name, or one of its match.
func (c *config) plan(name string) *planConfig {
	name = member.FoldString(name)
	for i := range c.Plans {
		p := &c.Plans[i]
		if member.FoldString(p.Name) == name || slices.ContainsFunc(p.Match, func(m string) bool { return member.FoldString(m) == name }) {
			return p
		}
	}
	return nil
}

// site returns the site of that name; nil where there is none.
func (c *config) site(name string) *siteConfig {
	return pick(c.Sites, func(s *siteConfig) bool { return s.Name == name })
}

func (c *config) hasSite(name string) bool { return c.site(name) != nil }

// backend returns the [[backend]] of that name; nil where there is none.
func (c *config) backend(name string) *backendConfig {
	return pick(c.Backends, func(b *backendConfig) bool { return b.Name == name })
}

// pick returns the first of all that is meant, in its place; nil where none is.
func pick[T any](all []T, is func(*T) bool) *T {
	for i := range all {
		if is(&all[i]) {
			return &all[i]
		}
	}
	return nil
}
