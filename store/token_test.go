package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
)

func newToken(t *testing.T, s *store.Store, name string) (member.Secret, error) {
	t.Helper()
	_, secret, err := s.CreateToken(t.Context(), name, []string{"members:read", "sync"}, time.Time{})
	return secret, err
}

// drop takes a table away behind the store's back.
func drop(t *testing.T, dir, table string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "memberradius.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), `DROP TABLE `+table); err != nil {
		t.Fatal(err)
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	made, secret, err := s.CreateToken(t.Context(), "zapier", []string{"members:read", "sync"}, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	other, err := newToken(t, s, "other")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(secret), "mr_"+strings.ReplaceAll(made.ID, "-", "")+"_") {
		t.Error("the token does not begin with mr_ and its id")
	}
	got, err := s.FindToken(t.Context(), secret)
	if err != nil || got.ID != made.ID || got.Name != "zapier" || fmt.Sprint(got.Scopes) != "[members:read sync]" ||
		!got.Created.Equal(newYear) || !got.Expires.Equal(newYear.Add(time.Hour)) || !got.Revoked.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	// Another's id with one's own secret, and neither in the files.
	mixed := string(other)[:36] + string(secret)[36:]
	for _, bad := range []string{"", "mr_", string(secret) + "x", string(secret)[3:], strings.ToUpper(string(secret)), mixed, string(secret)[:70] + "AAAAAAAAA", string(aLink)} {
		if got, err := s.FindToken(t.Context(), member.Secret(bad)); !errors.Is(err, store.ErrNoToken) || got != nil || err.Error() != "no such token" {
			t.Errorf("%q: %v, %v", bad, got, err)
		}
	}
	absent(t, dir, string(secret), string(secret)[36:], string(other)[36:])
	now = now.Add(time.Hour)
	if _, err := s.FindToken(t.Context(), secret); !errors.Is(err, store.ErrNoToken) {
		t.Errorf("one that has run out: %v", err)
	}
	if _, err := s.FindToken(t.Context(), other); err != nil {
		t.Errorf("one that does not run out: %v", err)
	}
	if err := s.RevokeToken(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.FindToken(t.Context(), other); !errors.Is(err, store.ErrNoToken) {
		t.Errorf("one that was revoked: %v", err)
	}
	for _, name := range []string{"other", "nobody", ""} {
		if err := s.RevokeToken(t.Context(), name); !errors.Is(err, store.ErrNoToken) {
			t.Errorf("revoke %q: %v", name, err)
		}
	}
	all, err := s.Tokens(t.Context())
	if err != nil || len(all) != 2 || all[0].Name+all[1].Name != "otherzapier" && all[0].Name+all[1].Name != "zapierother" {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, tk := range all {
		if tk.Name == "other" && !tk.Revoked.Equal(now) || tk.Name == "zapier" && !tk.Revoked.IsZero() {
			t.Errorf("%+v", tk)
		}
	}
}

func TestTokenNames(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	made, _, err := s.CreateToken(t.Context(), "zapier", []string{"sync"}, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newToken(t, s, "zapier"); !errors.Is(err, store.ErrTokenExists) {
		t.Errorf("a name twice: %v", err)
	}
	now = now.Add(time.Hour) // it has run out
	if _, err := newToken(t, s, "zapier"); err != nil {
		t.Errorf("a name that is free again: %v", err)
	}
	if err := s.RevokeToken(t.Context(), "zapier"); err != nil {
		t.Fatal(err)
	}
	if _, err := newToken(t, s, "zapier"); err != nil {
		t.Errorf("a name after its token was revoked: %v", err)
	}
	if err := s.RevokeToken(t.Context(), made.ID); !errors.Is(err, store.ErrNoToken) {
		t.Errorf("one that has ended is revoked: %v", err)
	}
	good := []string{"sync"}
	for _, c := range []struct {
		name   string
		scopes []string
		until  time.Time
		says   string
	}{
		{"", good, time.Time{}, "name"},
		{made.ID, good, time.Time{}, "no id"},
		{" x", good, time.Time{}, "space"},
		{"x", nil, time.Time{}, "scopes"},
		{"x", []string{""}, time.Time{}, "scope"},
		{"x", []string{"a b"}, time.Time{}, "one word"},
		{"x", good, now, "run out"},
	} {
		_, secret, err := s.CreateToken(t.Context(), c.name, c.scopes, c.until)
		if says(t, err, c.says); secret != "" {
			t.Errorf("%+v: a secret besides an error", c)
		}
	}
}

// TestTokenUse wants the last use to be known to the minute, and a store that
// can't write it down to find the token none the less.
func TestTokenUse(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	secret, err := newToken(t, s, "x")
	if err != nil {
		t.Fatal(err)
	}
	find := func() time.Time {
		t.Helper()
		if _, err := s.FindToken(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		all, err := s.Tokens(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all[0].Used
	}
	for _, c := range []struct{ after, want time.Duration }{
		{0, 0}, {time.Minute - time.Millisecond, 0}, {time.Millisecond, time.Minute}, {time.Second, time.Minute}, {time.Hour, time.Hour + time.Minute + time.Second},
	} {
		now = now.Add(c.after)
		if used := find(); !used.Equal(newYear.Add(c.want)) {
			t.Errorf("at %v it was used at %v, want %v", now, used, newYear.Add(c.want))
		}
	}
	last := now
	now = now.Add(time.Hour)
	err = s.Shelf().Change(context.Background(), club, func(putFunc, forgetFunc) error { // another writes
		if used := find(); !used.Equal(last) {
			t.Errorf("written beside a writer: %v", used)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if used := find(); !used.Equal(now) {
		t.Errorf("and not after: %v", used)
	}
	now = now.Add(-24 * time.Hour) // a clock that was set back
	if used := find(); used.IsZero() {
		t.Error("the last use is lost")
	}
}

// rows counts the rows of tables.
func rows(t *testing.T, dir string, tables ...string) []int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "memberradius.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	all := make([]int, len(tables))
	for i, table := range tables {
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&all[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
