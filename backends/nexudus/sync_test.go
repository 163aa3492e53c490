package nexudus

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/internal/nexudustest/standin"
	"memberradius/member"
)

// TestMemberIsWhoHoldsAnActiveContract: Coworker.Active alone is no membership.
func TestMemberIsWhoHoldsAnActiveContract(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Hot Desk")
	w.space.PutCoworker(standin.Coworker{Name: "Contact", Email: "contact@example.com"})
	_, ended := w.space.Join(standin.Coworker{Name: "Ended", Email: "ended@example.com"}, "Hot Desk")
	w.space.Cancel(ended)
	w.space.Join(standin.Coworker{Name: "Archived", Email: "archived@example.com", Archived: true}, "Hot Desk")
	w.space.Join(standin.Coworker{Name: "Suspended", Email: "suspended@example.com", Suspended: true}, "Hot Desk")
	w.space.Join(standin.Coworker{Name: "Nameless"}, "Hot Desk")
	w.full()
	if got := w.logins(); got != "anna@example.com suspended@example.com" {
		t.Errorf("members are %s", got)
	}
	anna := w.get("ANNA@example.com")
	if m := anna.Member; m.Backend != "nexudus" || m.Name != "Anna" || m.ID == "" || m.MembershipID == "" ||
		!slices.Equal(m.Plans, []string{"Hot Desk"}) || m.Disabled || anna.Email != "anna@example.com" || anna.Credential.Password != "" {
		t.Errorf("anna: %+v", anna)
	}
	if !w.get("suspended@example.com").Member.Disabled {
		t.Error("a suspended customer is let in")
	}
	if len(w.said) != 1 || !strings.Contains(w.said[0].What, "1 customers with an active contract") {
		t.Errorf("said: %v", w.said)
	}
}

// TestOneEmailSeveralCustomers: all of their contracts count, and the one that
// is suspended or archived takes nothing from the others.
func TestOneEmailSeveralCustomers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.space.Join(standin.Coworker{Name: "Second", Email: "Anna@Example.com"}, "Hot Desk")
	w.space.Join(standin.Coworker{Name: "First", Email: "anna@example.com", Main: true}, "Office")
	w.space.Join(standin.Coworker{Name: "Asleep", Email: "anna@example.com", Suspended: true}, "Storage")
	w.space.Join(standin.Coworker{Name: "Old", Email: "anna@example.com", Archived: true}, "Locker")
	w.full()
	if w.logins() != "anna@example.com" {
		t.Fatalf("members are %s", w.logins())
	}
	m := w.get("anna@example.com").Member
	if m.Name != "First" || !slices.Equal(m.Plans, []string{"Hot Desk", "Office"}) || m.Disabled {
		t.Errorf("anna: %+v", m)
	}
}

func TestTermsAndNetworks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	from, until := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	office := w.space.PutDesk(standin.Desk{Name: "Office 1", VLAN: "310"})
	w.space.PutDesk(standin.Desk{Name: "Broken", VLAN: "9999"})
	anna := w.space.PutCoworker(standin.Coworker{Name: "Anna", Email: "anna@example.com"})
	ben, ofBen := w.space.Join(standin.Coworker{Name: "Ben", Email: "ben@example.com"}, "Desk")
	eve, _ := w.space.Join(standin.Coworker{Name: "Eve", Email: "eve@example.com"}, "Desk")
	w.space.PutContract(standin.Contract{Coworker: anna, Plan: "Office", Active: true, Start: from, End: until, Cancelled: true, Desks: []int{office}})
	w.space.PutContract(standin.Contract{Coworker: anna, Plan: "Hot Desk", Active: true, Main: true, Start: from, End: until})
	w.space.PutTeam(standin.Team{Name: "No network", Members: []int{anna, ben}})
	w.space.PutTeam(standin.Team{Name: "Acme", VLAN: "220", Members: []int{anna}})
	w.space.PutDesk(standin.Desk{Name: "Desk 7", VLAN: "desk-seven", Contracts: []int{ofBen}})
	w.space.PutDesk(standin.Desk{Name: "Desk 8", VLAN: "308", Coworker: eve})
	w.full()
	m := w.get("anna@example.com").Member
	want := []member.Term{{From: from}, {From: from, Until: until}} // a date without Cancelled was taken back
	if !slices.Equal(m.Plans, []string{"Hot Desk", "Office"}) || !slices.Equal(m.Terms, want) {
		t.Errorf("plans %v, terms %v", m.Plans, m.Terms)
	}
	if m.Team != "Acme" || m.TeamVLAN != "220" || m.OfficeVLAN != "310" || m.VLAN != "" {
		t.Errorf("team %q %q, office %q, own %q", m.Team, m.TeamVLAN, m.OfficeVLAN, m.VLAN)
	}
	if m := w.get("ben@example.com").Member; m.Team != "No network" || m.TeamVLAN != "" || m.OfficeVLAN != "desk-seven" || m.Terms != nil {
		t.Errorf("ben: %+v", m)
	}
	if m := w.get("eve@example.com").Member; m.OfficeVLAN != "308" {
		t.Errorf("eve: %+v", m)
	}
	if len(w.said) != 1 || !strings.Contains(w.said[0].What, "9999") {
		t.Errorf("said: %v", w.said)
	}
}

// TestChangesCostThreeRequests is the figure of the issue, and what they must bring.
func TestChangesCostThreeRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.space.Fill(1200)
	w.full()
	if n := len(w.members.records); n != 1200 {
		t.Fatalf("%d members", n)
	}
	_ = w.asked()
	id := 1000 // coworkers, teams and contracts share their ids
	for range 10 {
		for id++; w.space.Contract(id).ID == 0; id++ {
		}
		w.space.Cancel(id)
	}
	w.changes()
	if n := len(w.members.records); n != 1190 {
		t.Errorf("%d members after ten were cancelled", n)
	}
	asked := w.asked()
	if len(asked) != 3 {
		t.Errorf("%d requests:\n%s", len(asked), strings.Join(asked, "\n"))
	}
	w.full()
	if n := len(w.members.records); n != 1190 {
		t.Errorf("%d members in full", n)
	}
}

func TestChangesReachTheNextAuthentication(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	anna, ofAnna := w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Hot Desk")
	ben, _ := w.space.Join(standin.Coworker{Name: "Ben", Email: "ben@example.com"}, "Hot Desk")
	team := w.space.PutTeam(standin.Team{Name: "Acme", VLAN: "220", Members: []int{anna}})
	w.full()
	w.later(30 * time.Minute) // what was before is in no list of changes

	t.Run("contract moves to another customer", func(t *testing.T) {
		k := w.space.Contract(ofAnna)
		k.Coworker = ben
		w.space.PutContract(k)
		w.changes()
		if w.logins() != "ben@example.com" || len(w.get("ben@example.com").Member.Plans) != 1 {
			t.Errorf("members are %s", w.logins())
		}
		k.Coworker = anna
		w.space.PutContract(k)
		w.changes()
		if w.logins() != "anna@example.com ben@example.com" {
			t.Errorf("members are %s", w.logins())
		}
	})
	t.Run("plan", func(t *testing.T) {
		k := w.space.Contract(ofAnna)
		k.Plan = "Office"
		w.space.PutContract(k)
		w.changes()
		if got := w.get("anna@example.com").Member.Plans; !slices.Equal(got, []string{"Office"}) {
			t.Errorf("plans %v", got)
		}
	})
	t.Run("team", func(t *testing.T) {
		w.space.PutTeam(standin.Team{ID: team, Name: "Acme", VLAN: "221", Members: []int{anna, ben}})
		w.changes()
		if a, b := w.get("anna@example.com").Member, w.get("ben@example.com").Member; a.TeamVLAN != "221" || b.TeamVLAN != "221" {
			t.Errorf("%q, %q", a.TeamVLAN, b.TeamVLAN)
		}
		w.space.PutTeam(standin.Team{ID: team, Name: "Acme", VLAN: "221", Members: []int{ben}})
		w.changes()
		if m := w.get("anna@example.com").Member; m.TeamVLAN != "" || m.Team != "" {
			t.Errorf("she left, and has %q %q", m.Team, m.TeamVLAN)
		}
	})
	t.Run("suspension", func(t *testing.T) {
		c := w.space.Coworker(anna)
		c.Suspended = true
		w.space.PutCoworker(c)
		w.changes()
		if !w.get("anna@example.com").Member.Disabled {
			t.Error("she is let in")
		}
		c.Suspended = false
		w.space.PutCoworker(c)
		w.changes()
		if w.get("anna@example.com").Member.Disabled {
			t.Error("she is refused")
		}
	})
	t.Run("email", func(t *testing.T) {
		c := w.space.Coworker(anna)
		c.Email = "anna.new@example.com"
		w.space.PutCoworker(c)
		w.changes()
		if w.logins() != "anna.new@example.com ben@example.com" {
			t.Errorf("members are %s", w.logins())
		}
	})
	t.Run("an old contact becomes a member", func(t *testing.T) {
		old := w.space.PutCoworker(standin.Coworker{Name: "Carl", Email: "carl@example.com"})
		w.full()
		_ = w.asked()
		w.space.PutContract(standin.Contract{Coworker: old, Plan: "Hot Desk", Active: true})
		w.changes()
		w.get("carl@example.com")
		if asked := w.asked(); len(asked) != 3 {
			t.Errorf("asked: %v", asked)
		}
	})
}

// TestTouchedIsSaidAgain: a reading whose result was not taken over, as that of
// a dry run, must not swallow what no list names again.
func TestTouchedIsSaidAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	anna, _ := w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Hot Desk")
	team := w.space.PutTeam(standin.Team{Name: "Acme", VLAN: "220", Members: []int{anna}})
	w.full()
	w.later(30 * time.Minute)
	w.space.PutTeam(standin.Team{ID: team, Name: "Acme", VLAN: "221", Members: []int{anna}})
	began := w.space.Now()
	for _, q := range []backends.Query{{Since: w.space.Now().Add(-time.Minute)}, {}} {
		if err := w.backend.Sync(t.Context(), &q, func(*member.Record) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.sync(backends.Query{Since: began}); err != nil {
		t.Fatal(err)
	}
	if got := w.get("anna@example.com").Member.TeamVLAN; got != "221" {
		t.Errorf("VLAN %s", got)
	}
}

// TestDesksAreReadHourly: their VLANs change seldom, and each costs a request.
func TestDesksAreReadHourly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	anna, _ := w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Office")
	desk := w.space.PutDesk(standin.Desk{Name: "Office 1", VLAN: "310", Coworker: anna})
	w.full()
	w.space.PutDesk(standin.Desk{ID: desk, Name: "Office 1", VLAN: "311", Coworker: anna})
	w.later(30 * time.Minute)
	w.changes()
	w.later(40 * time.Minute)
	w.changes()
	if got := w.get("anna@example.com").Member.OfficeVLAN; got != "311" {
		t.Errorf("VLAN %s", got)
	}
}

// TestCommittedLate: a record may be stamped before a sync and be seen only after it.
func TestCommittedLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Hot Desk")
	w.later(30 * time.Minute)
	w.full()
	w.later(-3 * time.Minute)
	w.space.Join(standin.Coworker{Name: "Ben", Email: "ben@example.com"}, "Hot Desk")
	w.later(4 * time.Minute)
	w.changes()
	w.get("ben@example.com")
}

// TestRefsOfASpaceThatFails: 500 for an id means that it is deleted only where all else works.
func TestRefsOfASpaceThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	anna, _ := w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Hot Desk")
	w.full()
	w.space.Fail("/api/spaces/coworkers", 0, standin.Status(500))
	ref := backends.Query{Refs: []backends.Ref{{Kind: "coworker", ID: fmt.Sprint(anna)}}}
	if err := w.sync(ref); backends.ClassOf(err) != backends.Faulty {
		t.Errorf("%v", err)
	}
	w.space.Mend()
	w.changes()
	w.get("anna@example.com")
}

func TestRefs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	anna, ofAnna := w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Hot Desk")
	ben, ofBen := w.space.Join(standin.Coworker{Name: "Ben", Email: "ben@example.com"}, "Hot Desk")
	w.full()
	refs := func(list ...backends.Ref) {
		t.Helper()
		if err := w.sync(backends.Query{Refs: list}); err != nil {
			t.Fatal(err)
		}
	}
	of := func(id int) backends.Ref { return backends.Ref{Kind: "coworker", ID: fmt.Sprint(id)} }
	w.space.Cancel(ofAnna)
	w.space.Cancel(ofBen)
	_ = w.asked()
	refs(of(anna))
	if w.logins() != "ben@example.com" {
		t.Errorf("members are %s", w.logins())
	}
	if asked := w.asked(); len(asked) != 3 {
		t.Errorf("asked %v", asked)
	}
	w.space.PutContract(standin.Contract{Coworker: anna, Plan: "Office", Active: true})
	w.space.Remove(ben)
	refs(of(anna), of(ben))
	if w.logins() != "anna@example.com" {
		t.Errorf("a deleted customer, whose id gives 500: members are %s", w.logins())
	}
	w.space.Join(standin.Coworker{Name: "New", Email: "new@example.com"}, "Office")
	refs(backends.Ref{Kind: "changes"})
	if w.logins() != "anna@example.com new@example.com" {
		t.Errorf("members are %s", w.logins())
	}
	fresh := newWorld(t, nil)
	if err := fresh.sync(backends.Query{Refs: []backends.Ref{of(anna)}}); backends.ClassOf(err) != backends.NotReady {
		t.Errorf("refs before everything was read: %v", err)
	}
}

// TestContractDeletedIsNoticed by a reading of its customer, where no list of changes names it.
func TestContractDeletedIsNoticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	anna, ofAnna := w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Hot Desk")
	w.space.Join(standin.Coworker{Name: "Ben", Email: "ben@example.com"}, "Hot Desk")
	w.full()
	w.space.Delete(ofAnna)
	if err := w.sync(backends.Query{Refs: []backends.Ref{{Kind: "coworker", ID: fmt.Sprint(anna)}}}); err != nil || w.logins() != "ben@example.com" {
		t.Errorf("members are %s, %v", w.logins(), err)
	}
}
