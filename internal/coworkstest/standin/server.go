package standin

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"memberradius/member"
)

// A State is the state of a membership.
type State string

// The states. Only an active member is let in.
const (
	Active    State = "active"
	Inactive  State = "inactive"
	Suspended State = "suspended"
)

// A Member is one of the space.
type Member struct {
	Login    string
	Password member.Secret
	Name     string
	State    State
	// Until is when her membership ends; zero is not said.
	Until time.Time
	// VLAN goes into Tunnel-Private-Group-Id; empty is not said.
	VLAN string
}

// A Fault is what goes wrong: a status as "503", or one of the others.
type Fault string

// The faults that are no status.
const (
	None Fault = ""
	// Slow never answers, Cut ends the connection in the middle of an answer,
	// HTML answers 200 with a page, as a proxy does that wants somebody to sign in.
	Slow Fault = "slow"
	Cut  Fault = "cut"
	HTML Fault = "html"
)

// Config is how a Server behaves.
type Config struct {
	// Token is the API key. Weak is one that may not check logins; empty is none.
	Token, Weak member.Secret
	// SpaceID is the one space that there is.
	SpaceID string
	// Members are its members.
	Members []Member
	// TellsUnknown answers 404 to a login that is unknown, and not as to a wrong password.
	TellsUnknown bool
	// Mute answers an unknown space as a wrong password, and not by 404.
	Mute bool
	// LoginOnly answers for a login without a password, as a gate asks.
	LoginOnly bool
}

// A Server is a space that can be asked. It serves POST
// /v1/spaces/{space_id}/wifi-login.
type Server struct {
	config Config

	mu      sync.Mutex
	members map[string]*Member
	fault   Fault
	calls   int
}

// New returns a Server.
func New(c Config) *Server {
	s := &Server{config: c, members: map[string]*Member{}}
	for _, m := range c.Members {
		s.members[member.FoldString(m.Login)] = &m
	}
	return s
}

// Path is where a Server takes logins, below its address.
const Path = "/v1/spaces/{space_id}/wifi-login"

// Break makes every call fail by f; None mends it.
func (s *Server) Break(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Set puts a member into a state, and says whether there is such a member.
func (s *Server) Set(login string, state State) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.members[member.FoldString(login)]
	if ok {
		m.State = state
	}
	return ok
}

// Calls returns how many calls came.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// find returns the member and what is to go wrong. A login at the host
// "fault.invalid" asks for the fault of its name: 503@fault.invalid.
func (s *Server) find(login string) (m Member, ok bool, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	f = s.fault
	if name, found := strings.CutSuffix(login, "@fault.invalid"); found && f == None {
		f = Fault(name)
	}
	if found := s.members[member.FoldString(login)]; found != nil {
		return *found, true, f
	}
	return Member{}, false, f
}

// A question is the body of a call.
type question struct {
	Login    string        `json:"login"`
	Password member.Secret `json:"password"`
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q question
	badBody := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&q) != nil
	_, _ = io.Copy(io.Discard, r.Body) // only then does the server see that the caller has left
	m, found, fault := s.find(q.Login)
	if fault != None && fail(w, r, fault) {
		return
	}
	space, path := spaceOf(r.URL.Path)
	switch {
	case !path:
		page(w, http.StatusNotFound, "The page you were looking for doesn't exist.")
	case r.Method != http.MethodPost:
		page(w, http.StatusMethodNotAllowed, "Method not allowed.")
	case bearer(r, s.config.Weak):
		refuse(w, http.StatusForbidden, "This API key may not check logins.")
	case !bearer(r, s.config.Token):
		refuse(w, http.StatusUnauthorized, "The API key is not valid.")
	case space != s.config.SpaceID && !s.config.Mute:
		refuse(w, http.StatusNotFound, "There is no such space.")
	case badBody || q.Login == "":
		refuse(w, http.StatusUnprocessableEntity, "A login is missing.")
	case !found && s.config.TellsUnknown:
		refuse(w, http.StatusNotFound, "There is no such member.")
	case space != s.config.SpaceID, !found, !s.proves(&m, q.Password):
		refuse(w, http.StatusUnprocessableEntity, "Email/login or password incorrect.")
	case m.State != Active:
		refuse(w, http.StatusUnprocessableEntity, "The membership is "+string(m.State)+".")
	default:
		allow(w, &m)
	}
}

// proves says whether a password is the member's, or none is needed.
func (s *Server) proves(m *Member, password member.Secret) bool {
	if password == "" {
		return s.config.LoginOnly
	}
	return subtle.ConstantTimeCompare([]byte(m.Password), []byte(password)) == 1
}

// spaceOf returns the space that a path names.
func spaceOf(path string) (space string, ok bool) {
	before, after, _ := strings.Cut(Path, "{space_id}")
	space, ok = strings.CutPrefix(path, before)
	if ok {
		space, ok = strings.CutSuffix(space, after)
	}
	return space, ok && space != "" && !strings.Contains(space, "/")
}

// bearer says whether a call brings a token that there is.
func bearer(r *http.Request, token member.Secret) bool {
	got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && token != "" && subtle.ConstantTimeCompare([]byte(got), []byte(token)) == 1
}
