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
	// Uses knows when plans were first used. Nil: a plan that is valid from then
	// on begins anew at each login.
	Uses Uses
}

// Uses knows since when members use plans that are valid for a time from their
// first use. Neither method waits.
type Uses interface {
	// Used returns when the member first used the plan, if she did.
	Used(m *member.Member, plan string) (time.Time, bool)
	// Use remembers that she uses it from now on.
	Use(m *member.Member, plan string, now time.Time)
}

// A Book holds every plan for every vendor, compiled. It is read-only.
type Book struct {
	d       *dictionary.Dictionary
	plans   []plan
	byName  map[string]*plan // by member.FoldString of a plan's name and of those it matches
	sites   map[string]*site
	uses    Uses
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
		uses:   c.Uses,
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

// Interim returns the Acct-Interim-Interval of a plan by its name; 0 where it
// has none.
func (b *Book) Interim(name string) time.Duration {
	if p := b.plan(name); p != nil {
		return p.Plan.Interim
	}
	return 0
}

// A holding is a plan that a member may have, and the term of it.
type holding struct {
	plan *plan
	term member.Term
}

// choose returns the plan that holds for a member at now: of those that her
// member system names and whose term runs, the one of the highest priority, the
// first configured among equals. Without any, it is the site's default plan,
// which may be nil; but whose terms are all over, or have not begun, has none.
func (b *Book) choose(s *site, m *member.Member, now time.Time) (holding, member.Reason) {
	var best holding
	fallback := holding{plan: s.plan}
	named, missed := false, member.ReasonNone
	for i, name := range m.Plans {
		h := holding{plan: b.plan(name)}
		if i < len(m.Terms) {
			h.term = m.Terms[i]
		}
		switch reason := b.runs(&h, m, now); {
		case strings.TrimSpace(name) == "":
		case reason != member.ReasonNone:
			missed = reason
		case h.plan == nil:
			named, fallback.term = true, h.term
		case best.plan == nil || h.plan.before(best.plan):
			best = h
		}
	}
	switch {
	case best.plan != nil:
	case !named && missed != member.ReasonNone:
		return best, missed
	case s.plan == nil && named:
		return best, member.ReasonNoPlan
	default:
		best = fallback
		if reason := b.runs(&best, m, now); reason != member.ReasonNone {
			return best, reason
		}
	}
	return best, member.ReasonNone
}

// before says whether p holds where a member has both.
func (p *plan) before(q *plan) bool {
	return p.Priority > q.Priority || p.Priority == q.Priority && p.order < q.order
}

// runs says whether the term runs, or why not. That of a plan which is valid
// from its first use begins there.
func (b *Book) runs(h *holding, m *member.Member, now time.Time) member.Reason {
	valid := h.valid()
	if valid > 0 && h.term.From.IsZero() && b.uses != nil {
		h.term.From, _ = b.uses.Used(m, h.plan.Name)
	}
	switch {
	case !h.term.From.IsZero() && now.Before(h.term.From):
		return member.ReasonNotYetValid
	case h.term.Over(valid, now):
		return member.ReasonExpired
	}
	return member.ReasonNone
}

func (h *holding) valid() time.Duration {
	if h.plan == nil {
		return 0
	}
	return h.plan.Valid
}

// use begins the term of a plan that is valid from its first use, and returns
// when the term ends; zero is no bound.
func (b *Book) use(h *holding, m *member.Member, now time.Time) time.Time {
	valid := h.valid()
	if valid > 0 && h.term.From.IsZero() {
		h.term.From = now
		if b.uses != nil {
			b.uses.Use(m, h.plan.Name, now)
		}
	}
	return h.term.End(valid)
}
