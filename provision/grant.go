package provision

import (
	"strings"

	"memberradius/store"
)

// grant refuses the claims to logins that somebody else keeps. It takes rounds:
// one who may not move keeps her login from whoever wanted it.
func (c *comparison) grant() {
	var contested []*claim
	for _, cl := range c.l.claims {
		if cl.dead || cl.state != open {
			continue
		}
		if c.claimant(cl.folded, cl.target) != cl {
			continue // refused for a rival
		}
		if c.fresh(cl) && !c.r.c.Provision {
			c.arrive(Change{Kind: Comes, Login: cl.rec.Member.Login, Name: cl.rec.Member.Name, What: "but is not added: provision = false"})
			c.refuse(cl, "")
			continue
		}
		if cl.target != nil {
			contested = append(contested, cl)
		}
	}
	for again := true; again; {
		again = false
		for _, cl := range contested {
			if cl.state != open || c.free(cl) {
				continue
			}
			t := cl.target
			c.refuse(cl, "is left out: her login is that of the member with id %q, who has neither ended nor got another", t.Member.ID)
			c.doubt = c.doubt || !c.l.everything
			again = true
		}
	}
}

// free says whether the row that bears the claim's login may become hers.
func (c *comparison) free(cl *claim) bool {
	t := cl.target
	if home := c.l.home(t); home != nil && home != cl {
		return home.state != refused && home.folded != cl.folded // its member moves away
	}
	if t.Member.ID != "" && c.l.stays[t.Member.ID] || c.touched(cl.folded, t.Member.ID) {
		return false
	}
	return c.l.everything || !t.Lapsed.IsZero() || same(cl, t) || c.l.gone(t, cl.folded)
}

// fresh says whether the claim is of somebody of whom nothing is kept.
func (c *comparison) fresh(cl *claim) bool {
	return cl.source == nil && (cl.target == nil || !c.hers(cl))
}

// hers says whether the row that bears the claim's login is the claimant's own.
func (c *comparison) hers(cl *claim) bool {
	return cl.target != nil && c.l.home(cl.target) == nil && same(cl, cl.target)
}

// same says whether a row is of the member who claims its login. Ids decide;
// where they differ she may have got another (one person has several accounts,
// or signed up again), and her address tells her from a stranger who got the
// same login, and must not get the password that goes with it.
func same(cl *claim, k *store.Kept) bool {
	m := &cl.rec.Member
	if m.ID == "" || k.Member.ID == "" || m.ID == k.Member.ID {
		return true
	}
	return cl.rec.Email != "" && strings.EqualFold(cl.rec.Email, k.Email)
}

// leftovers takes the rows that nobody took over.
func (c *comparison) leftovers() {
	taken := map[*store.Kept]bool{}
	for _, cl := range c.l.claims {
		if !cl.dead && cl.state == open { // granted
			taken[cl.target], taken[cl.source] = true, true
		}
	}
	for _, k := range c.odd {
		if taken[k] {
			continue
		}
		home := c.l.home(k)
		if home != nil && home.source == k && home.state == refused {
			continue // she keeps what she has
		}
		c.unclaimed(k, foldedOf(k))
	}
}
