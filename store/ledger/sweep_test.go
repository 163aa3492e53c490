package ledger_test

import (
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store/ledger"
)

// TestSweep: a session is over when it has been silent for so long.
func TestSweep(t *testing.T) {
	t.Parallel()
	told := func(d time.Duration) saying { return func(s *member.Session) { s.Interim = d } }
	until := func(d time.Duration) saying { return func(s *member.Session) { s.Timeout = d } }
	slow := func(s *member.Session) { s.At = s.At.Add(-5 * time.Hour) } // its NAS's clock
	tests := []struct {
		name    string
		reports []*member.Session
		after   time.Duration // noon
		ended   time.Time
	}{
		{"told every 10 minutes", []*member.Session{says(member.Start, 0, told(10*time.Minute))}, 30 * time.Minute, noon()},
		{"told every 10 minutes, heard of later", []*member.Session{says(member.Start, 0, told(10*time.Minute)), says(member.Interim, 20*time.Minute)},
			50 * time.Minute, noon().Add(20 * time.Minute)},
		{"told, but reports less often", []*member.Session{says(member.Start, 0, told(time.Minute)), says(member.Interim, 10*time.Minute), says(member.Interim, 20*time.Minute)},
			50 * time.Minute, noon().Add(20 * time.Minute)},
		{"not told, seen every 5 minutes", []*member.Session{says(member.Start, 0), says(member.Interim, 5*time.Minute), says(member.Interim, 10*time.Minute)},
			25 * time.Minute, noon().Add(10 * time.Minute)},
		{"not told, an extra one between", []*member.Session{says(member.Interim, 5*time.Minute), says(member.Interim, 10*time.Minute), says(member.Interim, 10*time.Minute+time.Second)},
			25*time.Minute + time.Second, noon().Add(10*time.Minute + time.Second)},
		{"not told, one interim", []*member.Session{says(member.Interim, time.Hour)}, 25 * time.Hour, noon().Add(time.Hour)},
		{"not told, seen once a day", []*member.Session{says(member.Interim, time.Hour), says(member.Interim, 25*time.Hour)}, 49 * time.Hour, noon().Add(25 * time.Hour)},
		{"never an interim", []*member.Session{says(member.Start, 0)}, 24 * time.Hour, noon()},
		{"never an interim, but a timeout", []*member.Session{says(member.Start, 0, until(2*time.Hour))}, 2*time.Hour + 5*time.Minute, noon()},
		{"a NAS with a slow clock", []*member.Session{says(member.Start, 0, told(10*time.Minute), slow)}, 30 * time.Minute, noon().Add(-5 * time.Hour)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l, _ := open(t, dir, nil)
			record(t, l, test.reports...)
			if err := l.Close(); err != nil { // what it goes by must outlive a restart
				t.Fatal(err)
			}
			l, _ = open(t, dir, nil)
			if n, err := l.Sweep(t.Context(), noon().Add(test.after-time.Second)); n != 0 || err != nil {
				t.Fatalf("a second early: %d, %v", n, err)
			}
			if n, err := l.Sweep(t.Context(), noon().Add(test.after)); n != 1 || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
			if s := only(t, l); s.Closed != ledger.Silent || s.Ended != test.ended || l.Count() != 0 {
				t.Errorf("closed %q, ended %v", s.Closed, s.Ended)
			}
		})
	}
}

// TestSweptReturns: silence is our guess, and the NAS knows better.
func TestSweptReturns(t *testing.T) {
	t.Parallel()
	swept := func(t *testing.T) *ledger.Ledger {
		l, _ := open(t, t.TempDir(), nil)
		record(t, l, says(member.Start, 0), says(member.Interim, time.Hour, input(5)))
		if n, err := l.Sweep(t.Context(), noon().Add(48*time.Hour)); n != 1 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		return l
	}
	t.Run("interim", func(t *testing.T) {
		t.Parallel()
		l := swept(t)
		record(t, l, says(member.Interim, 30*time.Minute, input(4)))
		if s := only(t, l); s.Open() {
			t.Error("an interim from before its end opened it")
		}
		record(t, l, says(member.Interim, 2*time.Hour, input(7)))
		if s := only(t, l); !s.Open() || s.Closed != "" || s.Input != 7 || l.Count() != 1 {
			t.Errorf("not open: %+v", s)
		}
	})
	t.Run("stop", func(t *testing.T) {
		t.Parallel()
		l := swept(t)
		record(t, l, says(member.Stop, 2*time.Hour, input(7), because("Lost-Carrier")))
		if s := only(t, l); s.Closed != ledger.ByStop || s.Input != 7 || s.Cause != "Lost-Carrier" || s.Ended != noon().Add(2*time.Hour) {
			t.Errorf("ended as %+v", s)
		}
	})
	t.Run("another", func(t *testing.T) {
		t.Parallel()
		l := swept(t)
		record(t, l, says(member.Start, 3*time.Hour), says(member.Interim, 2*time.Hour, input(6)))
		if found := all(t, l); len(found) != 2 || found[1].Closed != ledger.Silent || found[1].Input != 6 || l.Count() != 1 {
			t.Errorf("found %+v", found)
		}
	})
}

// TestSweepMany: more than one transaction's worth go, and those that live stay.
func TestSweepMany(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	const many = 250
	offer(t, l, many, func(i int) *member.Session { return visit(i, member.Start, noon()) })
	offer(t, l, many/2, func(i int) *member.Session { return visit(i, member.Interim, noon().Add(20*time.Minute)) })
	n, err := l.Sweep(t.Context(), noon().Add(30*time.Minute))
	if n != many/2 || err != nil || l.Count() != many/2 {
		t.Errorf("%d closed, %d open, %v", n, l.Count(), err)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	const many = 250
	offer(t, l, many, func(i int) *member.Session { return visit(i, member.Stop, noon().Add(time.Duration(i)*time.Minute)) })
	record(t, l, says(member.Start, -24*time.Hour), says(member.Start, 0, called("late")), says(member.Stop, 240*time.Minute, called("late"), input(3)))
	for id, after := range map[string]time.Duration{"old": 0, "new": 220 * time.Minute} {
		if err := l.NoteAttempt(t.Context(), &ledger.Attempt{ID: id, Session: "gone", Kind: ledger.KindCoA, At: noon().Add(after)}); err != nil {
			t.Fatal(err)
		}
	}
	n, err := l.Forget(t.Context(), noon().Add(200*time.Minute))
	if n != 200 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if left := len(all(t, l)); left != many-200+2 || l.Count() != 1 {
		t.Errorf("%d sessions are left, %d open", left, l.Count())
	}
	if a, err := l.Attempts(t.Context(), "gone"); err != nil || len(a) != 1 || a[0].ID != "new" {
		t.Errorf("attempts left: %+v, %v", a, err)
	}
	if u, err := l.Usage(t.Context(), ledger.UsageQuery{}); err != nil || len(u) != 1 {
		t.Errorf("usage left: %+v, %v", u, err)
	}
	// Its key is free again.
	record(t, l, visit(0, member.Stop, noon()))
	if left := len(all(t, l)); left != many-200+3 {
		t.Errorf("%d sessions", left)
	}
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	l, c := open(t, t.TempDir(), nil)
	record(t, l, says(member.Start, 0))
	session := only(t, l).ID
	second := ledger.Attempt{Session: session, At: noon().Add(time.Minute), Kind: ledger.KindDisconnect, Why: "contract ended", Target: "192.0.2.1:3799"}
	first := ledger.Attempt{Session: session, At: noon(), Kind: ledger.KindCoA, Why: "plan changed", Target: "192.0.2.1:3799", Result: ledger.ResultNAK,
		ErrorCause: 503, Sends: 2, Took: 1234 * time.Microsecond}
	for _, a := range []*ledger.Attempt{&second, &first} {
		if err := l.NoteAttempt(t.Context(), a); err != nil || len(a.ID) != 36 {
			t.Fatalf("%q, %v", a.ID, err)
		}
	}
	second.Result, second.Sends, second.Took = ledger.ResultACK, 1, 40*time.Millisecond
	if err := l.NoteAttempt(t.Context(), &second); err != nil {
		t.Fatal(err)
	}
	got, err := l.Attempts(t.Context(), session)
	if err != nil || len(got) != 2 || got[0] != first || got[1] != second {
		t.Errorf("got\n%+v, %v\nwant\n%+v\n%+v", got, err, first, second)
	}
	c.set(noon().Add(2 * time.Minute))
	record(t, l, says(member.Stop, 2*time.Minute))
	if got, err = l.Attempts(t.Context(), session); err != nil || got[1].Gone != noon().Add(2*time.Minute) || !got[0].Gone.IsZero() {
		t.Errorf("after the stop %+v, %v", got, err)
	}
	for _, a := range []*ledger.Attempt{{Kind: ledger.KindCoA}, {Session: session}} {
		if l.NoteAttempt(t.Context(), a) == nil {
			t.Errorf("%+v is noted", a)
		}
	}
}

// TestChangedByCoA: what a NAS has acknowledged is what the session has, for those who
// look and after a restart; the report that follows says what it began with.
func TestChangedByCoA(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var told []ledger.Session
	l, _ := open(t, dir, func(c ledger.Change) { told = append(told, *c.Session) })
	record(t, l, says(member.Start, 0), says(member.Start, 0, called("5F00-2"), input(7)), says(member.Stop, time.Second, called("5F00-2")))
	change := func(session, kind, result string) {
		t.Helper()
		if err := l.NoteAttempt(t.Context(), &ledger.Attempt{Session: session, At: noon(), Kind: kind, Result: result, Plan: "day", VLAN: "40"}); err != nil {
			t.Fatal(err)
		}
	}
	open1, over := l.Online()[0].ID, all(t, l)[0].ID
	began := len(told)
	change(over, ledger.KindCoA, ledger.ResultACK)
	change("0198c0de-0000-7000-8000-00000000000f", ledger.KindCoA, ledger.ResultACK)
	change(open1, ledger.KindCoA, ledger.ResultNAK)
	change(open1, ledger.KindDisconnect, ledger.ResultACK)
	if s := l.Online()[0]; s.Plan != "hot-desk" || s.VLAN != "30" || len(told) != began {
		t.Fatalf("plan %q, VLAN %q, told %d times", s.Plan, s.VLAN, len(told)-began)
	}
	change(open1, ledger.KindCoA, ledger.ResultACK)
	if len(told) != began+1 || told[began].Plan != "day" || told[began].Updated != noon() {
		t.Errorf("told %+v", told[began:])
	}
	record(t, l, says(member.Interim, 30*time.Second, input(9)))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, _ = open(t, dir, nil)
	if s := l.Online()[0]; s.ID != open1 || s.Plan != "day" || s.VLAN != "40" || s.Input != 9 || len(all(t, l)) != 2 {
		t.Errorf("after a restart %+v", s)
	}
	next := says(member.Interim, time.Minute)
	next.Decision = "0198c0de-0000-7000-8000-000000000002"
	record(t, l, next)
	if s := l.Online()[0]; s.Plan != "hot-desk" || s.VLAN != "30" {
		t.Errorf("after another decision: plan %q, VLAN %q", s.Plan, s.VLAN)
	}
}
