package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/backends"
	"memberradius/backends/conformance"
	"memberradius/member"
)

const twoMembers = `# the staff
[[member]]
login    = "ada@example.com"
password = "correct horse"
name     = "Ada"
plan     = ["hot-desk", "office"]
vlan     = 77
devices  = 2

[[member]]
login    = "eve@example.com"
nt_hash  = "8846F7EAEE8FB117AD06BDD830B7586C"
disabled = true
`

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, text string, d backends.Deps) (*File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "members.toml")
	write(t, path, text)
	d.Name, d.Base = "staff", filepath.Dir(path)
	b, err := Config{Path: "members.toml"}.Open(d)
	if err != nil {
		t.Fatal(err)
	}
	f := b.(*File)
	t.Cleanup(func() { _ = f.Close() })
	return f, path
}

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) conformance.Subject {
		f, _ := open(t, twoMembers, backends.Deps{NTHash: func(string) member.Hash { return member.Hash{1} }})
		return conformance.Subject{
			Backend: f, Login: "ada@example.com", Password: "correct horse", Unknown: "nobody@example.com",
			Disabled: "eve@example.com", DisabledPassword: "password",
		}
	})
}

func TestMemberFields(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	f, _ := open(t, `
[[member]]
login = "Bob@Example.com"
password_hash = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b1dWRWJTmaaJObGRdescudvJCs"
name = "Bob"
team = "Acme"
plan = "hot-desk"
vlan = "guests"
valid_from = 2026-01-01T00:00:00Z
valid_until = 2026-04-01T00:00:00+02:00
`, backends.Deps{Now: func() time.Time { return now }})
	a := &member.Attempt{Login: "BOB@example.com"}
	ans, err := f.Ask(t.Context(), a)
	if err != nil || ans.Verdict != member.Allow || ans.Proved || ans.Source != "staff" {
		t.Fatalf("Ask = %s, proved %v, %q, %v", ans.Verdict, ans.Proved, ans.Source, err)
	}
	m := ans.Member
	if m.Backend != "staff" || m.Login != "Bob@Example.com" || m.Name != "Bob" || m.Team != "Acme" || m.VLAN != "guests" ||
		len(m.Plans) != 1 || m.Plans[0] != "hot-desk" || ans.Credential.Argon2id == "" {
		t.Errorf("the member is %+v", m)
	}
	for _, tt := range []struct {
		at     time.Time
		reason member.Reason
	}{{m.ValidFrom.Add(-time.Second), member.ReasonNotYetValid}, {m.ValidUntil, member.ReasonExpired}} {
		now = tt.at
		if ans, _ := f.Ask(t.Context(), a); ans.Verdict != member.Deny || ans.Reason != tt.reason || ans.Credential == nil {
			t.Errorf("at %s: %s, %s", tt.at, ans.Verdict, ans.Reason)
		}
	}
}

func TestMemberWithoutPassword(t *testing.T) {
	t.Parallel()
	f, _ := open(t, "[[member]]\nlogin = \"printer\"\n", backends.Deps{})
	ans, err := f.Ask(t.Context(), &member.Attempt{Login: "printer", Proof: member.Proof{Kind: member.Password}})
	if err != nil || ans.Credential != nil || ans.Proved {
		t.Errorf("Ask = %v, proved %v, %v: nothing may prove her", ans.Credential, ans.Proved, err)
	}
}

// TestNTHashAhead: who has a password in clear gets its NT hash besides, and
// nobody else gets another.
func TestNTHashAhead(t *testing.T) {
	t.Parallel()
	made := member.Hash{1, 2, 3}
	f, _ := open(t, twoMembers+"[[member]]\nlogin = \"printer\"\n", backends.Deps{NTHash: func(password string) member.Hash {
		if password != "correct horse" {
			t.Errorf("a hash of %q", password)
		}
		return made
	}})
	credential := func(login string) *member.Credential {
		ans, err := f.Ask(t.Context(), &member.Attempt{Login: login})
		if err != nil {
			t.Fatal(login, err)
		}
		return ans.Credential
	}
	if c := credential("ada@example.com"); c.Password != "correct horse" || c.NTHash == nil || *c.NTHash != made {
		t.Error("ada has no hash of her password")
	}
	if c := credential("eve@example.com"); c.NTHash == nil || *c.NTHash == made {
		t.Error("eve's own hash is gone")
	}
	if c := credential("printer"); c != nil {
		t.Error("the printer can be proved")
	}
}

// TestWatch changes the file in every way an operator does, in fake time.
func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []backends.Finding
		changes := 0
		f, path := open(t, twoMembers, backends.Deps{Changed: func() { changes++ }, Tell: func(x backends.Finding) {
			mu.Lock()
			told = append(told, x)
			mu.Unlock()
		}})
		heard := func() []backends.Finding {
			mu.Lock()
			defer mu.Unlock()
			all := told
			told = nil
			return all
		}
		knows := func(login string) bool {
			_, err := f.Ask(t.Context(), &member.Attempt{Login: login})
			return err == nil
		}
		one := func(login string) string { return "[[member]]\nlogin = \"" + login + "\"\n" }

		write(t, path, one("written"))
		time.Sleep(2 * time.Second)
		if !knows("written") || knows("ada@example.com") || len(heard()) != 1 {
			t.Error("a file written anew is not in force after 2 s")
		}
		if changes != 1 {
			t.Errorf("%d changes are told", changes)
		}

		write(t, path+".new", one("renamed"))
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if !knows("renamed") || knows("written") || len(heard()) != 1 {
			t.Error("a file renamed over it is not in force after 2 s")
		}

		info, _ := os.Stat(path)
		write(t, path, one("ranemed"))
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if !knows("ranemed") || len(heard()) != 1 {
			t.Error("a change of the same length and time is not in force after 2 s")
		}

		for _, broken := range []string{"", "[[member", one("a") + one("A"), "[[member]]\nlogin = 5\n"} {
			write(t, path, broken)
			time.Sleep(10 * time.Second)
			said := heard()
			if !knows("ranemed") || len(said) != 1 || !said[0].Wrong || !strings.Contains(said[0].What, path) || said[0].Remedy == "" {
				t.Errorf("broken file %q: old members there %v, said %v", broken, knows("ranemed"), said)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if said := heard(); !knows("ranemed") || len(said) != 1 || !said[0].Wrong {
			t.Errorf("file removed: old members there %v, said %v", knows("ranemed"), said)
		}
		write(t, path, one("back"))
		time.Sleep(2 * time.Second)
		if !knows("back") || len(heard()) != 1 {
			t.Error("a file that is there again is not in force after 2 s")
		}
		time.Sleep(time.Minute)
		if said := heard(); len(said) != 0 {
			t.Errorf("a file that stands still is news: %v", said)
		}
		if err := f.Close(); err != nil { // the bubble ends only if the watcher does
			t.Fatal(err)
		}
	})
}

func TestHalfAFileIsNotTaken(t *testing.T) {
	t.Parallel()
	f := &File{name: "staff", path: filepath.Join(t.TempDir(), "m.toml"), now: time.Now, tell: func(backends.Finding) {}, changed: func() {}}
	write(t, f.path, twoMembers)
	w := &watcher{file: f}
	if err := w.first(); err != nil {
		t.Fatal(err)
	}
	w.poll()
	half := twoMembers[:strings.LastIndex(twoMembers, "[[member]]")]
	write(t, f.path, half)
	w.poll()
	if f.Members() != 2 {
		t.Fatal("half a file was taken at once")
	}
	write(t, f.path, twoMembers+"# longer\n")
	w.poll()
	w.poll()
	if f.Members() != 2 || w.moving != 0 {
		t.Errorf("%d members, moving %d", f.Members(), w.moving)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{"", "missing.toml", "."} {
		_, err := Config{Path: path}.Open(backends.Deps{Name: "staff", Base: dir})
		var e *backends.KeyError
		if !errors.As(err, &e) || e.Key != "path" {
			t.Errorf("path %q: %v", path, err)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	f, path := open(t, twoMembers, backends.Deps{})
	if found := f.Check(context.Background()); len(found) != 0 {
		t.Errorf("a file in order: %v", found)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if found := f.Check(context.Background()); len(found) != 1 || found[0].Wrong {
		t.Errorf("a file that all may read: %v", found)
	}
	write(t, path, "x")
	if found := f.Check(context.Background()); len(found) == 0 || !found[0].Wrong {
		t.Errorf("a broken file: %v", found)
	}
}
