package provision

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/store"
)

// with returns rec changed.
func with(rec member.Record, change func(*member.Record)) member.Record {
	change(&rec)
	return rec
}

func TestFitted(t *testing.T) {
	t.Parallel()
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	tests := []struct {
		name   string
		change func(*member.Record)
		want   fitness
		note   string // part of a note, or of the error
		check  func(*member.Record) bool
	}{
		{"plain", func(*member.Record) {}, fit, "", nil},
		{"no login", func(r *member.Record) { r.Member.Login = "" }, unfit, "empty", nil},
		{"control character in the login", func(r *member.Record) { r.Member.Login = "a\x1b[31m" }, unfit, "control character", nil},
		{"invisible login", func(r *member.Record) { r.Member.Login = "a\u200b" }, unfit, "invisible", nil},
		{"long login", func(r *member.Record) { r.Member.Login = strings.Repeat("a", 254) }, unfit, "253", nil},
		{"odd name", func(r *member.Record) { r.Member.Name = " An\nna\u202e \xff" }, fit, "", func(r *member.Record) bool { return r.Member.Name == "An na \uFFFD" }},
		{"long name", func(r *member.Record) { r.Member.Name = strings.Repeat("é", 600) }, fit, "", func(r *member.Record) bool { return len(r.Member.Name) == 1024 }},
		{"two addresses in one", func(r *member.Record) { r.Email = "a@x\r\nBcc: b@x" }, fit, "no letter", func(r *member.Record) bool { return r.Email == "" }},
		{"spaces around the address", func(r *member.Record) { r.Email = " a@x " }, fit, "", func(r *member.Record) bool { return r.Email == "a@x" }},
		{"VLAN out of range", func(r *member.Record) { r.Member.TeamVLAN = "5000" }, fit, "5000", func(r *member.Record) bool { return r.Member.TeamVLAN == "" }},
		{"VLAN with zeros", func(r *member.Record) { r.Member.VLAN = " 007 " }, fit, "", func(r *member.Record) bool { return r.Member.VLAN == "7" }},
		{"devices", func(r *member.Record) { r.Member.Devices = -1 }, fit, "", func(r *member.Record) bool { return r.Member.Devices == 0 }},
		{"ends before it begins", func(r *member.Record) { r.Member.ValidFrom, r.Member.ValidUntil = year(2027), year(2026) }, never, "", nil},
		{"lasts half a second", func(r *member.Record) {
			r.Member.ValidFrom, r.Member.ValidUntil = year(2026), year(2026).Add(time.Second/2)
		}, never, "", nil},
		{"ended before there were clocks", func(r *member.Record) { r.Member.ValidUntil = year(1900) }, never, "", nil},
		{"begins after all", func(r *member.Record) { r.Member.ValidFrom = year(12000) }, never, "", nil},
		{"from 1900 until 12000", func(r *member.Record) { r.Member.ValidFrom, r.Member.ValidUntil = year(1900), year(12000) }, fit, "",
			func(r *member.Record) bool { return r.Member.ValidFrom.IsZero() && r.Member.ValidUntil.IsZero() }},
		{"a plan with a semicolon", func(r *member.Record) { r.Member.Plans = []string{" Desk; small ", ""} }, fit, "",
			func(r *member.Record) bool { return len(r.Member.Plans) == 1 && r.Member.Plans[0] == "Desk, small" }},
		{"terms do not fit the plans", func(r *member.Record) { r.Member.Plans, r.Member.Terms = []string{"a", "b"}, make([]member.Term, 1) }, unfit, "of each plan", nil},
		{"one plan is never held", func(r *member.Record) {
			r.Member.Plans, r.Member.Terms = []string{"a", "b"}, []member.Term{{From: year(2027), Until: year(2026)}, {From: year(2026)}}
		}, fit, "", func(r *member.Record) bool {
			return len(r.Member.Plans) == 1 && r.Member.Plans[0] == "b" && len(r.Member.Terms) == 1
		}},
		{"no plan is ever held", func(r *member.Record) {
			r.Member.Plans, r.Member.Terms = []string{"a"}, []member.Term{{From: year(2027), Until: year(2026)}}
		}, never, "", nil},
		{"terms that bound nothing", func(r *member.Record) { r.Member.Plans, r.Member.Terms = []string{"a"}, make([]member.Term, 1) }, fit, "",
			func(r *member.Record) bool { return r.Member.Terms == nil }},
		{"plans without end", func(r *member.Record) {
			for i := range 300 {
				r.Member.Plans = append(r.Member.Plans, fmt.Sprintf("plan %03d", i))
			}
		}, fit, "more plans", nil},
		{"a password that can't be typed", func(r *member.Record) { r.Credential.Password = "se\ncret" }, fit, "has none", func(r *member.Record) bool { return r.Credential.Password == "" }},
	}
	for _, tt := range tests {
		r := with(rec("1", "anna"), tt.change)
		var notes []string
		got, err := fitted(&r, func(s string) { notes = append(notes, s) })
		said := strings.Join(notes, "\n") + fmt.Sprint(err)
		switch {
		case got != tt.want, (err == nil) != (got == fit), !strings.Contains(said, tt.note), strings.Contains(said, "cret"), tt.check != nil && !tt.check(&r):
			t.Errorf("%s: %v, %v, notes %q, %+v", tt.name, got, err, notes, r.Member)
		case got == fit:
			for f := store.FieldLogin; f < store.AllFields; f <<= 1 {
				if err := store.Check(f, &r); err != nil {
					t.Errorf("%s: the store refuses it: %v", tt.name, err)
				}
			}
		}
	}
}

// TestOneBadRecord: whoever can't be kept is left out, and nobody else.
func TestOneBadRecord(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna"), rec("2", "bob"))
	bad := []member.Record{
		with(rec("3", "carl"), func(r *member.Record) { r.Member.Login = "ca\x00rl" }),
		with(rec("4", "dora"), func(r *member.Record) { r.Member.ID = "4\n" + "x" }),
		with(rec("5", "emil"), func(r *member.Record) { r.Member.Login = strings.Repeat("e", 300) }),
		// Bob's new login can't be kept. He is a member all the same, by the one of before.
		with(rec("2", "bob"), func(r *member.Record) { r.Member.Login = "" }),
	}
	rep := b.full(append(bad, rec("1", "anna"), rec("6", "fay"))...)
	b.want("members", b.members(), "anna@x bob@x fay@x")
	if rep.Skipped != 4 || len(rep.Notes) != 4 || rep.Added != 1 || rep.Unchanged != 1 {
		t.Errorf("%s, notes %q", rep, rep.Notes)
	}
	// Whose dates leave no time has ended.
	rep = b.full(rec("1", "anna"), rec("6", "fay"), with(rec("2", "bob"), func(r *member.Record) {
		r.Member.ValidFrom, r.Member.ValidUntil = epoch.Add(time.Hour), epoch
	}))
	b.want("members", b.members(), "anna@x fay@x")
	b.want("changes", words(rep.Changes), "bob@x goes")
}

func TestNotesAreBounded(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	var list []member.Record
	for i := range 250 {
		list = append(list, with(rec(fmt.Sprint(i), "m"), func(r *member.Record) { r.Member.Login = "" }))
	}
	rep := b.full(list...)
	if len(rep.Notes) != store.MaxNotes || rep.Notes[store.MaxNotes-1] != "and 151 more" || rep.Skipped != 250 {
		t.Errorf("%d notes, the last %q", len(rep.Notes), rep.Notes[len(rep.Notes)-1])
	}
}

// TestTwoWithOneLogin: who has it keeps it, or the one with the smaller id gets
// it; never do both share a password.
func TestTwoWithOneLogin(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	upper := with(rec("9", "anna"), func(r *member.Record) { r.Member.Login, r.Email = "ANNA@x", "other@x" })
	b.full(rec("10", "anna"), upper)
	if e := b.kept()["ANNA@x"]; e == nil || e.Member.ID != "9" {
		t.Fatalf("kept %v", b.members())
	}
	password := b.kept()["ANNA@x"].Credential.Password
	rep := b.full(upper, rec("10", "anna"), with(rec("8", "anna"), func(r *member.Record) { r.Email = "third@x" }))
	if e := b.kept()["ANNA@x"]; e == nil || e.Member.ID != "9" || rep.Skipped != 2 || len(rep.Notes) != 2 {
		t.Fatalf("%s, notes %q", rep, rep.Notes)
	}
	rep = b.full(rec("10", "anna"))
	e := b.kept()["anna@x"]
	if e == nil || e.Member.ID != "10" || e.Credential.Password == password {
		t.Fatal("the stranger who got the login got its password too")
	}
	b.want("changes", words(rep.Changes), "ANNA@x goes; anna@x comes, no plan")
	// One person who signs up again is no stranger.
	again := rec("11", "anna")
	rep = b.full(again)
	b.want("changes", words(rep.Changes), "anna@x changes: id 10 -> 11")
	if b.kept()["anna@x"].Credential.Password != e.Credential.Password {
		t.Error("she got another password")
	}
}

func TestLoginChanges(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna"), rec("2", "bob"), rec("3", "carl"))
	before := b.kept()
	password := func(login string) member.Secret { return b.kept()[login].Credential.Password }
	renamed := with(rec("1", "anna"), func(r *member.Record) { r.Member.Login, r.Email = "anna@new", "anna@new" })
	rep := b.full(renamed, rec("2", "bob"), rec("3", "carl"))
	b.want("members", b.members(), "anna@new bob@x carl@x")
	b.want("changes", words(rep.Changes), "anna@x changes: login anna@x -> anna@new, address anna@x -> anna@new")
	if password("anna@new") != before["anna@x"].Credential.Password || len(b.kept()) != 3 {
		t.Error("the password did not come along, or the old login is left")
	}
	if !strings.Contains(b.events(), "password anna@new") || len(b.changed) != 1 || !b.changed[0][0].Access || b.changed[0][0].Login != "anna@x" {
		t.Errorf("events %s, told %+v", b.events(), b.changed)
	}
	// Bob and Carl exchange their logins, by a push that says no more than that.
	bob := with(rec("2", "bob"), func(r *member.Record) { r.Member.Login = "carl@x" })
	carl := with(rec("3", "carl"), func(r *member.Record) { r.Member.Login = "bob@x" })
	b.push(&backends.Push{Records: []member.Record{bob, carl}})
	if run := b.journal()[0]; run.Changed != 2 || run.Lapsed != 0 {
		t.Errorf("%+v", run)
	}
	if password("carl@x") != before["bob@x"].Credential.Password || password("bob@x") != before["carl@x"].Credential.Password {
		t.Error("they did not take their passwords along")
	}
	// One alone can't have the login of another who stays.
	back := rec("2", "bob")
	back.Email = "bob@y"
	b.push(&backends.Push{Records: []member.Record{back}})
	run := b.journal()[0]
	if run.Skipped != 1 || len(run.Notes) != 1 || b.kept()["carl@x"].Member.ID != "2" || b.kept()["bob@x"].Member.ID != "3" {
		t.Errorf("%+v", run)
	}
	if b.run(Options{}).Kind != kindFull {
		t.Error("what was in doubt is not read in full")
	}
	// A chain: whoever may not move keeps her login from the next.
	list := []member.Record{renamed, back, carl}
	list[0].Member.Login = "carl@x"
	rep = b.full(list...)
	if rep.Skipped != 2 || b.members() != "anna@new bob@x carl@x" {
		t.Errorf("%s: %q %s", rep, rep.Notes, b.members())
	}
}

func TestSpellingOfALoginIsNoMove(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna"))
	events := b.events()
	rep := b.full(with(rec("1", "anna"), func(r *member.Record) { r.Member.Login = "Anna@X" }))
	b.want("changes", words(rep.Changes), "anna@x changes: login anna@x -> Anna@X")
	b.want("events", b.events(), events)
}

func TestWhatIsSaidLastCounts(t *testing.T) {
	t.Parallel()
	l := newList(false, nil)
	bad := with(rec("3", "carl"), func(r *member.Record) { r.Member.Login = "" })
	for _, r := range []member.Record{gone("1", "anna@x"), rec("1", "anna"), rec("2", "bob"), gone("2", ""), gone("3", ""), bad, gone("", "dora@x"), rec("", "dora"), rec("", "emil"), gone("", "EMIL@x")} {
		l.add(&r)
	}
	for _, tt := range []struct {
		id, login string
		gone      bool
	}{{"1", "anna@x", false}, {"", "anna@x", false}, {"2", "bob@x", true}, {"3", "carl@x", false}, {"", "dora@x", false}, {"", "emil@x", true}, {"9", "emil@x", true}} {
		k := &store.Kept{Member: member.Member{ID: tt.id, Login: tt.login}}
		if got := l.gone(k, foldedOf(k)); got != tt.gone {
			t.Errorf("%s with id %q: gone %v", tt.login, tt.id, got)
		}
	}
	four := with(rec("4", "x"), func(r *member.Record) { r.Member.Login = "" })
	l.add(&four)
	ended := gone("4", "")
	if l.add(&ended); l.stays["4"] {
		t.Error("who has ended stays")
	}
	if l.len() != 3 { // Anna, Carl and Dora
		t.Errorf("%d members", l.len())
	}
}

func TestSameIDTwice(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	// While pages are read she changes her plan, and then her address.
	rep := b.full(rec("1", "anna", "a"), rec("1", "anna", "b"), rec("1", "bella", "b"), gone("2", "x"), rec("2", "x"), rec("3", "y"), gone("3", ""))
	b.want("members", b.members(), "bella@x x@x")
	if len(rep.Notes) != 1 || !strings.Contains(rep.Notes[0], "the last one counts") {
		t.Errorf("notes %q", rep.Notes)
	}
}
