package provision

import (
	"strings"

	"memberradius/member"
	"memberradius/store"
)

// A list is what a member system said in one reading or one push: who is a
// member, and who has ended.
type list struct {
	// everything says that who is not on it has ended.
	everything bool
	claims     []*claim
	byID       map[string]*claim
	byLogin    map[string]*claim   // by folded login: the one that has it, among rivals the last
	rivals     map[string][]*claim // those whose login several members claim
	// stays are the ids of members whose records can't be kept: what is stored of
	// them stays as it is.
	stays map[string]bool
	// goneIDs and goneLogins are who has ended. An id comes with the folded login
	// that was said with it, in goneWith the other way round.
	goneIDs, goneWith map[string]string
	goneLogins        map[string]bool

	known   func(plan string) bool
	notes   notes
	skipped int
}

// A claim is a record that can be kept: one member who shall have one login.
type claim struct {
	rec    *member.Record
	folded string
	// What the store holds, found anew at each comparison: the row that bears her
	// id, and the row that bears her login.
	source, target *store.Kept
	state          claimState
	// dead says that a later record took its place.
	dead bool
}

// A claimState is how far a comparison has come with a claim.
type claimState uint8

const (
	// open: not looked at yet, or granted.
	open claimState = iota
	// settled: written to the row that bears both her id and her login.
	settled
	// refused: what is stored stays.
	refused
)

func newList(everything bool, known func(string) bool) *list {
	if known == nil {
		known = func(string) bool { return true }
	}
	return &list{
		everything: everything, known: known,
		byID: map[string]*claim{}, byLogin: map[string]*claim{}, rivals: map[string][]*claim{},
		stays: map[string]bool{}, goneIDs: map[string]string{}, goneWith: map[string]string{}, goneLogins: map[string]bool{},
	}
}

// add takes one record. What is said of a member later counts: while pages are
// read, one who changes is listed twice.
func (l *list) add(rec *member.Record) {
	m := &rec.Member
	m.Login, m.ID = strings.TrimSpace(m.Login), strings.TrimSpace(m.ID)
	if err := store.Check(store.FieldID, rec); err != nil {
		l.leave("%s is left out: id: %v", whom(m), err)
		return
	}
	if rec.Gone {
		l.end(m)
		return
	}
	fitness, err := fitted(rec, func(what string) { l.notes.add("%s: %s", whom(m), what) })
	switch fitness {
	case fit:
		l.notes.unmapped(m, l.known)
		l.claim(rec)
	case never:
		l.notes.add("%s: %v", whom(m), err)
		l.end(m)
	default:
		l.leave("%s is left out: %v", whom(m), err)
		if m.ID != "" {
			l.supersede(l.byID[m.ID])
			delete(l.goneIDs, m.ID)
			l.stays[m.ID] = true
		}
	}
}

// leave notes a member who is left out.
func (l *list) leave(format string, args ...any) {
	l.skipped++
	l.notes.add(format, args...)
}

func (l *list) claim(rec *member.Record) {
	c := &claim{rec: rec, folded: member.FoldString(rec.Member.Login)}
	if c.folded == rec.Member.Login {
		c.folded = rec.Member.Login // one text for both
	}
	if id := rec.Member.ID; id != "" {
		if old := l.byID[id]; old != nil && !old.dead && old.folded != c.folded {
			l.notes.add("the member with id %q is listed as %q and as %q: the last one counts", id, old.rec.Member.Login, rec.Member.Login)
		}
		l.supersede(l.byID[id])
		l.byID[id] = c
		delete(l.goneIDs, id)
		delete(l.stays, id)
	}
	delete(l.goneLogins, c.folded)
	l.claims = append(l.claims, c)
	other := l.byLogin[c.folded]
	l.byLogin[c.folded] = c
	switch {
	case other == nil || other.dead:
	case other.rec.Member.ID == rec.Member.ID: // both have none: the login is all that names her
		l.supersede(other)
	default:
		if len(l.rivals[c.folded]) == 0 {
			l.rivals[c.folded] = append(l.rivals[c.folded], other)
		}
		l.rivals[c.folded] = append(l.rivals[c.folded], c)
	}
}

// supersede takes a claim out of the list.
func (l *list) supersede(c *claim) {
	if c == nil || c.dead {
		return
	}
	c.dead = true
	if id := c.rec.Member.ID; id != "" && l.byID[id] == c {
		delete(l.byID, id)
	}
	if l.byLogin[c.folded] == c {
		delete(l.byLogin, c.folded)
	}
}

// end takes a member who has ended: by her id where she has one, else by her login.
func (l *list) end(m *member.Member) {
	folded := member.FoldString(m.Login)
	switch {
	case m.ID != "":
		l.supersede(l.byID[m.ID])
		delete(l.stays, m.ID)
		l.goneIDs[m.ID] = folded
		if folded != "" {
			l.goneWith[folded] = m.ID
		}
	case folded != "":
		l.supersede(l.byLogin[folded])
		l.goneLogins[folded] = true
	default:
		l.leave("somebody has ended of whom neither login nor id is said")
	}
}

// release lets go of what has been applied: of a large space it is as much
// memory as its members take in the server.
func (l *list) release() {
	l.claims, l.byID, l.byLogin, l.rivals = nil, nil, nil, nil
}

// live returns c, or nil where it no longer counts.
func live(c *claim) *claim {
	if c == nil || c.dead {
		return nil
	}
	return c
}

// home returns the claim of the member whose row k is.
func (l *list) home(k *store.Kept) *claim {
	if k.Member.ID == "" {
		return nil
	}
	return live(l.byID[k.Member.ID])
}

// gone says whether the list ends the member whose row k is.
func (l *list) gone(k *store.Kept, folded string) bool {
	if l.goneLogins[folded] {
		return true
	}
	if k.Member.ID != "" {
		_, ok := l.goneIDs[k.Member.ID]
		return ok
	}
	id, ok := l.goneWith[folded]
	_, ended := l.goneIDs[id]
	return ok && ended
}

// len returns how many members it names, those that can't be kept included.
func (l *list) len() int {
	n := len(l.stays)
	for _, c := range l.claims {
		if !c.dead {
			n++
		}
	}
	return n
}

// lookups returns the logins and ids whose rows a list that is not everything concerns.
func (l *list) lookups() (logins, ids []string) {
	for _, c := range l.claims {
		if c.dead {
			continue
		}
		logins = append(logins, c.folded)
		if c.rec.Member.ID != "" {
			ids = append(ids, c.rec.Member.ID)
		}
	}
	for folded := range l.goneLogins {
		logins = append(logins, folded)
	}
	for folded := range l.goneWith {
		logins = append(logins, folded)
	}
	for id := range l.goneIDs {
		ids = append(ids, id)
	}
	for id := range l.stays {
		ids = append(ids, id)
	}
	return logins, ids
}
