package policy

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"memberradius/member"
)

func seconds(n uint64) time.Duration { return time.Duration(n) * time.Second }

// compile writes the plan's template for every vendor.
func (b *Book) compile(p *plan) error {
	err := b.checkPlan(p)
	p.templates = make([]template, len(vendors))
	for i, v := range b.vendors {
		t, e := b.template(p, v)
		if e != nil {
			// The same attributes fail for every vendor.
			return errors.Join(err, e)
		}
		p.templates[i] = t
	}
	return err
}

// checkPlan says what the plan's own keys get wrong.
func (b *Book) checkPlan(p *plan) error {
	var err error
	complain := func(format string, args ...any) {
		err = errors.Join(err, fmt.Errorf("plan %q: "+format, append([]any{p.Name}, args...)...))
	}
	if _, ok := vlan(string(p.VLAN)); !ok && p.VLAN != "" {
		complain("vlan %q: %s", string(p.VLAN), needVLAN)
	}
	for _, d := range [...]struct {
		key string
		d   time.Duration
	}{{"session", p.Session}, {"idle", p.Idle}, {"interim", p.Interim}} {
		if d.d != 0 && (d.d < time.Second || d.d > seconds(maxSession)) {
			complain("%s = %s: 1s to %s are possible", d.key, d.d, seconds(maxSession))
		}
	}
	if p.Interim != 0 && p.Interim < minInterim*time.Second {
		complain("interim = %s: at least %ds are needed (RFC 2869 §5.16)", p.Interim, minInterim)
	}
	return err
}

// template writes what the plan sends through one vendor.
func (b *Book) template(p *plan, v *compiledVendor) (template, error) {
	var o Attributes
	c := composition{b: b, v: v, out: &o}
	err := c.writeRates(&p.Plan)
	if p.Idle >= time.Second {
		o.take(idleTimeout, appendSeconds(o.Bytes(), idleTimeout, uint64(p.Idle/time.Second)))
	}
	if p.Interim >= time.Second {
		o.take(acctInterim, appendSeconds(o.Bytes(), acctInterim, uint64(p.Interim/time.Second)))
	}
	err = errors.Join(err, c.planAttributes(p))
	if err != nil {
		return template{}, err
	}
	o.close()
	return template{
		bytes: slices.Clone(o.Bytes()), entries: slices.Clone(o.entries[:o.count]),
		vlan: c.vlan, session: c.session,
	}, nil
}

// planAttributes applies the plan's own attributes. One that names the VLAN or
// Session-Timeout is what the plan's vlan or session would be.
func (c *composition) planAttributes(p *plan) error {
	if n := len(p.Attributes); n > maxAttributes {
		return fmt.Errorf("plan %q: %d attributes: at most %d are possible", p.Name, n, maxAttributes)
	}
	c.vlan, c.session = string(p.VLAN), p.Session
	c.size, c.most = maxPlanBytes, c.out.n+maxPlanBytes
	var err error
	for i := range p.Attributes {
		if why := c.planAttribute(&p.Attributes[i]); why != "" {
			err = errors.Join(err, fmt.Errorf("plan %q: attribute %s: %s", p.Name, quoted(p.Attributes[i].Name), why))
		}
	}
	return err
}

func (c *composition) planAttribute(w *member.Attribute) (why string) {
	a, ok := c.b.d.ByName(w.Name)
	if !ok {
		return "no dictionary has it; compare its spelling, or add a dictionary that has it"
	}
	if why := check(a, w.Value); why != "" {
		return why
	}
	return c.apply(a, w)
}

// writeRates writes the plan's bandwidth in the vendor's own attributes.
func (c *composition) writeRates(p *member.Plan) error {
	if c.v.pair != nil && p.Down.Bits != 0 && p.Up.Bits != 0 {
		if why := c.out.write(c.v.pair, p.Up.Text+"/"+p.Down.Text); why != "" {
			return fmt.Errorf("plan %q: %s: %s", p.Name, c.v.pair.Name, why)
		}
		return nil
	}
	for _, r := range c.v.rates {
		bits := p.Up.Bits
		if r.down {
			bits = p.Down.Bits
		}
		if bits == 0 {
			continue
		}
		// A rate that the attribute can't hold is none that an access point has.
		n := min((bits+r.unit-1)/r.unit, math.MaxUint32)
		if why := c.out.write(r.a, strconv.FormatUint(n, 10)); why != "" {
			return fmt.Errorf("plan %q: %s: %s", p.Name, r.a.Name, why)
		}
	}
	return nil
}
