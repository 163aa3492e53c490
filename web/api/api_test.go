package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, authorization string
		path                string
		status              int
		says, challenge     string
	}{
		{"none", "", "/api/v1/plans", 401, "A token is needed", `Bearer realm="memberradius"`},
		{"another scheme", "Basic bXI6eA==", "/api/v1/plans", 401, "A token is needed", `Bearer realm="memberradius"`},
		{"an empty one", "Bearer ", "/api/v1/plans", 401, "A token is needed", `Bearer realm="memberradius"`},
		{"one too long", "Bearer " + strings.Repeat("x", 600), "/api/v1/plans", 401, "A token is needed", `Bearer realm="memberradius"`},
		{"an unknown one", "Bearer mr_no", "/api/v1/plans", 401, "unknown, has expired or was revoked", `Bearer realm="memberradius", error="invalid_token"`},
		{"one without scopes", "Bearer mr_none", "/api/v1/plans", 403, "lacks the scope plans:read", `Bearer realm="memberradius", error="insufficient_scope", scope="plans:read"`},
		{"the wrong scope", "Bearer mr_members:read", "/api/v1/sync-runs", 403, "lacks the scope backends:read", `Bearer realm="memberradius", error="insufficient_scope", scope="backends:read"`},
		{"the right one", "bearer mr_plans:read", "/api/v1/plans", 200, "hot-desk", ""},
		{"admin", "Bearer mr_admin", "/api/v1/members", 200, "bob@example.com", ""},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", tt.path, nil)
		if tt.authorization != "" {
			r.Header.Set("Authorization", tt.authorization)
		}
		w := httptest.NewRecorder()
		newWorld().serve(t).ServeHTTP(w, r)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) || w.Header().Get("WWW-Authenticate") != tt.challenge {
			t.Errorf("%s: %d %s, %q", tt.name, w.Code, w.Body, w.Header().Get("WWW-Authenticate"))
		}
		if tt.status >= 400 {
			problemIn(t, w)
		}
	}
	r := httptest.NewRequest("GET", "/api/v1/plans", nil)
	r.Header["Authorization"] = []string{"Bearer mr_admin", "Bearer mr_admin"}
	w := httptest.NewRecorder()
	newWorld().serve(t).ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("two tokens at once: %d", w.Code)
	}
}

func TestWrongTokensAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.serve(t)
	tried := 0
	for do(h, call{"GET", "/api/v1/plans", "", "mr_guess"}).Code == http.StatusUnauthorized {
		if tried++; tried > 50 {
			t.Fatal("one address may guess tokens without end")
		}
	}
	got := do(h, call{"GET", "/api/v1/plans", "", "mr_admin"})
	if p := problemIn(t, got); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") != "3" || p.Status != 429 {
		t.Errorf("after %d wrong ones: %d, Retry-After %q", tried, got.Code, got.Header().Get("Retry-After"))
	}
	w.now = w.now.Add(3 * time.Second)
	for range 50 { // right ones cost nothing
		if got := do(h, call{"GET", "/api/v1/plans", "", "mr_admin"}); got.Code != http.StatusOK {
			t.Fatalf("3 s later: %d", got.Code)
		}
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	t.Parallel()
	h := newWorld().serve(t)
	for path, methods := range map[string]string{"/api/v1/plans": "GET, HEAD", "/api/v1/members": "GET, HEAD, POST", "/api/v1/backends/x/sync": "POST"} {
		got := do(h, call{"PUT", path, "", "mr_admin"})
		if p := problemIn(t, got); p.Status != http.StatusMethodNotAllowed || got.Header().Get("Allow") != methods {
			t.Errorf("PUT %s: %d, Allow %q", path, got.Code, got.Header().Get("Allow"))
		}
	}
	for _, path := range []string{"/api/", "/api/v1", "/api/v2/members", "/api/v1/members/members", "/api/v1/members/a/b/c"} {
		if p := problemIn(t, do(h, call{"GET", path, "", "mr_admin"})); p.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, p.Status)
		}
	}
	if got := do(h, call{"HEAD", "/api/v1/plans", "", "mr_plans:read"}); got.Code != http.StatusOK {
		t.Errorf("HEAD: %d", got.Code)
	}
	if got := do(h, call{"GET", "/api/v1/members/members/odd%2Flogin%20%C3%A4%25", "", "mr_admin"}); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"odd/login ä%"`) {
		t.Errorf("a login with a slash: %d %s", got.Code, got.Body)
	}
}

// list reads a page of members.
func list(t *testing.T, h http.Handler, query string) memberList {
	t.Helper()
	got := do(h, call{"GET", "/api/v1/members?" + query, "", "mr_members:read"})
	var l memberList
	if err := json.Unmarshal(got.Body.Bytes(), &l); err != nil || got.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", query, got.Code, got.Body)
	}
	return l
}

func logins(l memberList) string {
	var all []string
	for _, m := range l.Members {
		all = append(all, m.Login)
	}
	return strings.Join(all, " ")
}

func TestFilters(t *testing.T) {
	t.Parallel()
	h := newWorld().serve(t)
	for query, want := range map[string]string{
		"":                               "bob@example.com Carol@example.com odd/login ä% anna@example.com live@example.com",
		"backend=nexudus":                "anna@example.com live@example.com",
		"plan=hot-desk":                  "bob@example.com anna@example.com", // she holds "Hot Desk", which the plan matches
		"plan=HOT%20DESK":                "anna@example.com",
		"plan=none":                      "",
		"state=expired":                  "Carol@example.com",
		"state=disabled":                 "odd/login ä%",
		"state=lapsed":                   "anna@example.com",
		"state=not_checked_in":           "live@example.com",
		"state=active":                   "bob@example.com",
		"q=CAROL":                        "Carol@example.com",
		"q=%C3%84":                       "odd/login ä%",
		"q=mail.example":                 "anna@example.com",
		"q=anna&backend=members":         "",
		"state=lapsed&plan=hot-desk&q=a": "anna@example.com",
	} {
		if got := logins(list(t, h, query)); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for query, field := range map[string]string{
		"stat=active": "stat", "state=x": "state", "limit=501": "limit", "limit=x": "limit", "q=a&q=b": "q",
		"cursor=!": "cursor", "cursor=YQ": "cursor", "cursor=AGI": "cursor", "cursor=YQA": "cursor", // of nothing, of a, of \0b, of a\0
	} {
		p := problemIn(t, do(h, call{"GET", "/api/v1/members?" + query, "", "mr_members:read"}))
		if p.Status != http.StatusUnprocessableEntity || len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("%s: %+v", query, p)
		}
	}
}

// TestPages: every member is listed once, whatever the size of a page, and
// though members come and go in between.
func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.members = nil
	for i := range 250 {
		w.members = append(w.members, Kept{Member: member.Member{Backend: "members", Login: fmt.Sprintf("member-%03d", i), Disabled: i%2 == 1}})
	}
	h := w.serve(t)
	for _, filter := range []string{"", "&state=active"} {
		for _, limit := range []int{1, 7, 125, 250, 500} {
			var all []string
			for cursor := ""; ; {
				l := list(t, h, fmt.Sprintf("limit=%d%s&cursor=%s", limit, filter, cursor))
				for _, m := range l.Members {
					all = append(all, m.Login)
				}
				if cursor = l.NextCursor; cursor == "" {
					break
				}
			}
			want := 250
			if filter != "" {
				want = 125
			}
			if len(all) != want || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != want {
				t.Errorf("limit %d%s: %d members", limit, filter, len(all))
			}
		}
	}
	first := list(t, h, "limit=10")
	w.members = slices.Delete(w.members, 5, 10) // she on whom the cursor stands goes too
	if next := list(t, h, "limit=1&cursor="+first.NextCursor); next.Members[0].Login != "member-010" {
		t.Errorf("the next page begins with %s", next.Members[0].Login)
	}
	if got := len(list(t, h, "").Members); got != defaultPage {
		t.Errorf("%d members where no limit is given", got)
	}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.serve(t)
	const path = "/api/v1/members/members/BOB@example.com"
	change := func(body string) Kept {
		t.Helper()
		if got := do(h, call{"PATCH", path, body, "mr_members:write"}); got.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", body, got.Code, got.Body)
		}
		return w.members[0]
	}
	k := change(`{"name":"Bob","vlan":"0077","valid_until":"2027-01-01T00:00:00+01:00","devices":2}`)
	if k.Member.Name != "Bob" || k.Member.VLAN != "77" || k.Member.Devices != 2 || !k.Member.ValidUntil.Equal(time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)) || len(k.Member.Plans) != 1 {
		t.Errorf("changed to %+v", k.Member)
	}
	k = change(`{"vlan":null,"valid_until":null,"plans":null,"disabled":true}`)
	if k.Member.VLAN != "" || !k.Member.ValidUntil.IsZero() || k.Member.Plans != nil || !k.Member.Disabled || k.Member.Name != "Bob" {
		t.Errorf("changed to %+v", k.Member)
	}
	told := len(w.deeds)
	if change(`{}`); len(w.deeds) != told {
		t.Error("nothing was changed, and the log hears of it")
	}
	got := do(h, call{"POST", "/api/v1/members", `{"login":"a b/ü","name":"` + strings.Repeat("n", 2000) + `"}`, "mr_admin"})
	if p := problemIn(t, got); p.Status != 422 || len(p.Errors) != 1 || p.Errors[0].Field != "name" {
		t.Errorf("%+v", p)
	}
	got = do(h, call{"POST", "/api/v1/members", `{"login":"a b/ü"}`, "mr_admin"})
	if got.Code != http.StatusCreated || got.Header().Get("Location") != "/api/v1/members/members/a%20b%2F%C3%BC" || !strings.Contains(got.Body.String(), "made-made-made-made") {
		t.Errorf("added: %d %s %s", got.Code, got.Header().Get("Location"), got.Body)
	}
	got = do(h, call{"POST", "/api/v1/members", `{"login":"own","password":"her very own"}`, "mr_admin"})
	if got.Code != http.StatusCreated || strings.Contains(got.Body.String(), "password") {
		t.Errorf("her own password: %d %s", got.Code, got.Body)
	}
	if got := do(h, call{"POST", path + "/link", "", "mr_admin"}); !strings.Contains(got.Body.String(), `"https://wifi.example.com/me/one-time"`) {
		t.Errorf("a link: %s", got.Body)
	}
	if d := w.deeds[0]; d.Token != "mr_members:write" || d.Address != "192.0.2.1" || d.Did != "member changed" || d.Backend != "members" || d.Login != "BOB@example.com" {
		t.Errorf("the log hears %+v", d)
	}
	if told := fmt.Sprint(w.deeds); strings.Contains(told, "very own") || strings.Contains(told, "made-made") || strings.Contains(told, "one-time") {
		t.Errorf("the log hears a secret: %s", told)
	}
}

func TestFaultsAreForTheOperator(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.fault = errStore
	got := do(w.serve(t), call{"GET", "/api/v1/members", "", "mr_admin"})
	if p := problemIn(t, got); p.Status != 500 || strings.Contains(got.Body.String(), "disk") || len(w.faults) != 1 {
		t.Errorf("%+v, told %v", p, w.faults)
	}
}

func TestSync(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.serve(t)
	w.outcome <- &Outcome{Run: Run{ID: "run-7", Backend: "nexudus", Added: 3}}
	got := do(h, call{"POST", "/api/v1/backends/nexudus/sync", `{"accept":true}`, "mr_backends:sync"})
	if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"added":3`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if o := w.ordered[0]; o != (Order{Backend: "nexudus", Accept: true}) {
		t.Errorf("ordered %+v", o)
	}
	w.outcome <- &Outcome{Run: Run{ID: "run-8", Error: "page 3 of contracts: 500"}, Remedy: "Try again later."}
	got = do(h, call{"POST", "/api/v1/backends/nexudus/sync", "", "mr_backends:sync"})
	if p := problemIn(t, got); p.Status != http.StatusBadGateway || p.Run.ID != "run-8" || !strings.Contains(p.Detail, "page 3 of contracts: 500. Try again later.") {
		t.Errorf("%+v", p)
	}
	close(w.outcome) // the server stops
	if got := do(h, call{"POST", "/api/v1/backends/nexudus/sync", "", "mr_backends:sync"}); got.Code != http.StatusInternalServerError || len(w.faults) != 1 {
		t.Errorf("a run without an outcome: %d, told %v", got.Code, w.faults)
	}
}

// TestSyncWaitsAndNoLonger than is said, and then says where to look.
func TestSyncWaitsAndNoLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.outcome = make(chan *Outcome, 1)
		h := w.serve(t)
		began := time.Now()
		got := do(h, call{"POST", "/api/v1/backends/nexudus/sync", "", "mr_backends:sync"})
		if waited := time.Since(began); got.Code != http.StatusAccepted || waited != maxWait {
			t.Errorf("%d after %v", got.Code, waited)
		}
		if got.Header().Get("Location") != "/api/v1/sync-runs?backend=nexudus" || !strings.Contains(got.Body.String(), `"run_id":"run-7"`) {
			t.Errorf("%s %s", got.Header().Get("Location"), got.Body)
		}
		time.AfterFunc(5*time.Second, func() { w.outcome <- &Outcome{Run: Run{ID: "run-7"}} })
		if got := do(h, call{"POST", "/api/v1/backends/nexudus/sync", "", "mr_backends:sync"}); got.Code != http.StatusOK {
			t.Errorf("a run of 5 s: %d", got.Code)
		}
	})
}

func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.outcome = make(chan *Outcome)
		h := w.serve(t)
		var waiting sync.WaitGroup
		for range placesEach {
			waiting.Go(func() { do(h, call{"POST", "/api/v1/backends/nexudus/sync", "", "mr_backends:sync"}) })
		}
		synctest.Wait()
		got := do(h, call{"GET", "/api/v1/plans", "", "mr_admin"})
		if p := problemIn(t, got); p.Status != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
			t.Errorf("%+v", p)
		}
		waiting.Wait()
		if got := do(h, call{"GET", "/api/v1/plans", "", "mr_admin"}); got.Code != http.StatusOK {
			t.Errorf("when all have gone: %d", got.Code)
		}
	})
}

func TestNewNeedsItsParts(t *testing.T) {
	t.Parallel()
	w := newWorld()
	if _, err := New(Config{Tokens: w, Members: w, Editor: w, Access: w, Plans: w, Backends: w}); err == nil {
		t.Error("New takes a Config without Runs")
	}
}
