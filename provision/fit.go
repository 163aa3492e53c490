package provision

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"memberradius/member"
	"memberradius/store"
)

// A fitness says what can be done with a record.
type fitness uint8

const (
	// unfit: it can't be kept, and nothing can be made of it. It is the zero value.
	unfit fitness = iota
	// never: nobody can be let in by it, at any time: it is no membership.
	never
	// fit: it can be kept.
	fit
)

var (
	errNeverValid = errors.New("it ends before it begins, so she is no member")
	errTerms      = errors.New("it does not say of each plan since when she holds it")
)

// fitted makes of rec what the store takes, so that one member's odd name or
// date does not stop all others. note hears what had to be changed that she or
// the operator would miss. The error says why it is never or unfit; it quotes
// no password.
func fitted(rec *member.Record, note func(string)) (fitness, error) {
	m := &rec.Member
	if err := store.Check(store.FieldLogin, rec); err != nil {
		return unfit, fmt.Errorf("login: %w", err)
	}
	m.Name, m.Team, m.MembershipID = legible(m.Name), legible(m.Team), legible(m.MembershipID)
	rec.Email = strings.TrimSpace(rec.Email)
	if err := store.Check(store.FieldEmail, rec); err != nil {
		// Half of an address is somebody else's.
		note(fmt.Sprintf("her address can't be used, no letter goes to her: %v", err))
		rec.Email = ""
	}
	m.Devices = min(max(m.Devices, 0), store.MaxDevices)
	fitVLANs(m, note)
	if !fitTime(&m.ValidFrom, &m.ValidUntil) {
		return never, errNeverValid
	}
	if f, err := fitPlans(m, note); f != fit {
		return f, err
	}
	if err := store.Check(store.FieldCredential, rec); err != nil {
		note(fmt.Sprintf("her password can't be used, she has none: %v", err))
		rec.Credential = member.Credential{}
	}
	for f := store.FieldLogin; f < store.AllFields; f <<= 1 {
		if err := store.Check(f, rec); err != nil {
			return unfit, fmt.Errorf("%s: %w", f, err)
		}
	}
	return fit, nil
}

// legible returns s as the store takes it: without control characters and marks
// that turn text, without spaces around it, and no longer than MaxText.
func legible(s string) string {
	if store.Check(store.FieldName, &member.Record{Member: member.Member{Name: s}}) == nil {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) > store.MaxText {
		s = strings.ToValidUTF8(s[:store.MaxText], "") // the cut may go through a letter
	}
	return strings.TrimSpace(s)
}

func fitVLANs(m *member.Member, note func(string)) {
	for _, v := range [...]*member.VLAN{&m.VLAN, &m.OfficeVLAN, &m.TeamVLAN} {
		text := strings.TrimSpace(string(*v))
		if text == "" {
			*v = ""
			continue
		}
		parsed, err := member.ParseVLAN(text)
		if err != nil {
			note(fmt.Sprintf("it is not used: %v", err))
		}
		*v = parsed
	}
}

// fitTime cuts two bounds to the seconds and years that the store keeps, and
// says whether any time is left between them.
func fitTime(from, until *time.Time) bool {
	*from, *until = from.Truncate(time.Second).UTC(), until.Truncate(time.Second).UTC()
	const first, last = 1970, 9999
	switch {
	case from.Year() > last, !until.IsZero() && until.Year() < first:
		return false
	}
	if from.Year() < first {
		*from = time.Time{}
	}
	if until.Year() > last {
		*until = time.Time{}
	}
	return from.IsZero() || until.IsZero() || until.After(*from)
}

// fitPlans keeps the plans that she holds at some time, as far as there is room
// for their names.
func fitPlans(m *member.Member, note func(string)) (fitness, error) {
	if len(m.Terms) > 0 && len(m.Terms) != len(m.Plans) {
		return unfit, errTerms
	}
	if len(m.Terms) == 0 && plain(m.Plans) {
		return fit, nil
	}
	plans, terms := make([]string, 0, len(m.Plans)), make([]member.Term, 0, len(m.Terms))
	room, bounded, lost := store.MaxText, false, false
	for i, said := range m.Plans {
		// ";" stands between plans in the store and in CSV.
		name := legible(strings.ReplaceAll(said, ";", ","))
		var t member.Term
		if len(m.Terms) > 0 {
			t = m.Terms[i]
		}
		switch {
		case name == "":
			continue
		case !fitTime(&t.From, &t.Until):
			lost = true
			continue
		case len(name)+1 > room:
			note(fmt.Sprintf("she has more plans than there is room for: %q is left out", name))
			continue
		}
		room -= len(name) + 1
		bounded = bounded || t != member.Term{}
		plans, terms = append(plans, name), append(terms, t)
	}
	// A default plan is for who has none, not for who had only such as never hold.
	if lost && len(plans) == 0 {
		return never, errNeverValid
	}
	m.Plans, m.Terms = plans, terms
	if !bounded {
		m.Terms = nil
	}
	return fit, nil
}

// plain says whether the store takes these plans as they are.
func plain(plans []string) bool {
	return store.Check(store.FieldPlans, &member.Record{Member: member.Member{Plans: plans}}) == nil
}
