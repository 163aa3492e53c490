package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/store"
)

func TestDevices(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	d := doors(t, s)
	printer := &store.Device{MAC: phone, Backend: club, Login: "Anna@Example.com", Name: "Printer", Site: "berlin"}
	if err := s.AddDevice(t.Context(), printer); err != nil || !printer.Created.Equal(now) {
		t.Fatal(printer, err)
	}
	if door, open := d.Lookup("berlin", phone, now); !open || !reflect.DeepEqual(door.Device, printer) {
		t.Errorf("in memory %+v", door.Device)
	}
	// Hers once more: another name and site, and it stays as old as it is.
	now = now.Add(time.Hour)
	again := &store.Device{MAC: phone, Backend: club, Login: "anna@example.com", Name: "Big printer"}
	if err := s.AddDevice(t.Context(), again); err != nil || !again.Created.Equal(newYear) {
		t.Errorf("%+v, %v", again, err)
	}
	if got := shown(d, "hamburg", phone, now); got != "device of anna@example.com" {
		t.Errorf("at every site: %s", got)
	}
	for _, other := range []*store.Device{{MAC: phone, Backend: club, Login: "bob"}, {MAC: phone, Backend: "other", Login: "anna@example.com"}} {
		err := s.AddDevice(t.Context(), other)
		taken := new(store.TakenError)
		if !errors.Is(err, store.ErrTaken) || !errors.As(err, &taken) || *taken != (store.TakenError{MAC: phone, Backend: club, Login: "anna@example.com"}) {
			t.Errorf("%v", err)
		}
		says(t, err, phone, "anna@example.com", club, "remove it there first")
	}
	for i, login := range []string{"bob", "anna@example.com", "bob"} {
		if err := s.AddDevice(t.Context(), &store.Device{MAC: fmt.Sprintf("02:00:00:00:01:0%d", 3-i), Backend: club, Login: login, Site: "hamburg"}); err != nil {
			t.Fatal(err)
		}
	}
	for want, f := range map[string]store.DeviceFilter{
		"00:01 01:01 01:02 01:03": {}, "00:01 01:02": {Login: "ANNA@example.com", Backend: club}, "00:01": {Site: "berlin"},
		"01:01 01:03": {Login: "bob", Site: "hamburg"}, "01:02": {MAC: "02:00:00:00:01:02"}, "": {Backend: "other"}, "01:02 01:03": {Backend: club, After: "02:00:00:00:01:01"}, "01:01": {After: phone, Most: 1},
	} {
		all, err := s.Devices(t.Context(), &f)
		var macs []string
		for i := range all {
			macs = append(macs, all[i].MAC[12:])
		}
		if got := strings.Join(macs, " "); got != want || err != nil {
			t.Errorf("%+v: %s, %v, want %s", f, got, err, want)
		}
	}
	if err := s.RemoveDevice(t.Context(), phone); err != nil || shown(d, "berlin", phone, now) != "-" {
		t.Errorf("removed: %v", err)
	}
	if err := s.RemoveDevice(t.Context(), phone); !errors.Is(err, store.ErrNoDevice) {
		t.Errorf("removed twice: %v", err)
	}
	// Another may register it now, and its age begins anew.
	if err := s.AddDevice(t.Context(), &store.Device{MAC: phone, Backend: club, Login: "bob"}); err != nil {
		t.Error(err)
	}
	if all, err := s.Devices(t.Context(), &store.DeviceFilter{MAC: phone}); err != nil || len(all) != 1 || !all[0].Created.Equal(now) || all[0].Name != "" {
		t.Errorf("%+v, %v", all, err)
	}
	for _, bad := range []*store.Device{
		{MAC: "", Backend: club, Login: "anna"}, {MAC: phone, Login: "anna"}, {MAC: phone, Backend: club}, {MAC: phone, Backend: club, Login: "anna", Name: "a\n"},
	} {
		if err := s.AddDevice(t.Context(), bad); err == nil || errors.Is(err, store.ErrTaken) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func block(t *testing.T, s *store.Store, mac string) {
	t.Helper()
	if _, err := s.Block(t.Context(), mac, ""); err != nil {
		t.Fatal(err)
	}
}

func TestBlock(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	d := doors(t, s)
	if err := s.AddDevice(t.Context(), &store.Device{MAC: phone, Backend: club, Login: "anna"}); err != nil {
		t.Fatal(err)
	}
	grant(t, s, guest(phone, now))
	elsewhere := guest(phone, now)
	elsewhere.Site = "hamburg"
	grant(t, s, elsewhere)
	if b, err := s.Block(t.Context(), phone, "streams all day"); err != nil || *b != (store.BlockedDevice{MAC: phone, Why: "streams all day", Created: now}) {
		t.Fatal(b, err)
	}
	for _, site := range []string{"berlin", "hamburg"} {
		if got := shown(d, site, phone, now); got != "blocked" {
			t.Errorf("%s: %s", site, got)
		}
	}
	if got := listed(t, s, store.GrantFilter{}); got != "01 blocked, 01 blocked" {
		t.Errorf("listed %s", got)
	}
	for name, err := range map[string]error{
		"grant":  s.Grant(t.Context(), guest(phone, now)),
		"device": s.AddDevice(t.Context(), &store.Device{MAC: phone, Backend: club, Login: "anna"}),
	} {
		if !errors.Is(err, store.ErrBlocked) {
			t.Errorf("%s: %v", name, err)
		}
	}
	now = now.Add(time.Hour)
	want := []store.BlockedDevice{{MAC: phone, Why: "still", Created: newYear}, {MAC: tablet, Created: now}}
	for i := range want {
		if b, err := s.Block(t.Context(), want[i].MAC, want[i].Why); err != nil || *b != want[i] {
			t.Errorf("%+v, %v", b, err)
		}
	}
	if all, err := s.Blocked(t.Context(), "", 0); err != nil || !reflect.DeepEqual(all, want) {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err := s.Blocked(t.Context(), phone, 5); err != nil || !reflect.DeepEqual(all, want[1:]) {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err := s.Blocked(t.Context(), "", 1); err != nil || !reflect.DeepEqual(all, want[:1]) {
		t.Errorf("%+v, %v", all, err)
	}
	if err := s.Unblock(t.Context(), phone); err != nil || shown(d, "berlin", phone, now) != "device of anna" {
		t.Errorf("%v, %s", err, shown(d, "berlin", phone, now))
	}
	if err := s.Unblock(t.Context(), phone); !errors.Is(err, store.ErrNotBlocked) {
		t.Errorf("unblocked twice: %v", err)
	}
	grant(t, s, guest(phone, now))
	says(t, errorOf(s.Block(t.Context(), "phone", "")), "aa:bb:cc:dd:ee:ff")
	says(t, errorOf(s.Block(t.Context(), phone, "a\nb")), "control")
	block(t, s, phone)
	if all, err := s.Blocked(t.Context(), "", 0); err != nil || len(all) != 2 || !all[0].Created.Equal(now) || !all[1].Created.Equal(now) {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestForgottenMember(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	server, verb := openAt(t, dir, &now), openAt(t, dir, &now)
	d := doors(t, server)
	var closed []string
	d.Follow(func(macs []string) { closed = append(closed, macs...) })
	add(t, verb, bob())
	g := guest(phone, now)
	g.Backend, g.Login = club, "Bob@Example.com"
	grant(t, verb, g)
	grant(t, verb, guest("02:00:00:00:00:09", now))
	for _, device := range []*store.Device{{MAC: tablet, Backend: club, Login: "bob@example.com"}, {MAC: "02:00:00:00:00:03", Backend: "other", Login: "bob@example.com"}} {
		if err := verb.AddDevice(t.Context(), device); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := verb.Remove(t.Context(), club, "bob@example.com"); err != nil {
		t.Fatal(err)
	}
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for mac, want := range map[string]bool{phone: false, tablet: false, "02:00:00:00:00:03": true, "02:00:00:00:00:09": true} {
		if _, open := d.Lookup("berlin", mac, now); open != want {
			t.Errorf("%s: %t", mac, open)
		}
	}
	if slices.Sort(closed); !slices.Equal(closed, []string{phone, tablet}) {
		t.Errorf("closed %v", closed)
	}
	if got := listed(t, server, store.GrantFilter{MAC: phone}); got != "01 forgotten" {
		t.Errorf("listed %s", got)
	}
	if n := rows(t, dir, "device WHERE login <> ''"); n[0] != 1 {
		t.Errorf("%v devices still say whose they were", n)
	}
}
