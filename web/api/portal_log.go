package api

import (
	"net/http"
	"time"
)

// A portalEntryView is one attempt at the portal. It holds no password and no code.
type portalEntryView struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Site    string    `json:"site,omitempty"`
	Method  string    `json:"method"`
	Login   string    `json:"login,omitempty"`
	Backend string    `json:"backend,omitempty"`
	MAC     string    `json:"mac,omitempty"`
	IP      string    `json:"ip,omitempty"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason,omitempty"`
	Status  int       `json:"status,omitempty"`
	Took    int64     `json:"took_ms"`
	PageID  int64     `json:"page_id,omitempty"`
}

type portalEntryList struct {
	Entries    []*portalEntryView `json:"entries"`
	NextCursor string             `json:"next_cursor,omitempty"`
}

// listPortalLog answers GET /portal-log.
func (a *api) listPortalLog(w http.ResponseWriter, r *http.Request, _ *Token) error {
	q := queryOf(r, "site", "login", "mac", "method", "outcome", "from", "until", "limit", "cursor")
	l := &PortalLogQuery{
		Site: q.text("site"), Login: q.text("login"), MAC: q.mac("mac"), Method: q.text("method"), Outcome: q.text("outcome"),
		From: q.when("from"), Until: q.when("until"), Limit: q.limit() + 1,
	}
	if mark := q.cursor(1); mark != nil {
		l.After = mark[0]
	}
	if q.err != nil {
		return q.err
	}
	page, err := a.PortalLog.PortalLog(r.Context(), l)
	if err != nil {
		return err
	}
	list := portalEntryList{Entries: []*portalEntryView{}}
	if len(page) == l.Limit {
		page = page[:l.Limit-1]
		list.NextCursor = markOf(page[len(page)-1].ID)
	}
	for i := range page {
		e := &page[i]
		list.Entries = append(list.Entries, &portalEntryView{
			ID: e.ID, At: e.At, Site: e.Site, Method: e.Method, Login: e.Login, Backend: e.Backend, MAC: e.MAC, IP: e.IP,
			Outcome: e.Outcome, Reason: e.Reason, Status: e.Status, Took: e.Took.Milliseconds(), PageID: e.PageID,
		})
	}
	send(w, http.StatusOK, &list)
	return nil
}
