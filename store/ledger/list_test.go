package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store/ledger"
)

// filled returns a ledger of n sessions, a minute apart, of which every fifth is open.
func filled(tb testing.TB, n int) *ledger.Ledger {
	tb.Helper()
	l, _ := open(tb, tb.TempDir(), nil)
	offer(tb, l, n, func(i int) *member.Session { return visit(i, member.Start, noon().Add(time.Duration(i)*time.Minute)) })
	offer(tb, l, n, func(i int) *member.Session {
		s := visit(i, member.Stop, noon().Add(time.Duration(i)*time.Minute+time.Hour))
		if i%5 == 0 {
			s.Event = member.Interim
		}
		s.Duration, s.Input = time.Hour, 1000
		return s
	})
	return l
}

// pages reads all pages of a filter.
func pages(t *testing.T, l *ledger.Ledger, f ledger.Filter) (found []ledger.Session, sizes []int) {
	t.Helper()
	for {
		page, next, err := l.List(t.Context(), &f)
		if err != nil {
			t.Fatal(err)
		}
		found, sizes = append(found, page...), append(sizes, len(page))
		if next == "" {
			return found, sizes
		}
		f.Before = next
	}
}

// TestList: every filter, alone and with others, finds what a look at every
// session would, the newest first, in pages that neither overlap nor leave gaps.
func TestList(t *testing.T) {
	t.Parallel()
	l := filled(t, 500)
	every := all(t, l)
	if len(every) != 500 {
		t.Fatalf("%d sessions", len(every))
	}
	yes, no := true, false
	some := every[100]
	filters := map[string]ledger.Filter{
		"all": {}, "open": {Online: &yes}, "ended": {Online: &no}, "login": {Login: strings.ToUpper(some.Login)}, "mac": {MAC: some.StationMAC},
		"client": {Client: "floor"}, "no client": {Client: "roof"}, "site": {Site: "lisbon"}, "plan": {Plan: "day"},
		"from": {From: noon().Add(100 * time.Minute)}, "until": {Until: noon().Add(100 * time.Minute)},
		"between":       {From: noon().Add(100 * time.Minute), Until: noon().Add(200 * time.Minute)},
		"open of login": {Login: every[0].Login, Online: &yes}, "ended of mac": {MAC: some.StationMAC, Online: &no},
		"plan and site": {Plan: "day", Site: "berlin"}, "client and plan, ended": {Client: "floor", Plan: "guest", Online: &no},
		"login and other mac": {Login: some.Login, MAC: every[101].StationMAC},
		"all of them":         {Login: some.Login, MAC: some.StationMAC, Client: "floor", Site: some.Site, Plan: some.Plan, From: noon(), Until: noon().Add(24 * time.Hour)},
	}
	for name, f := range filters {
		for _, most := range []int{0, 7, 1000} {
			t.Run(fmt.Sprintf("%s by %d", name, most), func(t *testing.T) {
				t.Parallel()
				f := f
				f.Most = most
				var want []ledger.Session
				for _, s := range every {
					if fits(&f, &s) {
						want = append(want, s)
					}
				}
				got, sizes := pages(t, l, f)
				if !slices.Equal(got, want) {
					t.Errorf("%d sessions in pages of %v, want %d", len(got), sizes, len(want))
				}
				if m := max(most, 1); slices.Max(sizes) > m && most != 0 || slices.Max(sizes) > 100 && most == 0 {
					t.Errorf("pages of %v", sizes)
				}
			})
		}
	}
	if !slices.IsSortedFunc(every, func(a, b ledger.Session) int { return b.Started.Compare(a.Started) }) {
		t.Error("not the newest first")
	}
}

// fits is a filter in its simplest words.
func fits(f *ledger.Filter, s *ledger.Session) bool {
	return (f.Login == "" || strings.EqualFold(f.Login, s.Login)) && (f.MAC == "" || f.MAC == s.StationMAC) &&
		(f.Client == "" || f.Client == s.Client) && (f.Site == "" || f.Site == s.Site) && (f.Plan == "" || f.Plan == s.Plan) &&
		(f.Online == nil || *f.Online == s.Ended.IsZero()) &&
		(f.From.IsZero() || !s.Started.Before(f.From)) && (f.Until.IsZero() || s.Started.Before(f.Until))
}

// TestListShortPages: where conditions together fit few of many, a page is short
// rather than slow, and the next one goes on.
func TestListShortPages(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	const many = 3200
	offer(t, l, many, func(i int) *member.Session {
		s := visit(i, member.Stop, noon().Add(time.Duration(i)*time.Second))
		if s.Plan = "common"; i == 0 || i == many-1 {
			s.Site = "rare"
		}
		return s
	})
	record(t, l, says(member.Start, -time.Hour, func(s *member.Session) { s.Plan, s.Site = "common", "rare" }))
	found, sizes := pages(t, l, ledger.Filter{Plan: "common", Site: "rare"})
	if len(found) != 3 || !slices.Equal(sizes, []int{1, 2}) {
		t.Errorf("%d sessions in pages of %v", len(found), sizes)
	}
}

func TestListRefuses(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	for _, f := range []ledger.Filter{{Most: -1}, {Most: 1001}, {Before: "5F00-1"}} {
		if _, _, err := l.List(t.Context(), &f); err == nil {
			t.Errorf("%+v is listed", f)
		}
	}
}

// TestListFromForgotten: a cursor holds when its session is forgotten.
func TestListFromForgotten(t *testing.T) {
	t.Parallel()
	l, c := open(t, t.TempDir(), nil)
	for i := range 3 {
		at := time.Duration(i) * time.Hour
		c.set(noon().Add(at))
		record(t, l, says(member.Start, at, called(fmt.Sprint(i))))
	}
	record(t, l, says(member.Stop, 3*time.Hour, called("1")))
	_, next, err := l.List(t.Context(), &ledger.Filter{Most: 2})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := l.Forget(t.Context(), noon().Add(4*time.Hour)); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	found, _, err := l.List(t.Context(), &ledger.Filter{Before: next})
	if err != nil || len(found) != 1 || found[0].Session.ID != "0" {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestEachStops(t *testing.T) {
	t.Parallel()
	l := filled(t, 30)
	enough, n := errors.New("enough"), 0
	err := l.Each(t.Context(), &ledger.Filter{}, func(*ledger.Session) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 3 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	record(t, l, says(member.Start, 0), says(member.Start, 0, by("ap-2")), says(member.Start, 0, called("one")), says(member.Start, 0, called("one"), by("ap-2")),
		says(member.Stop, time.Hour, called("one"), by("ap-2")))
	for _, s := range all(t, l) {
		got, err := l.Find(t.Context(), s.ID)
		if err != nil || *got != s {
			t.Errorf("by id %s: %+v, %v", s.ID, got, err)
		}
	}
	if got, err := l.Find(t.Context(), "one"); err != nil || got.NAS != "ap-1" {
		t.Errorf("by the id that one open session has: %+v, %v", got, err)
	}
	if _, err := l.Find(t.Context(), "5F00-1"); !errors.Is(err, ledger.ErrSeveral) {
		t.Errorf("by the id that two have: %v", err)
	}
	known := all(t, l)[0].ID
	other := known[:len(known)-1] + map[bool]string{true: "1", false: "0"}[known[len(known)-1] == '0']
	for _, name := range []string{"", "none", other, strings.ToUpper("0198c0de-0000-7000-8000-00000000000g")} {
		if _, err := l.Find(t.Context(), name); !errors.Is(err, ledger.ErrUnknown) {
			t.Errorf("by %q: %v", name, err)
		}
	}
}
