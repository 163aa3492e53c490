//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"memberradius/store"
	"memberradius/store/ledger"

	"golang.org/x/sys/unix"
)

// The targets of sessions that are kept.
const (
	reportRate   = 12_000 // a second
	reportP99    = 50 * time.Millisecond
	reportToFree = 15
)

// reportsInFlight is how many reports wait for their answers.
const reportsInFlight = 256

// SQLite's journal_mode: what it does by itself, and what needs one write to the
// disk for a commit instead of several.
const (
	journalDelete = "delete"
	journalWAL    = "wal"
)

// A keeping is a way in which FreeRADIUS can keep sessions in SQLite.
type keeping struct {
	// single: without its thread pool (-s); else there are freeradiusThreads, each
	// with a connection of its own.
	single   bool
	journal  string
	inFlight int
	// fails says that reports are known to get lost this way: one round shows it.
	fails bool
	// updates says that updates are measured besides.
	updates bool
}

// keepings are how it is measured. With its pool, writers do not queue for
// SQLite's lock but give up: two in flight are already too many.
var keepings = []keeping{
	{journal: journalDelete, inFlight: 1},
	{journal: journalDelete, inFlight: 32, fails: true},
	{single: true, journal: journalDelete, inFlight: 1},
	{single: true, journal: journalDelete, inFlight: reportsInFlight, updates: true},
	{single: true, journal: journalWAL, inFlight: reportsInFlight},
}

// String says how.
func (k keeping) String() string {
	text := "FreeRADIUS"
	if k.single {
		text += " (-s)"
	}
	if k.journal == journalWAL {
		text += ", SQLite with WAL"
	}
	return fmt.Sprintf("%s, %d in flight", text, k.inFlight)
}

// A sessions is what it costs to keep what access points report.
type sessions struct {
	// starts are new sessions, updates are of those that were begun so.
	starts, updates series
	// free are the starts of FreeRADIUS, by keeping, and freeUpdates its updates.
	free, freeUpdates []series
	// missing and freeMissing are how many sessions were acknowledged, and are not there.
	missing, freeMissing int64
	// syncs are how long the disk took to keep a page, in order.
	syncs []time.Duration
	// gone is how long it took until all of disconnectsAtOnce were settled.
	gone []time.Duration
	kept *keptPages
}

// measureSessions takes FreeRADIUS, in each of its ways, and ours in turns. It
// returns nil where nothing can be durable.
func (r *run) measureSessions(ctx context.Context) (*sessions, error) {
	if inMemory(r.dir) {
		r.skip("sessions", errors.New("the temporary directory is in memory, where nothing is durable: set TMPDIR to one on a disk"))
		return nil, nil
	}
	s := &sessions{free: make([]series, len(keepings)), freeUpdates: make([]series, len(keepings))}
	free := r.free != nil && r.free.hasSQLite()
	if r.free != nil && !free {
		r.skip("FreeRADIUS with rlm_sql_sqlite", errors.New("its module is not installed"))
	}
	var err error
	if s.syncs, err = syncTimes(r.dir); err != nil {
		return nil, err
	}
	for round := range r.rounds {
		if err := r.turnSessions(ctx, round, free, s); err != nil {
			return nil, err
		}
	}
	if s.gone, err = r.measureDisconnects(ctx); err != nil {
		return nil, err
	}
	s.kept, err = r.measureKept(ctx)
	return s, err
}

// turnSessions takes everybody once.
func (r *run) turnSessions(ctx context.Context, round int, free bool, s *sessions) error {
	for i, how := range keepings {
		if !free || how.fails && round > 0 {
			continue
		}
		found, err := r.turnFree(ctx, round, how)
		if err != nil {
			return err
		}
		s.free[i] = append(s.free[i], found.begun)
		if found.updated.Answered > 0 {
			s.freeUpdates[i] = append(s.freeUpdates[i], found.updated)
		}
		s.freeMissing += found.missing
	}
	found, err := r.turnOurs(ctx, round)
	if err != nil {
		return err
	}
	s.starts, s.updates = append(s.starts, found.begun), append(s.updates, found.updated)
	s.missing += found.missing
	return nil
}

// inMemory says whether a directory is in memory alone.
func inMemory(dir string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(dir, &fs) == nil && fs.Type == unix.TMPFS_MAGIC
}

// A keeper is a server that keeps sessions, and the database where they are.
type keeper struct {
	*server
	name     string
	inFlight int
	database string
	// count is the query for how many sessions there are.
	count string
}

// A turnOutcome is what one turn of a keeper found.
type turnOutcome struct {
	begun, updated outcome
	missing        int64
}

// turnFree measures FreeRADIUS in one of its ways once, on an empty database.
func (r *run) turnFree(ctx context.Context, round int, how keeping) (found turnOutcome, err error) {
	dir, err := os.MkdirTemp(r.dir, "radacct")
	if err != nil {
		return found, err
	}
	accounting := &accountingSite{Database: filepath.Join(dir, "radacct.db"), Journal: how.journal, Connections: freeradiusThreads}
	if how.single {
		accounting.Connections = 1
	}
	free := *r.free
	free.single = how.single
	server, err := free.start(ctx, r.cores.server, r.dir, freeradiusSite{Threads: freeradiusThreads, Accounting: accounting})
	if err != nil {
		return found, err
	}
	defer server.stop()
	k := keeper{server: server, name: how.String(), inFlight: how.inFlight, database: accounting.Database, count: "SELECT count(*) FROM radacct"}
	// That it loses reports, be it all of them, is a result.
	if found.begun, err = r.begin(ctx, round, &k); err != nil && found.begun.Lost == 0 {
		return found, err
	}
	if how.updates && found.begun.Lost == 0 {
		if found.updated, err = r.update(ctx, round, &k, found.begun); err != nil {
			return found, err
		}
	}
	found.missing, err = k.missing(ctx, found.begun)
	return found, err
}

// turnOurs measures ours once, on an empty database.
func (r *run) turnOurs(ctx context.Context, round int) (found turnOutcome, err error) {
	where, site, err := r.ours.prepare(r.dir, ourSite{Kind: "file", Members: speedMembers})
	if err != nil {
		return found, err
	}
	server, err := r.ours.start(ctx, r.cores.server, where, site)
	if err != nil {
		return found, err
	}
	defer server.stop()
	if server.address, err = netip.ParseAddrPort(site.Acct); err != nil {
		return found, err
	}
	k := keeper{server: server, name: "memberradius", inFlight: reportsInFlight,
		database: filepath.Join(where, "data", ledger.File), count: "SELECT count(*) FROM session"}
	if found.begun, err = r.begin(ctx, round, &k); err != nil {
		return found, err
	}
	if found.updated, err = r.update(ctx, round, &k, found.begun); err != nil {
		return found, err
	}
	found.missing, err = k.missing(ctx, found.begun)
	return found, err
}

// begin loads a keeper with new sessions.
func (r *run) begin(ctx context.Context, round int, k *keeper) (outcome, error) {
	o, err := r.load(ctx, k.server, job{Method: beginSessions, InFlight: k.inFlight})
	if err != nil {
		return o, fmt.Errorf("%s: %w", k.name, err)
	}
	r.note(round, k.name+": start", o)
	return o, nil
}

// update loads a keeper with updates of the sessions that were begun.
func (r *run) update(ctx context.Context, round int, k *keeper, begun outcome) (outcome, error) {
	o, err := r.load(ctx, k.server, job{Method: updateSessions, InFlight: k.inFlight, Sessions: int(begun.Sent)})
	if err != nil {
		return o, fmt.Errorf("%s: updates: %w", k.name, err)
	}
	r.note(round, k.name+": interim", o)
	return o, nil
}

// missing ends a keeper, and returns how many of the sessions that it acknowledged
// are not in its database. That there are more than were sent is an error.
func (k *keeper) missing(ctx context.Context, begun outcome) (int64, error) {
	k.stop()
	db, err := store.OpenSQLite(k.database, false)
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	var there int64
	if err := db.QueryRowContext(ctx, k.count).Scan(&there); err != nil {
		return 0, fmt.Errorf("%s: its database: %w", k.name, err)
	}
	if there > int64(begun.Sent) {
		return 0, fmt.Errorf("%s: %d sessions were begun, and %d are in its database", k.name, begun.Sent, there)
	}
	return max(0, int64(begun.Answered)-there), nil
}

// syncsTried is how often the disk has to keep a page.
const syncsTried = 200

// syncTimes writes pages of 4 KB to a file below dir, one by one, each to the disk.
func syncTimes(dir string) (took []time.Duration, err error) {
	f, err := os.CreateTemp(dir, "sync")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	for range syncsTried {
		began := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return nil, err
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return nil, fmt.Errorf("fdatasync: %w", err)
		}
		took = append(took, time.Since(began))
	}
	return sorted(took), nil
}
