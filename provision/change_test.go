package provision

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
)

func TestChangeInWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		change Change
		want   string
	}{
		{Change{Kind: Comes, Login: "anna@x", What: "plan Hot Desk"}, "anna@x comes, plan Hot Desk"},
		{Change{Kind: Returns, Login: "anna@x", What: "plan Hot Desk"}, "anna@x returns, plan Hot Desk"},
		{Change{Kind: Changes, Login: "anna@x", What: "VLAN 20 -> 30"}, "anna@x changes: VLAN 20 -> 30"},
		{Change{Kind: Goes, Login: "anna@x"}, "anna@x goes"},
		{Change{Kind: 9, Login: "anna@x"}, "anna@x unknown"},
	} {
		if got := tt.change.String(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
		text, err := json.Marshal(tt.change)
		var back Change
		if tt.change.Kind <= Goes && (err != nil || json.Unmarshal(text, &back) != nil || back != tt.change) {
			t.Errorf("%s became %+v, %v", text, back, err)
		}
	}
	var c Change
	if err := json.Unmarshal([]byte(`{"kind":"dances"}`), &c); err == nil {
		t.Error("there is no such kind")
	}
}

// TestEveryDifference: each field that a record can set is compared, and said.
func TestEveryDifference(t *testing.T) {
	t.Parallel()
	end := epoch.Add(time.Hour)
	tests := []struct {
		change func(*member.Record)
		want   string
		fields store.Fields
		access bool
	}{
		{func(r *member.Record) { r.Member.Login = "ANNA@x" }, "login anna@x -> ANNA@x", store.FieldLogin, false},
		{func(r *member.Record) { r.Member.Name = "" }, "name anna -> none", store.FieldName, false},
		{func(r *member.Record) { r.Member.Team = "ACME" }, "team none -> ACME", store.FieldTeam, false},
		{func(r *member.Record) { r.Email = "a@y" }, "address anna@x -> a@y", store.FieldEmail, false},
		{func(r *member.Record) { r.Member.ID = "2" }, "id 1 -> 2", store.FieldID, false},
		{func(r *member.Record) { r.Member.MembershipID = "c" }, "membership none -> c", store.FieldMembership, false},
		{func(r *member.Record) { r.Member.VLAN = "30" }, "VLAN none -> 30", store.FieldVLAN, true},
		{func(r *member.Record) { r.Member.OfficeVLAN = "30" }, "office VLAN none -> 30", store.FieldOfficeVLAN, true},
		{func(r *member.Record) { r.Member.TeamVLAN = "30" }, "team VLAN none -> 30", store.FieldTeamVLAN, true},
		{func(r *member.Record) { r.Member.Plans = []string{"office", "day"} }, "plan hot -> office and day", store.FieldPlans | store.FieldTerms, true},
		{func(r *member.Record) { r.Member.Terms = []member.Term{{Until: end}} }, "dates of her plans", store.FieldTerms, true},
		{func(r *member.Record) { r.Member.ValidFrom = end }, "valid from open -> 2026-03-02 10:00", store.FieldValidFrom, true},
		{func(r *member.Record) { r.Member.ValidUntil = end }, "valid until open -> 2026-03-02 10:00", store.FieldValidUntil, true},
		{func(r *member.Record) { r.Member.Devices = 3 }, "devices 0 -> 3", store.FieldDevices, true},
		{func(r *member.Record) { r.Member.Disabled = true }, "suspended", store.FieldDisabled, true},
		{func(r *member.Record) { r.Member.CheckedOut = true }, "checked out", store.FieldCheckedOut, true},
		{func(*member.Record) {}, "", 0, false},
	}
	all := store.FieldCredential | store.FieldLapsed
	for _, tt := range tests {
		before := rec("1", "anna", "hot")
		now := with(rec("1", "anna", "hot"), tt.change)
		d := compareRecords(&store.Kept{Member: before.Member, Email: before.Email}, &now)
		all |= d.fields
		got := d.change(&store.Kept{Member: before.Member}, &now)
		if got.What != tt.want || d.fields != tt.fields || got.Access != tt.access {
			t.Errorf("%q, fields %b, access %v, want %q, %b", got.What, d.fields, got.Access, tt.want, tt.fields)
		}
	}
	if all != store.AllFields {
		t.Errorf("the fields %b are never compared", store.AllFields&^all)
	}
}

// TestEveryDifferenceIsKept: what was compared is the same after it was written.
func TestEveryDifferenceIsKept(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna", "hot"))
	r := with(rec("1", "Anna", "office", "day"), func(r *member.Record) {
		m := &r.Member
		m.MembershipID, m.Team, m.VLAN, m.OfficeVLAN, m.TeamVLAN = "c", "ACME", "1", "2", "three"
		m.ValidFrom, m.ValidUntil = epoch.Add(time.Second/3), epoch.Add(time.Hour)
		m.Terms = []member.Term{{From: epoch}, {Until: epoch.Add(time.Hour + time.Second/3)}}
		m.Devices, m.Disabled, m.CheckedOut = 3, true, true
	})
	if rep := b.full(r); rep.Run.Changed != 1 {
		t.Fatalf("%s", rep)
	}
	rep := b.full(r)
	b.want("once more", words(rep.Changes), "")
}

func TestReportIsBounded(t *testing.T) {
	t.Parallel()
	c := &comparison{}
	for i := range maxChanges + 5 {
		c.arrive(Change{Kind: Comes, Login: fmt.Sprint(i)})
	}
	for range 3 {
		c.acts = append(c.acts, Change{Kind: Changes}, Change{Kind: Goes})
	}
	all := c.changed()
	if len(all) != maxChanges || all[0].Kind != Goes || all[2].Kind != Goes || all[3].Kind != Changes || all[6].Kind != Comes {
		t.Errorf("%d changes, the first %+v", len(all), all[:7])
	}
}
