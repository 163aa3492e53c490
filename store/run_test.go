package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"memberradius/store"
)

// record puts a run into the journal that began so many minutes into the year.
func record(t *testing.T, s *store.Store, minute int, r store.Run) store.Run {
	t.Helper()
	r.Started = newYear.Add(time.Duration(minute) * time.Minute)
	r.Ended = r.Started.Add(1500 * time.Millisecond)
	if err := s.RecordRun(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRuns(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	if r, err := s.LastGood(t.Context(), club, "full"); r != nil || err != nil {
		t.Errorf("of an empty journal: %v, %v", r, err)
	}
	good := record(t, s, 1, store.Run{
		Backend: club, Trigger: "timer", Kind: "full", Added: 1, Changed: 2, Returned: 3, Lapsed: 4,
		Unchanged: 5, Skipped: 6, Requests: 7, Pages: 8, Notes: []string{"plan \"Ünmapped\" is not configured", "b"},
	})
	failed := record(t, s, 2, store.Run{Backend: club, Kind: "full", Error: "page 3: a timeout"})
	held := record(t, s, 3, store.Run{Backend: club, Kind: "full", Held: true})
	changes := record(t, s, 4, store.Run{Backend: club, Kind: "changes"})
	other := record(t, s, 5, store.Run{ID: "its own", Backend: "other", Kind: "full"})
	if other.ID != "its own" || good.ID == "" {
		t.Errorf("ids %q, %q", other.ID, good.ID)
	}
	for _, c := range []struct {
		backend string
		most    int
		want    []store.Run
	}{
		{"", 9, []store.Run{other, changes, held, failed, good}},
		{"", 2, []store.Run{other, changes}},
		{club, 9, []store.Run{changes, held, failed, good}},
		{"nobody", 9, nil},
	} {
		got, err := s.Runs(t.Context(), c.backend, c.most)
		for i := range got {
			if len(got[i].Notes) == 0 {
				got[i].Notes = nil
			}
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q, %d:\ngot  %+v, %v\nwant %+v", c.backend, c.most, got, err, c.want)
		}
	}
	for kind, want := range map[string]*store.Run{"full": &good, "changes": &changes, "push": nil} {
		got, err := s.LastGood(t.Context(), club, kind)
		if err != nil || (got == nil) != (want == nil) || got != nil && got.ID != want.ID {
			t.Errorf("last good %s: %+v, %v", kind, got, err)
		}
	}
	says(t, s.RecordRun(t.Context(), &store.Run{}), "no backend")
}

// TestJournalIsBounded writes more than is kept, and wants the newest, and the
// last good run of each kind however long ago it was.
func TestJournalIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	record(t, s, 0, store.Run{Backend: club, Kind: "full", ID: "older full"})
	record(t, s, 1, store.Run{Backend: club, Kind: "full", ID: "last full"})
	record(t, s, 2, store.Run{Backend: club, Kind: "full", ID: "failed", Error: "no"})
	record(t, s, 2, store.Run{Backend: "other", Kind: "full", ID: "another's"})
	statement(t, dir, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
		INSERT INTO sync_run SELECT 'push ' || i, 'members', '', '', 'push', ? + i, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', '[]' FROM n`,
		newYear.Add(time.Hour).UnixMilli())
	record(t, s, 100, store.Run{Backend: club, Kind: "push", ID: "the newest"})
	runs, err := s.Runs(t.Context(), "", 5000)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(runs))
	for i := range runs {
		ids[i] = runs[i].ID
	}
	all := strings.Join(ids, ",")
	if len(runs) != store.RunsKept+2 || runs[0].ID != "the newest" || runs[store.RunsKept-1].ID != "push 102" ||
		!strings.HasSuffix(all, ",another's,last full") {
		t.Errorf("%d runs are kept: %s", len(runs), all)
	}
}

// TestRunsAreShort wants what a member system has worded to take one line and
// not much room.
func TestRunsAreShort(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	notes := make([]string, 2*store.MaxNotes)
	for i := range notes {
		notes[i] = fmt.Sprint("note ", i)
	}
	notes[1] = strings.Repeat("é", 4000)
	record(t, s, 0, store.Run{Backend: club, Error: "<html>\r\n\x1b[31m\x00\xff\u202e", Notes: notes})
	runs, err := s.Runs(t.Context(), club, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := &runs[0]
	if r.Error != "<html>   [31m \ufffd " || len(r.Notes) != store.MaxNotes || r.Notes[99] != "note 99" {
		t.Errorf("error %q, %d notes", r.Error, len(r.Notes))
	}
	if n := r.Notes[1]; len(n) > 1010 || !strings.HasPrefix(n, "ééé") || !strings.HasSuffix(n, "é...") || strings.ContainsRune(n, '\ufffd') {
		t.Errorf("a long note is %d octets: %s", len(n), n)
	}
}

// TestJournalsSayWhatFailed wants every reader to tell a broken database from nothing there.
func TestJournalsSayWhatFailed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	record(t, s, 0, store.Run{Backend: club, Kind: "full"})
	token, err := newToken(t, s, "x")
	if err != nil {
		t.Fatal(err)
	}
	statement(t, dir, `UPDATE sync_run SET notes = '['`)
	if _, err := s.Runs(t.Context(), club, 1); err == nil {
		t.Error("a broken journal is read")
	}
	for _, table := range []string{"sync_run", "outbox", "api_token", "page_link", "push_seen"} {
		drop(t, dir, table)
	}
	for what, err := range map[string]error{
		"runs":    errorOf(s.Runs(t.Context(), club, 1)),
		"good":    errorOf(s.LastGood(t.Context(), club, "full")),
		"record":  s.RecordRun(t.Context(), &store.Run{Backend: club}),
		"events":  errorOf(s.Events(t.Context(), 1)),
		"due":     errorOf(s.DueEvents(t.Context(), newYear, 1)),
		"done":    s.EventDone(t.Context(), "x"),
		"failed":  s.EventFailed(t.Context(), "x", newYear, "", false),
		"apply":   errorOf(s.Apply(t.Context(), club, &store.Changes{Delivery: "x"})),
		"find":    errorOf(s.FindToken(t.Context(), token)),
		"tokens":  errorOf(s.Tokens(t.Context())),
		"revoke":  s.RevokeToken(t.Context(), "x"),
		"peek":    errorOf(s.PeekLink(t.Context(), aLink)),
		"session": errorOf(s.LinkSession(t.Context(), aLink)),
		"take":    func() error { _, _, err := s.TakeLink(t.Context(), aLink, time.Hour); return err }(),
		"sweep":   s.Sweep(t.Context()),
	} {
		if err == nil || errors.Is(err, store.ErrNoToken) || errors.Is(err, store.ErrNoLink) || !strings.Contains(err.Error(), filepath.Join(dir, "memberradius.db")) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func errorOf[T any](_ T, err error) error { return err }
