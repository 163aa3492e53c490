package nexudus

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/internal/nexudustest/standin"
	"memberradius/member"
)

// TestShiftLosesNobody: what leaves a list while it is read moves the rest
// forward, and one of them over the edge between two pages.
func TestShiftLosesNobody(t *testing.T) {
	t.Parallel()
	shifts := map[string]func(s *standin.Server, first int){
		"cancelled": func(s *standin.Server, first int) { s.Cancel(first) },
		"deleted":   func(s *standin.Server, first int) { s.Delete(first) },
		"cancelled, and one came": func(s *standin.Server, first int) {
			s.Cancel(first)
			s.Join(standin.Coworker{Name: "New", Email: "new@example.com"}, "Hot Desk")
		},
		"deleted, and one came": func(s *standin.Server, first int) {
			s.Delete(first)
			s.Join(standin.Coworker{Name: "New", Email: "new@example.com"}, "Hot Desk")
		},
		"cancelled, and one came back": func(s *standin.Server, first int) {
			s.Cancel(first)
			k := s.Contract(s.Last())
			k.Active = true
			s.PutContract(k)
		},
	}
	for name, shift := range shifts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var done atomic.Bool
			var first int
			w := newWorld(t, func(s *standin.Server, _ *Config) {
				s.Fill(1200)
				who := s.PutCoworker(standin.Coworker{Name: "Old", Email: "old@example.com"})
				s.PutContract(standin.Contract{Coworker: who, Plan: "Hot Desk", Created: s.Now().AddDate(-1, 0, 0)})
				for first = 1001; s.Contract(first).ID == 0; first++ {
				}
				s.Before = func(r *http.Request) {
					if strings.Contains(r.URL.Path, "coworkercontracts") && r.URL.Query().Get("page") == "2" && done.CompareAndSwap(false, true) {
						shift(s, first)
					}
				}
			})
			w.full()
			if got, want := w.logins(), w.holders(); got != want {
				t.Errorf("%d members, want %d, and others", len(strings.Fields(got)), len(strings.Fields(want)))
			}
		})
	}
}

// TestListThatNeverStandsStill ends in an error and not in a loop.
func TestListThatNeverStandsStill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *standin.Server, _ *Config) {
		s.Fill(600)
		next := 1001
		s.Before = func(r *http.Request) {
			if strings.Contains(r.URL.Path, "coworkercontracts") && r.URL.Query().Get("page") == "2" {
				for next++; s.Contract(next).ID == 0; next++ {
				}
				s.Delete(next)
			}
		}
	})
	if err := w.sync(backends.Query{}); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("%v", err)
	}
}

func TestTraps(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*standin.Server, *Config){
		"plain":           func(*standin.Server, *Config) {},
		"ids as text":     func(s *standin.Server, _ *Config) { s.TextIDs = true },
		"filters ignored": func(s *standin.Server, _ *Config) { s.IgnoreFilters = true },
		"bare teams":      func(s *standin.Server, _ *Config) { s.BareTeams = true },
		"basic":           func(_ *standin.Server, c *Config) { c.Auth = "basic" },
		"no desks":        func(s *standin.Server, _ *Config) { s.Revoke("FloorPlanDesk-List") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, set)
			anna, _ := w.space.Join(standin.Coworker{Name: "José Anna", Email: "anna@example.com"}, "Hot Desk")
			_, ended := w.space.Join(standin.Coworker{Name: "Ended", Email: "ended@example.com"}, "Hot Desk")
			w.space.Cancel(ended)
			w.space.PutTeam(standin.Team{Name: "Acme", VLAN: "220", Members: []int{anna}})
			w.full()
			w.later(30 * time.Minute)
			if m := w.get("anna@example.com").Member; w.logins() != "anna@example.com" || m.TeamVLAN != "220" || m.Name != "José Anna" {
				t.Errorf("members are %s; anna: %+v", w.logins(), m)
			}
			_, of := w.space.Join(standin.Coworker{Name: "Ben", Email: "ben@example.com"}, "Hot Desk")
			w.changes()
			w.get("ben@example.com")
			w.space.Cancel(of)
			w.changes()
			if w.logins() != "anna@example.com" {
				t.Errorf("members are %s", w.logins())
			}
		})
	}
}

func TestCheckins(t *testing.T) {
	t.Parallel()
	for _, ignored := range []bool{false, true} {
		w := newWorld(t, func(s *standin.Server, c *Config) { s.IgnoreFilters, c.CheckinRequired = ignored, true })
		testCheckins(t, w)
	}
}

func testCheckins(t *testing.T, w *world) {
	t.Helper()
	anna, _ := w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Day Pass")
	ben, _ := w.space.Join(standin.Coworker{Name: "Ben", Email: "ben@example.com"}, "Day Pass")
	w.space.Join(standin.Coworker{Name: "Carl", Email: "carl@example.com"}, "Day Pass")
	now := w.space.Now().UTC().Truncate(time.Second)
	open := w.space.PutCheckin(standin.Checkin{Coworker: anna, From: now.Add(-time.Hour)})
	w.space.PutCheckin(standin.Checkin{Coworker: ben, From: now.Add(-time.Hour), To: now.Add(time.Hour)})
	forgotten := w.space.PutCoworker(standin.Coworker{Name: "Forgotten", Email: "forgotten@example.com"})
	w.space.PutContract(standin.Contract{Coworker: forgotten, Plan: "Day Pass", Active: true})
	w.space.PutCheckin(standin.Checkin{Coworker: forgotten, From: now.AddDate(0, 0, -30)})
	w.full()
	judge := func(login string, want member.Reason) {
		t.Helper()
		if _, reason := w.get(login).Member.Judge(w.space.Now()); reason != want {
			t.Errorf("%s: %s, want %s", login, reason, want)
		}
	}
	judge("anna@example.com", member.ReasonNone)
	judge("ben@example.com", member.ReasonNone)
	judge("carl@example.com", member.ReasonNotCheckedIn)
	judge("forgotten@example.com", member.ReasonNotCheckedIn)
	if until := w.get("ben@example.com").Member.ValidUntil; !until.Equal(now.Add(time.Hour)) {
		t.Errorf("ben's check-in ends %s", until)
	}
	if !w.get("anna@example.com").Member.ValidUntil.IsZero() {
		t.Error("anna's check-in has no end")
	}
	w.space.PutCheckin(standin.Checkin{ID: open, Coworker: anna, From: now.Add(-time.Hour), To: now.Add(-time.Minute)})
	w.changes()
	judge("anna@example.com", member.ReasonNotCheckedIn)
	w.space.PutCheckin(standin.Checkin{Coworker: anna, From: now})
	if err := w.sync(backends.Query{Refs: []backends.Ref{{Kind: "coworker", ID: fmt.Sprint(anna)}}}); err != nil {
		t.Fatal(err)
	}
	judge("anna@example.com", member.ReasonNone)
}

func TestLoginsAndSecrets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ login, secret, wantLogin, wantSecret string }{
		{"email", "generate", "anna@example.com", ""},
		{"id", "pincode", "", "4711"},
		{"custom3", "custom30", "anna.wifi", "from-nexudus"},
		{"", "live", "anna@example.com", ""},
	} {
		t.Run(tt.login+"/"+tt.secret, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(_ *standin.Server, c *Config) { c.Login, c.Secret = tt.login, tt.secret })
			id, _ := w.space.Join(standin.Coworker{
				Name: "Anna", Email: "anna@example.com", Pincode: " 4711 ", Custom: map[int]string{3: "anna.wifi", 30: "from-nexudus"},
			}, "Hot Desk")
			w.space.Join(standin.Coworker{Name: "Empty", Email: "empty@example.com"}, "Hot Desk")
			w.full()
			want := tt.wantLogin
			if want == "" {
				want = fmt.Sprint(id)
			}
			r := w.get(want)
			if r.Member.Login != want || string(r.Credential.Password) != tt.wantSecret || r.Email != "anna@example.com" {
				t.Errorf("%s: login %q, secret right: %v, email %q", want, r.Member.Login, string(r.Credential.Password) == tt.wantSecret, r.Email)
			}
		})
	}
}

// TestClockDiffers: what changed at Nexudus is found however far ahead or behind our clock is.
func TestClockDiffers(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-3 * time.Hour, 3 * time.Hour} {
		w := newWorld(t, nil)
		w.backend.now = func() time.Time { return time.Now().Add(skew) }
		w.backend.admin.now, w.backend.admin.pace.now = w.backend.now, w.backend.now
		w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Hot Desk")
		w.full()
		_, of := w.space.Join(standin.Coworker{Name: "Ben", Email: "ben@example.com"}, "Hot Desk")
		if err := w.sync(backends.Query{Since: w.backend.now().Add(-time.Minute)}); err != nil || w.logins() != "anna@example.com ben@example.com" {
			t.Errorf("%s: %v, members are %s", skew, err, w.logins())
		}
		w.space.Cancel(of)
		// Our clock was set right in between: Since lies in the future, or long ago.
		w.backend.now = time.Now
		w.backend.admin.now = time.Now
		if err := w.sync(backends.Query{Since: time.Now().Add(skew)}); err != nil || w.logins() != "anna@example.com" {
			t.Errorf("%s: %v, members are %s", skew, err, w.logins())
		}
	}
}

// TestPresence: of several check-ins the one that lasts longest counts.
func TestPresence(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) visit { return visit{until: now.Add(d)} }
	for name, tt := range map[string]struct {
		visits []visit
		out    bool
		until  time.Time
	}{
		"none": {nil, true, time.Time{}}, "open": {[]visit{{}}, false, time.Time{}}, "over": {[]visit{at(-time.Minute)}, true, time.Time{}},
		"ends":         {[]visit{at(time.Hour), at(2 * time.Hour), at(-time.Hour)}, false, now.Add(2 * time.Hour)},
		"ends or open": {[]visit{at(time.Hour), {}}, false, time.Time{}},
	} {
		if out, until := presence([]*coworker{{visits: &tt.visits}, {}}, now); out != tt.out || !until.Equal(tt.until) {
			t.Errorf("%s: out %v, until %s", name, out, until)
		}
	}
}

// TestUnsaidIsNoMembership: a contract that does not say that it is active is not.
func TestUnsaidIsNoMembership(t *testing.T) {
	t.Parallel()
	r := newReplica()
	r.put(readCoworker(&coworkerRow{ID: "1", Email: "anna@example.com"}, fieldEmail, fieldNone))
	r.hold(&contractRow{ID: "2", CoworkerID: "1", TariffName: "Hot Desk"})
	if rec, ok := r.record("anna@example.com", rule{}, time.Now()); ok || !rec.Gone {
		t.Errorf("%+v", rec)
	}
}
