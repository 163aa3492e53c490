package api

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"memberradius/member"
)

// How many members one answer lists: what is asked for, within these.
const (
	defaultPage = 100
	maxPage     = 500
)

// A selection says which members a list is about.
type selection struct {
	backend, state string
	text           string   // folded; in login, name or mail address
	plans          []string // folded; nil is all
	after          Key
	limit          int
}

// listMembers answers GET /members.
func (a *api) listMembers(w http.ResponseWriter, r *http.Request, _ *Token) error {
	s, err := a.selectionOf(r.URL.Query())
	if err != nil {
		return err
	}
	list := memberList{Members: []*memberView{}}
	now := a.Now()
	err = a.Members.Each(r.Context(), s.backend, s.after, func(k *Kept) bool {
		if !s.takes(k, stateOf(k, now)) {
			return true
		}
		if len(list.Members) == s.limit {
			last := list.Members[s.limit-1]
			list.NextCursor = cursorOf(Key{last.Backend, last.Login})
			return false
		}
		list.Members = append(list.Members, viewOf(k, now))
		return true
	})
	if err != nil {
		return err
	}
	send(w, http.StatusOK, &list)
	return nil
}

// selectionOf reads the query, as strictly as a body: a misspelt filter would
// list everybody.
func (a *api) selectionOf(q url.Values) (*selection, error) {
	if err := onlyOnce(q, "backend", "q", "plan", "state", "limit", "cursor"); err != nil {
		return nil, err
	}
	s := &selection{backend: q.Get("backend"), state: q.Get("state"), text: member.FoldString(q.Get("q")), limit: defaultPage}
	if states := memberStates(); s.state != "" && !slices.Contains(states, s.state) {
		return nil, wrongField("state", "it is one of "+strings.Join(states, ", "))
	}
	if plan := q.Get("plan"); plan != "" {
		s.plans = a.spellings(plan)
	}
	if c := q.Get("cursor"); c != "" {
		var ok bool
		if s.after, ok = keyOf(c); !ok {
			return nil, wrongField("cursor", wantCursor)
		}
	}
	var err error
	s.limit, err = limitOf(q, defaultPage, maxPage)
	return s, err
}

// memberStates are what a member's state can be.
func memberStates() []string {
	return []string{
		stateActive, stateLapsed, member.ReasonDisabled.String(), member.ReasonNotYetValid.String(),
		member.ReasonExpired.String(), member.ReasonNotCheckedIn.String(),
	}
}

// spellings are the names, folded, by which members can hold a plan.
func (a *api) spellings(plan string) []string {
	folded := member.FoldString(plan)
	all := []string{folded}
	for _, p := range a.Plans.Plans() {
		if member.FoldString(p.Name) == folded {
			for _, name := range p.Match {
				all = append(all, member.FoldString(name))
			}
		}
	}
	return all
}

func (s *selection) takes(k *Kept, state string) bool {
	m := &k.Member
	if s.state != "" && s.state != state {
		return false
	}
	if s.plans != nil && !slices.ContainsFunc(m.Plans, func(p string) bool { return slices.Contains(s.plans, member.FoldString(p)) }) {
		return false
	}
	if s.text == "" {
		return true
	}
	return slices.ContainsFunc([]string{m.Login, m.Name, k.Email}, func(t string) bool { return strings.Contains(member.FoldString(t), s.text) })
}

// onlyOnce refuses parameters that are not among names, or there twice.
func onlyOnce(q url.Values, names ...string) error {
	for name, values := range q {
		switch {
		case !slices.Contains(names, name):
			return wrongField(name, "there is no such parameter; there are "+cmp.Or(strings.Join(names, ", "), "none"))
		case len(values) > 1:
			return wrongField(name, "it is there more than once")
		}
	}
	return nil
}

// limitOf reads how many things to list.
func limitOf(q url.Values, otherwise, most int) (int, error) {
	if !q.Has("limit") {
		return otherwise, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 || n > most {
		return 0, wrongField("limit", "it is a number from 1 to "+strconv.Itoa(most))
	}
	return n, nil
}

// cursorOf writes where a list goes on. What is in it is nobody's concern.
func cursorOf(k Key) string {
	return base64.RawURLEncoding.EncodeToString([]byte(k.Backend + "\x00" + k.Login))
}

func keyOf(cursor string) (Key, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return Key{}, false
	}
	backend, login, ok := strings.Cut(string(b), "\x00")
	k := Key{backend, login}
	// The decoder passes over line breaks: only what we wrote is a cursor.
	return k, ok && backend != "" && login != "" && cursorOf(k) == cursor
}

// pathKey is the member that the address names.
func pathKey(r *http.Request) Key { return Key{r.PathValue("backend"), r.PathValue("login")} }

// getMember answers GET /members/{backend}/{login}.
func (a *api) getMember(w http.ResponseWriter, r *http.Request, _ *Token) error {
	return a.sendMember(w, r, pathKey(r))
}

func (a *api) sendMember(w http.ResponseWriter, r *http.Request, k Key) error {
	kept, err := a.Members.Get(r.Context(), k)
	if err != nil {
		return err
	}
	send(w, http.StatusOK, viewOf(kept, a.Now()))
	return nil
}

// memberPath is the address of a member.
func memberPath(k Key) string {
	return "/api/v1/members/" + url.PathEscape(k.Backend) + "/" + url.PathEscape(k.Login)
}
