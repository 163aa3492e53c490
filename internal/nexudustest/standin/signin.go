package standin

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// tokenLife is how long an access token lives.
const tokenLife = 604799 * time.Second

// token is the token endpoint: forms alone, one refresh token for each client_id.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	form, ok := formOf(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	client := r.Header.Get("client_id")
	switch form("grant_type") {
	case "password":
		if form("username") != s.Username || !same(form("password"), s.Password) {
			say(w, http.StatusBadRequest, `{"error":"invalid_grant","error_description":"The user name or password is incorrect."}`)
			return
		}
		if client == "" {
			client = s.Username
		}
	case "refresh_token":
		if given := form("refresh_token"); given == "" || s.refresh[client] != given {
			say(w, http.StatusBadRequest, `{"error":"invalid_grant"}`)
			return
		}
	default:
		say(w, http.StatusBadRequest, `{"error":"unsupported_grant_type"}`)
		return
	}
	access := rand.Text()
	s.tokens[access] = s.Now().Add(tokenLife)
	s.refresh[client] = rand.Text() // an older one is dead from now on
	say(w, http.StatusOK, fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":%d,"refresh_token":%q}`,
		access, int(tokenLife.Seconds()), s.refresh[client]))
}

// formOf reads a form. JSON is answered as Nexudus does.
func formOf(w http.ResponseWriter, r *http.Request) (func(string) string, bool) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || r.ParseForm() != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		say(w, http.StatusBadRequest, `{"error":"unsupported_grant_type"}`)
		return nil, false
	}
	return r.PostForm.Get, true
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// authentic says whether a request comes from the user of the API.
func (s *Server) authentic(r *http.Request) bool {
	if s.NoAPI {
		return false
	}
	if user, password, ok := r.BasicAuth(); ok {
		return user == s.Username && same(password, s.Password)
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	until, known := s.tokens[token]
	return ok && known && s.Now().Before(until)
}

// Portal returns the address of the space, where members sign in.
func (s *Server) Portal() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/token", s.memberToken)
	mux.HandleFunc("POST /api/public/checkin", s.publicCheckin)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, "portal "+r.Method+" "+r.URL.Path)
		fault := s.fault("/portal" + r.URL.Path)
		s.mu.Unlock()
		if fault != nil && fault(w, r, mux.ServeHTTP) {
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// who finds the customer who signs in with an email and a password.
func (s *Server) who(email, password string) *Coworker {
	for _, c := range s.coworkers.all {
		if strings.EqualFold(c.Email, email) && c.Password != "" && same(c.Password, password) && !c.Gone && !c.Archived {
			return c
		}
	}
	return nil
}

func (s *Server) memberToken(w http.ResponseWriter, r *http.Request) {
	form, ok := formOf(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if form("grant_type") != "password" || s.who(form("username"), form("password")) == nil {
		say(w, http.StatusBadRequest, `{"error":"invalid_grant","error_description":"The user name or password is incorrect."}`)
		return
	}
	say(w, http.StatusOK, fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":%d,"refresh_token":%q}`, rand.Text(), int(tokenLife.Seconds()), rand.Text()))
}

// passLeft is how long a pass of today lasts, as the check-in endpoint says it.
const passLeft = 6*time.Hour + 1500*time.Millisecond

// publicCheckin validates a member as a door does, and without doNotCheckIn
// checks her in, which may cost her a pass.
func (s *Server) publicCheckin(w http.ResponseWriter, r *http.Request) {
	var got struct {
		Email        string `json:"email"`
		Password     string `json:"password"`
		DoNotCheckIn bool   `json:"doNotCheckIn"`
	}
	if json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&got) != nil {
		say(w, http.StatusBadRequest, `{"Message":"The request is invalid."}`)
		return
	}
	s.mu.Lock()
	c := s.who(got.Email, got.Password)
	s.mu.Unlock()
	if c == nil {
		say(w, http.StatusOK, `{"Status":401,"Message":"Invalid username and/or password","Value":null,"Errors":null,"WasSuccessful":false}`)
		return
	}
	if !got.DoNotCheckIn {
		s.PutCheckin(Checkin{Coworker: c.ID, From: s.Now()})
	}
	until := s.Now().Add(passLeft).UTC().Format("2006-01-02T15:04:05 UTC")
	say(w, http.StatusOK, fmt.Sprintf(`{"Status":200,"Message":%q,"Value":{"SessionExpire":%q,"SessionTimeOut":%f},"Errors":null,"WasSuccessful":true}`,
		until, until, passLeft.Seconds()))
}
