package roster_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"memberradius/member"
	"memberradius/store"
	"memberradius/store/roster"
)

var berlin = time.FixedZone("CET", 3600)

// fakeHash stands for mschap.NTHash, which this package does not know.
func fakeHash(password string) (h [16]byte) {
	copy(h[:], password)
	return h
}

var options = roster.Options{NTHash: fakeHash, Zone: berlin}

// spell writes out all of an edit, secrets too.
func spell(e *store.Edit) string {
	c, nt := e.Record.Credential, ""
	if c.NTHash != nil {
		nt = hex.EncodeToString(c.NTHash[:])
	}
	m := e.Record.Member
	return fmt.Sprintf("%q %q %q %q %q from %s until %s devices %d disabled %v password %q nt %s argon2id %q",
		m.Login, m.Name, m.Plans, m.Team, m.VLAN, m.ValidFrom.UTC().Format(time.RFC3339), m.ValidUntil.UTC().Format(time.RFC3339),
		m.Devices, m.Disabled, string(c.Password), nt, string(c.Argon2id))
}

func TestRead(t *testing.T) {
	t.Parallel()
	const argon = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng"
	edits, err := roster.Read(strings.NewReader("\ufeff"+` Disabled ,LOGIN,password,nt_hash,password_hash,name,plan,team,vlan,valid_from,valid_until,devices
,bob@example.com, pass word ,,,Bob,hot-desk; night ;,rockets,0077,2026-01-31,2026-01-31,2
yes, carol ,,000102030405060708090A0b0c0d0e0f,,"Carol ""C"" Jones",,,Staff,2026-01-31 08:30,2026-01-31T08:30:00-05:00,
no,dave,,,"`+argon+`",'=1+1,,,,,9999-12-31,
`), options)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`"bob@example.com" "Bob" ["hot-desk" "night"] "rockets" "77" from 2026-01-30T23:00:00Z until 2026-01-31T23:00:00Z devices 2 disabled false password " pass word " nt 207061737320776f7264200000000000 argon2id ""`,
		`"carol" "Carol \"C\" Jones" [] "" "Staff" from 2026-01-31T07:30:00Z until 2026-01-31T13:30:00Z devices 0 disabled true password "" nt 000102030405060708090a0b0c0d0e0f argon2id ""`,
		`"dave" "=1+1" [] "" "" from 0001-01-01T00:00:00Z until 9999-12-31T23:00:00Z devices 0 disabled false password "" nt  argon2id "` + argon + `"`,
	}
	for i := range edits {
		if got := spell(&edits[i]); i >= len(want) || got != want[i] {
			t.Errorf("got  %s\nwant %s", got, want[i])
		}
		if edits[i].Fields != store.FieldCredential<<1-1 { // every field that has a column
			t.Errorf("fields %b", edits[i].Fields)
		}
	}
	if len(edits) != len(want) {
		t.Errorf("%d members, want %d", len(edits), len(want))
	}
}

// TestFieldsOfTheHeader wants what has no column to stay as it is stored, and
// the credential too where there is no secret.
func TestFieldsOfTheHeader(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]store.Fields{
		"login\nbob\n":                    store.FieldLogin,
		"vlan,login\n,bob\n":              store.FieldLogin | store.FieldVLAN,
		"password,login,name\n,bob,\n":    store.FieldLogin | store.FieldName,
		"password,login,name\nx,bob,\n":   store.FieldLogin | store.FieldName | store.FieldCredential,
		"login;plan;name\nbob;\"a;b\";\n": store.FieldLogin | store.FieldPlans | store.FieldName,
		"login\tteam\r\nbob\tx\r\n":       store.FieldLogin | store.FieldTeam,
	} {
		edits, err := roster.Read(strings.NewReader(text), options)
		if err != nil || len(edits) != 1 || edits[0].Record.Member.Login != "bob" || edits[0].Fields != want {
			t.Errorf("%q: %+v, %v; want fields %b", text, edits, err, want)
		}
	}
	if edits, err := roster.Read(strings.NewReader("login,password\nbob,x\n"), roster.Options{}); err != nil || edits[0].Record.Credential.NTHash != nil {
		t.Errorf("without a hash function: %v", err)
	}
	if edits, err := roster.Read(strings.NewReader("login\n"), options); err != nil || len(edits) != 0 {
		t.Errorf("a header alone: %v, %v", edits, err)
	}
}

func TestEveryProblemIsSaid(t *testing.T) {
	t.Parallel()
	_, err := roster.Read(strings.NewReader(`login,password,nt_hash,vlan,valid_from,valid_until,devices,disabled
bob@example.com,canary-1,,77,,,,
,canary-2,,78,,,,
Bob@Example.Com,canary-3,,79,,,,
carol,canary-4,00112233445566778899aabbccddeeff,,,,,
dave,,canary-5,,,,,
eve,canary-6,,5000,31.1.2026,soon,two,perhaps
frank,canary-7,,,,
grace,canary-8,,,2026-02-01,2026-01-01,-1,
hal,"canary-9,,,,,,
`), options)
	want := []string{
		`line 3, column login: it is empty`,
		`line 4, column login: "Bob@Example.Com" is the member of line 2 already`,
		`line 5, column nt_hash: there is another secret on this line`,
		`line 6, column nt_hash: the NT hash has 8 characters: 32 hexadecimal digits are needed`,
		`line 7, column vlan: VLAN 5000: a number from 1 to 4094 is needed`,
		`line 7, column valid_from: "31.1.2026" is no date`,
		`line 7, column valid_until: "soon" is no date`,
		`line 7, column devices: "two" is no whole number`,
		`line 7, column disabled: "perhaps" is neither true nor false`,
		`line 8: it has 6 fields, and the header 8`,
		`line 9, column valid_until: it is not after valid_from`,
		`line 10: a quotation mark is missing`,
	}
	matches(t, err, want)
	for _, c := range []struct{ text, want string }{
		{"", "line 1: the first line must name the columns"},
		{"bob,canary-1\n", "line 1: the first line must name the columns"},
		{"login,colour\n", "line 1, column colour: it is unknown; there are login, password"},
		{"login,name,Login\n", "line 1, column login: it stands here twice"},
		{"login,name\nbob,b\"ob\n", "line 2: a quotation mark stands in a field"},
		{"login\nbob\xff\n", `line 2, column login: "bob\xff" is not UTF-8`},
		{"login,password\nbob,canary\xff\n", `line 2, column password: the password is not UTF-8`},
	} {
		_, err := roster.Read(strings.NewReader(c.text), options)
		matches(t, err, []string{c.want})
	}
	broken := errors.New("the disk is gone")
	for _, text := range []string{"", "login\nbob"} {
		if _, err := roster.Read(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), options); !errors.Is(err, broken) {
			t.Errorf("after %q: %v", text, err)
		}
	}
}

func matches(t *testing.T, err error, want []string) {
	t.Helper()
	var problems roster.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("%v is no list of problems", err)
	}
	for i, p := range problems {
		if i >= len(want) || !strings.HasPrefix(p.Error(), want[i]) {
			t.Errorf("said: %v", p)
		}
	}
	if len(problems) != len(want) {
		t.Errorf("%d problems are said, want %d", len(problems), len(want))
	}
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("a secret is quoted: %v", err)
	}
}

// TestThroughTheStore exports and imports, and wants the same members.
func TestThroughTheStore(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	const text = `login,password,nt_hash,password_hash,name,plan,team,vlan,valid_from,valid_until,devices,disabled
bob,=secret,,,'+49 30 1,hot-desk;night,"a,b",77,2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,2,false
carol,,000102030405060708090a0b0c0d0e0f,,,,,,,,,true
dave,,,"$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",,,,,,,,false
`
	for round := range 2 {
		edits, err := roster.Read(strings.NewReader(text), options)
		if err != nil {
			t.Fatal(err)
		}
		done, err := s.Import(t.Context(), "members", edits)
		if err != nil || done.Added+done.Unchanged != 3 || round == 1 && done.Unchanged != 3 {
			t.Fatalf("round %d: %+v, %v", round, done, err)
		}
		if got := export(t, s, true); got != text {
			t.Errorf("got  %s\nwant %s", got, text)
		}
	}
	public := export(t, s, false)
	for _, secret := range []string{"secret", "0001", "argon2id"} {
		if strings.Contains(public, secret) {
			t.Errorf("without secrets, %q is exported", secret)
		}
	}
	edits, err := roster.Read(strings.NewReader(public), options)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := s.Import(t.Context(), "members", edits); err != nil || done.Unchanged != 3 {
		t.Errorf("what was exported without secrets changes something: %+v, %v", done, err)
	}
}

func export(t *testing.T, s *store.Store, secrets bool) string {
	t.Helper()
	var b bytes.Buffer
	w, err := roster.NewWriter(&b, secrets)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Each(context.Background(), "members", w.Write), w.Flush()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFormulas(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Bob": "Bob", "=1+1": "'=1+1", "+49": "'+49", "-": "'-", "@x": "'@x",
		"'": "'", "'Bob'": "'Bob'", "'=1": "''=1", "''=1": "'''=1", "Bob=": "Bob=",
	} {
		var b bytes.Buffer
		w, err := roster.NewWriter(&b, false)
		if err != nil {
			t.Fatal(err)
		}
		e := store.Entry{Record: member.Record{Member: member.Member{Login: "bob", Name: text}}}
		if err := errors.Join(w.Write(&e), w.Flush()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "\nbob,"+want+",") {
			t.Errorf("%q is written as %q, want %q", text, b.String(), want)
		}
		edits, err := roster.Read(&b, options)
		if err != nil || edits[0].Record.Member.Name != text {
			t.Errorf("%q is read back as %+v, %v", text, edits, err)
		}
	}
}

func TestWriterSaysWhatFails(t *testing.T) {
	t.Parallel()
	w, err := roster.NewWriter(failing{}, false)
	if err == nil {
		err = w.Flush()
	}
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a full disk: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func FuzzRead_NoPanic(f *testing.F) {
	f.Add("login,password\nbob,x\n")
	f.Add("\ufefflogin;plan\nbob;\"a;b\"\n")
	f.Add("login\n\"")
	f.Add("login,valid_until\nbob,9999-12-31\n")
	f.Add("\"\"\"\n,,,\x00")
	f.Fuzz(func(t *testing.T, text string) {
		edits, err := roster.Read(strings.NewReader(text), options)
		if err != nil && len(edits) > 0 {
			t.Error("members besides an error")
		}
		for i := range edits {
			if err := store.Check(store.FieldLogin, &edits[i].Record); err != nil {
				t.Error(err)
			}
		}
	})
}

func FuzzRead_RoundTrip(f *testing.F) {
	f.Add("bob", "Bob", "hot-desk;night", "rockets", "77", " pass'word\"", int64(1767225600), int64(4070908800), 2)
	f.Add("+49", "'=x", "-;+", "a,b;c", "Staff", "=x", int64(0), int64(0), 0)
	f.Fuzz(func(t *testing.T, login, name, plans, team, vlan, password string, from, until int64, devices int) {
		e := store.Entry{Record: member.Record{
			Member:     member.Member{Login: login, Name: name, Plans: roster.ParsePlans(plans), Team: team, VLAN: member.VLAN(vlan), Devices: devices},
			Credential: roster.Password(password, fakeHash),
		}}
		if from != 0 {
			e.Member.ValidFrom = time.Unix(from, 0)
		}
		if until != 0 {
			e.Member.ValidUntil = time.Unix(until, 0)
		}
		for field := store.FieldLogin; field < store.AllFields; field <<= 1 {
			if store.Check(field, &e.Record) != nil {
				t.Skip()
			}
		}
		if password == "" {
			e.Credential = member.Credential{}
		}
		var b bytes.Buffer
		w, err := roster.NewWriter(&b, true)
		if err == nil {
			err = errors.Join(w.Write(&e), w.Flush())
		}
		if err != nil {
			t.Fatal(err)
		}
		text := b.String()
		edits, err := roster.Read(&b, options)
		if err != nil || len(edits) != 1 {
			t.Fatalf("%q: %v", text, err)
		}
		want := store.Edit{Record: e.Record}
		if got, want := spell(&edits[0]), spell(&want); got != want {
			t.Errorf("%q\ngot  %s\nwant %s", text, got, want)
		}
	})
}
