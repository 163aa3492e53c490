package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
)

const phone, tablet = "02:00:00:00:00:01", "02:00:00:00:00:02"

// guest returns a grant for an hour from now.
func guest(mac string, now time.Time) *store.Grant {
	return &store.Grant{Kind: store.GrantPortalLogin, MAC: mac, Site: "berlin", UID: "Room_401", Expires: now.Add(time.Hour)}
}

func grant(t *testing.T, s *store.Store, g *store.Grant) *store.Grant {
	t.Helper()
	if err := s.Grant(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	return g
}

func doors(t *testing.T, s *store.Store) *store.Doors {
	t.Helper()
	d, err := s.Doors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// listed returns the grants of a filter as "mac why", in their order.
func listed(t *testing.T, s *store.Store, f store.GrantFilter) string {
	t.Helper()
	all, err := s.Grants(t.Context(), &f)
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]string, len(all))
	for i := range all {
		if (all[i].Why == "") != all[i].Ended.IsZero() {
			t.Errorf("%+v", all[i])
		}
		texts[i] = strings.TrimSpace(all[i].MAC[15:] + " " + all[i].Why)
	}
	return strings.Join(texts, ", ")
}

func TestGrant(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	d := doors(t, s)
	want := &store.Grant{
		Kind: store.GrantPortal, MAC: phone, Site: "berlin", UID: "Anna@Example.com", Backend: club, Login: "Anna@Example.com", Plan: "guest",
		AccessPoint: "aa:bb:cc:00:00:01", Address: "::ffff:192.0.2.7", OriginalURL: "https://example.com/?a=b", Controller: "192.0.2.1",
		SessionTimeout: 2 * time.Hour, IdleTimeout: 30 * time.Minute, Expires: now.Add(time.Hour + 300*time.Microsecond),
	}
	grant(t, s, want)
	if want.Address != "192.0.2.7" || want.PageID <= 0 || want.PageID >= 1<<53 || !want.Created.Equal(now) || !want.Expires.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v", want)
	}
	door, open := d.Lookup("berlin", phone, now)
	inMemory := *want
	inMemory.OriginalURL = ""
	if !open || door.Device != nil || !reflect.DeepEqual(*door.Grant, inMemory) {
		t.Errorf("in memory %+v", door.Grant)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, dir, &now) // what follows was on the disk
	got, err := s.GrantByPage(t.Context(), want.PageID)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	door, open = doors(t, s).Lookup("berlin", phone, now)
	if !open || !reflect.DeepEqual(*door.Grant, inMemory) {
		t.Errorf("after a restart %+v", door.Grant)
	}
	if _, err := s.GrantByPage(t.Context(), want.PageID+1); !errors.Is(err, store.ErrNoGrant) {
		t.Errorf("a grant that is none: %v", err)
	}
}

func TestGrantEnds(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	d := doors(t, s)
	in := func() bool { _, open := d.Lookup("berlin", phone, now); return open }
	g := grant(t, s, guest(phone, now))
	now = now.Add(time.Minute)
	ended, err := s.EndGrant(t.Context(), g.PageID, store.EndLogout)
	if err != nil || in() || !ended.Ended.Equal(now) || ended.Why != store.EndLogout || ended.MAC != phone {
		t.Errorf("%+v, %v, in %t", ended, err, in())
	}
	for name, err := range map[string]error{
		"end":   errorOf(s.EndGrant(t.Context(), g.PageID, store.EndLogout)),
		"renew": errorOf(s.Renew(t.Context(), g.PageID, now.Add(time.Hour))),
	} {
		if !errors.Is(err, store.ErrNoGrant) {
			t.Errorf("%s one that has ended: %v", name, err)
		}
	}
	says(t, errorOf(s.EndGrant(t.Context(), g.PageID, "")), "why")

	g = grant(t, s, ended) // the same once more
	if !in() || g.Why != "" || !g.Ended.IsZero() || !g.Created.Equal(now) {
		t.Errorf("%+v", g)
	}
	renewed, err := s.Renew(t.Context(), g.PageID, now.Add(2*time.Hour))
	if err != nil || !renewed.Expires.Equal(now.Add(2*time.Hour)) {
		t.Errorf("%+v, %v", renewed, err)
	}
	says(t, errorOf(s.Renew(t.Context(), g.PageID, now)), "end it instead")
	now = now.Add(2*time.Hour - time.Millisecond)
	if !in() {
		t.Error("a renewed grant ends as it would have")
	}
	now = now.Add(time.Millisecond)
	if in() {
		t.Error("a grant lets in at the moment it runs out")
	}
	if got, err := s.GrantByPage(t.Context(), g.PageID); err != nil || got.Why != store.EndExpired || !got.Ended.Equal(g.Created.Add(2*time.Hour)) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := errorOf(s.EndGrant(t.Context(), g.PageID, store.EndKicked)); !errors.Is(err, store.ErrNoGrant) {
		t.Errorf("end one that has run out: %v", err)
	}
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, s, store.GrantFilter{}); got != "01 expired, 01 logout" {
		t.Errorf("listed %s", got)
	}
	now = now.Add(31 * 24 * time.Hour)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, s, store.GrantFilter{}); got != "" {
		t.Errorf("listed after 31 days %s", got)
	}
}

func TestGrantReplaces(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	d := doors(t, s)
	elsewhere := guest(phone, now)
	elsewhere.Site = "hamburg"
	for _, g := range []*store.Grant{guest(phone, now), elsewhere, guest(tablet, now), guest(phone, now.Add(time.Hour))} {
		grant(t, s, g)
	}
	door, _ := d.Lookup("berlin", phone, now)
	if !door.Grant.Expires.Equal(now.Add(2 * time.Hour)) {
		t.Errorf("%+v", door.Grant)
	}
	if door, open := d.Lookup("hamburg", phone, now); !open || door.Grant.PageID != elsewhere.PageID {
		t.Error("a grant of another site was replaced")
	}
	if got := listed(t, s, store.GrantFilter{}); got != "01, 02, 01, 01 replaced" {
		t.Errorf("listed %s", got)
	}
	// One that ran out was not replaced.
	now = now.Add(3 * time.Hour)
	grant(t, s, guest(phone, now))
	if got := listed(t, s, store.GrantFilter{MAC: phone, Site: "berlin"}); got != "01, 01 expired, 01 replaced" {
		t.Errorf("listed %s", got)
	}
}

func TestGrantsAreListed(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	for i := range 5 {
		g := guest(fmt.Sprintf("02:00:00:00:00:1%d", i), now)
		g.UID = []string{"room_401", "ROOM_401", "room_402"}[i%3]
		if i == 4 {
			g.Backend, g.Login, g.Address = club, "Anna", "2001:db8::7"
		}
		grant(t, s, g)
	}
	if err := errorOf(s.EndGrant(t.Context(), first(t, s, "02:00:00:00:00:13").PageID, store.EndKicked)); err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]store.GrantFilter{
		"14, 13 kicked, 12, 11, 10": {}, "14, 12, 11, 10": {Live: true}, "14, 13 kicked, 11, 10": {UID: "Room_401"},
		"12": {UID: "room_402", Site: "berlin"}, "": {UID: "room_402", Site: "hamburg"},
		"14": {Backend: club, Login: "anna"}, "14 ": {Address: "2001:DB8:0::7", Live: true}, " ": {Address: "none"}, "13 kicked": {MAC: "02:00:00:00:00:13"}, "14, 13 kicked": {Most: 2},
		"12, 11": {Most: 2, Before: first(t, s, "02:00:00:00:00:13").PageID},
	} {
		if got := listed(t, s, f); got != strings.TrimSpace(want) {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
	for site, want := range map[string]int{"": 3, "berlin": 3, "hamburg": 0} {
		if n, err := s.DevicesOf(t.Context(), "room_401", site); err != nil || n != want {
			t.Errorf("devices at %q: %d, %v, want %d", site, n, err, want)
		}
	}
	ended, err := s.EndGrantsOf(t.Context(), club, "ANNA", store.EndKicked)
	if err != nil || len(ended) != 1 || ended[0].MAC != "02:00:00:00:00:14" {
		t.Errorf("%+v, %v", ended, err)
	}
	if ended, err := s.EndGrantsOf(t.Context(), club, "anna", store.EndKicked); err != nil || len(ended) != 0 {
		t.Errorf("%+v, %v", ended, err)
	}
	says(t, errorOf(s.EndGrantsOf(t.Context(), "", "", store.EndKicked)), "needed") // not all guests
}

// first returns the newest grant of a device.
func first(t *testing.T, s *store.Store, mac string) *store.Grant {
	t.Helper()
	all, err := s.Grants(t.Context(), &store.GrantFilter{MAC: mac, Most: 1})
	if err != nil || len(all) != 1 {
		t.Fatal(mac, err)
	}
	return &all[0]
}

// TestGrantWithin has two processes let many devices of one uid in at the same time.
func TestGrantWithin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stores := []*store.Store{open(t, dir), open(t, dir)}
	var all sync.WaitGroup
	var in, refused atomic.Int32
	for i := range 16 {
		all.Go(func() {
			g := guest(fmt.Sprintf("02:00:00:00:01:%02d", i), time.Now())
			switch err := stores[i%2].GrantWithin(t.Context(), g, 3); {
			case err == nil:
				in.Add(1)
			case errors.Is(err, store.ErrTooManyDevices):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if in.Load() != 3 || refused.Load() != 13 {
		t.Errorf("%d in, %d refused", in.Load(), refused.Load())
	}
	s := stores[0]
	live, err := s.Grants(t.Context(), &store.GrantFilter{Live: true})
	if err != nil || len(live) != 3 {
		t.Fatal(live, err)
	}
	// One that is in comes in again; another uid, another site and no uid at all do too.
	again, other, elsewhere, nobody := guest(live[0].MAC, time.Now()), guest(phone, time.Now()), guest(tablet, time.Now()), guest("02:00:00:00:00:03", time.Now())
	other.UID, elsewhere.Site, nobody.UID = "room_402", "hamburg", ""
	for _, g := range []*store.Grant{again, other, elsewhere, nobody} {
		if err := s.GrantWithin(t.Context(), g, 3); err != nil {
			t.Errorf("%+v: %v", g, err)
		}
	}
	if nobody.MAC = "02:00:00:00:00:04"; s.GrantWithin(t.Context(), nobody, 1) != nil {
		t.Error("two who have no uid are taken for one")
	}
}

// TestPageIDs wants ids never to come twice, and to grow.
func TestPageIDs(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	var last int64
	steps := map[int64]bool{}
	for range 8 {
		g := grant(t, s, guest(phone, now))
		if g.PageID <= last || g.PageID >= 1<<53 {
			t.Errorf("%d after %d", g.PageID, last)
		}
		steps[g.PageID-last] = true
		last = g.PageID
	}
	if len(steps) < 3 {
		t.Error("one id tells the next")
	}
	// That all are forgotten brings none of them back.
	now = now.Add(60 * 24 * time.Hour)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, s, store.GrantFilter{}); got != "" {
		t.Errorf("%s is left", got)
	}
	if g := grant(t, s, guest(phone, now)); g.PageID <= last {
		t.Errorf("%d after %d", g.PageID, last)
	}
	statement(t, dir, `UPDATE change SET counter = ? WHERE backend = ''`, int64(1)<<37-1)
	says(t, s.Grant(t.Context(), guest(phone, now)), "page id")
}

func TestGrantIsChecked(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	for name, c := range map[string]struct {
		spoil func(*store.Grant)
		says  string
	}{
		"mac":         {func(g *store.Grant) { g.MAC = "02-00-00-00-00-01" }, "aa:bb:cc:dd:ee:ff"},
		"upper case":  {func(g *store.Grant) { g.MAC = "AA:00:00:00:00:01" }, "aa:bb:cc:dd:ee:ff"},
		"group":       {func(g *store.Grant) { g.MAC = "ff:ff:ff:ff:ff:ff" }, "no device has it"},
		"zero":        {func(g *store.Grant) { g.MAC = "00:00:00:00:00:00" }, "no device has it"},
		"kind":        {func(g *store.Grant) { g.Kind = "" }, "kind"},
		"site":        {func(g *store.Grant) { g.Site = "" }, "no site"},
		"half member": {func(g *store.Grant) { g.Backend = club }, "a guest has neither"},
		"uid":         {func(g *store.Grant) { g.UID = "a\nb" }, "uid"},
		"long uid":    {func(g *store.Grant) { g.UID = strings.Repeat("a", member.MaxLogin+1) }, "253"},
		"address":     {func(g *store.Grant) { g.Address = "192.0.2" }, "address"},
		"url":         {func(g *store.Grant) { g.OriginalURL = "http://a/\r\n" }, "control"},
		"long url":    {func(g *store.Grant) { g.OriginalURL = strings.Repeat("a", store.MaxURL+1) }, "2048"},
		"timeout":     {func(g *store.Grant) { g.IdleTimeout = -1 }, "negative"},
		"over":        {func(g *store.Grant) { g.Expires = now }, "run out"},
		"never":       {func(g *store.Grant) { g.Expires = time.Time{} }, "run out"},
		"year":        {func(g *store.Grant) { g.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "9999"},
		"voucher":     {func(g *store.Grant) { g.Voucher = "none" }, "no such voucher"},
	} {
		g := guest(phone, now)
		c.spoil(g)
		before := *g
		says(t, s.Grant(t.Context(), g), c.says)
		if *g != before {
			t.Errorf("%s: a grant that was not made says %+v", name, g)
		}
	}
	if got := listed(t, s, store.GrantFilter{}); got != "" {
		t.Errorf("made: %s", got)
	}
}

// TestGrantNotInMemory wants an error where a grant is written that the doors
// of this process can't show.
func TestGrantNotInMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	d := doors(t, s)
	drop(t, dir, "device")
	says(t, s.Grant(t.Context(), guest(phone, time.Now())), "written", "later", "device")
	if _, open := d.Lookup("berlin", phone, time.Now()); open {
		t.Error("it is in memory")
	}
	if got := listed(t, s, store.GrantFilter{}); got != "01" {
		t.Errorf("listed %q", got)
	}
}
