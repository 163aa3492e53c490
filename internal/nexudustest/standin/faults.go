package standin

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// A Fault stands in the way of a request. It returns whether it has answered;
// answer is what would have been done.
type Fault func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) bool

// A planned fault is for the next so many requests below a path.
type planned struct {
	path  string
	times int
	f     Fault
}

// Fail puts a fault in the way of the next requests whose path begins with
// path; times below 1 is all of them until Mend.
func (s *Server) Fail(path string, times int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &planned{path, times, f})
}

// Mend takes all faults away.
func (s *Server) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// fault returns the fault for a path and counts it down.
func (s *Server) fault(path string) Fault {
	for i, p := range s.faults {
		if !strings.HasPrefix(path, p.path) {
			continue
		}
		if p.times--; p.times == 0 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		return p.f
	}
	return nil
}

// over says how many seconds to wait where the limits are exceeded, and counts the request.
func (s *Server) over() int {
	if !s.Limited {
		return 0
	}
	now := s.Now()
	for len(s.sent) > 0 && now.Sub(s.sent[0]) >= time.Minute {
		s.sent = s.sent[1:]
	}
	if n := len(s.sent); n > 0 && now.Sub(s.sent[n-1]) < 100*time.Millisecond {
		return 1
	}
	if len(s.sent) >= 120 {
		return int(time.Minute-now.Sub(s.sent[0]))/int(time.Second) + 1
	}
	s.sent = append(s.sent, now)
	return 0
}

// Status answers with a status of JSON.
func Status(code int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) bool {
		say(w, code, `{"Message":"An error has occurred."}`)
		return true
	}
}

// Throttle answers 409, or another status, with Retry-After in seconds; below 0 without.
func Throttle(code, seconds int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) bool {
		if seconds >= 0 {
			w.Header().Set("Retry-After", strconv.Itoa(seconds))
		}
		say(w, code, `{"Message":"You must wait before accessing this url again."}`)
		return true
	}
}

// CloudFront answers with the page of a firewall in front of Nexudus.
func CloudFront() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) bool {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Server", "CloudFront")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD><BODY>Request blocked.</BODY></HTML>"))
		return true
	}
}

// Body answers 200 with a body of that type, whatever was asked.
func Body(contentType, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) bool {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(body))
		return true
	}
}

// NotSuccessful answers 200 with WasSuccessful false.
func NotSuccessful() Fault {
	return Body("application/json", `{"Status":500,"Message":"no","Value":null,"WasSuccessful":false,"Errors":[]}`)
}

// Cut closes the connection without an answer.
func Cut() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) bool {
		hang(w)
		return true
	}
}

func hang(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

// Half sends half of the answer, and closes the connection.
func Half() Fault {
	return func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) bool {
		whole := httptest.NewRecorder()
		answer(whole, r)
		body := whole.Body.Bytes()
		w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(whole.Code)
		_, _ = w.Write(body[:len(body)/2])
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		hang(w)
		return true
	}
}

// HalfWhole sends half of the answer as if it were all of it.
func HalfWhole() Fault {
	return func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) bool {
		whole := httptest.NewRecorder()
		answer(whole, r)
		say(w, whole.Code, whole.Body.String()[:whole.Body.Len()/2])
		return true
	}
}

// Stall does not answer until the caller leaves or release is closed.
func Stall(release <-chan struct{}) Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ http.HandlerFunc) bool {
		select {
		case <-r.Context().Done():
		case <-release:
		}
		return true
	}
}

// Circle answers every page of a list with its first, as if another followed.
func Circle() Fault {
	return func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) bool {
		again := r.Clone(r.Context())
		query := again.URL.Query()
		asked := query.Get("page")
		query.Set("page", "1")
		again.URL.RawQuery = query.Encode()
		whole := httptest.NewRecorder()
		answer(whole, again)
		body := strings.Replace(whole.Body.String(), `"HasNextPage":false`, `"HasNextPage":true`, 1)
		body = strings.Replace(body, `"CurrentPage":1`, `"CurrentPage":`+asked, 1)
		say(w, whole.Code, body)
		return true
	}
}
