package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestBodiesAreStrict(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"plans":`, 6) + "1" + strings.Repeat("}", 6)
	for body, says := range map[string]string{
		`{"login":"x","pasword":"y"}`:            `there is no field "pasword"`,
		`{"login":"x","Name":"y"}`:               `there is no field "Name"`,
		`{"login":"x","login":"y"}`:              `the field "login" is there twice`,
		`{"login":"x"} {}`:                       "something follows the JSON object",
		`{"login":"x"}x`:                         "something follows the JSON object",
		`{"login":"x"`:                           "it ends too early",
		`{"login":x}`:                            "it is no JSON at octet",
		`["x"]`:                                  "it must be a JSON object",
		`null`:                                   "it must be a JSON object",
		`{"login":7}`:                            `the field "login" must be text`,
		`{"login":"x","devices":1.5}`:            `the field "devices" must be a whole number`,
		`{"login":"x","disabled":"no"}`:          `the field "disabled" must be true or false`,
		`{"login":"x","plans":"hot-desk"}`:       `the field "plans" must be a list`,
		`{"login":"x","plans":[1]}`:              `the field "plans" must be text`,
		`{"login":"x","valid_until":"tomorrow"}`: `the field "valid_until" must be a time`,
		deep:                                     "nested deeper than 4 levels",
		"{\"login\":\"\xff\"}":                   "it is not UTF-8",
		`{"login":"x","name":"` + strings.Repeat("y", maxBody) + `"}`: "at most 64 KiB",
	} {
		w := newWorld()
		got := do(w.serve(t), call{"POST", "/api/v1/members", body, "mr_admin"})
		p := problemIn(t, got)
		if got.Code < 400 || got.Code > 413 || !strings.Contains(p.Detail, says) || len(w.members) != 5 {
			t.Errorf("%.60s: %d %q, want %q", body, got.Code, p.Detail, says)
		}
	}
	for name, c := range map[string]call{
		"a body for a password": {"POST", "/api/v1/members/members/bob@example.com/password", `{"password":"mine"}`, "mr_admin"},
		"a body for a link":     {"POST", "/api/v1/members/members/bob@example.com/link", `x`, "mr_admin"},
		"a body to remove":      {"DELETE", "/api/v1/members/members/bob@example.com", `{"a":1}`, "mr_admin"},
	} {
		if got := do(newWorld().serve(t), c); got.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
	if got := do(newWorld().serve(t), call{"POST", "/api/v1/members/members/bob@example.com/link", ` {} `, "mr_admin"}); got.Code != http.StatusCreated {
		t.Errorf("an empty object: %d", got.Code)
	}
	r := httptest.NewRequest("POST", "/api/v1/members", strings.NewReader(`{"login":"x"}`))
	r.Header.Set("Authorization", "Bearer mr_admin")
	r.Header.Set("Content-Type", "text/plain") // what a form of another site can send
	w := httptest.NewRecorder()
	newWorld().serve(t).ServeHTTP(w, r)
	if p := problemIn(t, w); p.Status != http.StatusUnsupportedMediaType {
		t.Errorf("text/plain: %d", p.Status)
	}
}

func FuzzDecode_NoPanic(f *testing.F) {
	f.Add([]byte(`{"login":"x","plans":["a"],"valid_from":null}`))
	f.Add([]byte(`{"a":{"b":[{"c":1}]}}`))
	f.Add([]byte(`{"login":"x"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var d memberDraft
		if err := decode(body, &d); err == nil && !json.Valid(body) {
			t.Errorf("%q is taken and is no JSON", body)
		}
	})
}

func FuzzCursor_RoundTrip(f *testing.F) {
	f.Add("members", "bob@example.com")
	f.Add("m", "\xff")
	f.Fuzz(func(t *testing.T, backend, login string) {
		if backend == "" || login == "" || strings.Contains(backend, "\x00") {
			return // no key
		}
		if k, ok := keyOf(cursorOf(Key{backend, login})); !ok || k != (Key{backend, login}) {
			t.Errorf("%q %q comes back as %v, %v", backend, login, k, ok)
		}
	})
}

func FuzzCursor_NoPanic(f *testing.F) {
	f.Add("YQBi")
	f.Add("YQ\rBi")
	f.Add("!")
	f.Fuzz(func(t *testing.T, cursor string) {
		if k, ok := keyOf(cursor); ok && cursorOf(k) != cursor {
			t.Errorf("%q is the cursor of %v too", cursor, k)
		}
	})
}
