package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
)

var newYear = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// anna is a member as a member system delivers her.
func anna() *member.Record {
	return &member.Record{
		Member: member.Member{
			Login: "Anna@Example.com", ID: "1517", MembershipID: "c-99", Name: "Anna", Plans: []string{"Hot Desk", "Day Pass"},
			Terms: []member.Term{{From: newYear}, {From: newYear.AddDate(0, 1, 0), Until: newYear.AddDate(0, 1, 1)}},
			Team:  "rockets", VLAN: "20", OfficeVLAN: "30", TeamVLAN: "Team-40", CheckedOut: true,
		},
		Credential: member.Credential{Password: "abcd-efgh-jkmn-pqrs", NTHash: &member.Hash{0xa0, 0x0a}},
		Email:      "Anna.Smith@example.com",
	}
}

func TestSyncedFields(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	want := anna()
	want.Member.Backend = club
	if got, err := s.Import(t.Context(), club, []store.Edit{{Fields: store.AllFields, Record: *anna(), Lapsed: newYear}}); err != nil || got.Added != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	e, err := s.Get(t.Context(), club, "anna@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&e.Record, want) || !e.Lapsed.Equal(newYear) {
		t.Errorf("got  %s %q lapsed %v\nwant %s %q", describe(&e.Record), e.Email, e.Lapsed, describe(want), want.Email)
	}
	var all []*store.Entry
	err = s.Each(t.Context(), club, func(e *store.Entry) error { all = append(all, e); return nil })
	if err != nil || len(all) != 1 || !reflect.DeepEqual(&all[0].Record, want) || !all[0].Lapsed.Equal(newYear) {
		t.Errorf("Each: %d, %v", len(all), err)
	}
}

// TestEachFieldAlone sets one field after the other to nothing, and wants it
// to be the only one that changes.
func TestEachFieldAlone(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	r := anna()
	r.Member.ValidFrom, r.Member.ValidUntil, r.Member.Devices, r.Member.Disabled = newYear, newYear.AddDate(9, 0, 0), 3, true
	if _, err := s.Import(t.Context(), club, []store.Edit{{Fields: store.AllFields, Record: *r, Lapsed: newYear}}); err != nil {
		t.Fatal(err)
	}
	want := store.Entry{Record: *r, Lapsed: newYear}
	want.Member.Backend = club
	for _, c := range []struct {
		field store.Fields
		clear func(*store.Entry)
	}{
		{store.FieldLogin, func(e *store.Entry) { e.Member.Login = "anna@example.com" }},
		{store.FieldName, func(e *store.Entry) { e.Member.Name = "" }},
		{store.FieldTeam, func(e *store.Entry) { e.Member.Team = "" }},
		{store.FieldVLAN, func(e *store.Entry) { e.Member.VLAN = "" }},
		{store.FieldValidFrom, func(e *store.Entry) { e.Member.ValidFrom = time.Time{} }},
		{store.FieldValidUntil, func(e *store.Entry) { e.Member.ValidUntil = time.Time{} }},
		{store.FieldDevices, func(e *store.Entry) { e.Member.Devices = 0 }},
		{store.FieldDisabled, func(e *store.Entry) { e.Member.Disabled = false }},
		{store.FieldCredential, func(e *store.Entry) { e.Credential = member.Credential{} }},
		{store.FieldID, func(e *store.Entry) { e.Member.ID = "" }},
		{store.FieldMembership, func(e *store.Entry) { e.Member.MembershipID = "" }},
		{store.FieldEmail, func(e *store.Entry) { e.Email = "" }},
		{store.FieldOfficeVLAN, func(e *store.Entry) { e.Member.OfficeVLAN = "" }},
		{store.FieldTeamVLAN, func(e *store.Entry) { e.Member.TeamVLAN = "" }},
		{store.FieldCheckedOut, func(e *store.Entry) { e.Member.CheckedOut = false }},
		{store.FieldLapsed, func(e *store.Entry) { e.Lapsed = time.Time{} }},
		{store.FieldTerms, func(e *store.Entry) { e.Member.Terms = nil }},
		{store.FieldPlans, func(e *store.Entry) { e.Member.Plans = nil }},
	} {
		c.clear(&want)
		e := store.Edit{Fields: c.field}
		e.Record.Member.Login = "anna@example.com"
		got, err := s.Import(t.Context(), club, []store.Edit{e})
		if err != nil || got.Updated != 1 {
			t.Errorf("%s: %+v, %v", c.field, got, err)
		}
		if got, err = s.Import(t.Context(), club, []store.Edit{e}); err != nil || got.Unchanged != 1 {
			t.Errorf("%s again: %+v, %v", c.field, got, err)
		}
		have, err := s.Get(t.Context(), club, "anna@example.com")
		if err != nil {
			t.Fatal(err)
		}
		have.Created, have.Updated = time.Time{}, time.Time{}
		if !reflect.DeepEqual(have, &want) {
			t.Errorf("%s: got  %s %q %v\nwant %s %q %v", c.field,
				describe(&have.Record), have.Email, have.Lapsed, describe(&want.Record), want.Email, want.Lapsed)
		}
	}
}

// TestTermsFollowPlans wants terms never to be those of other plans.
func TestTermsFollowPlans(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	add(t, s, anna())
	e := store.Edit{Fields: store.FieldPlans}
	e.Record.Member.Login, e.Record.Member.Plans = "anna@example.com", []string{"Day Pass", "Hot Desk"}
	edit(t, s, &e)
	if got, err := s.Get(t.Context(), club, "anna@example.com"); err != nil || len(got.Member.Plans) != 2 || got.Member.Terms != nil {
		t.Errorf("terms of the old plans stay: %+v, %v", got.Member.Terms, err)
	}
	e.Fields, e.Record.Member.Terms = store.FieldTerms, anna().Member.Terms[:1]
	says(t, s.Edit(t.Context(), club, &e), "1 terms for 2 plans", "Anna@Example.com")
	e.Record.Member.Terms = []member.Term{{From: newYear, Until: newYear}, {}}
	says(t, s.Edit(t.Context(), club, &e), "terms", "would never be held")
	e.Record.Member.Terms = []member.Term{{From: time.Date(99999, 1, 1, 0, 0, 0, 0, time.UTC)}, {}}
	says(t, s.Edit(t.Context(), club, &e), "terms", "99999")
	e.Fields, e.Lapsed = store.FieldLapsed, time.Unix(-1, 0)
	says(t, s.Edit(t.Context(), club, &e), "lapsed", "1969")
	e = store.Edit{Fields: store.FieldTeamVLAN | store.FieldOfficeVLAN}
	e.Record.Member.Login, e.Record.Member.OfficeVLAN = "anna@example.com", "5000"
	says(t, s.Edit(t.Context(), club, &e), "office_vlan", "4094")
	e.Record.Member.OfficeVLAN, e.Record.Member.TeamVLAN = "", "007"
	says(t, s.Edit(t.Context(), club, &e), "team_vlan", "leading zeros")
	for name, r := range map[string]*member.Record{
		"id": {Member: member.Member{ID: " 1"}}, "membership": {Member: member.Member{MembershipID: "1\n"}}, "email": {Email: "a@b\r\nBcc: c@d"},
	} {
		r.Member.Login = "anna@example.com"
		says(t, s.Edit(t.Context(), club, &store.Edit{Fields: store.FieldID | store.FieldMembership | store.FieldEmail, Record: *r}), name)
	}
	statement(t, filepath.Dir(s.Path()), `UPDATE member SET terms = '1-x'`)
	_, err := s.Get(t.Context(), club, "anna@example.com")
	says(t, err, "Anna@Example.com", "terms", "backup")
	if _, err := s.Members(t.Context(), club); err == nil {
		t.Error("members with broken terms were loaded")
	}
}

// TestLapsed wants one who has lapsed to be refused as expired, and to be let
// in with the same credential once she is back.
func TestLapsed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	m := load(t, s)
	until := newYear.AddDate(1, 0, 0)
	for _, c := range []struct {
		name              string
		own, lapsed, want time.Time
	}{
		{"neither", time.Time{}, time.Time{}, time.Time{}},
		{"lapsed alone", time.Time{}, newYear, newYear},
		{"lapsed before her own", until, newYear, newYear},
		{"lapsed after her own", newYear, until, newYear},
		{"back again", until, time.Time{}, until},
	} {
		e := store.Edit{Fields: store.FieldValidUntil | store.FieldLapsed | store.FieldEmail, Record: *anna(), Lapsed: c.lapsed}
		e.Record.Member.ValidUntil = c.own
		if c.name == "neither" {
			e.Fields = store.AllFields
		}
		if _, err := s.Import(t.Context(), club, []store.Edit{e}); err != nil {
			t.Fatal(err)
		}
		refresh(t, m)
		r, ok := m.Lookup("anna@example.com")
		if !ok || !r.Member.ValidUntil.Equal(c.want) || r.Credential.Password != anna().Credential.Password {
			t.Fatalf("%s: in memory until %v, want %v", c.name, r.Member.ValidUntil, c.want)
		}
		if v, reason := r.Member.Judge(until.Add(-time.Second)); (v == member.Deny && reason == member.ReasonExpired) != (c.want.Equal(newYear)) {
			t.Errorf("%s: judged %v, %v", c.name, v, reason)
		}
		kept, err := s.Get(t.Context(), club, "anna@example.com")
		if err != nil || !kept.Member.ValidUntil.Equal(c.own) || !kept.Lapsed.Equal(c.lapsed) {
			t.Errorf("%s: stored until %v, lapsed %v, %v", c.name, kept.Member.ValidUntil, kept.Lapsed, err)
		}
	}
	r, _ := m.Lookup("anna@example.com")
	want := anna()
	want.Member.Backend, want.Member.ValidUntil = club, until
	if !reflect.DeepEqual(r, want) {
		t.Errorf("in memory\ngot  %s\nwant %s", describe(r), describe(want))
	}
}

// TestSharedTexts wants plans and terms of members who have the same to be one.
func TestSharedTexts(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for i := range 2 {
		r := anna()
		r.Member.Login = fmt.Sprint("anna", i)
		add(t, s, r)
	}
	m := load(t, s)
	a, _ := m.Lookup("anna0")
	b, _ := m.Lookup("anna1")
	if &a.Member.Plans[0] != &b.Member.Plans[0] || &a.Member.Terms[0] != &b.Member.Terms[0] {
		t.Error("each has plans and terms of her own")
	}
}

func TestKept(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	if counter, err := s.Kept(t.Context(), club, func(*store.Kept) error { return errors.New("nobody is there") }); counter != 0 || err != nil {
		t.Fatalf("nothing kept: %d, %v", counter, err)
	}
	edits := []store.Edit{{Fields: store.AllFields, Record: *anna(), Lapsed: newYear}, {Fields: store.FieldName, Record: *bob()}}
	if _, err := s.Import(t.Context(), club, edits); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	edit(t, s, &store.Edit{Fields: store.FieldName, Record: member.Record{Member: member.Member{Login: "bob@example.com", Name: "Robert"}}})
	add(t, s, carol())
	if err := s.Add(t.Context(), "other", dave()); err != nil {
		t.Fatal(err)
	}
	all := map[string]*store.Kept{}
	collect := func(k *store.Kept) error {
		if all[k.Member.Login] != nil {
			t.Errorf("%s comes twice", k.Member.Login)
		}
		all[k.Member.Login] = k
		return nil
	}
	if counter, err := s.Kept(t.Context(), club, collect); counter != 3 || err != nil || len(all) != 3 {
		t.Fatalf("counter %d, %d members, %v", counter, len(all), err)
	}
	want := anna().Member
	want.Backend = club
	k := all["Anna@Example.com"]
	if !reflect.DeepEqual(k.Member, want) || k.Email != anna().Email || !k.Lapsed.Equal(newYear) || !k.HasCredential || !k.Created.Equal(newYear) || !k.Updated.Equal(newYear) {
		t.Errorf("anna: %+v", k)
	}
	k = all["Bob@Example.com"]
	if k.Member.Name != "Robert" || k.HasCredential || !k.Lapsed.IsZero() || !k.Created.Equal(newYear) || !k.Updated.Equal(now) {
		t.Errorf("bob: %+v", k)
	}
	clear(all)
	counter, err := s.KeptOf(t.Context(), club, []string{"ANNA@example.com", "nobody", "dave@example.com", "anna@example.com"}, collect)
	if counter != 3 || err != nil || len(all) != 1 || all["Anna@Example.com"] == nil {
		t.Errorf("KeptOf: counter %d, %v, %v", counter, all, err)
	}
	clear(all)
	counter, err = s.KeptByID(t.Context(), club, []string{"1517", "", "9", "1517"}, collect)
	if counter != 3 || err != nil || len(all) != 1 || all["Anna@Example.com"] == nil {
		t.Errorf("KeptByID: counter %d, %v, %v", counter, all, err)
	}
	for _, logins := range [][]string{nil, make([]string, 1000)} {
		if counter, err := s.KeptOf(t.Context(), club, logins, collect); counter != 3 || err != nil {
			t.Errorf("KeptOf %d logins: %d, %v", len(logins), counter, err)
		}
	}
	enough := errors.New("enough")
	if _, err := s.Kept(t.Context(), club, func(*store.Kept) error { return enough }); !errors.Is(err, enough) || err.Error() != "enough" {
		t.Errorf("Kept hides the error of its caller: %v", err)
	}
}

// TestKeptOfMany asks for more logins than one query takes.
func TestKeptOfMany(t *testing.T) {
	t.Parallel()
	s := open(t, filledDir(t, 900))
	edits := crowd(900)
	logins := make([]string, 0, len(edits))
	for i := range edits[:850] {
		logins = append(logins, edits[i].Record.Member.Login)
	}
	seen := map[string]int{}
	_, err := s.KeptOf(t.Context(), club, append(logins, logins...), func(k *store.Kept) error { seen[k.Member.Login]++; return nil })
	if err != nil || len(seen) != 850 {
		t.Errorf("%d members, %v", len(seen), err)
	}
	for login, n := range seen {
		if n != 1 {
			t.Errorf("%s comes %d times", login, n)
		}
	}
}

// Members in memory have their mail addresses: a live system is asked by them.
func TestEmailInMemory(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for login, email := range map[string]string{"anna@example.com": "anna@example.com", "4711": "berta@example.com", "carla": ""} {
		if err := s.Add(t.Context(), "b", &member.Record{Member: member.Member{Login: login}, Email: email}); err != nil {
			t.Fatal(err)
		}
	}
	m, err := s.Members(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	for login, email := range map[string]string{"anna@example.com": "anna@example.com", "4711": "berta@example.com", "carla": ""} {
		if r, ok := m.Lookup(login); !ok || r.Email != email {
			t.Errorf("%s: %+v", login, r)
		}
	}
}
