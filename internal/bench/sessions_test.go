//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"memberradius/store"
)

// TestAccountingTemplatesAreTaken: a report to FreeRADIUS is a row.
func TestAccountingTemplatesAreTaken(t *testing.T) {
	t.Parallel()
	r := testRun(t)
	var err error
	if r.free, err = findFreeradius("/usr/lib/freeradius"); err != nil {
		t.Skip(err)
	}
	if !r.free.hasSQLite() {
		t.Skip("rlm_sql_sqlite is not installed")
	}
	found, err := r.turnFree(t.Context(), 0, keeping{single: true, journal: journalWAL, inFlight: 1, updates: true})
	if err != nil {
		t.Fatal(err)
	}
	if found.begun.Wrong+found.updated.Wrong > 0 || found.begun.Answered == 0 || found.updated.Answered == 0 || found.missing != 0 {
		t.Errorf("%+v", found)
	}
}

func TestKeeper_Missing(t *testing.T) {
	t.Parallel()
	r := testRun(t)
	path := filepath.Join(r.dir, "sessions.db")
	db, err := store.OpenSQLite(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE session (id INTEGER); INSERT INTO session VALUES (1), (2), (3)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := start(r.cores.load, r.dir, "/bin/sleep", "1000")
	if err != nil {
		t.Fatal(err)
	}
	k := keeper{server: &server{process: p}, database: path, count: "SELECT count(*) FROM session"}
	for _, tt := range []struct {
		sent, answered uint64
		want           int64
	}{{3, 3, 0}, {4, 2, 0}, {5, 5, 2}} {
		if got, err := k.missing(t.Context(), outcome{Sent: tt.sent, Answered: tt.answered}); err != nil || got != tt.want {
			t.Errorf("%+v: %d missing, %v", tt, got, err)
		}
	}
	if p.err == nil {
		t.Error("it counts while the server still writes")
	}
	if _, err := k.missing(t.Context(), outcome{Sent: 2, Answered: 2}); err == nil {
		t.Error("more sessions than were begun are no error")
	}
}

// goodSessions meet every target, by one each.
func goodSessions() *sessions {
	s := &sessions{
		starts: series{{Rate: 12_000, P99: 50*time.Millisecond - 1}}, updates: series{{Rate: 1}}, free: make([]series, len(keepings)),
		freeUpdates: make([]series, len(keepings)), gone: []time.Duration{5*time.Second - 1},
		kept: &keptPages{sessions: 7, took: map[string][]time.Duration{"all": {1, 50*time.Millisecond - 1}}},
	}
	s.free[0], s.free[3] = series{{Rate: 700}}, series{{Rate: 800}}
	s.free[1] = series{{Rate: 9000, Lost: 1}} // fails, and does not count
	s.free[4] = series{{Rate: 4000}}          // not as it comes
	return s
}

func TestSessions_Verdicts(t *testing.T) {
	t.Parallel()
	for _, v := range goodSessions().verdicts() {
		if !v.met {
			t.Errorf("%s: %s against %s is missed", v.what, v.figure, v.target)
		}
	}
	bad := map[string]func(*sessions){
		"accounting, new sessions a second":     func(s *sessions) { s.starts[0].Rate = 11_999; s.free[3][0].Rate = 799 },
		"accounting, new sessions, p99":         func(s *sessions) { s.starts[0].P99++ },
		"accounting, of FreeRADIUS with SQLite": func(s *sessions) { s.free[3][0].Rate = 801 },
		"accounting, acknowledged and not kept": func(s *sessions) { s.missing = 1 },
		"accounting, no or wrong answer":        func(s *sessions) { s.updates[0].Lost = 1 },
		"1000 Disconnects at once, all settled": func(s *sessions) { s.gone[0]++ },
		"7 sessions kept, slowest list page":    func(s *sessions) { s.kept.took["a login"] = []time.Duration{keptPage} },
	}
	for what, spoil := range bad {
		s := goodSessions()
		spoil(s)
		for _, v := range s.verdicts() {
			if v.met == (v.what == what) {
				t.Errorf("%s spoilt: %s is met: %v", what, v.what, v.met)
			}
		}
	}
	for _, v := range (&sessions{free: make([]series, len(keepings))}).verdicts() {
		if v.met {
			t.Errorf("%s is met by nothing", v.what)
		}
	}
}

func TestSessions_Table(t *testing.T) {
	t.Parallel()
	text := page(machine{}, &run{rounds: 1, seconds: 1}, results{sessions: goodSessions()})
	for _, want := range []string{
		"FreeRADIUS, 1 in flight: new", "FreeRADIUS (-s), 256 in flight: new", "memberradius, 256 in flight: new", "memberradius, 256 in flight: updates",
		"does not use as it comes, ours is 3.0 times", "0 sessions were missing", "a page of 100 out of 7 sessions", "15.00",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	alone := goodSessions()
	alone.free, alone.kept = make([]series, len(keepings)), nil
	if text := alone.table(); strings.Contains(text, "FreeRADIUS") || strings.Contains(text, "a page of 100") {
		t.Errorf("of what was not measured:\n%s", text)
	}
}

func TestSyncTimes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	took, err := syncTimes(dir)
	if err != nil || len(took) != syncsTried || took[0] <= 0 || took[0] > took[len(took)-1] {
		t.Errorf("%d syncs, %v", len(took), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := os.Stat("/dev/shm"); err == nil && !inMemory("/dev/shm") {
		t.Error("/dev/shm is taken for a disk")
	}
}
