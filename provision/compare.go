package provision

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/store"
)

// A comparison is a list beside what the store holds, and what follows from it.
type comparison struct {
	r    *Runner
	l    *list
	now  time.Time
	seen map[string]bool // see reading.touched

	changes store.Changes
	run     store.Run // its counters alone
	notes   notes

	// odd are the rows that bear the id or login of somebody whose claim has
	// another row, or none.
	odd []*store.Kept
	// active is how many rows are members', going how many of them would no
	// longer be.
	active, going int
	// acts are who goes and who changes, arrivals who returns and who comes.
	acts, arrivals []Change
	// skips are the claims that were left out because somebody wrote their login
	// or id while they were read, lost those of them of whom only the login was:
	// for somebody else, so that what was read of her is not known elsewhere.
	skips, lost int
	// doubt says that only a reading of everything can tell.
	doubt bool
	// kept is how many ended and stay, forgotten how many ended long ago.
	kept, forgotten int
}

// maxChanges is how many changes a report has.
const maxChanges = 10_000

// compare reads the store and compares. Nothing is written.
func (r *Runner) compare(ctx context.Context, l *list, seen map[string]bool) (*comparison, error) {
	c := &comparison{r: r, l: l, now: r.now().Truncate(time.Second), seen: seen}
	c.notes = notes{lines: slices.Clone(l.notes.lines), more: l.notes.more, plans: l.notes.plans}
	c.run.Skipped = l.skipped
	for _, cl := range l.claims {
		cl.source, cl.target, cl.state = nil, nil, open
		if !cl.dead && c.touched(cl.folded, cl.rec.Member.ID) {
			cl.state = refused
			c.skips++
			if id := cl.rec.Member.ID; id != "" && !c.touched("", id) {
				c.lost++
			}
		}
	}
	var err error
	if c.changes.Seen, err = r.rows(ctx, l, c.meet); err != nil {
		return nil, err
	}
	c.grant()
	if err := c.claims(ctx); err != nil {
		return nil, err
	}
	c.leftovers()
	c.summary()
	return c, nil
}

// touched says whether somebody else wrote this member while the list was read.
func (c *comparison) touched(folded, id string) bool {
	return c.seen[folded] || id != "" && c.seen["\x00"+id]
}

// meet takes one row of the store. have is her credential where the system
// brings its own; nil is not known.
func (c *comparison) meet(ctx context.Context, k *store.Kept, have *member.Credential) error {
	folded := member.FoldString(k.Member.Login)
	if k.Lapsed.IsZero() {
		c.active++
	}
	claim, home := c.claimant(folded, k), c.l.home(k)
	switch {
	case claim != nil && claim.state == open && (claim == home || home == nil && claim.rec.Member.ID == ""):
		claim.state = settled
		return c.update(ctx, claim.rec, row{k, have})
	case claim == nil && home == nil:
		c.unclaimed(k, folded)
		return nil
	}
	if claim != nil {
		claim.target = k
	}
	if home != nil && home.source == nil {
		home.source = k
	}
	c.odd = append(c.odd, k)
	return nil
}

// claimant returns whose claim to a login counts. Where several members claim
// one, whose it is already has it, else the one with the smallest id, so that
// it is the same one each time. They are never mixed: the others are left out.
func (c *comparison) claimant(folded string, k *store.Kept) *claim {
	group := c.l.rivals[folded]
	if len(group) == 0 {
		return live(c.l.byLogin[folded])
	}
	var best *claim
	better := func(a, b *claim) bool {
		x, y := a.rec.Member.ID, b.rec.Member.ID
		if k != nil && (x == k.Member.ID) != (y == k.Member.ID) {
			return x == k.Member.ID
		}
		if len(x) != len(y) {
			return len(x) < len(y)
		}
		return x < y
	}
	for _, cl := range group {
		if !cl.dead && cl.state != refused && (best == nil || better(cl, best)) {
			best = cl
		}
	}
	for _, cl := range group {
		if cl != best && !cl.dead && cl.state != refused {
			c.refuse(cl, "is left out: id %q has that login", best.rec.Member.ID)
		}
	}
	return best
}

// refuse leaves a claim out, and says why where the text is not empty.
func (c *comparison) refuse(cl *claim, format string, args ...any) {
	cl.state = refused
	c.run.Skipped++
	if format != "" {
		c.notes.add("%s %s", whom(&cl.rec.Member), fmt.Sprintf(format, args...))
	}
}

// unclaimed takes a row that nobody on the list claims.
func (c *comparison) unclaimed(k *store.Kept, folded string) {
	m := &k.Member
	switch {
	case c.touched(folded, m.ID) || m.ID != "" && c.l.stays[m.ID]:
		return
	case !c.l.everything && !c.l.gone(k, folded):
		if id := c.l.goneWith[folded]; id != "" && id != m.ID && k.Lapsed.IsZero() {
			c.doubt = true
			c.notes.add("the member with id %q has ended, whose login %q is now that of id %q: it stays until a full sync", id, m.Login, m.ID)
		}
		return
	case k.Lapsed.IsZero():
		c.end(k)
	case k.Lapsed.After(c.now):
		// A clock that ran ahead ended her in the future: until then she would be let in.
		c.lapse(m)
	case c.l.everything && !c.r.clock.leapt.Load() && !c.now.Before(k.Lapsed.Add(c.r.c.Keep)):
		c.changes.Forget = append(c.changes.Forget, m.Login)
		c.forgotten++
	}
}

// end ends a member, where that is to be done here; else she stays, and is reported.
func (c *comparison) end(k *store.Kept) {
	if !c.r.c.Deprovision {
		c.kept++
		c.run.Skipped++
		c.arrive(Change{Kind: Goes, Login: k.Member.Login, Name: k.Member.Name, What: "but stays here: deprovision = false"})
		return
	}
	c.goes(k)
	c.lapse(&k.Member)
}

// goes counts and reports one who no longer is a member.
func (c *comparison) goes(k *store.Kept) {
	c.going++
	c.run.Lapsed++
	c.acts = append(c.acts, Change{Kind: Goes, Login: k.Member.Login, Name: k.Member.Name, Access: true})
}

func (c *comparison) lapse(m *member.Member) {
	c.changes.Edits = append(c.changes.Edits, store.Edit{
		Fields: store.FieldLapsed, Lapsed: c.now, Record: member.Record{Member: member.Member{Login: m.Login, ID: m.ID}},
	})
}

// arrive reports what concerns nobody who may be online.
func (c *comparison) arrive(ch Change) {
	if len(c.arrivals) < maxChanges {
		c.arrivals = append(c.arrivals, ch)
	}
}

// summary adds the notes that are about many.
func (c *comparison) summary() {
	if c.kept > 0 {
		c.notes.add("%s: ended, and kept since deprovision = false", members(c.kept))
	}
	if c.forgotten > 0 {
		c.notes.add("%s: forgotten with their passwords, %d days after they ended", members(c.forgotten), int(c.r.c.Keep/(24*time.Hour)))
	}
	if c.skips > 0 {
		c.notes.add("%s: left as a push or hook wrote them while all were read", members(c.skips))
	}
}

// changed returns what is reported: who goes first.
func (c *comparison) changed() []Change {
	all := slices.Concat(c.acts, c.arrivals)
	rank := [...]int{Goes: 0, Changes: 1, Returns: 2, Comes: 3}
	slices.SortStableFunc(all, func(a, b Change) int { return rank[a.Kind] - rank[b.Kind] })
	return all[:min(len(all), maxChanges)]
}

// events puts into the outbox what a member with a new password, or a new login
// for it, is to be told.
func (c *comparison) events(rec *member.Record, kind string) {
	c.changes.Events = c.r.events(c.changes.Events, rec.Member.Login, rec.Email, kind)
}

// plansOf returns "plan Hot Desk" or "plans Hot Desk and Office".
func plansOf(m *member.Member) string {
	switch len(m.Plans) {
	case 0:
		return "no plan"
	case 1:
		return "plan " + m.Plans[0]
	}
	return "plans " + strings.Join(m.Plans, " and ")
}

// generated says whether passwords are made here.
func (c *comparison) generated() bool { return c.r.c.Secrecy == backends.Generated }
