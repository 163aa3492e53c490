package portallogin

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"memberradius/backends"
)

const token = "canary-token-4711"

// A gate is the API as its makers describe it: 201 with a page and the echo,
// 400 for what is missing, 401 for the token, 422 for a device that is blocked,
// 500 for a fault of its own.
type gate struct {
	mu      sync.Mutex
	blocked string // a MAC address
	broken  bool
	keys    []string
	taken   []map[string]any
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	reply := func(code int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(v)
	}
	var order struct{ Data string }
	var data map[string]any
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/api/v1/portal_login/":
		reply(http.StatusNotFound, map[string]string{"detail": "Not found."})
		return
	case r.Header.Get("Authorization") != "Bearer "+token:
		reply(http.StatusUnauthorized, map[string]string{"detail": "Invalid token."})
		return
	case g.broken:
		http.Error(w, "Server Error (500)", http.StatusInternalServerError)
		return
	case json.NewDecoder(r.Body).Decode(&order) != nil || json.Unmarshal([]byte(order.Data), &data) != nil:
		reply(http.StatusBadRequest, map[string]string{"detail": "JSON parse error"})
		return
	}
	for _, needed := range []string{"uid", "ap_mac", "mac", "ip"} {
		if data[needed] == nil {
			reply(http.StatusBadRequest, map[string]string{"detail": needed + ": this field is required."})
			return
		}
	}
	if data["mac"] == g.blocked {
		reply(http.StatusUnprocessableEntity, map[string]string{"detail": "Device\r\nblocked"})
		return
	}
	g.taken, g.keys = append(g.taken, data), append(g.keys, r.Header.Get("Idempotency-Key"))
	echo := map[string]any{"page_id": 12344 + len(g.taken)}
	for k, v := range data {
		echo[k] = v
	}
	reply(http.StatusCreated, echo)
}

// open opens the backend for url.
func open(t *testing.T, url string, change func(*Config), d backends.Deps) *Backend {
	t.Helper()
	c := Config{URL: url, Token: token}
	if change != nil {
		change(&c)
	}
	d.Name = "gate"
	b, err := c.Open(d)
	if err != nil {
		t.Fatal(err)
	}
	p := b.(*Backend)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// serve starts h and opens the backend for it.
func serve(t *testing.T, h http.Handler, d backends.Deps) *Backend {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return open(t, s.URL+"/api/v1", nil, d)
}

// says answers every request the same.
func says(code int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// whole is a login with every field.
func whole() *Login {
	return &Login{
		ID: "0199-7", UID: "room_401", APMAC: "aa:bb:cc:dd:ee:ff", MAC: "11:22:33:44:55:66", IP: netip.MustParseAddr("192.168.1.100"),
		OriginalURL: "https://www.example.com/?a=1&b=<2>", Controller: netip.MustParseAddr("192.168.1.1"), Session: 2 * time.Hour, Idle: 1500 * time.Millisecond,
	}
}
