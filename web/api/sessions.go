package api

import (
	"context"
	"errors"
	"net/http"
)

// listSessions answers GET /sessions.
func (a *api) listSessions(w http.ResponseWriter, r *http.Request, _ *Token) error {
	q := queryOf(r, "login", "mac", "client", "site", "plan", "online", "from", "until", "limit", "cursor")
	s := q.sessions()
	s.Limit = q.limit()
	if mark := q.cursor(1); mark != nil {
		if s.After = mark[0]; !isUUID(s.After) {
			q.wrong("cursor", wantCursor)
		}
	}
	if q.err != nil {
		return q.err
	}
	page, next, err := a.Sessions.Sessions(r.Context(), s)
	if err != nil {
		return err
	}
	list := sessionList{Sessions: []*sessionView{}}
	if next != "" {
		list.NextCursor = markOf(next)
	}
	for i := range page {
		list.Sessions = append(list.Sessions, sessionOf(&page[i]))
	}
	send(w, http.StatusOK, &list)
	return nil
}

// sessions reads the filters of sessions.
func (q *query) sessions() *SessionQuery {
	s := &SessionQuery{
		Login: q.text("login"), Plan: q.text("plan"), Site: q.text("site"), Client: q.text("client"),
		MAC: q.mac("mac"), From: q.when("from"), Until: q.when("until"),
	}
	if word := q.word("online", "true", "false"); word != "" {
		online := word == "true"
		s.Online = &online
	}
	return s
}

// getSession answers GET /sessions/{id}.
func (a *api) getSession(w http.ResponseWriter, r *http.Request, _ *Token) error {
	s, attempts, err := a.Sessions.Session(r.Context(), r.PathValue("id"))
	if err != nil {
		return missing(err, "session")
	}
	send(w, http.StatusOK, ShownWhole(s, attempts))
	return nil
}

// kick answers POST /sessions/{id}/kick: it waits for what the NAS says a
// little, and else says where it will be found.
func (a *api) kick(w http.ResponseWriter, r *http.Request, by *Token) error {
	if err := readNothing(w, r); err != nil {
		return err
	}
	s, _, err := a.Sessions.Session(r.Context(), r.PathValue("id"))
	if err != nil {
		return missing(err, "session")
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.Wait)
	defer cancel()
	last, err := a.Kicker.Kick(ctx, s.ID)
	if err == nil || errors.Is(err, ErrPending) {
		a.told(r, by, "session "+s.ID+" kicked", Key{s.Backend, s.Login})
	}
	switch {
	case errors.Is(err, ErrPending):
		w.Header().Set("Location", "/api/v1/sessions/"+s.ID)
		send(w, http.StatusAccepted, kickPending{ID: s.ID})
		return nil
	case err != nil:
		return missing(err, "session")
	case !last.done():
		// A problem, so that a script that looks at the status alone sees it.
		p := problemOf(http.StatusBadGateway, "The access point did not let the device go; attempt says what it answered. The device may still be on.")
		p.Attempt = attemptOf(last)
		return p
	}
	send(w, http.StatusOK, kickView{ID: s.ID, Attempt: attemptOf(last)})
	return nil
}

// listUsage answers GET /usage.
func (a *api) listUsage(w http.ResponseWriter, r *http.Request, _ *Token) error {
	q := queryOf(r, "login", "plan", "from", "until", "limit", "cursor")
	u := &UsageQuery{
		Login: q.text("login"), Plan: q.text("plan"), From: q.day("from"), Until: q.day("until"),
		Limit: q.limit() + 1, // one more says whether there are more
	}
	if mark := q.cursor(4); mark != nil {
		u.After = UsageKey{Day: mark[0], Login: mark[1], Backend: mark[2], Plan: mark[3]}
	}
	if q.err != nil {
		return q.err
	}
	page, err := a.Usages.Usage(r.Context(), u)
	if err != nil {
		return err
	}
	list := usageList{Usage: []*usageView{}}
	if len(page) == u.Limit {
		page = page[:u.Limit-1]
		last := &page[len(page)-1]
		list.NextCursor = markOf(last.Day, last.Login, last.Backend, last.Plan)
	}
	for i := range page {
		list.Usage = append(list.Usage, usageOf(&page[i]))
	}
	send(w, http.StatusOK, &list)
	return nil
}

// missing says which kind of thing there is none of.
func missing(err error, what string) error {
	if errors.Is(err, ErrUnknown) {
		return problemOf(http.StatusNotFound, "There is no such "+what+".")
	}
	return err
}
