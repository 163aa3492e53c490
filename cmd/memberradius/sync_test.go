package main

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/provision"
	"memberradius/store"
)

func TestBar(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		done, all int
		want      string
	}{
		{0, 0, "[························]"},
		{0, 10, "[                        ]"},
		{5, 10, "[============            ]"},
		{10, 10, "[========================]"},
		{12, 10, "[========================]"}, // a list that grew while it was read
	} {
		if got := bar(tt.done, tt.all); got != tt.want {
			t.Errorf("%d of %d: %s, want %s", tt.done, tt.all, got, tt.want)
		}
	}
	if got := membersOf(backends.Progress{Members: 1}); got != ", 1 member" {
		t.Error(got)
	}
	if got := membersOf(backends.Progress{Members: 500, Of: 1000}); got != ", 500 of 1000 members" {
		t.Error(got)
	}
}

// A verb is told how far the run is, not more often than a terminal shows, and
// how it ended in any case.
func TestLines(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	l := newLines(w)
	for i := range 1000 {
		l.say(syncEvent{Progress: &backends.Progress{Members: i}})
	}
	l.say(syncEvent{Report: &provision.Report{Run: store.Run{ID: "r", Added: 3}, Changes: []provision.Change{{Kind: provision.Goes, Login: "anna"}}}})
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	if len(lines) < 2 || len(lines) > 100 {
		t.Fatalf("%d lines", len(lines))
	}
	var last syncEvent
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if r := last.Report; r == nil || r.ID != "r" || r.Added != 3 || len(r.Changes) != 1 || r.Changes[0].String() != "anna goes" {
		t.Errorf("%s", lines[len(lines)-1])
	}
}

func TestViewRun(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		run  store.Run
		want string
	}{
		{store.Run{Kind: "full", Started: at, Added: 1, Returned: 2, Changed: 3, Lapsed: 4}, "2026-06-01T09:00:00Z full: 1 came, 2 came back, 3 changed, 4 went"},
		{store.Run{Kind: "changes", Started: at, Error: "it is away"}, "2026-06-01T09:00:00Z changes: failed: it is away"},
		{store.Run{Kind: "full", Started: at, Held: true}, "2026-06-01T09:00:00Z full: held: too many would go"},
	} {
		if got := viewRun(&tt.run).summary(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
