//go:build linux

package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
	"memberradius/store/ledger"
)

// TestKeptPages: a page of each filter, out of a small ledger.
func TestKeptPages(t *testing.T) {
	t.Parallel()
	pages, err := testRun(t).keepPages(t.Context(), keptSize{sessions: 500, open: 50, tries: 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(pages.took) != len(keptFilters(time.Time{}, "")) || pages.slowest() <= 0 {
		t.Errorf("%+v", pages)
	}
	for name, took := range pages.took {
		if len(took) != 2 || percentile(took, 100) > pages.slowest() {
			t.Errorf("%s: %v", name, took)
		}
	}
	if text := pages.table(); !strings.Contains(text, "out of 500 sessions") || strings.Count(text, "\n") != 2+len(pages.took) {
		t.Errorf("%s", text)
	}
}

// TestKeptFilters: each finds sessions but the last, and indexes are there again.
func TestKeptFilters(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	l, err := ledger.Open(ctx, ledger.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	before := indexNames(t, l)
	begin := time.Now().Add(-300 * keptEvery)
	if err := withoutIndexes(ctx, l.Path(), func() error {
		if names := indexNames(t, l); len(names) != 0 {
			t.Errorf("while it is filled, there is %v", names)
		}
		return fillLedger(ctx, l, 300, func(n int) *member.Session {
			if n < 200 {
				return keptSession(n, begin, member.Stop)
			}
			return keptSession(n, begin, member.Start)
		})
	}); err != nil {
		t.Fatal(err)
	}
	if after := indexNames(t, l); len(before) == 0 || !slices.Equal(before, after) {
		t.Errorf("indexes %v before, %v then", before, after)
	}
	half, _, err := l.List(ctx, &ledger.Filter{Until: begin.Add(150 * keptEvery), Most: 1})
	if err != nil || len(half) != 1 {
		t.Fatal(half, err)
	}
	filters := keptFilters(begin, half[0].ID)
	for i, f := range filters {
		filter := f.filter(0)
		page, _, err := l.List(ctx, &filter)
		if err != nil || (len(page) > 0) != (i < len(filters)-1) {
			t.Errorf("%s: %d sessions, %v", f.name, len(page), err)
		}
	}
	if err := fillLedger(ctx, l, 1, func(int) *member.Session { return &member.Session{} }); err == nil {
		t.Error("a report that is not kept is no error")
	}
}

func indexNames(t *testing.T, l *ledger.Ledger) (names []string) {
	t.Helper()
	db, err := store.OpenSQLite(l.Path(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	indexes, err := indexesOf(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	for name := range indexes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
