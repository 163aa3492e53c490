package standin

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Server is Nexudus with one space. Set its fields before it serves.
type Server struct {
	// Username and Password are the user of the API.
	Username, Password string
	// Space is the name in the space's address, Business its id.
	Space    string
	Business int
	// HookSecret signs webhooks; empty, they are not signed.
	HookSecret string
	// Limited keeps Nexudus' limits: one request in 100 ms, 120 in a minute.
	Limited bool
	// IgnoreFilters answers every list in full.
	IgnoreFilters bool
	// BareTeams leaves the members out of lists of teams.
	BareTeams bool
	// TextIDs writes ids as text.
	TextIDs bool
	// NoAPI signs the user in and refuses the API to them.
	NoAPI bool
	// Now is the clock.
	Now func() time.Time
	// Before is called with each request to the API before it is answered, and without the lock.
	Before func(r *http.Request)

	mu        sync.Mutex
	last      int
	version   int // counts what is written
	selected  selection
	coworkers table[Coworker, *Coworker]
	contracts table[Contract, *Contract]
	teams     table[Team, *Team]
	desks     table[Desk, *Desk]
	checkins  table[Checkin, *Checkin]
	hooks     table[Hook, *Hook]
	lacking   map[string]bool
	asked     []string
	sent      []time.Time
	faults    []*planned
	tokens    map[string]time.Time
	refresh   map[string]string // by client_id
}

// New returns a space without members, whose clock is the world's.
func New() *Server {
	return &Server{ //nolint:gosec // what a person types who tries it
		Username: "api@example.com", Password: "nexudus-api-password", Space: "testspace", Business: 101,
		Now: time.Now, last: 1000, lacking: map[string]bool{}, tokens: map[string]time.Time{}, refresh: map[string]string{},
	}
}

// Revoke takes a role from the user of the API, as "Team-List".
func (s *Server) Revoke(role string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lacking[role] = true
}

// Grant gives a role back.
func (s *Server) Grant(role string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.lacking, role)
}

// Asked returns the requests to the API since the last call of it, as "GET
// /api/spaces/teams?page=1".
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// SignOut makes all tokens invalid, and the refresh tokens where hard.
func (s *Server) SignOut(hard bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
	if hard {
		clear(s.refresh)
	}
}

// place finds the table of a path.
func (s *Server) place(path string) (noun string, rows shelf) {
	switch path {
	case "/api/spaces/coworkers":
		return "Coworker", &s.coworkers
	case "/api/billing/coworkercontracts":
		return "CoworkerContract", &s.contracts
	case "/api/spaces/teams":
		return "Team", &s.teams
	case "/api/sys/floorplandesks":
		return "FloorPlanDesk", &s.desks
	case "/api/spaces/checkins":
		return "Checkin", &s.checkins
	case "/api/sys/webhooks":
		return "WebHook", &s.hooks
	}
	return "", nil
}

// ServeHTTP implements http.Handler: it is the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Before != nil {
		s.Before(r)
	}
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI())
	fault := s.fault(r.URL.Path)
	wait := s.over()
	s.mu.Unlock()
	w.Header().Set("Date", s.Now().UTC().Format(http.TimeFormat))
	if fault != nil && fault(w, r, s.answer) {
		return
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		say(w, http.StatusConflict, `{"Message":"You must wait before accessing this url again."}`)
		return
	}
	s.answer(w, r)
}

// answer serves what nothing stands in the way of.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/token" {
		s.token(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.authentic(r) {
		say(w, http.StatusUnauthorized, `{"Message":"Authorization has been denied for this request."}`)
		return
	}
	path := strings.TrimSuffix(r.URL.Path, "/")
	switch path {
	case "/api/billing/tariffs", "/api/sys/businesses":
		s.small(w, path)
		return
	}
	noun, rows := s.place(path)
	switch {
	case noun != "" && r.Method == http.MethodGet && r.URL.Query().Has("id"):
		s.batch(w, r, noun, rows)
	case noun != "" && r.Method == http.MethodGet:
		s.list(w, r, noun, rows)
	case noun != "":
		s.write(w, r, noun)
	default:
		s.single(w, path)
	}
}

// may answers 403 where the user lacks a role.
func (s *Server) may(w http.ResponseWriter, role string) bool {
	if s.lacking[role] {
		say(w, http.StatusForbidden, `{"Message":"You do not have the required role."}`)
		return false
	}
	return true
}

func say(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(body)) //nolint:gosec // answers of a stand-in, and none of them a page
}

// single serves one record by id. A deleted one is a fault of the server's own there, and not a 404.
func (s *Server) single(w http.ResponseWriter, path string) {
	i := strings.LastIndexByte(path, '/')
	noun, rows := s.place(path[:max(i, 0)])
	if noun == "" {
		say(w, http.StatusNotFound, `{"Message":"No HTTP resource was found."}`)
		return
	}
	if !s.may(w, noun+"-Read") {
		return
	}
	id, _ := strconv.Atoi(path[i+1:])
	one := rows.one(id)
	if one == nil {
		say(w, http.StatusInternalServerError, `{"Message":"An error has occurred."}`)
		return
	}
	say(w, http.StatusOK, string(one.encode(s, true)))
}

// batch serves some records by their ids, as a bare array.
func (s *Server) batch(w http.ResponseWriter, r *http.Request, noun string, rows shelf) {
	if !s.may(w, noun+"-Read") {
		return
	}
	var found [][]byte
	for part := range strings.SplitSeq(strings.Trim(r.URL.Query().Get("id"), "[] "), ",") {
		id, _ := strconv.Atoi(strings.TrimSpace(part))
		one := rows.one(id)
		if one == nil {
			say(w, http.StatusInternalServerError, `{"Message":"An error has occurred."}`)
			return
		}
		found = append(found, one.encode(s, true))
	}
	body := []byte{'['}
	for i, b := range found {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, b...)
	}
	say(w, http.StatusOK, string(append(body, ']')))
}

// small serves the lists that are short and always whole.
func (s *Server) small(w http.ResponseWriter, path string) {
	var lines [][]byte
	role := "Tariff-List"
	if path == "/api/sys/businesses" {
		role = "Business-List"
		lines = append(lines, s.encodeBusiness())
	} else {
		for _, t := range s.tariffs() {
			lines = append(lines, t.encode(s))
		}
	}
	if s.may(w, role) {
		writePage(w, &page{lines: lines, number: 1, size: max(len(lines), 1), total: len(lines)})
	}
}

// write takes a POST or PUT of a coworker or a webhook.
func (s *Server) write(w http.ResponseWriter, r *http.Request, noun string) {
	action := map[string]string{http.MethodPost: "Create", http.MethodPut: "Edit"}[r.Method]
	if action == "" || !slices.Contains([]string{"Coworker", "WebHook"}, noun) {
		say(w, http.StatusMethodNotAllowed, `{"Message":"The requested resource does not support this method."}`)
		return
	}
	if !s.may(w, noun+"-"+action) {
		return
	}
	var got map[string]any
	if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
		say(w, http.StatusBadRequest, `{"Message":"The request is invalid."}`)
		return
	}
	id, ok := 0, false
	if noun == "WebHook" {
		id, ok = s.writeHook(got, action == "Create")
	} else {
		id, ok = s.writeCoworker(got)
	}
	if !ok { // a command that failed comes with status 200
		say(w, http.StatusOK, `{"Status":400,"Message":"A required field is missing.","Value":null,"WasSuccessful":false,"Errors":[{"Message":"required"}]}`)
		return
	}
	say(w, http.StatusOK, `{"Status":200,"Message":"It was successfully saved.","Value":{"Id":`+strconv.Itoa(id)+`},"WasSuccessful":true,"Errors":null}`)
}

// writeHook makes a webhook, or changes one. What a PUT leaves out is emptied.
func (s *Server) writeHook(got map[string]any, create bool) (int, bool) {
	h := Hook{ID: whole(got["Id"]), Business: whole(got["BusinessId"]), Action: whole(got["Action"])}
	h.Name, _ = got["Name"].(string)
	h.URL, _ = got["URL"].(string)
	h.Active, _ = got["Active"].(bool)
	if h.Business == 0 || h.Name == "" || h.URL == "" || !create && s.hooks.get(h.ID) == nil {
		return 0, false
	}
	if create {
		h.ID = s.next()
	}
	s.stamp(&h.Created, &h.Updated)
	s.hooks.put(&h)
	return h.ID, true
}

// writeCoworker changes a coworker. What a PUT leaves out is emptied.
func (s *Server) writeCoworker(got map[string]any) (int, bool) {
	old := s.coworkers.get(whole(got["Id"]))
	if old == nil || old.Gone {
		return 0, false
	}
	c := Coworker{ID: old.ID, Password: old.Password, Created: old.Created, Custom: map[int]string{}}
	c.Name, _ = got["FullName"].(string)
	c.Email, _ = got["Email"].(string)
	c.Pincode, _ = got["AccessPincode"].(string)
	active, _ := got["Active"].(bool)
	c.Suspended = !active
	c.Archived, _ = got["Archived"].(bool)
	c.Main, _ = got["IsDefaultProfile"].(bool)
	for n := 1; n <= 30; n++ {
		if text, ok := got["Custom"+strconv.Itoa(n)].(string); ok {
			c.Custom[n] = text
		}
	}
	if c.Email == "" || c.Name == "" {
		return 0, false
	}
	s.stamp(&c.Created, &c.Updated)
	s.coworkers.put(&c)
	return c.ID, true
}

func whole(v any) int {
	switch v := v.(type) {
	case float64:
		return int(v)
	case string:
		n, _ := strconv.Atoi(v)
		return n
	}
	return 0
}
