package main

import (
	"fmt"
	"time"

	"memberradius/member"
)

// planConfig is a [[plan]].
type planConfig struct{ member.Plan }

// RFC 2869 §5.16: an interim interval below 60 s is forbidden, and below 600 s
// it should not be.
const (
	leastInterim = 60 * time.Second
	goodInterim  = 600 * time.Second
)

func (c *config) readPlans(tables []*table) {
	seen, matched := map[string]bool{}, map[string]string{}
	for _, t := range tables {
		p := planConfig{member.Plan{
			Name:       t.uniqueName(seen),
			Match:      t.texts("match"),
			VLAN:       t.vlan("vlan"),
			Down:       t.rate("down"),
			Up:         t.rate("up"),
			Session:    t.duration("session", 0, time.Second),
			Idle:       t.duration("idle", 0, time.Second),
			Interim:    t.interim(),
			Devices:    t.number("devices", 0, 0, 1_000_000),
			Quotas:     t.quotas(),
			Hours:      t.hours(),
			SSIDs:      t.texts("ssids"),
			Valid:      t.duration("valid", 0, time.Minute),
			Priority:   t.number("priority", 0, -1_000_000, 1_000_000),
			Attributes: c.attributes(t),
		}}
		t.matchOnce(&p.Plan, matched)
		c.Plans = append(c.Plans, p)
		t.end()
	}
}

func (t *table) interim() time.Duration {
	d := t.duration("interim", 0, 0)
	switch {
	case d == 0:
	case d < leastInterim:
		t.wrong("interim", fmt.Sprintf("interim is %s", d), `at least "60s" is needed (RFC 2869), and "10m" is good`)
	case d < goodInterim:
		t.warn("interim", fmt.Sprintf("interim is %s: every session sends a packet that often", d), `RFC 2869 asks for "10m" or more`)
	}
	return d
}

func (t *table) hours() *member.Hours {
	s := t.text("hours", "")
	if s == "" {
		return nil
	}
	h, err := member.ParseHours(s)
	if err != nil {
		t.wrong("hours", err.Error(), "put it right; the times are on the clock of the site's zone")
		return nil
	}
	return h
}

// quotas reads how much data and time there is in a day, a week and a month.
func (t *table) quotas() (all []member.Quota) {
	for i, text := range t.texts("quotas") {
		q, err := member.ParseQuota(text)
		if err != nil {
			t.wrong(fmt.Sprintf("quotas[%d]", i), err.Error(), `write quotas = ["5G/day", "2h/day", "100G/month"]`)
			continue
		}
		all = append(all, q)
	}
	return all
}

// matchOnce refuses a name that two plans match: which one would hold?
func (t *table) matchOnce(p *member.Plan, matched map[string]string) {
	claim := func(key, name string) {
		folded := member.FoldString(name)
		if other, ok := matched[folded]; ok && other != p.Name {
			t.wrong(key, fmt.Sprintf("%q belongs to plan %q already", name, other), "each name of a member system means one plan: take it out of one of them")
			return
		}
		matched[folded] = p.Name
	}
	claim("name", p.Name)
	for i, m := range p.Match {
		claim(fmt.Sprintf("match[%d]", i), m)
	}
}

// attributes reads the attributes that a plan adds, and tries each.
func (c *config) attributes(t *table) []member.Attribute {
	var list []member.Attribute
	for _, a := range t.children("attributes") {
		a.label = t.label + ": attributes"
		name, value := a.text("name", ""), a.textOrNumber("value")
		op, ok := member.ParseOp(a.text("op", ":="))
		if !ok {
			a.wrong("op", "op is unknown", `use ":=" (replaces), "=" (fills) or "+=" (adds)`)
		}
		if attribute, ok := c.Dictionary.ByName(name); !ok {
			a.wrong("name", fmt.Sprintf("attribute %q is unknown", name), "spell it as the dictionary does, or add its file with dictionary = [\"...\"] below [server]")
		} else if _, err := attribute.Append(nil, value); err != nil {
			a.wrong("value", err.Error(), "give it a value of its type")
		}
		a.end()
		list = append(list, member.Attribute{Name: name, Value: value, Op: op})
	}
	return list
}

// textOrNumber reads a string, or a whole number as its digits.
func (t *table) textOrNumber(key string) string {
	if n, ok := t.m[key].(int64); ok {
		t.known[key] = true
		return fmt.Sprint(n)
	}
	return t.text(key, "")
}
