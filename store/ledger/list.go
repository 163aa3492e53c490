package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"memberradius/member"
)

// The bounds of a page.
const (
	defaultPage = 100
	maxPage     = 1000
	// maxScan is how many sessions are looked at for one page, where several
	// conditions together fit few: about 10 ms.
	maxScan = 3000
)

// A Filter says which sessions. What is empty is not looked at; what is there must
// all fit.
type Filter struct {
	// Login is compared folded. MAC is "aa:bb:cc:dd:ee:ff".
	Login, MAC, Client, Site, Plan string
	// Online is whether the session is open; nil: either.
	Online *bool
	// From and Until bound when the session began: From <= Started < Until.
	From, Until time.Time
	// Before is the id of a session: those that come after it in the order of List.
	Before string
	// Most is how many at most: 1 to 1000, and 100 where it is 0.
	Most int
}

// fits says whether an open session is one of those, but for Login and Before.
func (f *Filter) fits(s *Session) bool {
	return (f.MAC == "" || f.MAC == s.StationMAC) &&
		(f.Client == "" || f.Client == s.Client) && (f.Site == "" || f.Site == s.Site) && (f.Plan == "" || f.Plan == s.Plan) &&
		(f.From.IsZero() || !s.Started.Before(f.From)) && (f.Until.IsZero() || s.Started.Before(f.Until))
}

// A place is where a session stands in the order of List: the newest first.
type place struct {
	started int64
	head    int64
}

func placeOf(st *state) place { return place{st.Started.UnixMilli(), st.id.head} }

// after orders places as List does.
func (p place) after(q place) int {
	return cmp.Or(cmp.Compare(q.started, p.started), cmp.Compare(q.head, p.head))
}

// page checks how many rows are wanted.
func page(most int) (int, error) {
	switch {
	case most == 0:
		return defaultPage, nil
	case most < 0 || most > maxPage:
		return 0, fmt.Errorf("%d on a page: 1 to %d", most, maxPage)
	}
	return most, nil
}

// List returns sessions, the newest first (by Started), and what Before must be
// for the next page: "" where there is none. A page may hold fewer than Most, or
// none, and still have a next: where conditions together fit very few, no more
// than some thousands are looked at for one page.
func (l *Ledger) List(ctx context.Context, f *Filter) (found []Session, next string, err error) {
	states, next, err := l.list(ctx, f)
	if err != nil {
		return nil, "", l.explain("list sessions", err)
	}
	found = make([]Session, len(states))
	for i, st := range states {
		found[i] = st.Session
	}
	return found, next, nil
}

// Each calls fn for every session that f fits, in the order of List, until fn
// returns an error, which Each returns as it is. It holds up nobody, and takes
// the memory of one page. Most is not looked at. fn may keep the session.
func (l *Ledger) Each(ctx context.Context, f *Filter, fn func(*Session) error) error {
	page := *f
	page.Most = maxPage
	for {
		states, next, err := l.list(ctx, &page)
		if err != nil {
			return l.explain("read sessions", err)
		}
		for _, st := range states {
			if err := fn(&st.Session); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		page.Before = next
	}
}

// list merges open sessions, from memory, and ended ones, from the table. Memory
// is read first: what ends in between is in both, and not in neither.
func (l *Ledger) list(ctx context.Context, f *Filter) ([]*state, string, error) {
	most, err := page(f.Most)
	if err != nil {
		return nil, "", err
	}
	var from *place
	if f.Before != "" {
		if from, err = l.placeOf(ctx, f.Before); err != nil {
			return nil, "", err
		}
	}
	var open, ended []*state
	var stopped *state
	if f.Online == nil || *f.Online {
		open = l.openFitting(f, from, most+1)
	}
	if f.Online == nil || !*f.Online {
		if ended, stopped, err = l.endedFitting(ctx, f, from, most+1); err != nil {
			return nil, "", err
		}
	}
	all := slices.Concat(ended, open)
	slices.SortStableFunc(all, func(a, b *state) int { return placeOf(a).after(placeOf(b)) })
	all = slices.CompactFunc(all, func(a, b *state) bool { return a.id == b.id })
	if stopped != nil { // what lies beyond was not looked at
		all = slices.DeleteFunc(all, func(st *state) bool { return placeOf(st).after(placeOf(stopped)) > 0 })
	}
	switch {
	case len(all) > most:
		return all[:most], all[most-1].Session.ID, nil
	case stopped != nil:
		return all, stopped.Session.ID, nil
	}
	return all, "", nil
}

// placeOf finds where a page begins. A session that is forgotten by now stood
// about where its id was made.
func (l *Ledger) placeOf(ctx context.Context, before string) (*place, error) {
	i, ok := parseID(before)
	if !ok {
		return nil, fmt.Errorf("%q is no session's id", before)
	}
	if st := l.memory.findID(i.head); st != nil {
		p := placeOf(st)
		return &p, nil
	}
	p := place{head: i.head}
	err := l.read.QueryRowContext(ctx, `SELECT started_at FROM session WHERE id = ?`, i.head).Scan(&p.started)
	if errors.Is(err, sql.ErrNoRows) {
		p.started, err = i.time().UnixMilli(), nil
	}
	return &p, err
}

// openFitting returns the first open sessions that f fits. Of 100,000 it sorts no
// more than go on the page.
func (l *Ledger) openFitting(f *Filter, from *place, most int) []*state {
	var among []*state
	switch {
	case f.Login != "":
		among = l.memory.of(listLogin, member.FoldString(f.Login))
	case f.MAC != "":
		among = l.memory.of(listMAC, f.MAC)
	default:
		among = l.memory.all()
	}
	first := make([]*state, 0, min(len(among), most)+1)
	order := func(a, b *state) int { return placeOf(a).after(placeOf(b)) }
	for _, st := range among {
		if !f.fits(&st.Session) || from != nil && placeOf(st).after(*from) <= 0 {
			continue
		}
		if len(first) == most && order(st, first[most-1]) > 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(first, st, order)
		first = slices.Insert(first, i, st)
		first = first[:min(len(first), most)]
	}
	return first
}

// conditions are the WHERE of a query.
type conditions struct {
	texts []string
	args  []any
}

func (c *conditions) add(text string, args ...any) {
	c.texts = append(c.texts, text)
	c.args = append(c.args, args...)
}

func (c *conditions) String() string {
	if len(c.texts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.texts, " AND ")
}

// endedFitting returns the first ended sessions that f fits. stopped is the last
// that was looked at, where there was not time for more.
func (l *Ledger) endedFitting(ctx context.Context, f *Filter, from *place, most int) (found []*state, stopped *state, err error) {
	index, walked, rest := f.walk(from)
	const order = ` ORDER BY started_at DESC, id DESC`
	walk := ` FROM session INDEXED BY ` + index + walked.String() + order
	if len(rest.texts) == 0 {
		found, err = l.query(ctx, `SELECT `+columns+walk+` LIMIT ?`, append(walked.args, most)...)
		return found, nil, err
	}
	args := append(slices.Clone(walked.args), maxScan)
	found, err = l.query(ctx, `SELECT `+columns+` FROM (SELECT `+columns+walk+` LIMIT ?)`+rest.String()+order+` LIMIT ?`,
		append(append(args, rest.args...), most)...)
	if err != nil || len(found) == most {
		return found, nil, err
	}
	last, err := l.query(ctx, `SELECT `+columns+walk+` LIMIT 1 OFFSET ?`, append(walked.args, maxScan-1)...)
	if err != nil || len(last) == 0 {
		return found, nil, err
	}
	return found, last[0], nil
}

// walk says which index leads through the ended sessions in order, which
// conditions it fulfils, and which are left. The one that fits fewest goes first.
func (f *Filter) walk(from *place) (index string, walked, rest conditions) {
	index = "session_started"
	walked.add("ended_at IS NOT NULL")
	to := &walked
	for _, c := range []struct{ index, condition, value string }{
		{"session_mac", "mac = ?", f.MAC}, {"session_login", "folded = ?", member.FoldString(f.Login)}, {"session_plan", "plan = ?", f.Plan},
		{"session_client", "client = ?", f.Client}, {"session_site", "site = ?", f.Site},
	} {
		if c.value == "" {
			continue
		}
		if to.add(c.condition, c.value); to == &walked {
			index, to = c.index, &rest
		}
	}
	if !f.From.IsZero() {
		walked.add("started_at >= ?", f.From.UnixMilli())
	}
	if !f.Until.IsZero() {
		walked.add("started_at < ?", f.Until.UnixMilli())
	}
	if from != nil {
		walked.add("(started_at, id) < (?, ?)", from.started, from.head)
	}
	return index, walked, rest
}

func (l *Ledger) query(ctx context.Context, query string, args ...any) ([]*state, error) {
	rows, err := l.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []*state
	for rows.Next() {
		st, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, st)
	}
	return found, rows.Err()
}

// Find returns a session by its id, or an open one by its Acct-Session-Id where
// only one has that: else ErrUnknown, ErrSeveral.
func (l *Ledger) Find(ctx context.Context, name string) (*Session, error) {
	const doing = "find a session"
	if i, ok := parseID(name); ok {
		st := l.memory.findID(i.head)
		if st == nil {
			found, err := l.query(ctx, `SELECT `+columns+` FROM session WHERE id = ?`, i.head)
			if err != nil {
				return nil, l.explain(doing, err)
			}
			if len(found) > 0 {
				st = found[0]
			}
		}
		if st != nil && st.id == i {
			return &st.Session, nil
		}
	}
	var only *Session
	for _, st := range l.memory.all() {
		if name == "" || st.Session.Session.ID != name {
			continue
		}
		if only != nil {
			return nil, l.explain(doing, ErrSeveral)
		}
		only = &st.Session
	}
	if only == nil {
		return nil, l.explain(doing, ErrUnknown)
	}
	return only, nil
}
