package store_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
)

// attempts returns the reasons of the attempts of a filter, in their order.
func attempts(t *testing.T, s *store.Store, f store.PortalFilter, most int) string {
	t.Helper()
	all, err := s.PortalLog(t.Context(), &f, most)
	if err != nil {
		t.Fatal(err)
	}
	reasons := make([]string, len(all))
	for i := range all {
		reasons[i] = all[i].Reason
	}
	return strings.Join(reasons, " ")
}

func note(t *testing.T, s *store.Store, e store.PortalEntry) *store.PortalEntry {
	t.Helper()
	if err := s.NotePortal(t.Context(), &e); err != nil {
		t.Fatal(err)
	}
	return &e
}

func TestPortalLog(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	want := note(t, s, store.PortalEntry{
		At: now.Add(-1500 * time.Microsecond), Site: "berlin", MAC: phone, IP: "192.0.2.7", Login: "Anna@Example.com", Method: "password", Backend: "coworks",
		Status: 401, Took: 123*time.Millisecond + 400*time.Microsecond, Outcome: "denied", Reason: "wrong_password", PageID: 77,
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, dir, &now)
	all, err := s.PortalLog(t.Context(), &store.PortalFilter{}, 0)
	if err != nil || len(all) != 1 || !reflect.DeepEqual(&all[0], want) || want.ID == "" || want.Took != 123*time.Millisecond || !want.At.Equal(now.Add(-2*time.Millisecond)) {
		t.Errorf("got  %+v, %v\nwant %+v", all, err, want)
	}
	// What a stranger types.
	e := note(t, s, store.PortalEntry{Login: " a\nb\u202e" + strings.Repeat("ü", 200), Reason: strings.Repeat("x", 5000), IP: "\xff"})
	if strings.ContainsAny(e.Login, "\n\u202e") || len(e.Login) > member.MaxLogin || len(e.Reason) > 1010 || e.IP != "\ufffd" || !e.At.Equal(now) {
		t.Errorf("%+v", e)
	}
}

func TestPortalLogIsListed(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	var ids []string
	for i := range 6 {
		e := note(t, s, store.PortalEntry{
			Site: []string{"berlin", "hamburg"}[i%2], MAC: fmt.Sprintf("02:00:00:00:00:0%d", i%3), Login: []string{"Anna", "anna", "bob"}[i%3],
			Method: []string{"password", "voucher"}[i/3], Backend: []string{"", "coworks"}[i/4], Outcome: []string{"allowed", "denied"}[i/5], Reason: fmt.Sprint(i),
		})
		ids = append(ids, e.ID)
		now = now.Add(time.Second)
	}
	for want, f := range map[string]store.PortalFilter{
		"5 4 3 2 1 0": {}, "4 2 0": {Site: "berlin"}, "4 1": {MAC: tablet[:15] + "01"}, "4 3 1 0": {Login: "ANNA"}, "5 2": {Login: "bob"},
		"5 4 3": {Method: "voucher"}, "5 4": {Backend: "coworks"}, "5": {Outcome: "denied"}, "3 2": {Since: newYear.Add(2 * time.Second), Until: newYear.Add(4 * time.Second)},
		"1 0": {Before: ids[2]}, "": {Site: "berlin", Outcome: "denied"},
	} {
		if got := attempts(t, s, f, 0); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
	if got := attempts(t, s, store.PortalFilter{Site: "berlin"}, 2); got != "4 2" {
		t.Errorf("at most two: %s", got)
	}
	now = newYear.Add(30*24*time.Hour + 2*time.Second)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := attempts(t, s, store.PortalFilter{}, 0); got != "5 4 3" {
		t.Errorf("after 30 days: %s", got)
	}
}
