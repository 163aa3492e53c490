package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
)

const club = "members"

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// openAt opens the store with a clock that says *now.
func openAt(t *testing.T, dir string, now *time.Time) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: dir, Now: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// refused opens the store in dir and wants an error that says all of words.
func refused(t *testing.T, dir string, words ...string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err == nil {
		_ = s.Close()
		t.Fatalf("opened, want an error that says %q", words)
	}
	says(t, err, words...)
}

func says(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("error %v does not say %q", err, w)
		}
	}
}

func bob() *member.Record {
	return &member.Record{
		Member: member.Member{
			Login: "Bob@Example.com", Name: "Bob", Plans: []string{"hot-desk", "night"}, Team: "rockets", VLAN: "77",
			ValidFrom: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), ValidUntil: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
			Devices: 2,
		},
		Credential: member.Credential{Password: "correct-horse-battery", NTHash: &member.Hash{1, 2, 3, 0xfe, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0xaa, 0xbb, 0xcc}},
	}
}

func credential(login string, c member.Credential) *store.Edit {
	e := &store.Edit{Fields: store.FieldCredential}
	e.Record.Member.Login, e.Record.Credential = login, c
	return e
}

func edit(t *testing.T, s *store.Store, e *store.Edit) {
	t.Helper()
	if err := s.Edit(t.Context(), club, e); err != nil {
		t.Fatal(err)
	}
}

func add(t *testing.T, s *store.Store, r *member.Record) {
	t.Helper()
	if err := s.Add(t.Context(), club, r); err != nil {
		t.Fatal(err)
	}
}

// statement runs a statement in the database behind the store's back.
func statement(t *testing.T, dir, query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "memberradius.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	res, err := db.ExecContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		t.Fatalf("%s touched nothing", query)
	}
}

func TestAddGet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	add(t, s, bob())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir) // what follows was on the disk
	e, err := s.Get(t.Context(), club, "bOB@eXAMPLE.COM")
	if err != nil {
		t.Fatal(err)
	}
	want := bob()
	want.Member.Backend = club
	if got, want := describe(&e.Record), describe(want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if e.Created.IsZero() || !e.Updated.Equal(e.Created) {
		t.Errorf("created %v, updated %v", e.Created, e.Updated)
	}
	if err := s.Add(t.Context(), club, &member.Record{Member: member.Member{Login: "BOB@example.com"}}); !errors.Is(err, store.ErrExists) {
		t.Errorf("a second bob: %v", err)
	}
	if err := s.Add(t.Context(), "other", bob()); err != nil {
		t.Errorf("bob of another backend: %v", err)
	}
	if _, err := s.Get(t.Context(), club, "alice"); !errors.Is(err, member.ErrUnknown) {
		t.Errorf("alice: %v", err)
	}
	if names, err := s.Backends(t.Context()); err != nil || fmt.Sprint(names) != "[members other]" {
		t.Errorf("backends %v, %v", names, err)
	}
}

// describe returns all of a record as text that can be compared.
func describe(r *member.Record) string {
	nt := "none"
	if r.Credential.NTHash != nil {
		nt = hex.EncodeToString(r.Credential.NTHash[:])
	}
	return fmt.Sprintf("%+v password %q nt %s argon2id %q", r.Member, string(r.Credential.Password), nt, string(r.Credential.Argon2id))
}

func TestEditAndRemove(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	add(t, s, bob())
	edit(t, s, &store.Edit{Fields: store.FieldDisabled, Record: member.Record{Member: member.Member{Login: "bob@example.com", Disabled: true}}})
	edit(t, s, credential("bob@example.com", member.Credential{Argon2id: "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng"}))
	e, err := s.Get(t.Context(), club, "bob@example.com")
	if err != nil {
		t.Fatal(err)
	}
	want := bob()
	want.Member.Backend, want.Member.Disabled = club, true
	want.Credential = member.Credential{Argon2id: "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng"}
	if got, want := describe(&e.Record), describe(want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if err := s.Remove(t.Context(), club, "BOB@EXAMPLE.COM"); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"get":    func() error { _, err := s.Get(t.Context(), club, "bob@example.com"); return err }(),
		"edit":   s.Edit(t.Context(), club, credential("bob@example.com", member.Credential{})),
		"remove": s.Remove(t.Context(), club, "bob@example.com"),
	} {
		if !errors.Is(err, member.ErrUnknown) {
			t.Errorf("%s of one who is gone: %v", what, err)
		}
	}
	add(t, s, bob()) // she may come back, and go again
	if err := s.Remove(t.Context(), club, "bob@example.com"); err != nil {
		t.Fatal(err)
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	edits := crowd(30)
	got, err := s.Import(t.Context(), club, edits)
	if want := (store.Imported{Added: 30}); err != nil || got != want {
		t.Fatalf("first: %+v, %v", got, err)
	}
	got, err = s.Import(t.Context(), club, edits)
	if want := (store.Imported{Unchanged: 30}); err != nil || got != want {
		t.Errorf("the same again: %+v, %v", got, err)
	}
	edits[3].Record.Member.Team = "another"
	edits[4].Record.Credential.Password = "another"
	edits[5].Record.Member.Login = strings.ToUpper(edits[5].Record.Member.Login)
	got, err = s.Import(t.Context(), club, append(edits, store.Edit{Record: *bob()}))
	if want := (store.Imported{Added: 1, Updated: 3, Unchanged: 27}); err != nil || got != want {
		t.Errorf("three changed and one new: %+v, %v", got, err)
	}
	e, err := s.Get(t.Context(), club, edits[4].Record.Member.Login)
	if err != nil || string(e.Credential.Password) != "another" {
		t.Errorf("after a new password: %v", err)
	}
}

func TestImportAllOrNothing(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for name, spoil := range map[string]func([]store.Edit){
		"twice":      func(e []store.Edit) { e[7].Record.Member.Login = strings.ToUpper(e[3].Record.Member.Login) },
		"login":      func(e []store.Edit) { e[7].Record.Member.Login = "" },
		"vlan":       func(e []store.Edit) { e[7].Record.Member.VLAN = "5000" },
		"validity":   func(e []store.Edit) { e[7].Record.Member.ValidFrom = e[7].Record.Member.ValidUntil },
		"credential": func(e []store.Edit) { e[7].Record.Credential.Argon2id = "$argon2id$" },
	} {
		edits := crowd(10)
		spoil(edits)
		if _, err := s.Import(t.Context(), club, edits); err == nil {
			t.Errorf("%s: taken", name)
		}
		if _, err := s.Get(t.Context(), club, "member000000@example.com"); !errors.Is(err, member.ErrUnknown) {
			t.Fatalf("%s: part of it was kept: %v", name, err)
		}
	}
	// What only the database knows fails in the middle, and takes the beginning back.
	edits := crowd(10)
	if _, err := s.Import(t.Context(), club, edits[9:]); err != nil {
		t.Fatal(err)
	}
	edits[9] = store.Edit{Fields: store.FieldValidFrom, Record: edits[9].Record}
	edits[9].Record.Member.ValidFrom = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	edits[9].Record.Member.ValidUntil = time.Time{}
	_, err := s.Import(t.Context(), club, edits)
	says(t, err, "valid_until is not after valid_from", "member000009")
	if _, err := s.Get(t.Context(), club, "member000000@example.com"); !errors.Is(err, member.ErrUnknown) {
		t.Errorf("part of it was kept: %v", err)
	}
}

func TestCheckSaysWhatIsNeeded(t *testing.T) {
	t.Parallel()
	with := func(change func(*member.Record)) *member.Record {
		r := bob()
		change(r)
		return r
	}
	for _, c := range []struct {
		field store.Fields
		r     *member.Record
		says  string // empty: it is good
	}{
		{store.FieldLogin, bob(), ""},
		{store.FieldLogin, with(func(r *member.Record) { r.Member.Login = "Жанна" }), ""},
		{store.FieldLogin, with(func(r *member.Record) { r.Member.Login = "" }), "empty"},
		{store.FieldLogin, with(func(r *member.Record) { r.Member.Login = " bob" }), "space"},
		{store.FieldLogin, with(func(r *member.Record) { r.Member.Login = "bo\u200bb" }), "U+200B"},
		{store.FieldLogin, with(func(r *member.Record) { r.Member.Login = "bo\nb" }), "U+000A"},
		{store.FieldLogin, with(func(r *member.Record) { r.Member.Login = "bo\xff" }), "UTF-8"},
		{store.FieldLogin, with(func(r *member.Record) { r.Member.Login = strings.Repeat("b", 254) }), "253"},
		{store.FieldName, with(func(r *member.Record) { r.Member.Name = "bob\u202etxt" }), "U+202E"},
		{store.FieldName, with(func(r *member.Record) { r.Member.Name = strings.Repeat("b", store.MaxText+1) }), "1024"},
		{store.FieldPlans, with(func(r *member.Record) { r.Member.Plans = []string{"a;b"} }), "can't hold"},
		{store.FieldPlans, with(func(r *member.Record) { r.Member.Plans = []string{""} }), "without spaces"},
		{store.FieldVLAN, with(func(r *member.Record) { r.Member.VLAN = "" }), ""},
		{store.FieldVLAN, with(func(r *member.Record) { r.Member.VLAN = "077" }), "leading zeros"},
		{store.FieldValidFrom, with(func(r *member.Record) { r.Member.ValidFrom = time.Unix(-1, 0) }), "1970"},
		{store.FieldValidUntil, with(func(r *member.Record) { r.Member.ValidUntil = r.Member.ValidFrom }), "not after"},
		{store.FieldDevices, with(func(r *member.Record) { r.Member.Devices = -1 }), "0 (the plan decides)"},
		{store.FieldCredential, with(func(r *member.Record) { r.Credential.Password += "\n" }), "line break"},
		{store.FieldCredential, with(func(r *member.Record) { r.Credential.Argon2id = "x" }), "give one"},
		{store.FieldCredential, with(func(r *member.Record) { r.Credential.Password = member.Secret(strings.Repeat("p", 129)) }), "128"},
		{store.FieldCredential, &member.Record{Credential: member.Credential{Argon2id: "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng"}}, "$argon2id$v=19"},
		{store.FieldCredential, &member.Record{Credential: member.Credential{Argon2id: "$argon2id$v=19$m=64,t=1,p=1,x=1$c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng"}}, "$argon2id$v=19"},
		{store.FieldCredential, &member.Record{Credential: member.Credential{Argon2id: "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng"}}, "262144"},
	} {
		err := store.Check(c.field, c.r)
		if c.says == "" && err != nil || c.says != "" && err == nil {
			t.Errorf("%s of %+v: %v", c.field, c.r.Member, err)
		}
		says(t, err, strings.Fields(c.says)...)
		if err != nil && strings.Contains(err.Error(), "battery") {
			t.Errorf("%v quotes the password", err)
		}
	}
}

type (
	putFunc    = func(key [32]byte, value []byte, until time.Time) error
	forgetFunc = func(key [32]byte) error
)

func TestShelf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Dir: dir, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	shelf, ctx := s.Shelf(), context.Background()
	put := func(backend string, key byte, value string, until time.Time) {
		t.Helper()
		err := shelf.Change(ctx, backend, func(put putFunc, _ forgetFunc) error {
			return put([32]byte{key}, []byte(value), until)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	list := func() string {
		t.Helper()
		var b bytes.Buffer
		err := shelf.Each(ctx, "club", func(key [32]byte, value []byte, until time.Time) error {
			_, err := fmt.Fprintf(&b, "%d=%s until %s;", key[0], value, until.UTC().Format(time.TimeOnly))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	put("club", 1, "one", now.Add(time.Hour))
	put("club", 2, "two", now.Add(time.Minute))
	put("other", 2, "not ours", now.Add(time.Hour))
	put("club", 1, "canary-answer", now.Add(2*time.Hour))
	put("club", 3, "three", now.Add(time.Hour))
	no := errors.New("no")
	for _, fault := range []error{no, nil} {
		err := shelf.Change(ctx, "club", func(put putFunc, forget forgetFunc) error {
			if fault != nil { // what came before it must not hold
				return errors.Join(forget([32]byte{1}), put([32]byte{4}, []byte("four"), now.Add(time.Hour)), fault)
			}
			return errors.Join(forget([32]byte{3}), forget([32]byte{9}))
		})
		if !errors.Is(err, fault) {
			t.Fatal(err)
		}
	}
	if got, want := list(), "1=canary-answer until 14:00:00;2=two until 12:01:00;"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	absent(t, dir, "canary-answer")
	now = now.Add(time.Minute)
	if got, want := list(), "1=canary-answer until 14:00:00;"; got != want {
		t.Errorf("a minute later: got %s, want %s", got, want)
	}
	if n, err := shelf.Purge(ctx); err != nil || n != 1 {
		t.Errorf("purged %d, %v", n, err)
	}
	// Nobody makes an answer last longer, or another's answer his own.
	statement(t, dir, `UPDATE answer SET keep_until = keep_until + 86400000 WHERE backend = 'club'`)
	statement(t, dir, `UPDATE answer SET backend = 'club' WHERE backend = 'other'`)
	if got := list(); got != "" {
		t.Errorf("after tampering: %s", got)
	}
	again := open(t, dir)
	if shelf.Key() == ([32]byte{}) || again.Shelf().Key() != shelf.Key() {
		t.Error("the key of the digests does not outlast a restart")
	}
}

// absent fails where a file in dir holds one of secrets.
func absent(t *testing.T, dir string, secrets ...string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	octets := 0
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		octets += len(b)
		for i, secret := range secrets {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s holds secret %d in clear", f.Name(), i)
			}
		}
	}
	if octets < 4096 {
		t.Errorf("%d octets in %s: nothing was looked at", octets, dir)
	}
}
