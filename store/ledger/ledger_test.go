package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store/ledger"
)

// noon is when the tests' sessions begin, a Monday.
func noon() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

// A clock is set by tests.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func utc(string) *time.Location { return time.UTC }

// open opens a ledger whose clock stands at noon, until a test sets it.
func open(tb testing.TB, dir string, changed func(ledger.Change)) (*ledger.Ledger, *clock) {
	tb.Helper()
	c := &clock{now: noon()}
	l, err := ledger.Open(tb.Context(), ledger.Config{Dir: dir, Now: c.Now, Zone: utc, Wait: time.Millisecond, Changed: changed})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l, c
}

// A saying changes a report.
type saying func(*member.Session)

func input(n uint64) saying { return func(s *member.Session) { s.Input = n } }

func lasted(d time.Duration) saying { return func(s *member.Session) { s.Duration = d } }

func called(id string) saying { return func(s *member.Session) { s.ID = id } }

func by(nas string) saying { return func(s *member.Session) { s.NAS, s.NASIdentifier = nas, nas } }

func because(cause string) saying { return func(s *member.Session) { s.Cause = cause } }

// undecided is a report that came without Class.
func undecided(s *member.Session) {
	s.Login, s.Backend, s.Plan, s.VLAN, s.Decision = s.User, "", "", "", ""
}

// says returns a report of the tests' session, so long after noon.
func says(e member.Event, after time.Duration, more ...saying) *member.Session {
	s := &member.Session{
		Event: e, Client: "floor", NAS: "ap-1", ID: "5F00-1", User: "Ann@Example.com", Login: "ann@example.com", Backend: "members",
		Plan: "hot-desk", VLAN: "30", Decision: "0198c0de-0000-7000-8000-000000000001", Site: "berlin", SSID: "Coworking",
		StationMAC: "02:00:00:00:00:01", NASIdentifier: "ap-1", At: noon().Add(after), Received: noon().Add(after),
	}
	for _, m := range more {
		m(s)
	}
	return s
}

func record(tb testing.TB, l *ledger.Ledger, reports ...*member.Session) {
	tb.Helper()
	for _, r := range reports {
		if err := l.Record(tb.Context(), r); err != nil {
			tb.Fatal(err)
		}
	}
}

// all returns every session, the newest first.
func all(tb testing.TB, l *ledger.Ledger) []ledger.Session {
	tb.Helper()
	var found []ledger.Session
	if err := l.Each(tb.Context(), &ledger.Filter{}, func(s *ledger.Session) error {
		found = append(found, *s)
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
	return found
}

// only returns the one session that there is.
func only(tb testing.TB, l *ledger.Ledger) *ledger.Session {
	tb.Helper()
	found := all(tb, l)
	if len(found) != 1 {
		tb.Fatalf("%d sessions, want 1: %+v", len(found), found)
	}
	return &found[0]
}

func TestRecordKeepsEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, _ := open(t, dir, nil)
	s := visit(7, member.Start, noon())
	s.Event, s.Input, s.Output, s.InputPackets, s.OutputPackets = member.Interim, 1<<33+5, 2, 3, 4
	s.Duration, s.User, s.PortID, s.Audit = 90*time.Second, "odd\x00\xff name", "wlan0", "0A01"
	record(t, l, s)
	record(t, l, visit(8, member.Stop, noon()))
	before := all(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, _ = open(t, dir, nil)
	after := all(t, l)
	if len(before) != 2 || len(after) != 2 || before[0] != after[0] || before[1] != after[1] {
		t.Errorf("after a restart\n%+v\nbefore\n%+v", after, before)
	}
	got, err := l.Find(t.Context(), s.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Session != *s || got.Started != noon().Add(-90*time.Second) || !got.Open() {
		t.Errorf("kept\n%+v\nreported\n%+v", got, s)
	}
}

func TestRecordRefuses(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	for name, s := range map[string]*member.Session{
		"no event": says(member.NoEvent, 0), "no id": says(member.Start, 0, called("")), "a long id": says(member.Start, 0, called(strings.Repeat("x", 254))),
		"an unknown event": says(member.Event(99), 0),
	} {
		if err := l.Record(t.Context(), s); err == nil {
			t.Errorf("%s is recorded", name)
		}
	}
	if n := len(all(t, l)); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// TestRecordCountsToTheEnd: counters stop where SQLite's integers do, and so do sums of them.
func TestRecordCountsToTheEnd(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	for _, id := range []string{"a", "b"} {
		record(t, l, says(member.Stop, 0, called(id), input(1<<64-1)))
	}
	for _, s := range all(t, l) {
		if s.Input != 1<<63-1 {
			t.Errorf("input is %d", s.Input)
		}
	}
	u, err := l.Usage(t.Context(), ledger.UsageQuery{})
	if err != nil || len(u) != 1 || u[0].Input != 1<<63-1 || u[0].Sessions != 2 {
		t.Errorf("usage is %+v, %v", u, err)
	}
}

func TestRecordAfterClose(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Record(t.Context(), says(member.Start, 0)); err == nil {
		t.Error("a closed ledger records")
	}
}

// TestCloseWaits: what is in work when Close is called is written first.
func TestCloseWaits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: dir, Zone: utc})
	if err != nil {
		t.Fatal(err)
	}
	const reports = 50
	acked := make(chan bool, reports)
	for i := range reports {
		go func() { acked <- l.Record(context.Background(), visit(i, member.Start, noon())) == nil }()
	}
	kept := 0
	if <-acked {
		kept++
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for range reports - 1 {
		if <-acked {
			kept++
		}
	}
	l, _ = open(t, dir, nil)
	if got := l.Count(); got != kept {
		t.Errorf("%d sessions are open after a restart, %d were acknowledged", got, kept)
	}
}

// TestRecordEnds: whoever gives up waiting gets the context's error.
func TestRecordEnds(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Record(ctx, says(member.Start, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("Record: %v", err)
	}
	record(t, l, says(member.Start, 0, called("behind it")))
	if n := l.Count(); n != 1 {
		t.Errorf("%d sessions: a report whose NAS is not waiting any more was written", n)
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	var told []ledger.Change
	l, _ := open(t, t.TempDir(), func(c ledger.Change) { told = append(told, c) })
	record(t, l,
		says(member.Start, 0), says(member.Start, 0), says(member.Interim, time.Minute, input(5)),
		says(member.Stop, time.Hour, input(9)), says(member.Stop, time.Hour, input(9)), says(member.Interim, 30*time.Minute, input(10)),
		says(member.Stop, 0, called("other")))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	want := []struct {
		kind  ledger.ChangeKind
		input uint64
	}{{ledger.Opened, 0}, {ledger.Updated, 5}, {ledger.Closed, 9}, {ledger.Closed, 10}, {ledger.Closed, 0}}
	if len(told) != len(want) {
		t.Fatalf("told %d changes, want %d: %+v", len(told), len(want), told)
	}
	for i, w := range want {
		if told[i].Kind != w.kind || told[i].Session.Input != w.input {
			t.Errorf("change %d is %v with input %d, want %v with %d", i, told[i].Kind, told[i].Session.Input, w.kind, w.input)
		}
	}
}

func TestOnline(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	bob := func(s *member.Session) { s.User, s.Login, s.StationMAC = "bob", "Bob", "02:00:00:00:00:02" }
	record(t, l, says(member.Start, 0), says(member.Start, 0, called("5F00-2")), says(member.Start, 0, called("5F00-3"), bob))
	count := func(login, mac string) [3]int {
		return [3]int{len(l.OnlineOf(login)), len(l.OnlineAt(mac)), len(l.Online())}
	}
	if got := count("ANN@example.com", "02:00:00:00:00:01"); got != [3]int{2, 2, 3} || l.Count() != 3 {
		t.Errorf("ann, her device and all are on %v times, %d in all", got, l.Count())
	}
	// The login and the device that a session is of can turn out to be others.
	carol := func(s *member.Session) { s.User, s.Login, s.StationMAC = "bob", "carol", "02:00:00:00:00:03" }
	record(t, l, says(member.Interim, time.Minute, called("5F00-3"), carol))
	if got := count("bob", "02:00:00:00:00:02"); got != [3]int{0, 0, 3} {
		t.Errorf("bob, his device and all are on %v times", got)
	}
	if got := count("Carol", "02:00:00:00:00:03"); got != [3]int{1, 1, 3} {
		t.Errorf("carol, her device and all are on %v times", got)
	}
	record(t, l, says(member.Stop, time.Hour), says(member.Stop, time.Hour, called("5F00-3"), bob))
	if got := count("ann@example.com", "02:00:00:00:00:01"); got != [3]int{1, 1, 1} {
		t.Errorf("ann, her device and all are on %v times", got)
	}
	if l.OnlineAt("") != nil || l.OnlineOf("nobody") != nil {
		t.Error("somebody is on at no device")
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	t.Run("no directory", func(t *testing.T) {
		t.Parallel()
		if _, err := ledger.Open(t.Context(), ledger.Config{}); err == nil {
			t.Error("opened")
		}
	})
	t.Run("damaged", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ledger.File), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ledger.Open(t.Context(), ledger.Config{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), "ledger: ") || !strings.Contains(err.Error(), "move the file") {
			t.Errorf("opened: %v", err)
		}
	})
	t.Run("newer", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		l, _ := open(t, dir, nil)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", filepath.Join(dir, ledger.File))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if _, err := db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`); err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.Open(t.Context(), ledger.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "newer memberradius") {
			t.Errorf("opened: %v", err)
		}
	})
}

// TestFileIsPrivate: what members did is nobody else's to read.
func TestFileIsPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, _ := open(t, dir, nil)
	record(t, l, says(member.Start, 0))
	for _, name := range []string{l.Path(), l.Path() + "-wal"} {
		st, err := os.Stat(name)
		if err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, st, err)
		}
	}
}

// TestClose_LeavesOneFile: whoever copies the file of a server that has stopped
// copies all sessions.
func TestClose_LeavesOneFile(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), t.TempDir()
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	s := member.Session{Event: member.Start, Client: "lobby", NAS: "ap", ID: "1", User: "bob", Login: "bob"}
	if err := errors.Join(l.Record(t.Context(), &s), l.Close()); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(dir, ledger.File))
	if err == nil {
		err = os.WriteFile(filepath.Join(elsewhere, ledger.File), file, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if l, err = ledger.Open(t.Context(), ledger.Config{Dir: elsewhere}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if l.Count() != 1 {
		t.Errorf("%d sessions are in the copy", l.Count())
	}
}
