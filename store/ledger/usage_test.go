package ledger_test

import (
	"slices"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store/ledger"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	bob := func(s *member.Session) { s.User, s.Login, s.ID, s.Plan = "bob", "Bob", "b", "day" }
	record(t, l, says(member.Start, 0), says(member.Interim, time.Hour, input(100), lasted(time.Hour)),
		says(member.Interim, 13*time.Hour, input(150), lasted(13*time.Hour)), says(member.Stop, 36*time.Hour, input(200), lasted(36*time.Hour)),
		says(member.Stop, 40*time.Hour, bob, input(7)))
	const first, second, third = "2026-03-02", "2026-03-03", "2026-03-04"
	for _, test := range []struct {
		name  string
		query ledger.UsageQuery
		want  []ledger.Usage
	}{
		{"all", ledger.UsageQuery{}, []ledger.Usage{
			{Login: "ann@example.com", Backend: "members", Plan: "hot-desk", Day: third, Input: 50, Duration: 23 * time.Hour},
			{Login: "Bob", Backend: "members", Plan: "day", Day: third, Input: 7, Sessions: 1},
			{Login: "ann@example.com", Backend: "members", Plan: "hot-desk", Day: second, Input: 50, Duration: 12 * time.Hour},
			{Login: "ann@example.com", Backend: "members", Plan: "hot-desk", Day: first, Input: 100, Duration: time.Hour, Sessions: 1},
		}},
		{"login", ledger.UsageQuery{Login: "BOB"}, []ledger.Usage{{Login: "Bob", Backend: "members", Plan: "day", Day: third, Input: 7, Sessions: 1}}},
		{"plan and days", ledger.UsageQuery{Plan: "hot-desk", From: second, Until: second}, []ledger.Usage{
			{Login: "ann@example.com", Backend: "members", Plan: "hot-desk", Day: second, Input: 50, Duration: 12 * time.Hour},
		}},
		{"none", ledger.UsageQuery{Login: "carol"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, most := range []int{0, 1, 2} {
				q, got := test.query, []ledger.Usage(nil)
				q.Most = most
				for {
					page, err := l.Usage(t.Context(), q)
					if err != nil {
						t.Fatal(err)
					}
					if got = append(got, page...); len(page) == 0 || most == 0 {
						break
					}
					q.After = page[len(page)-1].Cursor()
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("by %d: got\n%+v, want\n%+v", most, got, test.want)
				}
			}
		})
	}
	for _, q := range []ledger.UsageQuery{{From: "2.3.2026"}, {Until: "x"}, {Most: 1001}, {After: "x"}} {
		if _, err := l.Usage(t.Context(), q); err == nil {
			t.Errorf("%+v is read", q)
		}
	}
}

func TestForgetUsage(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	offer(t, l, 250, func(i int) *member.Session {
		s := visit(i, member.Stop, noon().Add(time.Duration(i)*24*time.Hour))
		s.Input = 5
		return s
	})
	if n, err := l.ForgetUsage(t.Context(), noon().Add(200*24*time.Hour).Format(time.DateOnly)); n != 200 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if u, err := l.Usage(t.Context(), ledger.UsageQuery{Most: 1000}); err != nil || len(u) != 50 {
		t.Errorf("%d rows are left, %v", len(u), err)
	}
	if _, err := l.ForgetUsage(t.Context(), "yesterday"); err == nil {
		t.Error("forgot before yesterday")
	}
}

// TestUsed: day, week and month begin where the site is, also after a restart.
func TestUsed(t *testing.T) {
	t.Parallel()
	lisbon, berlin := time.FixedZone("lisbon", 0), time.FixedZone("berlin", 3600)
	dir, now := t.TempDir(), time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)
	reopen := func() *ledger.Ledger {
		l, err := ledger.Open(t.Context(), ledger.Config{Dir: dir, Now: func() time.Time { return now }, Zone: func(site string) *time.Location {
			return map[string]*time.Location{"lisbon": lisbon, "berlin": berlin}[site]
		}})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	at := func(id, site string, month time.Month, day, hour int, octets uint64) *member.Session {
		when := time.Date(2026, month, day, hour, 30, 0, 0, time.UTC)
		return says(member.Stop, 0, called(id), input(octets), lasted(time.Duration(octets)*time.Second),
			func(s *member.Session) { s.Site, s.At, s.Received = site, when, when })
	}
	l := reopen()
	record(t, l,
		at("today", "lisbon", 3, 6, 9, 1), at("late on thursday", "lisbon", 3, 5, 23, 10), at("late on thursday, but friday there", "berlin", 3, 5, 23, 100),
		at("monday", "lisbon", 3, 2, 0, 1000), at("sunday", "lisbon", 3, 1, 23, 10_000), at("last month", "lisbon", 2, 28, 12, 100_000),
		at("half a year ago", "lisbon", 1, 1, 12, 1_000_000))
	check := func(when string) {
		t.Helper()
		for _, test := range []struct {
			now              time.Time
			site             string
			day, week, month uint64
		}{
			{now, "lisbon", 101, 1111, 11_111},
			{time.Date(2026, 3, 8, 23, 30, 0, 0, time.UTC), "lisbon", 0, 1111, 11_111},
			{time.Date(2026, 3, 8, 23, 30, 0, 0, time.UTC), "berlin", 0, 0, 11_111},
			{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), "lisbon", 10_000, 110_000, 11_111},
			{time.Date(2026, 3, 31, 23, 30, 0, 0, time.UTC), "berlin", 0, 0, 0},
		} {
			day, week, month := l.Used("ANN@example.com", test.site, test.now)
			if day.Octets != test.day || week.Octets != test.week || month.Octets != test.month || month.Time != time.Duration(test.month)*time.Second {
				t.Errorf("%s, at %v in %s: %+v, %+v, %+v", when, test.now, test.site, day, week, month)
			}
		}
	}
	check("at once")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = reopen()
	check("after a restart")
	if _, err := l.Sweep(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	check("after a sweep")
	if _, err := l.Sweep(t.Context(), now.AddDate(0, 3, 0)); err != nil {
		t.Fatal(err)
	}
	if _, _, month := l.Used("ann@example.com", "lisbon", now); month.Octets != 0 {
		t.Error("nothing is forgotten")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestUsedAllocatesNothing: it is asked at every login. Not parallel, since it counts.
func TestUsedAllocatesNothing(t *testing.T) {
	l, _ := open(t, t.TempDir(), nil)
	record(t, l, says(member.Stop, 0, input(5)))
	if n := testing.AllocsPerRun(100, func() { l.Used("Ann@example.com", "berlin", noon()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
