package main

import (
	"bytes"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"memberradius/member"
)

func mustAddrPort(t *testing.T, s string) netip.AddrPort {
	t.Helper()
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestReadUsers(t *testing.T) {
	t.Parallel()
	dir := setup(t, map[string]string{
		"good":  "# login,password\n\nbob@example.com,hello, world\r\nalice\tx,y\n",
		"bad":   "bob,hello\nalice\n",
		"short": "bob,\n",
		"empty": "# nobody\n",
	})
	users, err := readUsers(filepath.Join(dir, "good"))
	if err != nil || len(users) != 2 || users[0].Login != "bob@example.com" || string(users[0].Password) != "hello, world" || string(users[1].Password) != "x,y" {
		t.Errorf("%v, %v", users, err)
	}
	for name, want := range map[string]string{"bad": "bad:2:", "short": "short:1:", "empty": "nobody is in it", "none": "no such file"} {
		if _, err := readUsers(filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestFirstLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]member.Secret{"hello\n": "hello", "hello\r\nmore\n": "hello", "hello": "hello", " a b ": " a b ", "": "", "\n": ""} {
		got, err := firstLine(strings.NewReader(text))
		if string(got) != string(want) || (err != nil) != (want == "") {
			t.Errorf("%q is read as %q, %v", text, string(got), err)
		}
	}
	broken := errors.New("broken")
	if _, err := firstLine(failing{broken}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestNewSecret(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		s, err := newSecret(nil)
		if err != nil || len(s) != 32 || strings.Trim(s, secretAlphabet) != "" || seen[s] {
			t.Fatalf("%q, %v", s, err)
		}
		if why, weak := weakSecret(member.Secret(s)); weak {
			t.Errorf("%q is weak: %s", s, why)
		}
		seen[s] = true
	}
	if _, err := newSecret(failing{errors.New("no entropy")}); err == nil {
		t.Error("a secret was made of nothing")
	}
}

func TestArgon2id(t *testing.T) {
	t.Parallel()
	salt := bytes.NewReader(make([]byte, argonSalt))
	got, err := argon2idOf("hello", salt)
	if err != nil || !strings.HasPrefix(got, "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$") {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := argon2idOf(member.Secret(strings.Repeat("x", 129)), salt); err == nil {
		t.Error("a password was hashed that RADIUS can't carry")
	}
}

func TestLasting(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, want string }{
		{"Session-Timeout", "2147483647", " (24855 days)"}, {"Session-Timeout", "172800", " (2 days)"},
		{"Session-Timeout", "43200", " (12h)"}, {"Session-Timeout", "43201", " (12h0m1s)"}, {"Idle-Timeout", "1800", " (30m)"},
		{"Idle-Timeout", "5400", " (1h30m)"}, {"Acct-Interim-Interval", "60", " (1m)"}, {"Session-Timeout", "10", ""},
		{"Session-Timeout", "x", ""}, {"Mikrotik-Rate-Limit", "43200", ""},
	} {
		if got := lasting(tt.name, tt.value); got != tt.want {
			t.Errorf("%s = %s%s, want %s", tt.name, tt.value, got, tt.want)
		}
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"Zoë \"x\"": "Zoë \"x\"", "a\x1b[2J\r\n": `a\x1b[2J\r\n`, "\u202eevil": `\u202eevil`, "": ""} {
		if got := visible(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}
