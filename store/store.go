package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// The files in the data directory.
const (
	databaseFile = "memberradius.db"
	keyFile      = "seal.key"
)

// A Config says where a Store keeps its files.
type Config struct {
	// Dir is the data directory. It is made where it is missing, mode 0700.
	Dir string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Random is where keys, nonces and ids come from; nil is crypto/rand.
	Random io.Reader
}

// A Store is an open database. It may be used by many goroutines, and several
// processes may have the same one open: a server and the verbs of the command line.
type Store struct {
	path, keyPath string
	now           func() time.Time
	random        io.Reader
	// db commits to the disk, quick to the operating system: for what may be
	// lost in a power cut.
	db, quick            *sql.DB
	turn                 turn
	credentials, answers *sealer
	// vouchers seals nothing: its key is where voucherKey comes from.
	vouchers              *sealer
	digestKey, voucherKey [32]byte
	// doors is nil until somebody asks for them.
	doors   atomic.Pointer[Doors]
	tickets *UAMTickets
	// portalMost is how many attempts at portals are kept, and noted how many this
	// process has written.
	portalMost int
	noted      atomic.Int64
}

// Open opens the database in c.Dir. On first start it makes the directory
// (mode 0700), the database (0600) and the key file (0400). It refuses a key
// file that others can read, one that does not belong to the database, and a
// database that is damaged or newer than this program.
func Open(ctx context.Context, c Config) (*Store, error) {
	path, unlock, err := Prepare(c.Dir, databaseFile)
	if err != nil {
		return nil, err
	}
	defer unlock()
	s := &Store{
		path: path, keyPath: filepath.Join(filepath.Dir(path), keyFile),
		now: c.Now, random: c.Random, turn: make(turn, 1), portalMost: portalLogMost,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.random == nil {
		s.random = rand.Reader
	}
	s.tickets = newUAMTickets(s.now, s.random)
	if err := s.openDatabases(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) openDatabases(ctx context.Context) (err error) {
	if s.db, err = OpenSQLite(s.path, true); err != nil {
		return s.explain("open the database", err)
	}
	if s.quick, err = OpenSQLite(s.path, false); err != nil {
		return s.explain("open the database", err)
	}
	if err := migrate(ctx, s.db); err != nil {
		return s.explain("bring the tables up to date", err)
	}
	return s.openKeys(ctx)
}

// Close closes the database. Members that were loaded from it stay readable.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.quick, s.db} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return s.explain("close the database", errors.Join(errs...))
}

// Path returns the path of the database file.
func (s *Store) Path() string { return s.path }

// Check reads the whole database and says whether it is sound. It takes about
// a second for 100,000 members.
func (s *Store) Check(ctx context.Context) error {
	var verdict string
	if err := s.db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return s.explain("check the database", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("store: %s is damaged (%s): stop the server, move the file and the -wal and -shm beside it away, and put the last backup in its place; the key file stays", s.path, verdict)
	}
	return nil
}

// Prepare makes the data directory dir (mode 0700) and in it the database file
// name (0600) where they are missing, and returns the file's path. Other
// processes that open a database there wait until unlock is called.
func Prepare(dir, name string) (path string, unlock func(), err error) {
	if dir == "" {
		return "", nil, errors.New("store: data directory: a path is needed ([server] data)")
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil, fmt.Errorf("store: data directory ([server] data): %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, fmt.Errorf("store: data directory %s can't be made ([server] data): %w", dir, err)
	}
	if unlock, err = lockDir(dir); err != nil {
		return "", nil, fmt.Errorf("store: data directory %s: %w", dir, err)
	}
	path = filepath.Join(dir, name)
	if err := openFile(path); err != nil {
		unlock()
		return "", nil, fmt.Errorf("store: %w", err)
	}
	return path, unlock, nil
}

// openFile makes the database file before SQLite would, with a mode that lets
// nobody else read the members; SQLite gives the same mode to the files that it
// puts beside it. An older file with a wider mode is narrowed.
func openFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return errors.Join(f.Close(), handOver(path))
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("database %s can't be made: %w", path, err)
	}
	st, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("database %s: %w", path, err)
	}
	if mode := st.Mode().Perm(); mode&0o077 != 0 {
		if err := os.Chmod(path, mode&0o700); err != nil {
			return fmt.Errorf("database %s has mode %04o, and that can't be narrowed; run: chmod 0600 %s: %w", path, mode, path, err)
		}
	}
	return nil
}

// handOver gives a file that root has just made to the owner of the data
// directory: a member added by root before the first start must not lock the
// server out of its own database.
func handOver(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	st, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	owner, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Lchown(path, int(owner.Uid), int(owner.Gid))
}

// lockDir keeps other processes from opening the database until unlock is
// called: two first starts must not make two keys.
func lockDir(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("can't be locked: %w", err)
	}
	return func() { _ = d.Close() }, nil
}
