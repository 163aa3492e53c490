//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"memberradius/member"
	"memberradius/store"
	"memberradius/store/ledger"
)

const (
	// keptSessions are in the ledger, the last keptOpen of them open, one begun every keptEvery.
	keptSessions, keptOpen = 1_000_000, 10_000
	keptEvery              = 30 * time.Second
	// keptWriters fill it at the same time: a commit for as many.
	keptWriters = 4096
	// keptTries is how many pages are read by each filter, keptPage how long one may take.
	keptTries = 50
	keptPage  = 50 * time.Millisecond
)

// What the kept sessions differ in, besides members and devices.
const keptSites, keptClients, keptPlans = 4, 20, 5

// A keptSize is how many sessions there are, how many of them open, and how often
// each list is read.
type keptSize struct{ sessions, open, tries int }

// A keptFilter is one way to ask for a page; n picks whose.
type keptFilter struct {
	name   string
	filter func(n int) ledger.Filter
}

// keptPages are what pages of a large ledger took.
type keptPages struct {
	sessions int
	fill     time.Duration
	took     map[string][]time.Duration // by keptFilter, in order
}

// keptSession is one that began n times keptEvery after begin. It has used nothing:
// days of usage are no part of the list.
func keptSession(n int, begin time.Time, event member.Event) *member.Session {
	at, client := begin.Add(time.Duration(n)*keptEvery), fmt.Sprintf("client-%02d", n%keptClients)
	s := &member.Session{
		Event: event, Client: client, NAS: fmt.Sprintf("ap-%03d", n%reportNASes), ID: fmt.Sprintf("%016X", n), User: login(n % reportMembers),
		Login: login(n % reportMembers), Backend: "members", Plan: fmt.Sprintf("plan-%d", n%keptPlans), VLAN: vlan, Site: fmt.Sprintf("site-%d", n%keptSites),
		SSID: "bench", StationMAC: keptMAC(n), Calling: string(stationOf(n % (2 * reportMembers))), Called: "02-00-00-00-01-00:bench",
		Address: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), Peer: netip.AddrFrom4([4]byte{192, 0, 2, 1}),
		NASIdentifier: fmt.Sprintf("ap-%03d", n%reportNASes), Port: uint32(n), HasPort: true, At: at, Received: at,
		Interim: 10 * time.Minute, Timeout: sessionTimeout * time.Second,
	}
	if event == member.Stop {
		s.Cause = "User-Request"
	}
	return s
}

// keptMAC is the device of session n: each member has two.
func keptMAC(n int) string {
	n %= 2 * reportMembers
	return fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// keptFilters are all that a list can be asked for, one by one and together.
func keptFilters(begin time.Time, middle string) []keptFilter {
	yes, no := true, false
	day := func(n int) time.Time { return begin.Add(time.Duration(n) * 24 * time.Hour) }
	return []keptFilter{
		{"all", func(int) ledger.Filter { return ledger.Filter{} }},
		{"all, in the middle", func(int) ledger.Filter { return ledger.Filter{Before: middle} }},
		{"online", func(int) ledger.Filter { return ledger.Filter{Online: &yes} }},
		{"ended", func(int) ledger.Filter { return ledger.Filter{Online: &no} }},
		{"a login", func(n int) ledger.Filter { return ledger.Filter{Login: login(n)} }},
		{"a device", func(n int) ledger.Filter { return ledger.Filter{MAC: keptMAC(n)} }},
		{"a client", func(n int) ledger.Filter { return ledger.Filter{Client: fmt.Sprintf("client-%02d", n%keptClients)} }},
		{"a site", func(n int) ledger.Filter { return ledger.Filter{Site: fmt.Sprintf("site-%d", n%keptSites)} }},
		{"a plan", func(n int) ledger.Filter { return ledger.Filter{Plan: fmt.Sprintf("plan-%d", n%keptPlans)} }},
		{"a day", func(n int) ledger.Filter { return ledger.Filter{From: day(n), Until: day(n + 1)} }},
		{"a site and a plan", func(n int) ledger.Filter {
			return ledger.Filter{Site: fmt.Sprintf("site-%d", n%keptSites), Plan: fmt.Sprintf("plan-%d", n%keptPlans)}
		}},
		{"a plan at a client that has none of it", func(n int) ledger.Filter {
			return ledger.Filter{Client: fmt.Sprintf("client-%02d", n%keptClients), Plan: fmt.Sprintf("plan-%d", (n+1)%keptPlans)}
		}},
	}
}

// measureKept fills a ledger and reads pages of it.
func (r *run) measureKept(ctx context.Context) (*keptPages, error) {
	return r.keepPages(ctx, keptSize{sessions: keptSessions, open: keptOpen, tries: keptTries})
}

func (r *run) keepPages(ctx context.Context, size keptSize) (pages *keptPages, err error) {
	dir, err := os.MkdirTemp(r.dir, "kept")
	if err != nil {
		return nil, err
	}
	begin := time.Now().Add(-time.Duration(size.sessions) * keptEvery)
	l, err := ledger.Open(ctx, ledger.Config{Dir: dir, Batch: keptWriters})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	began := time.Now()
	// A commit of rows that are a page each in every index would be the time of all.
	if err := withoutIndexes(ctx, l.Path(), func() error {
		return fillLedger(ctx, l, size.sessions, func(n int) *member.Session {
			if n < size.sessions-size.open {
				return keptSession(n, begin, member.Stop)
			}
			return keptSession(n, begin, member.Start)
		})
	}); err != nil {
		return nil, err
	}
	pages = &keptPages{sessions: size.sessions, fill: time.Since(began), took: map[string][]time.Duration{}}
	r.say("%d sessions recorded in %v", size.sessions, pages.fill.Round(time.Millisecond))
	half, _, err := l.List(ctx, &ledger.Filter{Until: begin.Add(time.Duration(size.sessions/2) * keptEvery), Most: 1})
	if err != nil {
		return nil, err
	}
	if len(half) != 1 {
		return nil, fmt.Errorf("of %d sessions none is in the middle", size.sessions)
	}
	for _, f := range keptFilters(begin, half[0].ID) {
		took, rows, err := timePages(ctx, l, f.filter, size.tries)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		r.say("a page of %s: %d rows, p50 %v, slowest %v", f.name, rows, percentile(took, 50).Round(time.Microsecond), percentile(took, 100).Round(time.Microsecond))
		pages.took[f.name] = took
	}
	return pages, nil
}

// withoutIndexes calls fill while the table of sessions has no indexes but the one
// of its key, which records need, and makes them again.
func withoutIndexes(ctx context.Context, path string, fill func() error) (err error) {
	db, err := store.OpenSQLite(path, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	indexes, err := indexesOf(ctx, db)
	if err != nil {
		return err
	}
	for name := range indexes {
		if _, err := db.ExecContext(ctx, "DROP INDEX "+name); err != nil {
			return err
		}
	}
	if err := fill(); err != nil {
		return err
	}
	for _, statement := range indexes {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// indexesOf returns the indexes for lists, each with what makes it.
func indexesOf(ctx context.Context, db *sql.DB) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'session' AND sql NOT LIKE '%UNIQUE%'`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	indexes := map[string]string{}
	for rows.Next() {
		var name, statement string
		if err := rows.Scan(&name, &statement); err != nil {
			return nil, err
		}
		indexes[name] = statement
	}
	return indexes, rows.Err()
}

// fillLedger records what report makes of 0 to n-1.
func fillLedger(ctx context.Context, l *ledger.Ledger, n int, report func(int) *member.Session) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	numbers := make(chan int)
	var all sync.WaitGroup
	for range keptWriters {
		all.Go(func() {
			for i := range numbers {
				if err := l.Record(ctx, report(i)); err != nil {
					stop(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		numbers <- i
	}
	close(numbers)
	all.Wait()
	return context.Cause(ctx)
}

// timePages reads so many pages, each by its filter, and returns how long each took, in order, and
// how many sessions the last one had.
func timePages(ctx context.Context, l *ledger.Ledger, filterOf func(int) ledger.Filter, tries int) (took []time.Duration, rows int, err error) {
	for n := range tries {
		filter := filterOf(n)
		began := time.Now()
		page, _, err := l.List(ctx, &filter)
		if err != nil {
			return nil, 0, err
		}
		took, rows = append(took, time.Since(began)), len(page)
	}
	return sorted(took), rows, nil
}

// slowest returns the slowest page of all.
func (k *keptPages) slowest() (slowest time.Duration) {
	for _, took := range k.took {
		slowest = max(slowest, percentile(took, 100))
	}
	return slowest
}

// table has what each filter took.
func (k *keptPages) table() string {
	t := table{head: []string{fmt.Sprintf("a page of 100 out of %d sessions", k.sessions), "p50", "slowest"}}
	for _, f := range keptFilters(time.Time{}, "") {
		if took := k.took[f.name]; len(took) > 0 {
			t.add(f.name, inMilliseconds(percentile(took, 50)), inMilliseconds(percentile(took, 100)))
		}
	}
	return t.String()
}
