package standin

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Sign returns the signature of a webhook's body as Nexudus computes it: over
// the body as ASCII, where each character that is none is "?".
func (s *Server) Sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(s.HookSecret))
	for _, c := range string(body) {
		if c > 0x7e {
			c = '?'
		}
		_, _ = mac.Write([]byte(string(c)))
	}
	return strings.ToUpper(hex.EncodeToString(mac.Sum(nil)))
}

// HookBody is what a webhook about a contract holds: a list of one record.
func (s *Server) HookBody(contract int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.contracts.get(contract); c != nil {
		return append(append([]byte{'['}, c.encode(s, true)...), ']')
	}
	return []byte("[{}]")
}

// Tell posts a webhook of an action to all hooks for it, and counts their
// failures; after ten in a row a hook is disabled.
func (s *Server) Tell(ctx context.Context, action int, body []byte) error {
	var failed error
	for _, h := range s.Hooks() {
		if h.Action != action || !h.Active {
			continue
		}
		header := http.Header{"Content-Type": {"application/json"}}
		if s.HookSecret != "" {
			header.Set("X-Nexudus-Hook-Signature", s.Sign(body))
		}
		err := post(ctx, h.URL, header, body)
		h.ErrorCount, h.LastError = 0, ""
		if err != nil {
			failed = err
			h.ErrorCount, h.LastError = s.count(h.ID)+1, err.Error()
			h.Active = h.ErrorCount < 10
		}
		s.PutHook(h)
	}
	return failed
}

func (s *Server) count(hook int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hooks.get(hook); h != nil {
		return h.ErrorCount
	}
	return 0
}

// A Grant is one group of an access push, and when it ends.
type Grant struct {
	Group string
	Until time.Time
}

// AccessBody is a Custom ACS push about a coworker.
func (s *Server) AccessBody(coworker int, grants ...Grant) []byte {
	c := s.Coworker(coworker)
	groups := []string{}
	schedule := []map[string]any{}
	for _, g := range grants {
		groups = append(groups, g.Group)
		if !g.Until.IsZero() {
			schedule = append(schedule, map[string]any{"group": g.Group, "expires_on": g.Until.UTC().Format(time.RFC3339)})
		}
	}
	body, _ := json.Marshal(map[string]any{ // plain values can always be written
		"time":     s.Now().UTC().Format("2006-01-02T15:04:05.0000000Z"),
		"business": map[string]any{"id": s.Business, "name": "The space", "uniqueId": "b-101"},
		"coworker": map[string]any{"id": c.ID, "email": c.Email, "uniqueId": "c-1", "accessPincode": c.Pincode},
		"groups":   groups, "schedule": schedule,
	})
	return body
}

// Push sends a Custom ACS push with its bearer.
func (s *Server) Push(ctx context.Context, url, token string, body []byte) error {
	return post(ctx, url, http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}, body)
}

func post(ctx context.Context, url string, header http.Header, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 300 {
		return &statusError{resp.Status}
	}
	return nil
}

// A statusError is a webhook that was not taken.
type statusError struct{ status string }

func (e *statusError) Error() string { return "the webhook was answered with " + e.status }
