package coworks_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/backends/coworks"
	"memberradius/internal/coworkstest/standin"
)

// TestCheck: each cause of Coworks' own list of troubles is told from the others.
func TestCheck(t *testing.T) {
	t.Parallel()
	unknown404 := func(c *standin.Config) { c.TellsUnknown = true }
	mute := func(c *standin.Config) { c.Mute = true }
	wrongSpace := func(c *coworks.Config) { c.SpaceID = "4321" }
	everybody := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}"))
	})
	tests := []struct {
		name    string
		space   func(*standin.Config)
		fault   standin.Fault
		config  func(*coworks.Config)
		served  http.Handler // nil: the space
		wrong   bool
		what    string // "": no finding
		remedy  string
		without string
	}{
		{name: "in order"},
		{name: "in order, unknown logins are told", space: unknown404},
		{name: "a wrong key", config: func(c *coworks.Config) { c.Token = "canary" }, wrong: true, what: "API key: http://127.0.0.1", remedy: "make a new one", without: "canary"},
		{name: "a key that may not", config: func(c *coworks.Config) { c.Token = weak }, wrong: true, what: "HTTP 403", remedy: "may not check logins"},
		{name: "a wrong space", config: wrongSpace, wrong: true, what: `HTTP 404 comes for space "4321"`, remedy: "compare space_id"},
		{name: "a wrong space, where unknown logins are told", space: unknown404, config: wrongSpace, wrong: true, what: `for space "4321"`, remedy: "compare space_id"},
		{name: "a wrong space that is meant as unknown", config: func(c *coworks.Config) { wrongSpace(c); c.UnknownOn = []int{404} }, what: `for space "4321"`, remedy: "memberradius test"},
		{name: "a space that is not told", space: mute, what: `whether space "1234" is can't be told`, remedy: "memberradius test"},
		{name: "a wrong path", config: func(c *coworks.Config) { c.URL += "s" }, wrong: true, what: "HTTP 404", remedy: "the path of url"},
		{name: "a page", fault: standin.HTML, wrong: true, what: "HTTP 200", remedy: "host and path of url"},
		{name: "a fault", fault: "502", wrong: true, what: "HTTP 502", remedy: "log"},
		{name: "slow", fault: standin.Slow, config: func(c *coworks.Config) { c.Timeout = 100 * time.Millisecond }, wrong: true, what: "timeout", remedy: "longer than 100ms"},
		{name: "a space that is gone", fault: "410", wrong: true, what: "HTTP 410", remedy: "unknown_on = [410]"},
		{name: "a status that is meant as unknown", space: mute, config: func(c *coworks.Config) { c.UnknownOn = []int{422} }, what: "HTTP 422", remedy: "memberradius test"},
		{name: "a status that refuses", config: func(c *coworks.Config) { wrongSpace(c); c.DenyOn = []int{404} }, what: `and space "4321" are right can't be told`, remedy: "memberradius test"},
		{name: "a wrong key that deny_on hides", config: func(c *coworks.Config) { c.Token, c.DenyOn = "canary", []int{401} }, what: "HTTP 401 comes, which deny_on", remedy: "memberradius test", without: "key are right;"},
		{name: "too often", fault: "429", what: "HTTP 429", remedy: "fresh"},
		{name: "a wrong host", config: func(c *coworks.Config) { c.URL = "https://coworks.invalid/{space_id}" }, wrong: true, what: "coworks.invalid", remedy: "spelling in url"},
		{name: "everybody comes in", served: everybody, wrong: true, what: "lets in a login that does not exist", remedy: "everybody can come in"},
	}
	for _, tt := range tests {
		s := space(tt.space)
		s.Break(tt.fault)
		var h http.Handler = s
		if tt.served != nil {
			h = tt.served
		}
		found := open(t, h, tt.config, backends.Deps{}).Check(t.Context())
		switch {
		case tt.what == "" && len(found) == 0:
		case len(found) != 1, found[0].Wrong != tt.wrong, !strings.Contains(found[0].What, tt.what), !strings.Contains(found[0].Remedy, tt.remedy),
			tt.without != "" && strings.Contains(found[0].What+found[0].Remedy, tt.without):
			t.Errorf("%s: %+v", tt.name, found)
		}
	}
}

// TestCheckWhereTheSecondQuestionFails: a 404 alone proves nothing.
func TestCheckWhereTheSecondQuestionFails(t *testing.T) {
	t.Parallel()
	s := space(nil)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/9999/") {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		s.ServeHTTP(w, r)
	})
	found := open(t, h, func(c *coworks.Config) { c.SpaceID = "4321" }, backends.Deps{}).Check(t.Context())
	if len(found) != 1 || found[0].Wrong || !strings.Contains(found[0].What, "second question") {
		t.Errorf("%+v", found)
	}
}

// TestCheckAsksForAnotherSpace: the second question never names the operator's own.
func TestCheckAsksForAnotherSpace(t *testing.T) {
	t.Parallel()
	for own, other := range map[string]string{
		"1234": "9999", "9999": "8888", "9": "8", "berlin-mitte": "ffffff-fffff", "A1b": "F9f", "f": "f-none",
		"7c9e6679-7425-40de-944b-e07fc1f90ae7": "9f9f9999-9999-99ff-999f-f99ff9f99ff9",
	} {
		var paths []string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			paths = append(paths, r.URL.Path)
			w.WriteHeader(http.StatusNotFound)
		}))
		b, err := coworks.Config{URL: s.URL + "/{space_id}", SpaceID: own, Token: key}.Open(backends.Deps{Name: "coworks"})
		if err != nil {
			t.Fatal(err)
		}
		b.(*coworks.Backend).Check(t.Context())
		s.Close()
		if len(paths) != 2 || paths[0] != "/"+own || paths[1] != "/"+other {
			t.Errorf("%s: asked for %v", own, paths)
		}
	}
}
