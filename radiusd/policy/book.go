package policy

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"memberradius/dictionary"
	"memberradius/member"
)

// A Site is one coworking space.
type Site struct {
	Name string
	// Zone is where its clock stands; nil is UTC.
	Zone *time.Location
	// DefaultPlan names the plan of members whose own plan is not configured; empty refuses them
	// only where they have a plan that is unknown: a member without any plan then simply has none.
	DefaultPlan string
}

// Config is what New compiles.
type Config struct {
	Plans []member.Plan
	Sites []Site
	// Dictionary may be nil: the built-in one.
	Dictionary *dictionary.Dictionary
}

// A Book holds every plan for every vendor, compiled. It is read-only.
type Book struct {
	d       *dictionary.Dictionary
	plans   []plan
	byName  map[string]*plan // by member.FoldString of a plan's name and of those it matches
	sites   map[string]*site
	vendors []*compiledVendor // in the order of vendors
}

// A plan is a member.Plan and what it sends, by the vendor's index.
type plan struct {
	member.Plan
	order     int // its place in the configuration
	templates []template
}

type site struct {
	zone *time.Location
	plan *plan
}

// A template is what a plan sends through a vendor. VLAN and session come
// apart from the rest, since each member has her own.
type template struct {
	bytes   []byte
	entries []entry
	vlan    string
	session time.Duration
}

// noSite is where requests of a site that is not configured stand: UTC, no default plan.
var noSite = site{zone: time.UTC}

// New compiles the plans for every vendor. Its error says everything that is
// wrong with plans and sites, one line each.
func New(c Config) (*Book, error) {
	b := &Book{
		d:      c.Dictionary,
		byName: map[string]*plan{},
		sites:  map[string]*site{},
	}
	if b.d == nil {
		b.d = dictionary.Builtin()
	}
	var err error
	for _, v := range vendors {
		compiled, e := compileVendor(b.d, v)
		err = errors.Join(err, e)
		b.vendors = append(b.vendors, compiled)
	}
	if err != nil {
		// The dictionary is not the built-in one with an operator's added: nothing else can be judged.
		return nil, fmt.Errorf("policy: %w", err)
	}
	b.plans = make([]plan, len(c.Plans))
	for i := range c.Plans {
		b.plans[i] = plan{Plan: c.Plans[i], order: i}
		err = errors.Join(err, b.index(&b.plans[i]), b.compile(&b.plans[i]))
	}
	for i := range c.Sites {
		err = errors.Join(err, b.addSite(&c.Sites[i]))
	}
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return b, nil
}

// vendor returns the vendor of that name, else the generic one. A dozen names
// are compared faster than one is hashed.
func (b *Book) vendor(name string) (v *compiledVendor, index int) {
	for i, v := range b.vendors {
		if v.name == name {
			return v, i
		}
	}
	return b.vendors[0], 0
}

// index makes the plan known by its name and by those it matches.
func (b *Book) index(p *plan) error {
	var err error
	for i, name := range append([]string{p.Name}, p.Match...) {
		folded := member.FoldString(strings.TrimSpace(name))
		what := "name"
		if i > 0 {
			what = "match"
		}
		switch other, taken := b.byName[folded]; {
		case folded == "":
			err = errors.Join(err, fmt.Errorf("plan %q: %s: it must not be empty", p.Name, what))
		case len(folded) > maxPlanName:
			err = errors.Join(err, fmt.Errorf("plan %q: %s %.40q...: at most %d octets", p.Name, what, name, maxPlanName))
		case taken && other != p:
			err = errors.Join(err, fmt.Errorf("plan %q: %s %q belongs to plan %q already; a name can mean one plan only", p.Name, what, name, other.Name))
		default:
			b.byName[folded] = p
		}
	}
	return err
}

func (b *Book) addSite(c *Site) error {
	if _, ok := b.sites[c.Name]; ok {
		return fmt.Errorf("site %q: there are two of that name", c.Name)
	}
	s := &site{zone: c.Zone}
	if s.zone == nil {
		s.zone = time.UTC
	}
	b.sites[c.Name] = s
	if c.DefaultPlan == "" {
		return nil
	}
	s.plan = b.plan(c.DefaultPlan)
	if s.plan == nil {
		return fmt.Errorf("site %q: default_plan %q is no plan; add a [[plan]] of that name, or correct it", c.Name, c.DefaultPlan)
	}
	return nil
}

// maxPlanName bounds a plan's name in octets, so that looking one up needs no memory.
const maxPlanName = 256

// plan finds the plan that a member system's name means, nil where none does.
// It does not allocate for names of ASCII.
func (b *Book) plan(name string) *plan {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxPlanName {
		return nil
	}
	var folded [maxPlanName]byte
	return b.byName[string(member.Fold(folded[:0], name))]
}

// choose returns the plan that holds for a member: of those that her member
// system names, the one of the highest priority, the first configured among
// equals. Without any, it is the site's default plan, which may be nil.
func (b *Book) choose(s *site, names []string) (*plan, member.Reason) {
	var best *plan
	named := false
	for _, name := range names {
		p := b.plan(name)
		if p == nil {
			named = named || strings.TrimSpace(name) != ""
			continue
		}
		if best == nil || p.Priority > best.Priority || p.Priority == best.Priority && p.order < best.order {
			best = p
		}
	}
	switch {
	case best != nil:
		return best, member.ReasonNone
	case s.plan == nil && named:
		return nil, member.ReasonNoPlan
	}
	return s.plan, member.ReasonNone
}
