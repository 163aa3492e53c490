package provision

import (
	"strings"
	"testing"

	"memberradius/backends"
	"memberradius/member"
)

func TestSwitchedOff(t *testing.T) {
	t.Parallel()
	b := setUp(t, func(c *Config) { c.Provision, c.Deprovision = false, false })
	for _, name := range []string{"anna", "bob"} {
		r := rec("", name)
		if err := b.store.Add(t.Context(), "nexudus", &r); err != nil {
			t.Fatal(err)
		}
	}
	rep := b.full(rec("1", "anna", "hot"), rec("3", "carl"))
	b.want("members", b.members(), "anna@x bob@x")
	if rep.Skipped != 2 || rep.Added+rep.Lapsed != 0 || rep.Run.Changed != 1 {
		t.Errorf("%s", rep)
	}
	for _, part := range []string{"carl@x comes, but is not added", "bob@x goes, but stays here"} {
		if !strings.Contains(words(rep.Changes), part) {
			t.Errorf("%q is not in %q", part, words(rep.Changes))
		}
	}
	for _, c := range b.changed {
		if strings.Contains(words(c), "bob") {
			t.Errorf("whoever is told of changes hears that bob goes: %v", c)
		}
	}
	if len(b.kept()["anna@x"].Credential.Password) == 0 {
		t.Error("anna has no password")
	}
	b.want("events", b.events(), "welcome anna@x")
}

func TestSecrecy(t *testing.T) {
	t.Parallel()
	brought := func(password string) member.Record {
		r := rec("1", "anna")
		r.Credential.Password = member.Secret(password)
		return r
	}
	b := setUp(t, func(c *Config) { c.Secrecy = backends.Brought })
	b.full(brought("1234"), rec("2", "bob"))
	if c := b.kept()["anna@x"].Credential; c.Password != "1234" || c.NTHash == nil || *c.NTHash != hashOf("1234") {
		t.Errorf("anna: password %t", c.Password == "1234")
	}
	if c := b.kept()["bob@x"].Credential; c != (member.Credential{}) {
		t.Error("bob has a password that he did not bring")
	}
	rep := b.full(brought("1234"), rec("2", "bob"))
	b.want("the same", words(rep.Changes), "")
	rep = b.full(brought("9999"), rec("2", "bob"))
	b.want("another", words(rep.Changes), "anna@x changes: password")
	b.push(&backends.Push{Records: []member.Record{brought("7777")}})
	if c := b.kept()["anna@x"].Credential; c.Password != "7777" {
		t.Error("a push did not change the password")
	}
	b.push(&backends.Push{Records: []member.Record{brought("7777")}})
	if run := b.journal()[0]; run.Unchanged != 1 {
		t.Errorf("%+v", run)
	}
	rep = b.full(brought("bad\none"), rec("2", "bob"))
	if c := b.kept()["anna@x"].Credential; c != (member.Credential{}) || len(rep.Notes) != 1 || strings.Contains(rep.Notes[0], "bad") {
		t.Errorf("notes %q", rep.Notes)
	}

	b.Runner = New(b.config(b.c.Now, func(c *Config) { c.Secrecy = backends.Generated }))
	b.full(brought(""), rec("2", "bob"))
	b.want("events", b.events(), "welcome anna@x, welcome bob@x")
	made := b.kept()["anna@x"].Credential
	if made.Password == "" || made.NTHash == nil {
		t.Error("no password was made")
	}
	b.Runner = New(b.config(b.c.Now, func(c *Config) { c.Secrecy = backends.Asked }))
	b.full(rec("1", "anna"), rec("2", "bob"), rec("3", "carl"))
	for login, e := range b.kept() {
		if e.Credential != (member.Credential{}) {
			t.Errorf("%s has a password though the system is asked", login)
		}
	}
}

func TestUnmappedPlans(t *testing.T) {
	t.Parallel()
	b := setUp(t, func(c *Config) {
		c.KnownPlan = func(name string) bool { return name == "Hot Desk" }
		c.HasDefault = func() bool { return true }
	})
	list := []member.Record{rec("1", "anna", "Hot Desk"), rec("2", "bob", "Gold", "Hot Desk"), rec("3", "carl", "Gold"), rec("4", "dora", "Silver")}
	rep := b.full(list...)
	if len(rep.Notes) != 2 || !strings.Contains(rep.Notes[0], `plan "Gold" of 2 members is not mapped`) || !strings.Contains(rep.Notes[1], "gets the default_plan") {
		t.Errorf("notes %q", rep.Notes)
	}
	b.full(list...)
	if len(b.told) != 2 || b.told[0].What != `plan "Gold" of 2 members is not mapped` {
		t.Errorf("told %+v", b.told)
	}
	if got := strings.Join(b.journal()[0].Notes, "\n"); got != strings.Join(rep.Notes, "\n") {
		t.Errorf("journal has %q", got)
	}
}
