package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migration/*.sql
var migrations embed.FS

// What a connection costs: its own page cache of up to 2 MB. Readers do not
// wait for each other, and SQLite has one writer at a time anyway.
const connections = 4

// OpenSQLite opens the database file at path, for this package and those under
// it that keep a file of their own. durable says whether a commit must reach the
// disk before it returns; without it a power cut may take the last commits back,
// but never harms the database (WAL). Who waits for another writer gives up after 5 s.
func OpenSQLite(path string, durable bool) (*sql.DB, error) {
	synchronous := "synchronous(NORMAL)"
	if durable {
		synchronous = "synchronous(FULL)"
	}
	q := url.Values{
		"_txlock": {"immediate"}, // a writer waits at BEGIN, where waiting is safe, and never in the middle
		"_pragma": {
			"busy_timeout(5000)",
			"journal_mode(WAL)",
			synchronous,
			"foreign_keys(1)",
			"journal_size_limit(16777216)", // else an import leaves a log as large as itself
		},
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// migrate brings the tables to the version that this program knows.
func migrate(ctx context.Context, db *sql.DB) error { return Migrate(ctx, db, migrations) }

// Migrate brings the tables of a database to the newest version that files know:
// goose's, in the folder "migration". A database that is newer is an error.
func Migrate(ctx context.Context, db *sql.DB, files fs.FS) error {
	files, err := fs.Sub(files, "migration")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > want {
		return fmt.Errorf("the database was written by a newer memberradius (version %d of its tables, this program knows %d): run that one, or restore the backup from before the upgrade", have, want)
	}
	_, err = p.Up(ctx)
	return err
}

// explain turns an error of the database into one that says what to do. doing
// is what was tried: "read the members".
func (s *Store) explain(doing string, err error) error {
	return Explain("store: "+doing, s.path, err)
}

// Explain turns an error of the database file at path into one that says what
// to do; nil stays nil. doing is who tried what: "store: read the members".
func Explain(doing, path string, err error) error {
	if err == nil {
		return nil
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	remedy := ""
	switch e.Code() & 0xff { // the low octet is the class of SQLite's result codes
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		remedy = "another process has been writing to %s for more than 5 s: let it end (an import, a backup), or stop it, then try again"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		remedy = "%s is damaged or no SQLite database: stop the server, move the file and the -wal and -shm beside it away, and put the last backup in its place; the key file stays"
	case sqlite3.SQLITE_FULL:
		remedy = "the disk that holds %s is full: free some space; nothing was written"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH:
		remedy = "%s can't be opened for writing: the file, the -wal and -shm beside it and their directory must belong to the user who runs memberradius, on a file system that is not read-only"
	case sqlite3.SQLITE_IOERR:
		remedy = "the disk that holds %s failed: see the kernel's log"
	default:
		return fmt.Errorf("%s: %s: %w", doing, path, err)
	}
	return fmt.Errorf("%s: "+remedy+": %w", doing, path, err)
}
