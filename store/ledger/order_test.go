package ledger_test

import (
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store/ledger"
)

// TestOrders: in whatever order the reports of one session come, it is one
// session, with the largest counters, and a Stop is its end.
func TestOrders(t *testing.T) {
	t.Parallel()
	start := says(member.Start, 0)
	early := says(member.Interim, 10*time.Minute, input(10), lasted(10*time.Minute))
	late := says(member.Interim, 20*time.Minute, input(20), lasted(20*time.Minute))
	stop := says(member.Stop, 25*time.Minute, input(25), lasted(25*time.Minute), because("User-Request"))
	again := says(member.Stop, 25*time.Minute, input(25), lasted(25*time.Minute), because("Lost-Carrier"))
	tests := []struct {
		name    string
		reports []*member.Session
		input   uint64
		began   time.Duration
		seen    bool
		open    bool
	}{
		{"as sent", []*member.Session{start, early, late, stop}, 25, 0, true, false},
		{"start alone", []*member.Session{start}, 0, 0, true, true},
		{"start twice", []*member.Session{start, start}, 0, 0, true, true},
		{"stop alone", []*member.Session{stop}, 25, 0, false, false},
		{"stop before start", []*member.Session{stop, start}, 25, 0, true, false},
		{"stop, start, stop", []*member.Session{stop, start, stop}, 25, 0, true, false},
		{"interim without start", []*member.Session{early}, 10, 0, false, true},
		{"interims backwards", []*member.Session{late, early}, 20, 0, false, true},
		{"interims without start, and the first without a time", []*member.Session{says(member.Interim, 10*time.Minute), late}, 20, 0, false, true},
		{"interim before start", []*member.Session{early, start}, 10, 0, true, true},
		{"interim after stop", []*member.Session{start, stop, late}, 25, 0, true, false},
		{"all backwards", []*member.Session{stop, late, early, start}, 25, 0, true, false},
		{"each twice", []*member.Session{start, start, early, early, stop, stop}, 25, 0, true, false},
		{"a second stop", []*member.Session{start, stop, again}, 25, 0, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l, _ := open(t, t.TempDir(), nil)
			record(t, l, test.reports...)
			s := only(t, l)
			if s.Input != test.input || s.Started != noon().Add(test.began) || s.StartSeen != test.seen || s.Open() != test.open {
				t.Errorf("input %d, started %v, start seen %v, open %v", s.Input, s.Started, s.StartSeen, s.Open())
			}
			if !test.open && (s.Ended != stop.At || s.Closed != ledger.ByStop || s.Cause != "User-Request") {
				t.Errorf("ended %v, %s, %s", s.Ended, s.Closed, s.Cause)
			}
			if want := map[bool]int{true: 1}[test.open]; l.Count() != want {
				t.Errorf("%d open, want %d", l.Count(), want)
			}
			if day, _, _ := l.Used("ann@example.com", "berlin", noon()); day.Octets != test.input {
				t.Errorf("%d octets were used today, want %d", day.Octets, test.input)
			}
		})
	}
}

// TestReuse: a NAS that has started anew uses its ids again.
func TestReuse(t *testing.T) {
	t.Parallel()
	start := says(member.Start, 0)
	interim := says(member.Interim, 10*time.Minute, input(10))
	stop := says(member.Stop, 20*time.Minute, input(20))
	next := says(member.Start, time.Hour)
	tests := []struct {
		name    string
		reports []*member.Session
		closed  []string // of each session, the newest first
		inputs  []uint64
	}{
		{"after a stop", []*member.Session{start, stop, next}, []string{"", ledger.ByStop}, []uint64{0, 20}},
		{"after a stop, and it is used", []*member.Session{start, stop, next, says(member.Interim, 70*time.Minute, input(3))}, []string{"", ledger.ByStop}, []uint64{3, 20}},
		{"after a stop, and it stops", []*member.Session{start, stop, next, says(member.Stop, 70*time.Minute, input(3))}, []string{ledger.ByStop, ledger.ByStop}, []uint64{3, 20}},
		{"after a stop without start", []*member.Session{stop, next}, []string{"", ledger.ByStop}, []uint64{0, 20}},
		{"soon after a stop", []*member.Session{start, stop, says(member.Start, 20*time.Minute+reuseAfter)}, []string{ledger.ByStop}, []uint64{20}},
		{"while it is open", []*member.Session{start, interim, next}, []string{"", ledger.Replaced}, []uint64{0, 10}},
		{"while it is open, soon", []*member.Session{start, interim, says(member.Start, 10*time.Minute+reuseAfter)}, []string{""}, []uint64{10}},
		{"while it is open and was not used", []*member.Session{start, next}, []string{""}, []uint64{0}},
		{"while it is open and its start is missing", []*member.Session{interim, next}, []string{""}, []uint64{10}},
		{"told twice", []*member.Session{start, stop, next, next}, []string{"", ledger.ByStop}, []uint64{0, 20}},
		{"the first stop comes again", []*member.Session{start, stop, next, stop}, []string{"", ledger.ByStop}, []uint64{0, 20}},
		{"the replaced one's stop comes late", []*member.Session{start, interim, next, stop}, []string{"", ledger.ByStop}, []uint64{0, 20}},
		{"the replaced one's interim comes late", []*member.Session{start, interim, next, says(member.Interim, 15*time.Minute, input(15))}, []string{"", ledger.Replaced}, []uint64{0, 15}},
		{"three times", []*member.Session{start, stop, next, says(member.Stop, 2*time.Hour, input(7)), says(member.Start, 3*time.Hour), stop, says(member.Stop, 2*time.Hour, input(8))},
			[]string{"", ledger.ByStop, ledger.ByStop}, []uint64{0, 8, 20}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l, _ := open(t, dir, nil)
			for i, r := range test.reports {
				if i == len(test.reports)-1 { // what was learnt must not depend on memory
					if err := l.Close(); err != nil {
						t.Fatal(err)
					}
					l, _ = open(t, dir, nil)
				}
				record(t, l, r)
			}
			found := all(t, l)
			if len(found) != len(test.closed) {
				t.Fatalf("%d sessions, want %d", len(found), len(test.closed))
			}
			used, live := uint64(0), 0
			for i, s := range found {
				if s.Closed != test.closed[i] || s.Input != test.inputs[i] {
					t.Errorf("session %d is closed %q with input %d, want %q and %d", i, s.Closed, s.Input, test.closed[i], test.inputs[i])
				}
				used += s.Input
				if s.Open() {
					live++
				}
			}
			if day, _, _ := l.Used("ann@example.com", "berlin", noon()); day.Octets != used || l.Count() != live {
				t.Errorf("%d octets were used, want %d; %d are open, want %d", day.Octets, used, l.Count(), live)
			}
		})
	}
}

// reuseAfter is what separates a Start that comes again from a new one.
const reuseAfter = 60 * time.Second

// TestKey: what differs in any part of the key is another session.
func TestKey(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	record(t, l, says(member.Start, 0), says(member.Start, 0, called("5F00-2")), says(member.Start, 0, by("ap-2")),
		says(member.Start, 0, func(s *member.Session) { s.Client = "roof" }), says(member.Start, 0, func(s *member.Session) { s.User = "bob" }))
	if l.Count() != 5 || len(all(t, l)) != 5 {
		t.Errorf("%d open of %d, want 5", l.Count(), len(all(t, l)))
	}
}

// TestRoaming: on another access point it is another session; the device is the same.
func TestRoaming(t *testing.T) {
	t.Parallel()
	multi := func(s *member.Session) { s.MultiID = "multi-1" }
	l, _ := open(t, t.TempDir(), nil)
	record(t, l, says(member.Start, 0, multi), says(member.Start, time.Minute, multi, by("ap-2")), says(member.Stop, 2*time.Minute, multi))
	found := all(t, l)
	if len(found) != 2 || found[0].MultiID != "multi-1" || found[1].MultiID != "multi-1" || !found[0].Open() || found[1].Open() {
		t.Errorf("found %+v", found)
	}
	if n := len(l.OnlineAt("02:00:00:00:00:01")); n != 1 {
		t.Errorf("the device is on %d times", n)
	}
}

// TestNASStarts: Accounting-On and -Off close what that NAS had open before, and
// nothing else. F11.
func TestNASStarts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		event  member.Event
		closed string
	}{{member.NASOn, ledger.ByOn}, {member.NASOff, ledger.ByOff}} {
		t.Run(test.closed, func(t *testing.T) {
			t.Parallel()
			l, _ := open(t, t.TempDir(), nil)
			elsewhere := func(s *member.Session) { s.Client, s.ID = "roof", "client" }
			record(t, l, says(member.Start, 0), says(member.Start, 0, by("ap-2"), called("nas")), says(member.Start, 0, elsewhere),
				says(member.Start, 2*time.Hour, called("later")), says(member.Start, 0, called("alive")), says(member.Interim, 2*time.Hour, called("alive")),
				says(test.event, time.Hour, called("")), says(test.event, time.Hour, called("")))
			for _, s := range all(t, l) {
				want := ""
				if s.Session.ID == "5F00-1" {
					want = test.closed
				}
				if s.Closed != want || s.Open() != (want == "") {
					t.Errorf("%s of %s at %s: closed %q, want %q", s.Session.ID, s.NAS, s.Client, s.Closed, want)
				}
				if !s.Open() && s.Ended != noon().Add(time.Hour) {
					t.Errorf("ended %v", s.Ended)
				}
			}
			// One that its NAS still reports of has not ended; one that came before has.
			record(t, l, says(member.Interim, 30*time.Minute, input(4)))
			if s := l.Count(); s != 4 {
				t.Errorf("%d are open", s)
			}
			record(t, l, says(member.Interim, 3*time.Hour, input(5)))
			if s := l.Count(); s != 5 {
				t.Errorf("%d are open", s)
			}
		})
	}
}

// TestNASStartsInOneCommit: what comes together is taken in one after the other.
func TestNASStartsInOneCommit(t *testing.T) {
	t.Parallel()
	told := 0
	l, _ := open(t, t.TempDir(), func(ledger.Change) { told++ })
	record(t, l, says(member.Start, 0, called("before")))
	errs := l.RecordTogether(t.Context(), nil, says(member.Start, 0), says(member.Interim, time.Minute, input(3), called("before")),
		says(member.NASOn, time.Hour, called("")), says(member.Start, 2*time.Hour, called("after")))
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	if l.Count() != 1 || l.Online()[0].Session.ID != "after" {
		t.Errorf("open are %+v", l.Online())
	}
	if n := l.Stats().Commits; n != 3 || told != 6 {
		t.Errorf("%d commits, told %d changes", n, told)
	}
}

// TestDecision: what the decision gave stays where a later report does not know it.
func TestDecision(t *testing.T) {
	t.Parallel()
	changed := func(s *member.Session) { s.Plan, s.Decision = "day", "0198c0de-0000-7000-8000-000000000002" }
	owned := func(s *member.Session) { s.Plan, s.VLAN, s.Decision = "", "", "" }
	for _, test := range []struct {
		name        string
		reports     []*member.Session
		login, plan string
	}{
		{"known, then not", []*member.Session{says(member.Start, 0), says(member.Interim, time.Minute, undecided)}, "ann@example.com", "hot-desk"},
		{"not known, then known", []*member.Session{says(member.Interim, time.Minute, undecided), says(member.Start, 0)}, "ann@example.com", "hot-desk"},
		{"known, then whose device it is", []*member.Session{says(member.Start, 0), says(member.Interim, time.Minute, owned)}, "ann@example.com", "hot-desk"},
		{"whose device it is, then known", []*member.Session{says(member.Interim, time.Minute, owned), says(member.Start, 0)}, "ann@example.com", "hot-desk"},
		{"never known", []*member.Session{says(member.Start, 0, undecided), says(member.Interim, time.Minute, undecided)}, "Ann@Example.com", ""},
		{"a new one", []*member.Session{says(member.Start, 0), says(member.Interim, time.Minute, changed)}, "ann@example.com", "day"},
		{"an older one late", []*member.Session{says(member.Interim, time.Minute, changed), says(member.Start, 0)}, "ann@example.com", "day"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l, _ := open(t, t.TempDir(), nil)
			record(t, l, test.reports...)
			if s := only(t, l); s.Login != test.login || s.Plan != test.plan {
				t.Errorf("login %q with plan %q", s.Login, s.Plan)
			}
		})
	}
}

// TestLatest: a session is as its latest report describes it, whenever that comes.
func TestLatest(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	told := func(vlanPort uint32, ssid string) saying {
		return func(s *member.Session) { s.Port, s.HasPort, s.SSID = vlanPort, true, ssid }
	}
	record(t, l, says(member.Start, 0, told(1, "first")), says(member.Interim, 20*time.Minute, told(3, "")), says(member.Interim, 10*time.Minute, told(2, "second")))
	s := only(t, l)
	if s.Port != 3 || s.SSID != "first" || s.Event != member.Interim || s.At != noon().Add(20*time.Minute) {
		t.Errorf("port %d, SSID %q, %v at %v", s.Port, s.SSID, s.Event, s.At)
	}
}

// TestNASStartsInTheSameSecond: Event-Timestamp has whole seconds. Of a Start and
// an Accounting-On that bear the same one, the order in which they came counts.
func TestNASStartsInTheSameSecond(t *testing.T) {
	t.Parallel()
	came := func(late time.Duration) func(*member.Session) {
		return func(s *member.Session) { s.Received = noon().Add(late) }
	}
	for _, test := range []struct {
		what  string
		first bool
		open  int
	}{{"the Start came first", true, 0}, {"the Accounting-On came first", false, 1}} {
		l, _ := open(t, t.TempDir(), nil)
		start, on := says(member.Start, 0, came(0)), says(member.NASOn, 0, called(""), came(time.Millisecond))
		if !test.first {
			on.Received, start.Received = start.Received, on.Received
			start, on = on, start
		}
		record(t, l, start, on)
		if n := l.Count(); n != test.open {
			t.Errorf("%s: %d are open, want %d", test.what, n, test.open)
		}
	}
}
