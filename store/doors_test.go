package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"memberradius/store"
)

// shown is what Lookup says in short: of a grant its PageID.
func shown(d *store.Doors, site, mac string, now time.Time) string {
	door, open := d.Lookup(site, mac, now)
	switch {
	case door.Blocked && !open && door.Grant == nil && door.Device == nil:
		return "blocked"
	case door.Grant != nil && open:
		return fmt.Sprint("grant ", door.Grant.PageID)
	case door.Device != nil && open:
		return "device of " + door.Device.Login
	case door == store.Door{} && !open:
		return "-"
	}
	return fmt.Sprintf("%+v, %t", door, open)
}

func TestDoorsLookup(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	d := doors(t, s)
	g := grant(t, s, guest(phone, now))
	want := fmt.Sprint("grant ", g.PageID)
	for _, c := range []struct{ site, mac, want string }{
		{"berlin", phone, want}, {"hamburg", phone, "-"}, {"", phone, "-"}, {"Berlin", phone, "-"}, {"berlin", tablet, "-"},
		{"berlin", "", "-"}, {"berlin", "02-00-00-00-00-01", "-"}, {"berlin", "020000000001", "-"}, {"berlin", phone + ":00", "-"},
		{"berlin", strings.Repeat("x", 17), "-"}, {"berlin", "02:00:00:00:00:0A", "-"},
	} {
		if got := shown(d, c.site, c.mac, now); got != c.want {
			t.Errorf("%s at %s: %s, want %s", c.mac, c.site, got, c.want)
		}
	}
	// A grant stands before a registration, for as long as it lasts.
	if err := s.AddDevice(t.Context(), &store.Device{MAC: phone, Backend: club, Login: "anna", Site: "berlin"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		site  string
		after time.Duration
		want  string
	}{{"berlin", 0, want}, {"berlin", time.Hour - 1, want}, {"berlin", time.Hour, "device of anna"}, {"hamburg", 0, "-"}} {
		if got := shown(d, c.site, phone, now.Add(c.after)); got != c.want {
			t.Errorf("%s after %v: %s, want %s", c.site, c.after, got, c.want)
		}
	}
	if d.Len() != 1 {
		t.Errorf("%d devices", d.Len())
	}
}

// TestDoorsFollow: what closes a door is told, what opens one is not.
func TestDoorsFollow(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	server, verb := openAt(t, dir, &now), openAt(t, dir, &now)
	old := grant(t, verb, guest("02:00:00:00:00:08", now))
	d := doors(t, server)
	var told []string
	d.Follow(func(macs []string) {
		if macs == nil {
			macs = []string{"all"}
		}
		for _, mac := range macs {
			told = append(told, mac[max(0, len(mac)-3):]+shown(d, "berlin", mac, now))
		}
	})
	device := &store.Device{MAC: tablet, Backend: club, Login: "anna"}
	at := *device
	at.Site = "hamburg"
	var g *store.Grant
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { g = guest(phone, now); return verb.Grant(t.Context(), g) }, ""},
		{func() error { g = guest(phone, now); return verb.Grant(t.Context(), g) }, ""}, // replaced
		{func() error { return errorOf(verb.Renew(t.Context(), g.PageID, now.Add(2*time.Hour))) }, ""},
		{func() error { return errorOf(verb.EndGrant(t.Context(), g.PageID, store.EndKicked)) }, ":01-"},
		{func() error { return verb.AddDevice(t.Context(), device) }, ""},
		{func() error { return verb.AddDevice(t.Context(), device) }, ""},
		{func() error { return verb.AddDevice(t.Context(), &at) }, ":02-"},
		{func() error { return verb.RemoveDevice(t.Context(), tablet) }, ":02-"},
		{func() error { return errorOf(verb.Block(t.Context(), tablet, "")) }, ":02blocked"},
		{func() error { return errorOf(verb.Block(t.Context(), tablet, "again")) }, ""},
		{func() error { return verb.Unblock(t.Context(), tablet) }, ""},
		{func() error { return errorOf(verb.Block(t.Context(), old.MAC, "")) }, ":08blocked"},
		{func() error { statement(t, dir, `UPDATE change SET counter = 1`); return nil }, "all-"},
		{func() error { return nil }, ""},
	} {
		told = nil
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(told, " "); got != step.want {
			t.Errorf("told %q, want %q", got, step.want)
		}
	}
}

// TestDoorsAfterRestore puts an older state back under a running server: nothing
// of the newer one is left in memory.
func TestDoorsAfterRestore(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	d := doors(t, s)
	g := grant(t, s, guest(phone, now))
	if err := s.AddDevice(t.Context(), &store.Device{MAC: phone, Backend: club, Login: "anna"}); err != nil {
		t.Fatal(err)
	}
	block(t, s, tablet)
	statement(t, dir, `DELETE FROM device`)
	statement(t, dir, `DELETE FROM blocked_device`)
	statement(t, dir, `UPDATE change SET counter = 1`)
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mac   string
		after time.Duration
		want  string
	}{{phone, 0, fmt.Sprint("grant ", g.PageID)}, {phone, time.Hour, "-"}, {tablet, 0, "-"}} {
		if got := shown(d, "berlin", c.mac, now.Add(c.after)); got != c.want {
			t.Errorf("%s after %v: %s, want %s", c.mac, c.after, got, c.want)
		}
	}
}

func TestDoorsWatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, verb := open(t, dir), open(t, dir)
	d := doors(t, server)
	if again := doors(t, server); again != d {
		t.Error("a store has two sets of doors")
	}
	tick, reports := make(chan time.Time), make(chan error, 10)
	ctx, cancel := context.WithCancel(t.Context())
	var watch sync.WaitGroup
	watch.Go(func() { d.Watch(ctx, tick, func(err error) { reports <- err }) })
	grant(t, verb, guest(phone, time.Now()))
	tick <- time.Time{}
	tick <- time.Time{} // taken when the one before is done
	if _, open := d.Lookup("berlin", phone, time.Now()); !open {
		t.Error("what another process granted is not seen")
	}
	statement(t, dir, `UPDATE access_grant SET mac = 'none'`)
	statement(t, dir, `UPDATE change SET counter = 0`)
	tick <- time.Time{}
	says(t, <-reports, "who gets in by address", "none", "backup")
	if _, open := d.Lookup("berlin", phone, time.Now()); !open {
		t.Error("the old doors do not hold")
	}
	statement(t, dir, `UPDATE access_grant SET mac = ?`, tablet)
	tick <- time.Time{}
	if err := <-reports; err != nil {
		t.Errorf("after the repair: %v", err)
	}
	if _, open := d.Lookup("berlin", tablet, time.Now()); !open {
		t.Error("after the repair the tablet is not in")
	}
	cancel()
	watch.Wait() // the goroutine ends
	if len(reports) > 0 {
		t.Errorf("one report too many: %v", <-reports)
	}
}

func TestDoorsNotRead(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	grant(t, s, guest(phone, time.Now()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d, err := s.Doors(ctx)
	if !errors.Is(err, context.Canceled) || shown(d, "berlin", phone, time.Now()) != "-" {
		t.Errorf("%v", err)
	}
	told := false
	d.Follow(func([]string) { told = true })
	if _, open := doors(t, s).Lookup("berlin", phone, time.Now()); !open || told { // the next who asks reads them
		t.Errorf("open %t, told %t", open, told)
	}
}

func TestDoorsAllocateNothing(t *testing.T) { // not parallel: it counts the allocations of the whole process
	s := open(t, t.TempDir())
	d := doors(t, s)
	now := time.Now()
	grant(t, s, guest(phone, now))
	if err := s.AddDevice(t.Context(), &store.Device{MAC: tablet, Backend: club, Login: "anna"}); err != nil {
		t.Fatal(err)
	}
	block(t, s, "02:00:00:00:00:03")
	for _, mac := range []string{phone, tablet, "02:00:00:00:00:03", "02:00:00:00:00:04", "none"} {
		if n := testing.AllocsPerRun(1000, func() { d.Lookup("berlin", mac, now) }); n != 0 {
			t.Errorf("%s: %v allocations", mac, n)
		}
	}
}

// TestDoorsWhileLookup is for the race detector: a device whose grant is replaced
// again and again is never out.
func TestDoorsWhileLookup(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	d := doors(t, s)
	grant(t, s, guest(phone, time.Now()))
	done := make(chan struct{})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if door, open := d.Lookup("berlin", phone, time.Now()); !open || door.Grant.Site != "berlin" {
					t.Error("the phone is out")
					return
				}
			}
		})
	}
	var writers sync.WaitGroup
	for i := range 2 {
		writers.Go(func() {
			for n := range 10 {
				for _, mac := range []string{phone, fmt.Sprintf("02:00:00:00:1%d:%02d", i, n)} {
					g := guest(mac, time.Now())
					if err := s.Grant(t.Context(), g); err != nil {
						t.Error(err)
					}
					if door, open := d.Lookup("berlin", mac, time.Now()); !open || door.Grant.PageID < g.PageID {
						t.Errorf("%s is granted, and not in", mac)
					}
				}
			}
		})
	}
	writers.Wait()
	close(done)
	all.Wait()
	if d.Len() != 21 {
		t.Errorf("%d devices", d.Len())
	}
}

// TestDoorsForget wants what has run out to leave the memory.
func TestDoorsForget(t *testing.T) {
	t.Parallel()
	now := newYear
	dir := t.TempDir()
	s := openAt(t, dir, &now)
	d := doors(t, s)
	const devices = 30
	for range 3 {
		for i := range devices {
			grant(t, s, guest(fmt.Sprintf("02:00:00:00:%02d:%02d", i, i), now))
		}
		now = now.Add(2 * time.Hour)
	}
	if d.Len() > devices {
		t.Errorf("%d devices are known, %d have been in", d.Len(), devices)
	}
	// Those who come next take with them what lies in their shards.
	const more = 100
	for i := range more {
		grant(t, s, guest(fmt.Sprintf("02:00:00:01:%02d:%02d", i, i), now))
	}
	if n := d.Len(); n < more || n >= more+devices {
		t.Errorf("%d devices are known, %d are in", n, more)
	}
	if n := doors(t, openAt(t, dir, &now)).Len(); n != more {
		t.Errorf("%d devices are known after a restart, %d are in", n, more)
	}
}
