package nexudus

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/internal/nexudustest/standin"
	"memberradius/member"
)

// checked writes the findings as lines, the wrong ones with a "!".
func checked(t *testing.T, w *world) string {
	t.Helper()
	var lines []string
	for _, f := range w.backend.Check(t.Context()) {
		mark := " "
		if f.Wrong {
			mark = "!"
		}
		if f.Remedy == "" {
			t.Errorf("%s: no remedy", f.What)
		}
		lines = append(lines, mark+f.What+" -> "+f.Remedy)
	}
	return strings.Join(lines, "\n")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const target = "https://wifi.example.com/webhooks/nexudus"
	for name, tt := range map[string]struct {
		change func(*standin.Server, *Config)
		want   string // the beginning of a line; empty: nothing is wrong
	}{
		"in order":       {nil, ""},
		"basic":          {func(_ *standin.Server, c *Config) { c.Auth = "basic" }, ""},
		"password":       {func(_ *standin.Server, c *Config) { c.Password = "wrong" }, "!backend nexudus: token_refused"},
		"basic password": {func(_ *standin.Server, c *Config) { c.Auth, c.Password = "basic", "wrong" }, "!Nexudus refuses username and password"},
		"no API":         {func(s *standin.Server, _ *Config) { s.NoAPI = true }, "!Nexudus signs the user in and refuses the API"},
		"no API, basic":  {func(s *standin.Server, c *Config) { s.NoAPI, c.Auth = true, "basic" }, "!Nexudus takes username and password and refuses"},
		"contracts":      {func(s *standin.Server, _ *Config) { s.Revoke("CoworkerContract-List") }, "!the user api@example.com lacks the role CoworkerContract-List"},
		"coworkers":      {func(s *standin.Server, _ *Config) { s.Revoke("Coworker-List") }, "!the user api@example.com lacks the role Coworker-List"},
		"teams":          {func(s *standin.Server, _ *Config) { s.Revoke("Team-List") }, "!the user api@example.com lacks the role Team-List"},
		"tariffs":        {func(s *standin.Server, _ *Config) { s.Revoke("Tariff-List") }, " the user api@example.com lacks the role Tariff-List"},
		"check-ins":      {func(s *standin.Server, _ *Config) { s.Revoke("Checkin-List") }, " the user api@example.com lacks the role Checkin-List"},
		"check-ins needed": {func(s *standin.Server, c *Config) {
			s.Revoke("Checkin-List")
			c.CheckinRequired = true
		}, "!the user api@example.com lacks the role Checkin-List"},
		"webhooks":     {func(s *standin.Server, _ *Config) { s.Revoke("WebHook-List") }, " the user api@example.com lacks the role WebHook-List"},
		"desks":        {func(s *standin.Server, _ *Config) { s.Revoke("FloorPlanDesk-List") }, " the user api@example.com lacks the role FloorPlanDesk-List"},
		"empty field":  {func(_ *standin.Server, c *Config) { c.Login = "custom7" }, " login: Custom7 is empty"},
		"filled field": {func(_ *standin.Server, c *Config) { c.Login = "custom1" }, ""},
		"clock ahead": {func(s *standin.Server, _ *Config) {
			s.Now = func() time.Time { return time.Now().Add(2 * time.Minute) }
		}, ""},
		"cloudfront": {func(s *standin.Server, _ *Config) { s.Fail("/api", 0, standin.CloudFront()) }, "!backend nexudus: unreachable"},
		"away":       {func(s *standin.Server, _ *Config) { s.Fail("/api", 0, standin.Status(503)) }, "!backend nexudus: faulty"},
		"wrong url":  {func(s *standin.Server, _ *Config) { s.Fail("/api", 0, standin.Status(404)) }, "!backend nexudus: bad_answer"},
		"no hooks": {func(s *standin.Server, _ *Config) {
			s.PutHook(standin.Hook{ID: 1, Name: "x", URL: "https://elsewhere.example"})
		}, " webhook_secret is set, and no webhook"},
		"disabled": {func(s *standin.Server, _ *Config) {
			s.PutHook(standin.Hook{ID: 1, Name: "x", Action: 61, URL: target, LastError: "502 Bad\nGateway"})
		}, " Nexudus has disabled its webhook \"x\" (61); the last error was: 502 Bad Gateway"},
		"failing": {func(s *standin.Server, _ *Config) {
			s.PutHook(standin.Hook{ID: 1, Name: "x", Action: 61, URL: target, Active: true, ErrorCount: 4, LastError: "401"})
		}, " Nexudus' webhook \"x\" (61) failed 4 times"},
		"wrong space": {func(s *standin.Server, _ *Config) { s.Fail("/portal", 0, standin.Body("text/html", "<html>")) }, " members can't sign in at"},
		"wrong space, live": {func(s *standin.Server, c *Config) {
			s.Fail("/portal", 0, standin.Status(404))
			c.Secret = "live"
		}, "!members can't sign in at"},
		"lets all in": {func(s *standin.Server, c *Config) {
			s.Fail("/portal", 0, standin.Body("application/json", `{"access_token":"x"}`))
			c.Secret = "live"
		}, "!http://127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(s *standin.Server, c *Config) {
				s.PutHook(standin.Hook{ID: 1, Business: 101, Name: "memberradius", Action: 61, URL: target, Active: true})
				s.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com", Custom: map[int]string{1: "anna"}}, "Hot Desk")
				if tt.change != nil {
					tt.change(s, c)
				}
			})
			got := checked(t, w)
			if tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
				t.Errorf("it says:\n%s\nwant %q", got, tt.want)
			}
			if strings.Contains(got, w.space.Password) || strings.Contains(got, hookSecret) {
				t.Error("a secret stands in a finding")
			}
		})
	}
}

func TestCheckComparesClocks(t *testing.T) {
	t.Parallel()
	for ahead, want := range map[time.Duration]string{-30 * time.Second: "", 3 * time.Minute: " this host's clock", -2 * time.Hour: "!this host's clock"} {
		w := newWorld(t, func(_ *standin.Server, c *Config) { c.WebhookSecret = "" })
		w.backend.now = func() time.Time { return time.Now().Add(ahead) }
		w.backend.admin.now, w.backend.admin.pace.now = w.backend.now, w.backend.now
		if got := checked(t, w); want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", ahead, got, want)
		}
	}
}

// TestUnknownCustomField: rows that do not have it at all.
func TestUnknownCustomField(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *standin.Server, c *Config) { c.Secret, c.WebhookSecret = "custom9", "" })
	w.space.Fail("/api/spaces/coworkers", 0, standin.Body("application/json", `{"Records":[{"Id":1,"Email":"a@example.com"}],"TotalItems":1,"HasNextPage":false}`))
	if got := checked(t, w); !strings.HasPrefix(got, "!secret: customers at Nexudus have no field Custom9") {
		t.Errorf("%s", got)
	}
}

func TestHooks(t *testing.T) {
	t.Parallel()
	const target = "https://wifi.example.com/webhooks/nexudus"
	w := newWorld(t, func(s *standin.Server, _ *Config) {
		s.PutHook(standin.Hook{Business: 101, Name: "ours", Action: 61, URL: target + "/", Active: false, ErrorCount: 10, LastError: "timeout"})
		s.PutHook(standin.Hook{Business: 101, Name: "another's", Action: 10, URL: "https://elsewhere.example/hook", Active: true})
	})
	hooks, err := w.backend.Hooks(t.Context(), target, false)
	if err != nil || len(hooks) != 8 {
		t.Fatalf("%+v, %v", hooks, err)
	}
	if h := hooks[0]; h.About != "AccessControlUpdate" || h.Active || h.Missing || h.Errors != 10 || h.LastError != "timeout" || h.ID == "" {
		t.Errorf("%+v", h)
	}
	for _, h := range hooks[1:] {
		if !h.Missing || h.ID != "" || h.Target != target {
			t.Errorf("%+v", h)
		}
	}
	for range 2 { // the second time there is nothing to do
		if hooks, err = w.backend.Hooks(t.Context(), target, true); err != nil || len(hooks) != 8 {
			t.Fatalf("%+v, %v", hooks, err)
		}
		for _, h := range hooks {
			if !h.Active || h.Missing {
				t.Errorf("%+v", h)
			}
		}
	}
	var actions []string
	for _, h := range w.space.Hooks() {
		actions = append(actions, fmt.Sprint(h.Action))
		if h.Business != 101 || h.Name == "" {
			t.Errorf("%+v", h)
		}
	}
	if got := strings.Join(actions, " "); got != "61 10 10 11 57 58 59 36 35" {
		t.Errorf("actions %s", got)
	}
	w.space.Revoke("WebHook-List")
	if _, err := w.backend.Hooks(t.Context(), target, false); err == nil || !strings.Contains(err.Error(), "WebHook-List") {
		t.Errorf("%v", err)
	}
	other := newWorld(t, nil)
	other.space.Revoke("WebHook-Create")
	if _, err := other.backend.Hooks(t.Context(), target, true); err == nil || !strings.Contains(err.Error(), "WebHook-Create") {
		t.Errorf("%v", err)
	}
}

func TestWriteBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *standin.Server, c *Config) { c.WriteBack = "custom5" })
	id, _ := w.space.Join(standin.Coworker{
		Name: "Anna", Email: "Anna@example.com", Pincode: "4711", Password: "annas-own", Main: true, Custom: map[int]string{4: "kept", 5: "old"},
	}, "Hot Desk")
	const password = member.Secret("canary-wifi-password")
	if err := w.backend.WriteBack(t.Context(), fmt.Sprint(id), "anna@example.com", password); err != nil {
		t.Fatal(err)
	}
	c := w.space.Coworker(id)
	if c.Custom[5] != string(password) || c.Custom[4] != "kept" || c.Pincode != "4711" || c.Name != "Anna" || c.Suspended || !c.Main {
		t.Errorf("what is there now: %d fields, kept %q", len(c.Custom), c.Custom[4])
	}
	puts := func() int {
		n := 0
		for _, r := range w.asked() {
			if strings.HasPrefix(r, "PUT") {
				n++
			}
		}
		return n
	}
	if n := puts(); n != 1 {
		t.Errorf("%d writes", n)
	}
	for name, try := range map[string]func() error{
		"another's login": func() error { return w.backend.WriteBack(t.Context(), fmt.Sprint(id), "ben@example.com", password) },
		"deleted":         func() error { return w.backend.WriteBack(t.Context(), "999999", "anna@example.com", password) },
		"no id":           func() error { return w.backend.WriteBack(t.Context(), "", "anna@example.com", password) },
		"id is a path":    func() error { return w.backend.WriteBack(t.Context(), "../teams/1", "anna@example.com", password) },
	} {
		if err := try(); err == nil || strings.Contains(fmt.Sprintf("%+v %#v", err, err), string(password)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := puts(); n != 0 {
		t.Errorf("%d writes that should not be", n)
	}
	w.space.Fail("/api/spaces/coworkers", 0, func(wr http.ResponseWriter, r *http.Request, _ http.HandlerFunc) bool {
		if r.Method != http.MethodPut {
			return false
		}
		wr.WriteHeader(http.StatusInternalServerError)
		return true
	})
	if err := w.backend.WriteBack(t.Context(), fmt.Sprint(id), "anna@example.com", password); backends.ClassOf(err) != backends.Faulty {
		t.Errorf("%v", err)
	}
	if n := puts(); n != 1 {
		t.Errorf("a write of which nobody knows what became of it was sent %d times", n)
	}
	w.space.Mend()
	w.space.Revoke("Coworker-Edit")
	if err := w.backend.WriteBack(t.Context(), fmt.Sprint(id), "anna@example.com", password); err == nil || !strings.Contains(err.Error(), "Coworker-Edit") {
		t.Errorf("%v", err)
	}
	w.space.Grant("Coworker-Edit")
	_ = w.asked()
	c.Name = "" // which its PUT refuses, with status 200
	w.space.PutCoworker(c)
	if err := w.backend.WriteBack(t.Context(), fmt.Sprint(id), "anna@example.com", password); backends.ClassOf(err) != backends.BadAnswer {
		t.Errorf("WasSuccessful false: %v", err)
	}
	if n := puts(); n != 1 {
		t.Errorf("%d writes of one that was refused", n)
	}
}
