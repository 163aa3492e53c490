package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"
)

func TestFirstSync(t *testing.T) {
	t.Parallel()
	b := setUp(t, func(c *Config) { c.WriteBack = true })
	anna := rec("1", "anna", "Hot Desk")
	anna.Member.Terms = []member.Term{{From: epoch}}
	anna.Member.TeamVLAN, anna.Member.MembershipID = "30", "c7"
	bob := rec("2", "bob")
	bob.Email = ""
	rep := b.full(anna, bob)
	b.want("report", rep.String(), "full sync of nexudus: 2 come (2 requests, 0s)")
	b.want("changes", words(rep.Changes), "anna@x comes, plan Hot Desk; bob@x comes, no plan")
	b.want("events", b.events(), "welcome anna@x, writeback anna@x, writeback bob@x")
	e := b.kept()["anna@x"]
	if e == nil {
		t.Fatal("anna is not kept")
	}
	m := e.Member
	if m.ID != "1" || m.MembershipID != "c7" || m.TeamVLAN != "30" || e.Email != "anna@x" || len(m.Terms) != 1 || !m.Terms[0].From.Equal(epoch) {
		t.Errorf("kept %+v %s", m, e.Email)
	}
	if e.Credential.NTHash == nil || *e.Credential.NTHash != hashOf(string(e.Credential.Password)) || len(e.Credential.Password) < 16 {
		t.Error("the password has no NT hash, or is short")
	}
	run := b.journal()[0]
	if run.Kind != "full" || run.Trigger != "test" || run.Added != 2 || run.Requests != 2 || run.Pages != 1 || run.Error != "" || run.Held {
		t.Errorf("journal: %+v", run)
	}
	rep = b.full(anna, bob)
	b.want("again", rep.String(), "full sync of nexudus: 2 stay as they were (2 requests, 0s)")
}

func TestMembershipEndsAndReturns(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna", "Hot Desk"), rec("2", "bob"))
	password := b.kept()["anna@x"].Credential.Password
	rep := b.full(rec("2", "bob"))
	b.want("changes", words(rep.Changes), "anna@x goes")
	b.want("told", words(b.changed[0]), "anna@x goes")
	b.want("members", b.members(), "bob@x")
	if e := b.kept()["anna@x"]; e == nil || !e.Lapsed.Equal(epoch.Add(2*time.Second)) || e.Credential.Password != password {
		t.Fatal("anna's password is not kept")
	}
	b.after(89 * 24 * time.Hour)
	b.full(rec("2", "bob"))
	rep = b.full(rec("1", "anna", "Office"), rec("2", "bob"))
	b.want("changes", words(rep.Changes), "anna@x returns, plan Office (plan Hot Desk -> Office)")
	b.want("members", b.members(), "anna@x bob@x")
	if e := b.kept()["anna@x"]; e.Credential.Password != password {
		t.Error("anna has another password than before")
	}
	b.want("events", b.events(), "welcome anna@x, welcome bob@x")
	b.full(rec("2", "bob"))
	b.after(91 * 24 * time.Hour)
	rep = b.full(rec("2", "bob"))
	if len(b.kept()) != 1 || !strings.Contains(strings.Join(rep.Notes, "\n"), "1 member: forgotten") {
		t.Errorf("kept %v, notes %q", b.kept(), rep.Notes)
	}
	b.full(rec("1", "anna"), rec("2", "bob"))
	if e := b.kept()["anna@x"]; e.Credential.Password == password {
		t.Error("a forgotten password is back")
	}
}

func TestShrinkingListIsHeld(t *testing.T) {
	t.Parallel()
	many := func(n int) (all []member.Record) {
		for i := range n {
			all = append(all, rec(fmt.Sprint(i), fmt.Sprintf("m%02d", i)))
		}
		return all
	}
	tests := []struct {
		name    string
		before  int
		after   []member.Record
		held    bool
		members int
	}{
		{"all of many", 40, nil, true, 40},
		{"all of one", 1, nil, true, 1},
		{"a third and more than ten", 40, many(27), true, 40},
		{"more than ten, less than a third", 40, many(29), false, 29},
		{"more than a third, ten", 20, many(10), false, 10},
		{"nobody new either", 40, append(many(5), rec("new", "new")), true, 40},
		{"all get other ids and addresses", 12, func() []member.Record {
			all := many(12)
			for i := range all {
				all[i].Member.ID, all[i].Email = "n"+all[i].Member.ID, ""
			}
			return all
		}(), true, 12},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setUp(t)
			b.full(many(tt.before)...)
			dry := func() *Report { b.source.set(tt.after...); return b.run(Options{Full: true, DryRun: true}) }()
			rep := b.full(tt.after...)
			if rep.Held != tt.held || dry.Held != tt.held || strings.Contains(rep.Remedy, "memberradius sync nexudus --accept") != tt.held {
				t.Errorf("held %v, dry %v: %s", rep.Held, dry.Held, rep.Remedy)
			}
			if n := len(strings.Fields(b.members())); n != tt.members {
				t.Errorf("%d members, want %d", n, tt.members)
			}
			if !tt.held {
				return
			}
			if run := b.journal()[0]; !run.Held || run.Error != "" || !strings.HasPrefix(run.Notes[0], "held: ") {
				t.Errorf("journal: %+v", run)
			}
			b.full(tt.after...)
			if len(b.told) != 1 || !b.told[0].Wrong {
				t.Errorf("told %+v, want it once", b.told)
			}
			rep = b.run(Options{Accept: true})
			if rep.Held || len(strings.Fields(b.members())) != len(tt.after) {
				t.Errorf("accepted: %s", rep)
			}
		})
	}
}

func TestNextAfterHeldIsFull(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna"))
	b.full()
	b.run(Options{})
	if q := b.source.asked(); !q[len(q)-1].Everything() {
		t.Errorf("asked %+v", q[len(q)-1])
	}
}

func TestListOfChangesIsHeldToo(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	var all, ended []member.Record
	for i := range 20 {
		all = append(all, rec(fmt.Sprint(i), fmt.Sprintf("m%02d", i)))
		ended = append(ended, gone(fmt.Sprint(i), ""))
	}
	b.full(all...)
	b.source.set(ended...)
	if rep := b.run(Options{}); !rep.Held || rep.Kind != kindChanges || len(strings.Fields(b.members())) != 20 {
		t.Errorf("%+v", rep)
	}
}

func TestWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna"))
	b.source.answer(func(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
		if err := saying(rec("2", "bob"))(ctx, q, out); err != nil {
			return err
		}
		return errBroken
	})
	b.after(time.Second)
	rep, err := b.Run(t.Context(), Options{Full: true})
	if !errors.Is(err, errBroken) || rep == nil || rep.Error == "" {
		t.Fatalf("%v, %v", rep, err)
	}
	b.want("members", b.members(), "anna@x")
	run := b.journal()[0]
	if run.Error != errBroken.Error() || run.Requests != 2 || run.Added != 0 {
		t.Errorf("journal: %+v", run)
	}
	b.want("text", rep.String(), "full sync of nexudus failed: the member system broke off")
}

func TestCancelledRunIsInTheJournal(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.source.answer(func(ctx context.Context, _ *backends.Query, _ func(*member.Record) error) error {
		cancel()
		return ctx.Err()
	})
	if _, err := b.Run(ctx, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if runs := b.journal(); len(runs) != 1 || !strings.Contains(runs[0].Error, "stopped") {
		t.Errorf("journal: %+v", runs)
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna", "hot"), rec("2", "bob"))
	runs := len(b.journal())
	b.source.set(rec("1", "anna", "office"), rec("3", "carl"))
	rep := b.run(Options{Full: true, DryRun: true})
	b.want("changes", words(rep.Changes), "bob@x goes; anna@x changes: plan hot -> office; carl@x comes, no plan")
	b.want("members", b.members(), "anna@x bob@x")
	if len(b.journal()) != runs || len(b.changed) != 0 {
		t.Error("a dry run left a trace")
	}
}

func TestSomebodyElseWrites(t *testing.T) {
	t.Parallel()
	var b *bench
	times, added := 0, 0
	b = setUp(t, func(c *Config) {
		c.NTHash = func(password string) member.Hash { // called in the middle of a comparison
			if times > 0 {
				times--
				added++
				r := member.Record{Member: member.Member{Login: fmt.Sprintf("by-hand-%d", added)}}
				if err := b.store.Add(t.Context(), "nexudus", &r); err != nil {
					t.Error(err)
				}
			}
			return hashOf(password)
		}
	})
	b.full(rec("1", "anna"))
	times = 2
	rep := b.full(rec("1", "anna"), rec("2", "bob"))
	if rep.Added != 1 || rep.Lapsed != 2 {
		t.Errorf("%s", rep)
	}
	b.want("members", b.members(), "anna@x bob@x")
	times = attempts
	b.source.set(rec("1", "anna"), rec("2", "bob"), rec("3", "carl"))
	b.after(time.Second)
	if _, err := b.Run(t.Context(), Options{}); !errors.Is(err, errBusy) {
		t.Errorf("%v, want errBusy", err)
	}
	if run := b.journal()[0]; !strings.Contains(run.Error, "another process") || run.Added+run.Lapsed+run.Unchanged != 0 {
		t.Errorf("journal: %+v", b.journal()[0])
	}
	if rep := b.run(Options{}); rep.Kind != kindFull || rep.Added != 1 {
		t.Errorf("after a failed apply: %+v", rep.Run)
	}
}

func TestFailedApplyMakesTheNextSyncFull(t *testing.T) {
	t.Parallel()
	stop := func() {}
	b := setUp(t, func(c *Config) {
		c.NTHash = func(password string) member.Hash { stop(); return hashOf(password) }
	})
	b.full(rec("1", "anna"))
	ctx, cancel := context.WithCancel(t.Context())
	stop = cancel // when all is read and compared
	b.source.set(rec("1", "anna"), rec("2", "bob"))
	if rep, err := b.Run(ctx, Options{}); !errors.Is(err, context.Canceled) || rep.Kind != kindChanges {
		t.Fatal(err)
	}
	b.want("members", b.members(), "anna@x")
	if rep := b.run(Options{}); rep.Kind != kindFull || rep.Added != 1 {
		t.Errorf("%s", rep)
	}
}

func TestRefreshFailureIsTold(t *testing.T) {
	t.Parallel()
	b := setUp(t, func(c *Config) { c.Refresh = func(context.Context) error { return errBroken } })
	b.full(rec("1", "anna"))
	if len(b.told) != 1 || !strings.Contains(b.told[0].What, errBroken.Error()) {
		t.Errorf("told %+v", b.told)
	}
}

func TestRenew(t *testing.T) {
	t.Parallel()
	refreshed := 0
	b := setUp(t, func(c *Config) {
		c.WriteBack = true
		c.Refresh = func(context.Context) error { refreshed++; return nil }
	})
	b.full(rec("1", "anna"), rec("2", "bob"))
	b.full(rec("1", "anna"))
	before := b.kept()["anna@x"].Credential.Password
	if err := b.Renew(t.Context(), "ANNA@x"); err != nil {
		t.Fatal(err)
	}
	c := b.kept()["anna@x"].Credential
	if c.Password == before || *c.NTHash != hashOf(string(c.Password)) || refreshed != 3 {
		t.Error("no new password")
	}
	b.want("told", words(b.changed[1]), "anna@x changes: password")
	if !strings.Contains(b.events(), "password anna@x") {
		t.Error(b.events())
	}
	if err := b.Renew(t.Context(), "nobody"); !errors.Is(err, member.ErrUnknown) {
		t.Error(err)
	}
	if err := b.Renew(t.Context(), "bob@x"); !errors.Is(err, ErrEnded) {
		t.Error(err)
	}
	b.c.Secrecy = backends.Asked
	if err := b.Renew(t.Context(), "anna@x"); !errors.Is(err, ErrNotGenerated) {
		t.Error(err)
	}
}

// TestNoSecretIsTold: what runs, notes, findings and changes say holds no password.
func TestNoSecretIsTold(t *testing.T) {
	t.Parallel()
	const canary = "kanarienvogel"
	for _, secrecy := range []backends.Secrecy{backends.Brought, backends.Generated, backends.Asked} {
		b := setUp(t, func(c *Config) {
			c.Secrecy = secrecy
			c.KnownPlan = func(string) bool { return false }
		})
		secret := func(id, name, password string) member.Record {
			r := rec(id, name, "gold")
			r.Credential.Password = member.Secret(password)
			return r
		}
		said := fmt.Sprintf("%+v", b.full(secret("1", "anna", canary), secret("2", "bob", canary+"\x00"), secret("3", strings.Repeat("c", 300), canary)))
		said += fmt.Sprintf("%+v", b.full(secret("1", "anna", canary+"2"), secret("4", "dora", strings.Repeat(canary, 50))))
		for _, e := range b.kept() {
			if p := string(e.Credential.Password); p != "" && strings.Contains(said, p) {
				t.Error("a report holds a password")
			}
		}
		said += fmt.Sprintf("%+v %+v %+v", b.journal(), b.told, b.changed)
		if strings.Contains(said, canary) || !strings.Contains(said, "gold") {
			t.Errorf("secrecy %d: %s", secrecy, said)
		}
	}
}

func TestNoRandomness(t *testing.T) {
	t.Parallel()
	b := setUp(t, func(c *Config) { c.Rand = strings.NewReader("") })
	b.source.set(rec("1", "anna"))
	if _, err := b.Run(t.Context(), Options{}); err == nil || b.members() != "" {
		t.Errorf("%v, members %q", err, b.members())
	}
}
