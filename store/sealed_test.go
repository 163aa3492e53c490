package store_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"memberradius/member"
	"memberradius/store"
)

// carol has another password than bob, and an argon2id hash is dave's.
func carol() *member.Record {
	r := bob()
	r.Member.Login = "carol@example.com"
	r.Credential = member.Credential{Password: "staple-eleven-moons", NTHash: &member.Hash{0xca, 0x01}}
	return r
}

func dave() *member.Record {
	r := bob()
	r.Member.Login = "dave@example.com"
	r.Credential = member.Credential{Argon2id: "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng"}
	return r
}

// TestNoSecretInFiles looks for secrets in the octets of everything that lies
// in the data directory, with the log (-wal) still there and after it is gone.
func TestNoSecretInFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	for _, r := range []*member.Record{bob(), carol(), dave()} {
		add(t, s, r)
	}
	nt := bob().Credential.NTHash[:]
	secrets := []string{
		string(bob().Credential.Password), string(carol().Credential.Password), string(dave().Credential.Argon2id),
		string(nt), hex.EncodeToString(nt), strings.ToUpper(hex.EncodeToString(nt)), base64.StdEncoding.EncodeToString(nt),
		"c2FsdHNhbHQ", "MTIzNDU2Nzg5MDEyMzQ1Ng",
	}
	if _, err := os.Stat(filepath.Join(dir, "memberradius.db-wal")); err != nil {
		t.Error("no log lies beside the database, so it is not looked at")
	}
	absent(t, dir, secrets...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	absent(t, dir, secrets...)
}

func TestModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, dir)
	add(t, s, bob())
	for name, want := range map[string]os.FileMode{
		"": 0o700, "seal.key": 0o400, "memberradius.db": 0o600, "memberradius.db-wal": 0o600, "memberradius.db-shm": 0o600,
	} {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if got := st.Mode().Perm(); got != want {
			t.Errorf("%q has mode %04o, want %04o", name, got, want)
		}
	}
	_ = s.Close()
	chmod(t, filepath.Join(dir, "memberradius.db"), 0o644)
	_ = open(t, dir).Close()
	if st, err := os.Stat(filepath.Join(dir, "memberradius.db")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("a wide database stays %v, %v", st.Mode(), err)
	}
	key := filepath.Join(dir, "seal.key")
	for _, mode := range []os.FileMode{0o440, 0o404, 0o604, 0o420, 0o401} {
		chmod(t, key, mode)
		refused(t, dir, "chmod 0400 "+key)
	}
	chmod(t, key, 0o600)
	_ = open(t, dir)
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	s := open(t, dir)
	add(t, s, bob())
	_ = s.Close()
	_ = open(t, other).Close()
	key := filepath.Join(dir, "seal.key")
	good, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(filepath.Join(other, "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		says string
	}{
		{string(foreign), "is not the one that sealed"},
		{"", "32 octets"},
		{string(good[:20]), "32 octets"},
		{"not base64 at all, but a canary\n", "32 octets"},
	} {
		rewrite(t, key, c.text)
		refused(t, dir, c.says, key)
		if _, err := store.Open(t.Context(), store.Config{Dir: dir}); strings.Contains(err.Error(), "canary") {
			t.Errorf("%v quotes the key file", err)
		}
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "is missing", "backup of keys")
	if _, err := os.Stat(key); !errors.Is(err, os.ErrNotExist) {
		t.Error("a new key was made over sealed values")
	}
	rewrite(t, key, string(good))
	if e, err := open(t, dir).Get(t.Context(), club, "bob@example.com"); err != nil || e.Credential.Password != bob().Credential.Password {
		t.Errorf("with the right key again: %v", err)
	}
}

func rewrite(t *testing.T, path, text string) {
	t.Helper()
	_ = os.Remove(path)
	if err := os.WriteFile(path, []byte(text), 0o400); err != nil {
		t.Fatal(err)
	}
}

// TestMovedValuesDoNotOpen exchanges what is sealed between rows and columns,
// as somebody could who can write to the database but does not have the key.
func TestMovedValuesDoNotOpen(t *testing.T) {
	t.Parallel()
	const bobs, carols = `(SELECT id FROM member WHERE folded = 'bob@example.com')`, `(SELECT id FROM member WHERE folded = 'carol@example.com')`
	for name, tamper := range map[string][]string{
		"another row":    {`UPDATE credential SET password = (SELECT password FROM credential WHERE member_id = ` + carols + `) WHERE member_id = ` + bobs},
		"another column": {`UPDATE credential SET argon2id = password, password = NULL, nt_hash = NULL WHERE member_id = ` + bobs},
		"another login": {`UPDATE member SET folded = 'x' WHERE folded = 'carol@example.com'`,
			`UPDATE member SET folded = 'carol@example.com' WHERE folded = 'bob@example.com'`,
			`UPDATE member SET folded = 'bob@example.com' WHERE folded = 'x'`},
		"another backend": {`UPDATE member SET backend = 'staff'`, `UPDATE member SET backend = 'members' WHERE login LIKE 'bob%'`,
			`UPDATE credential SET nt_hash = (SELECT nt_hash FROM credential WHERE member_id = ` + carols + `) WHERE member_id = ` + bobs},
		"one bit":   {`UPDATE credential SET password = CAST(substr(password, 1, 60) || x'00' || substr(password, 62) AS BLOB)`},
		"cut":       {`UPDATE credential SET password = substr(password, 1, 20)`},
		"version":   {`UPDATE credential SET password = CAST(x'02' || substr(password, 2) AS BLOB)`},
		"other key": {`UPDATE credential SET password = CAST(substr(password, 1, 5) || x'0000000000' || substr(password, 11) AS BLOB)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, dir)
			add(t, s, bob())
			add(t, s, carol())
			for _, query := range tamper {
				statement(t, dir, query)
			}
			_, err := s.Get(t.Context(), club, "bob@example.com")
			says(t, err, "sealed", "memberradius member passwd")
			if _, err := s.Members(t.Context(), club); err == nil {
				t.Error("the members were loaded")
			}
			// What the error advises works.
			edit(t, s, credential("bob@example.com", member.Credential{Password: "a new one"}))
			if e, err := s.Get(t.Context(), club, "bob@example.com"); err != nil || e.Credential.Password != "a new one" {
				t.Errorf("after a new password: %v", err)
			}
		})
	}
}

func TestDamagedDatabase(t *testing.T) {
	t.Parallel()
	t.Run("no database", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "memberradius.db"), []byte(strings.Repeat("this is no database ", 500)), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, "damaged or no SQLite database", "put the last backup in its place")
	})
	t.Run("holes", func(t *testing.T) {
		t.Parallel()
		dir := filledDir(t, 200)
		path := filepath.Join(dir, "memberradius.db")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 8 * 4096; i < len(b); i++ {
			b[i] = 0x5a
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(t.Context(), store.Config{Dir: dir})
		if err == nil {
			defer func() { _ = s.Close() }()
			says(t, s.Check(t.Context()), "damaged", "put the last backup in its place")
			_, err = s.Members(t.Context(), club)
		}
		says(t, err, "damaged", "put the last backup in its place")
	})
	t.Run("newer", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		_ = open(t, dir).Close()
		statement(t, dir, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
		refused(t, dir, "newer memberradius", "99")
	})
	t.Run("sound", func(t *testing.T) {
		t.Parallel()
		if err := open(t, filledDir(t, 10)).Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLockedDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	add(t, s, bob())
	m, err := s.Members(t.Context(), club)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "memberradius.db")+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() { err = s.Remove(ctx, club, "bob@example.com") })
	if err := m.Refresh(t.Context()); err != nil {
		t.Errorf("reading while another writes: %v", err)
	}
	cancel() // a verb that waits for the lock ends when it is told to
	writer.Wait()
	if err == nil {
		t.Error("written while another held the lock")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, ok := m.Lookup("bob@example.com"); !ok {
		t.Error("the members in memory are gone")
	}
}

func TestNoDirectory(t *testing.T) {
	t.Parallel()
	refused(t, "", "[server] data")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, file, "[server] data", file)
}

// TestTwoFirstStarts opens a new data directory from several at once, as a
// server and a verb may: there must be one key in the end.
func TestTwoFirstStarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all sync.WaitGroup
	stores := make([]*store.Store, 8)
	errs := make([]error, len(stores))
	for i := range stores {
		all.Go(func() { stores[i], errs[i] = store.Open(t.Context(), store.Config{Dir: dir}) })
	}
	all.Wait()
	for i, s := range stores {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		defer func() { _ = s.Close() }()
		r := bob()
		r.Member.Login = string(rune('a' + i))
		add(t, s, r)
	}
	for _, s := range stores {
		for i := range stores {
			if _, err := s.Get(t.Context(), club, string(rune('a'+i))); err != nil {
				t.Error(err)
			}
		}
	}
}
