package store

import (
	"crypto/rand"
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"memberradius/member"
)

// migrateTo brings a database to an older version of the tables.
func migrateTo(t *testing.T, db *sql.DB, version int64) {
	t.Helper()
	files, err := fs.Sub(migrations, "migration")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	have, _, err := p.GetVersions(t.Context())
	switch {
	case err != nil:
	case have > version:
		_, err = p.DownTo(t.Context(), version)
	default:
		_, err = p.UpTo(t.Context(), version)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// firstVersion makes a data directory as the first release left it: its tables,
// its keys, and bob with a password.
func firstVersion(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s := &Store{
		path: filepath.Join(dir, databaseFile), keyPath: filepath.Join(dir, keyFile),
		now: time.Now, random: rand.Reader, turn: make(turn, 1),
	}
	var err error
	if s.db, err = OpenSQLite(s.path, true); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	migrateTo(t, s.db, 1)
	if err := s.openKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := row{id: "0198c0de-0000-7000-8000-000000000001", backend: "members", folded: "bob@example.com"}
	if err := r.seal(s.credentials, &member.Credential{Password: "correct-horse", NTHash: &member.Hash{7}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		query string
		args  []any
	}{
		{`INSERT INTO member (login, name, plans, team, vlan, valid_from, valid_until, devices, disabled,
			changed, updated_at, created_at, id, backend, folded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			[]any{"Bob@Example.com", "Bob", "hot-desk;night", "rockets", "77", 1767225600, nil, 2, 1, 5, 1767225600, 1767225600, r.id, r.backend, r.folded}},
		{`INSERT INTO credential (member_id, backend, password, nt_hash, argon2id, updated_at) VALUES (?, ?, ?, ?, ?, ?)`,
			[]any{r.id, r.backend, []byte(r.password), []byte(r.ntHash), nil, 1767225600}},
		{`INSERT INTO change (backend, counter) VALUES (?, ?)`, []any{r.backend, 5}},
		{`INSERT INTO member_removed (backend, folded, changed) VALUES (?, ?, ?)`, []any{r.backend, "carol@example.com", 4}},
		{`DELETE FROM data_key WHERE purpose = ?`, []any{purposeVoucher}}, // it came later
	} {
		if _, err := s.db.ExecContext(t.Context(), c.query, c.args...); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMigrateFirstVersion(t *testing.T) {
	t.Parallel()
	dir := firstVersion(t)
	for range 2 { // the second opens what the first has migrated
		s, err := Open(t.Context(), Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		m, err := s.Members(t.Context(), "members")
		if err != nil {
			t.Fatal(err)
		}
		r, ok := m.Lookup("bob@example.com")
		if !ok || r.Credential.Password != "correct-horse" || *r.Credential.NTHash != (member.Hash{7}) {
			t.Fatal("bob is not there, or has another credential")
		}
		b := &r.Member
		if b.Name != "Bob" || len(b.Plans) != 2 || b.Team != "rockets" || b.VLAN != "77" || b.ValidFrom.Unix() != 1767225600 ||
			!b.ValidUntil.IsZero() || b.Devices != 2 || !b.Disabled || b.Terms != nil || b.CheckedOut || b.ID != "" {
			t.Errorf("bob is %+v", b)
		}
		if e, err := s.Get(t.Context(), "members", "bob@example.com"); err != nil || !e.Lapsed.IsZero() || e.Email != "" {
			t.Errorf("bob as an entry: %v, %v", e, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMigrateBack goes back to the tables of the first version and up again: no
// member is lost on the way.
func TestMigrateBack(t *testing.T) {
	t.Parallel()
	dir := firstVersion(t)
	s, err := Open(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	migrateTo(t, s.db, 1)
	if err := migrate(t.Context(), s.db); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Get(t.Context(), "members", "bob@example.com"); err != nil || e.Credential.Password != "correct-horse" {
		t.Errorf("bob: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestMigrateDoors opens a database of the version before there were doors, puts
// what there is through them, goes back and comes again.
func TestMigrateDoors(t *testing.T) {
	t.Parallel()
	dir := firstVersion(t)
	db, err := OpenSQLite(filepath.Join(dir, databaseFile), true)
	if err != nil {
		t.Fatal(err)
	}
	migrateTo(t, db, 4)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	last := int64(0)
	for range 2 { // the second time the tables are new once more
		s, err := Open(t.Context(), Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		d, err := s.Doors(t.Context())
		if err != nil || d.Len() != 0 {
			t.Fatal(d.Len(), err)
		}
		g := &Grant{Kind: GrantClick, MAC: "02:00:00:00:00:01", Site: "berlin", Backend: "members", Login: "bob@example.com", Expires: time.Now().Add(time.Hour)}
		if err := s.Grant(t.Context(), g); err != nil || g.PageID <= last {
			t.Fatalf("page %d after %d, %v", g.PageID, last, err)
		}
		last = g.PageID
		if door, open := d.Lookup("berlin", g.MAC, time.Now()); !open || door.Grant.PageID != g.PageID {
			t.Error("a grant does not let in")
		}
		codes, _, err := s.CreateVouchers(t.Context(), 1, &Voucher{Name: "desk", Plan: "guest", Valid: time.Hour, Devices: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.TakeVoucher(t.Context(), codes[0], g.MAC, "berlin"); err != nil {
			t.Error(err)
		}
		migrateTo(t, s.db, 4)
		var keys int
		if err := s.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM data_key`).Scan(&keys); err != nil || keys != 2 {
			t.Errorf("%d keys are left to a program that knows two, %v", keys, err)
		}
		if e, err := s.Get(t.Context(), "members", "bob@example.com"); err != nil || e.Credential.Password != "correct-horse" {
			t.Errorf("bob: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
