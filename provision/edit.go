package provision

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/store"
)

// A row is a member as she is kept, and her credential where it was read; nil is
// not known.
type row struct {
	*store.Kept
	have *member.Credential
}

func foldedOf(k *store.Kept) string { return member.FoldString(k.Member.Login) }

// claims writes the claims that were granted.
func (c *comparison) claims(ctx context.Context) error {
	vacated := map[string]bool{} // logins of rows that have a new owner, by folded form
	granted := 0
	for _, cl := range c.l.claims {
		if cl.dead || cl.state != open {
			continue
		}
		granted++
		if cl.target != nil {
			vacated[cl.folded] = true
		}
	}
	// A first sync of a large space is nothing but these: growing by halves would
	// take several times the memory.
	c.changes.Edits = slices.Grow(c.changes.Edits, granted)
	if c.r.c.Mail || c.r.c.WriteBack {
		c.changes.Events = slices.Grow(c.changes.Events, granted)
	}
	for _, cl := range c.l.claims {
		if cl.dead || cl.state != open {
			continue
		}
		if t := cl.target; t != nil && t.Lapsed.IsZero() && c.l.home(t) == nil && !same(cl, t) {
			c.goes(t) // whatever deprovision says: her login is somebody else's now
		}
		var err error
		switch {
		case cl.source != nil:
			err = c.move(ctx, cl, vacated[foldedOf(cl.source)])
		case c.hers(cl):
			err = c.update(ctx, cl.rec, row{cl.target, nil})
		default:
			err = c.come(cl)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// come adds a member.
func (c *comparison) come(cl *claim) error {
	rec := cl.rec
	if err := c.credential(rec); err != nil {
		return err
	}
	c.run.Added++
	c.arrive(Change{Kind: Comes, Login: rec.Member.Login, Name: rec.Member.Name, What: plansOf(&rec.Member), Access: true})
	c.changes.Edits = append(c.changes.Edits, store.Edit{Fields: store.AllFields, Record: *rec})
	cl.rec = &c.changes.Edits[len(c.changes.Edits)-1].Record // of a hundred thousand one copy is enough
	c.events(rec, store.EventWelcome)
	return nil
}

// credential gives rec the credential of somebody new.
func (c *comparison) credential(rec *member.Record) (err error) {
	switch c.r.c.Secrecy {
	case backends.Generated:
		rec.Credential, err = c.r.newCredential()
	case backends.Asked:
		rec.Credential = member.Credential{}
	case backends.Brought:
		c.r.hash(&rec.Credential)
	}
	return err
}

// update brings a row to what rec says, whose it is.
func (c *comparison) update(ctx context.Context, rec *member.Record, k row) error {
	d := compareRecords(k.Kept, rec)
	kind, welcome := Changes, false
	if !k.Lapsed.IsZero() {
		kind, d.access = Returns, true
		d.fields |= store.FieldLapsed
	}
	switch c.r.c.Secrecy {
	case backends.Generated:
		if welcome = !k.HasCredential; welcome {
			if err := c.credential(rec); err != nil {
				return err
			}
			d.secret("a password is made")
		}
	case backends.Asked:
		if rec.Credential = (member.Credential{}); k.HasCredential {
			d.secret("the kept password goes, the member system is asked")
		}
	case backends.Brought:
		c.r.hash(&rec.Credential)
		different, err := c.r.different(ctx, rec, k)
		if err != nil {
			return err
		}
		if different {
			d.secret("password")
		}
	}
	switch {
	case kind == Returns:
		c.run.Returned++
		what := plansOf(&rec.Member)
		if len(d.words) > 0 {
			what += " (" + strings.Join(d.words, ", ") + ")"
		}
		c.arrive(Change{Kind: Returns, Login: rec.Member.Login, Name: rec.Member.Name, What: what, Access: true})
	case d.fields == 0:
		c.run.Unchanged++
		return nil
	default:
		c.run.Changed++
		c.acts = append(c.acts, d.change(k.Kept, rec))
	}
	c.changes.Edits = append(c.changes.Edits, store.Edit{Fields: d.fields, Record: *rec})
	if welcome {
		c.events(rec, store.EventWelcome)
	}
	return nil
}

// move gives a member another login: the row of the old one goes, unless it has
// a new owner, and a password that was made for her comes along.
func (c *comparison) move(ctx context.Context, cl *claim, taken bool) error {
	rec, k := cl.rec, cl.source
	d := compareRecords(k, rec)
	d.access = true
	if err := c.credential(rec); err != nil {
		return err
	}
	if c.generated() && k.HasCredential {
		old, err := c.r.c.Store.Get(ctx, c.r.c.Backend, k.Member.Login)
		switch {
		case err == nil:
			rec.Credential = old.Credential
		case ctx.Err() != nil:
			return ctx.Err()
		default:
			d.words = append(d.words, "a password is made, since the one of before can't be read")
		}
	}
	if k.Lapsed.IsZero() {
		c.run.Changed++
		c.acts = append(c.acts, d.change(k, rec))
	} else {
		c.run.Returned++
		c.arrive(Change{Kind: Returns, Login: rec.Member.Login, Name: rec.Member.Name, What: plansOf(&rec.Member) + " (" + strings.Join(d.words, ", ") + ")", Access: true})
	}
	if !taken {
		c.changes.Forget = append(c.changes.Forget, k.Member.Login)
	}
	c.changes.Edits = append(c.changes.Edits, store.Edit{Fields: store.AllFields, Record: *rec})
	c.events(rec, store.EventPassword)
	return nil
}

// A difference is what is not the same in a row and a record.
type difference struct {
	fields store.Fields
	words  []string
	access bool
}

func (d *difference) add(field store.Fields, access bool, word string) {
	d.fields |= field
	d.access = d.access || access
	d.words = append(d.words, word)
}

func (d *difference) secret(word string) { d.add(store.FieldCredential, true, word) }

func (d *difference) change(k *store.Kept, rec *member.Record) Change {
	return Change{Kind: Changes, Login: k.Member.Login, Name: rec.Member.Name, What: strings.Join(d.words, ", "), Access: d.access}
}

// compareRecords says what is different, in words. Both have whole seconds.
func compareRecords(k *store.Kept, rec *member.Record) difference {
	var d difference
	a, b := &k.Member, &rec.Member
	for _, f := range [...]struct {
		field    store.Fields
		word     string
		old, new string
		access   bool
	}{
		{store.FieldLogin, "login", a.Login, b.Login, false},
		{store.FieldVLAN, "VLAN", string(a.VLAN), string(b.VLAN), true},
		{store.FieldOfficeVLAN, "office VLAN", string(a.OfficeVLAN), string(b.OfficeVLAN), true},
		{store.FieldTeamVLAN, "team VLAN", string(a.TeamVLAN), string(b.TeamVLAN), true},
		{store.FieldTeam, "team", a.Team, b.Team, false},
		{store.FieldName, "name", a.Name, b.Name, false},
		{store.FieldEmail, "address", k.Email, rec.Email, false},
		{store.FieldID, "id", a.ID, b.ID, false},
		{store.FieldMembership, "membership", a.MembershipID, b.MembershipID, false},
	} {
		if f.old != f.new {
			d.add(f.field, f.access, fmt.Sprintf("%s %s -> %s", f.word, orNone(f.old), orNone(f.new)))
		}
	}
	if !slices.Equal(a.Plans, b.Plans) {
		d.add(store.FieldPlans|store.FieldTerms, true, fmt.Sprintf("plan %s -> %s", orNone(strings.Join(a.Plans, " and ")), orNone(strings.Join(b.Plans, " and "))))
	} else if !slices.EqualFunc(a.Terms, b.Terms, func(x, y member.Term) bool { return x.From.Equal(y.From) && x.Until.Equal(y.Until) }) {
		d.add(store.FieldTerms, true, "dates of her plans")
	}
	compareBounds(&d, a, b)
	return d
}

func compareBounds(d *difference, a, b *member.Member) {
	if !a.ValidFrom.Equal(b.ValidFrom) {
		d.add(store.FieldValidFrom, true, fmt.Sprintf("valid from %s -> %s", moment(a.ValidFrom), moment(b.ValidFrom)))
	}
	if !a.ValidUntil.Equal(b.ValidUntil) {
		d.add(store.FieldValidUntil, true, fmt.Sprintf("valid until %s -> %s", moment(a.ValidUntil), moment(b.ValidUntil)))
	}
	if a.Devices != b.Devices {
		d.add(store.FieldDevices, true, fmt.Sprintf("devices %d -> %d", a.Devices, b.Devices))
	}
	if a.Disabled != b.Disabled {
		d.add(store.FieldDisabled, true, either(b.Disabled, "suspended", "no longer suspended"))
	}
	if a.CheckedOut != b.CheckedOut {
		d.add(store.FieldCheckedOut, true, either(b.CheckedOut, "checked out", "checked in"))
	}
}

func orNone(s string) string { return either(s == "", "none", s) }

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// moment returns a date as reports have it.
func moment(t time.Time) string {
	if t.IsZero() {
		return "open"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// different says whether rec brings another credential than is kept.
func (r *Runner) different(ctx context.Context, rec *member.Record, k row) (bool, error) {
	have := k.have
	if have == nil && k.HasCredential {
		e, err := r.c.Store.Get(ctx, r.c.Backend, k.Member.Login)
		if err != nil {
			// What can't be opened is written anew.
			return true, ctx.Err()
		}
		have = &e.Credential
	}
	if have == nil {
		have = &member.Credential{}
	}
	return !sameCredential(have, &rec.Credential), nil
}

func sameCredential(a, b *member.Credential) bool {
	if (a.NTHash == nil) != (b.NTHash == nil) {
		return false
	}
	if a.NTHash != nil && subtle.ConstantTimeCompare(a.NTHash[:], b.NTHash[:]) == 0 {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(a.Password), []byte(b.Password)) == 1 &&
		subtle.ConstantTimeCompare([]byte(a.Argon2id), []byte(b.Argon2id)) == 1
}
