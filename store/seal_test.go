package store

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newSealer returns a sealer with one key that is the same in every run.
func newSealer(tb testing.TB) *sealer {
	tb.Helper()
	aead, err := newGCM(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		tb.Fatal(err)
	}
	id := uuid{1, 2, 3}
	return &sealer{random: rand.Reader, current: id, keys: map[uuid]cipher.AEAD{id: aead}}
}

var here = place{table: "credential", column: "password", row: [3]string{"id", "members", "bob"}}

// TestSealTruncated wants every beginning of a sealed value, and the value with
// any one octet changed, to be refused.
func TestSealTruncated(t *testing.T) {
	t.Parallel()
	s := newSealer(t)
	blob, err := s.seal([]byte("a password"), &here)
	if err != nil {
		t.Fatal(err)
	}
	if len(blob) != sealOverhead+len("a password") {
		t.Errorf("%d octets", len(blob))
	}
	for i := range blob {
		if _, err := s.open(nil, blob[:i], &here); err == nil {
			t.Errorf("the first %d octets open", i)
		}
		bad := bytes.Clone(blob)
		bad[i] ^= 1
		if _, err := s.open(nil, bad, &here); err == nil {
			t.Errorf("it opens with octet %d changed", i)
		}
	}
	if again, err := s.seal([]byte("a password"), &here); err != nil || bytes.Equal(again, blob) {
		t.Errorf("the same value seals alike twice: a nonce was used again (%v)", err)
	}
}

// TestPlacesDiffer wants no two places to read alike, whatever the parts hold.
func TestPlacesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]place{}
	for _, p := range []place{
		{table: "a", column: "b", row: [3]string{"c", "d", "e"}},
		{table: "ab", column: "", row: [3]string{"c", "d", "e"}},
		{table: "a", column: "bc", row: [3]string{"", "d", "e"}},
		{table: "a", column: "b", row: [3]string{"cd", "", "e"}},
		{table: "a", column: "b", row: [3]string{"c", "de", ""}},
		{table: "a", column: "b", row: [3]string{"c", "", "de"}},
		{table: "a", column: "b", row: [3]string{"c", "d\x00\x01e", ""}},
		{table: "a", column: "b", row: [3]string{"c", "d", "\x00\x01e"}},
	} {
		aad := string(p.append(nil))
		if other, twice := seen[aad]; twice {
			t.Errorf("%q and %q are one", p, other)
		}
		seen[aad] = p
	}
}

// TestSealFormat holds the format still: what an older version has sealed must open.
func TestSealFormat(t *testing.T) {
	t.Parallel()
	s := newSealer(t)
	s.random = bytes.NewReader(bytes.Repeat([]byte{9}, nonceSize))
	blob, err := s.seal([]byte("a password"), &here)
	if err != nil {
		t.Fatal(err)
	}
	// Made by this package when the format was fixed.
	const want = "01" + "01020300000000000000000000000000" + "090909090909090909090909" +
		"46a5f4f5cd83b60ed206" + "4f01918c35c9dd0e60a621eef9414de1"
	if got := hex.EncodeToString(blob); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func FuzzSeal_NoPanic(f *testing.F) {
	s := newSealer(f)
	good, err := s.seal([]byte("a password"), &here)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:sealOverhead])
	f.Add([]byte{sealVersion})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, blob []byte) {
		value, err := s.open(nil, blob, &here)
		if err == nil && string(value) != "a password" {
			t.Errorf("%x opens, and was never sealed", blob)
		}
	})
}

func FuzzSeal_RoundTrip(f *testing.F) {
	s := newSealer(f)
	f.Add([]byte("a password"), "credential", "password", "bob")
	f.Add([]byte{}, "", "", "")
	f.Fuzz(func(t *testing.T, value []byte, table, column, row string) {
		at := place{table: table, column: column, row: [3]string{row}}
		blob, err := s.seal(value, &at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.open(nil, blob, &at)
		if err != nil || !bytes.Equal(got, value) {
			t.Errorf("got %x, %v; want %x", got, err, value)
		}
		elsewhere := at
		elsewhere.row[0] += "x"
		if _, err := s.open(nil, blob, &elsewhere); err == nil {
			t.Error("it opens in another row")
		}
	})
}

func TestUUID(t *testing.T) {
	t.Parallel()
	// The example of RFC 9562 appendix A.6.
	random := []byte{0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f}
	u, err := newUUID(time.UnixMilli(0x017F22E279B0), bytes.NewReader(random))
	if err != nil || u.String() != "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" {
		t.Errorf("%s, %v", u, err)
	}
	if back, ok := parseUUID(u.String()); !ok || back != u {
		t.Errorf("read back as %s", back)
	}
	for _, s := range []string{"", "017f22e2", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2x79b0-7cc3-98c4-dc0c0c07398f"} {
		if _, ok := parseUUID(s); ok {
			t.Errorf("%q is taken", s)
		}
	}
	if _, err := newUUID(time.Now(), bytes.NewReader(nil)); err == nil {
		t.Error("an id without randomness")
	}
}

// TestErrorsSayWhatToDo makes the database fail in ways that take too long or
// too much to bring about through a Store.
func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := &Store{path: path}
	open := func(query string) *sql.DB {
		db, err := sql.Open("sqlite", "file:"+path+"?"+query)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	holder, full, readonly := open("_txlock=immediate"), open("_pragma=max_page_count(3)"), open("mode=ro")
	if _, err := holder.ExecContext(t.Context(), `CREATE TABLE t (x)`); err != nil {
		t.Fatal(err)
	}
	insert := func(db *sql.DB) error {
		_, err := db.ExecContext(context.Background(), `INSERT INTO t VALUES (zeroblob(100000))`)
		return err
	}
	failures := map[string]error{"the disk that holds": insert(full), "on a file system that is not read-only": insert(readonly)}
	tx, err := holder.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	failures["another process has been writing"] = insert(open(""))
	_ = tx.Rollback()
	for words, err := range failures {
		got := fmt.Sprint(s.explain("write members", err))
		if err == nil || !strings.Contains(got, words) || !strings.Contains(got, path) {
			t.Errorf("%s does not say %q", got, words)
		}
	}
	if s.explain("x", nil) != nil {
		t.Error("no error is explained")
	}
}
