package nexudus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/backends"
	"memberradius/internal/nexudustest/standin"
	"memberradius/member"
)

const contractsPath = "/api/billing/coworkercontracts"

// TestFailedReadingChangesNothing: whatever goes wrong in the middle, nothing of
// it counts, and the next reading is whole again.
func TestFailedReadingChangesNothing(t *testing.T) {
	t.Parallel()
	html := "<html><body>Sign in</body></html>"
	for name, tt := range map[string]struct {
		fault standin.Fault
		class backends.Class
	}{
		"500":                {standin.Status(500), backends.Faulty},
		"502":                {standin.Status(502), backends.Faulty},
		"403":                {standin.Status(403), backends.TokenRefused},
		"404":                {standin.Status(404), backends.BadAnswer},
		"cloudfront":         {standin.CloudFront(), backends.Unreachable},
		"cut":                {standin.Cut(), backends.Unreachable},
		"half":               {standin.Half(), backends.BadAnswer},
		"half as whole":      {standin.HalfWhole(), backends.BadAnswer},
		"web page":           {standin.Body("text/html", html), backends.BadAnswer},
		"page as JSON":       {standin.Body("application/json", html), backends.BadAnswer},
		"empty":              {standin.Body("application/json", ""), backends.BadAnswer},
		"empty object":       {standin.Body("application/json", "{}"), backends.BadAnswer},
		"null":               {standin.Body("application/json", "null"), backends.BadAnswer},
		"list":               {standin.Body("application/json", "[]"), backends.BadAnswer},
		"no records":         {standin.Body("application/json", `{"Records":null,"TotalItems":0,"HasNextPage":false}`), backends.BadAnswer},
		"records as text":    {standin.Body("application/json", `{"Records":"","HasNextPage":false}`), backends.BadAnswer},
		"an id is a list":    {standin.Body("application/json", `{"Records":[{"Id":[1]}],"HasNextPage":false}`), backends.BadAnswer},
		"a date is none":     {standin.Body("application/json", `{"Records":[{"Id":1,"StartDate":"soon"}],"HasNextPage":false}`), backends.BadAnswer},
		"no UTF-8":           {standin.Body("application/json", "{\"Records\":[{\"Id\":1,\"TariffName\":\"\xff\"}]}"), backends.BadAnswer},
		"another page":       {standin.Body("application/json", `{"Records":[],"CurrentPage":7,"HasNextPage":false}`), backends.BadAnswer},
		"not successful":     {standin.NotSuccessful(), backends.BadAnswer},
		"fewer than it says": {standin.Body("application/json", `{"Records":[],"TotalItems":9,"HasNextPage":false}`), backends.Faulty},
		"circle":             {standin.Circle(), backends.BadAnswer},
		"redirect":           {redirect, backends.BadAnswer},
		"throttled":          {standin.Throttle(429, 3600), backends.Throttled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			many := 20
			if name == "circle" { // which takes two pages
				many = 520
			}
			w := newWorld(t, func(s *standin.Server, _ *Config) { s.Fill(many) })
			w.full()
			w.space.Fail(contractsPath, 0, tt.fault)
			err := w.sync(backends.Query{})
			var e *backends.Error
			if !errors.As(err, &e) || e.Class != tt.class {
				t.Errorf("%v, want class %s", err, tt.class)
			}
			if err := w.sync(backends.Query{Since: w.space.Now()}); err == nil {
				t.Error("changes are read of a space that can't be read")
			}
			if len(w.members.records) != many {
				t.Errorf("%d members", len(w.members.records))
			}
			w.space.Mend()
			w.space.Join(standin.Coworker{Name: "New", Email: "new@example.com"}, "Hot Desk")
			w.changes() // after a failure all is read, whatever was asked for
			if len(w.members.records) != many+1 {
				t.Errorf("%d members after it was mended", len(w.members.records))
			}
		})
	}
}

func redirect(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) bool {
	http.Redirect(w, r, "/elsewhere", http.StatusFound)
	return true
}

// TestPassingFaults: what fails twice and then works costs nothing but the tries.
func TestPassingFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]standin.Fault{
		"500": standin.Status(500), "cut": standin.Cut(), "half": standin.Half(), "web page": standin.Body("text/html", "<html>"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(s *standin.Server, _ *Config) { s.Fill(10) })
			w.space.Fail(contractsPath, 2, fault)
			w.full()
			if len(w.members.records) != 10 {
				t.Errorf("%d members", len(w.members.records))
			}
		})
	}
}

// TestRetryAfterIsKept: 409 and 429 are waited for, and not counted against the time of a page.
func TestRetryAfterIsKept(t *testing.T) {
	t.Parallel()
	for _, code := range []int{409, 429} {
		synctest.Test(t, func(t *testing.T) {
			w := bubble(t, nil)
			began := time.Now()
			w.space.Fail(contractsPath, 2, standin.Throttle(code, 20))
			w.full()
			if took := time.Since(began); took < 40*time.Second || took > 50*time.Second {
				t.Errorf("%d: it took %s, want two times 20 s", code, took)
			}
			w.get("anna@example.com")
		})
	}
}

// TestThreeTriesInFiveSeconds ends a run on a page that does not come.
func TestThreeTriesInFiveSeconds(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]standin.Fault{"500": standin.Status(500), "stalled": standin.Stall(nil)} {
		synctest.Test(t, func(t *testing.T) {
			w := bubble(t, nil)
			w.full()
			_ = w.asked()
			w.space.Fail(contractsPath, 0, fault)
			began := time.Now()
			err := w.sync(backends.Query{})
			if took := time.Since(began); err == nil || took > 10*time.Second {
				t.Errorf("%s: %v after %s", name, err, took)
			}
			n := 0
			for _, r := range w.asked() {
				if strings.Contains(r, contractsPath) {
					n++
				}
			}
			if want := map[string]int{"500": 3, "stalled": 2}[name]; n < want || n > 3 {
				t.Errorf("%s: %d tries", name, n)
			}
		})
	}
}

// TestLimitsAreKept reads a space that counts, and never hears that it asks too often.
func TestLimitsAreKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := 0
		w := bubble(t, func(s *standin.Server, _ *Config) {
			s.Limited = true
			s.Fill(2500)
		})
		w.backend.admin.transport.DialContext = counting(w.backend.admin.transport.DialContext, &refused)
		for range 14 {
			w.full()
		}
		if refused > 0 {
			t.Errorf("%d answers of 409", refused)
		}
		if n := len(w.space.Asked()); n < 180 {
			t.Errorf("%d requests are too few to show anything", n)
		}
	})
}

// TestHooksGoBeforeBulk: while everything is read, a member for whom a hook came
// is not kept waiting by the limits.
func TestHooksGoBeforeBulk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(DefaultRequests, time.Now)
		for range 230 {
			if err := p.wait(t.Context(), true); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		for range 15 {
			if err := p.wait(t.Context(), false); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("five hooks of three requests took %s", took)
		}
	})
}

// TestPaceKeepsEveryMinute, wherever it begins, and does not wait for a turn
// that would come too late.
func TestPaceKeepsEveryMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(DefaultRequests, time.Now)
		var sent []time.Time
		for range 500 {
			if err := p.wait(t.Context(), false); err != nil {
				t.Fatal(err)
			}
			sent = append(sent, time.Now())
		}
		for i := DefaultRequests; i < len(sent); i++ {
			if sent[i].Sub(sent[i-DefaultRequests]) <= time.Minute {
				t.Fatalf("requests %d to %d lie in one minute", i-DefaultRequests, i)
			}
			if sent[i].Sub(sent[i-1]) < 100*time.Millisecond {
				t.Fatalf("request %d comes too soon", i)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range DefaultRequests {
			if err := p.wait(ctx, false); err != nil {
				return
			}
		}
		t.Error("it waits for a turn that comes too late")
	})
}

// counting looks for 409 in what comes back.
func counting(dial func(context.Context, string, string) (net.Conn, error), n *int) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		return &counter{c, n}, err
	}
}

type counter struct {
	net.Conn
	n *int
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	*c.n += strings.Count(string(b[:n]), "HTTP/1.1 409")
	return n, err
}

// TestSignIn: one sign-in for many requests, by the refresh token as long as it
// lives, and anew where Nexudus has forgotten both.
func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Hot Desk")
	signIns := func() int {
		n := 0
		for _, r := range w.space.Asked() {
			if strings.Contains(r, "/api/token") {
				n++
			}
		}
		return n
	}
	w.full()
	w.changes()
	if n := signIns(); n != 1 {
		t.Errorf("%d sign-ins for two syncs", n)
	}
	w.space.SignOut(false)
	w.changes()
	if n := signIns(); n != 1 {
		t.Errorf("%d sign-ins after the token died, want one by the refresh token", n)
	}
	w.space.SignOut(true)
	w.changes()
	if n := signIns(); n != 2 {
		t.Errorf("%d sign-ins, want the refresh token and then the password", n)
	}
	w.space.Password = "changed"
	w.space.SignOut(true)
	err := w.sync(backends.Query{Since: time.Now()})
	if backends.ClassOf(err) != backends.TokenRefused || !strings.Contains(err.Error(), "password is wrong") {
		t.Errorf("%v", err)
	}
	if strings.Contains(err.Error(), "nexudus-api-password") {
		t.Error("the password stands in the error")
	}
}

// TestTokenIsRenewed before it runs out.
func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t, nil)
		w.full()
		_ = w.space.Asked()
		time.Sleep(156 * time.Hour) // of 168
		w.changes()
		for _, r := range w.space.Asked() {
			if strings.Contains(r, "/api/token") {
				return
			}
		}
		t.Error("the token was not renewed")
	})
}

// TestLongRetryAfterEndsTheRun: what Nexudus wants an hour for is not asked again.
func TestLongRetryAfterEndsTheRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.full()
	_ = w.asked()
	w.space.Fail("/api/spaces/coworkers", 0, standin.Throttle(409, 3600))
	err := w.sync(backends.Query{})
	var e *backends.Error
	if !errors.As(err, &e) || e.After != time.Hour || len(w.asked()) != 1 {
		t.Errorf("%v", err)
	}
}

// TestMissingRoleIsNamed in the error of a sync.
func TestMissingRoleIsNamed(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"Coworker-List", "CoworkerContract-List", "Team-List"} {
		w := newWorld(t, nil)
		w.space.Revoke(role)
		if err := w.sync(backends.Query{}); backends.ClassOf(err) != backends.TokenRefused || !strings.Contains(err.Error(), role) {
			t.Errorf("%v", err)
		}
		w.space.Grant(role)
		w.full()
	}
}

// TestWaitsForTheSyncBefore, and leaves when its caller does.
func TestWaitsForTheSyncBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.backend.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := w.backend.Sync(ctx, &backends.Query{}, func(*member.Record) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	<-w.backend.turn
	w.full()
}

// TestProgress counts what is read.
func TestProgress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *standin.Server, _ *Config) { s.Fill(1100) })
	var last backends.Progress
	doing := map[string]bool{}
	err := w.sync(backends.Query{Progress: func(p backends.Progress) { last = p; doing[p.Doing] = true }})
	if err != nil || last.Members != 1100 || last.Pages < 7 || last.Requests < last.Pages || !doing["contracts"] || !doing["coworkers"] {
		t.Errorf("%v, %+v, %v", err, last, doing)
	}
}

// TestSecretsStayOutOfErrors looks at all errors that can be provoked.
func TestSecretsStayOutOfErrors(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]standin.Fault{
		"echo": func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) bool {
			b, _ := json.Marshal(r.Header)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write(b)
			return true
		},
		"redirect": redirect, "cut": standin.Cut(), "garbage": standin.Body("application/json", "{"),
	} {
		for _, auth := range []string{"token", "basic"} {
			w := newWorld(t, func(_ *standin.Server, c *Config) { c.Auth = auth })
			w.space.Fail("/api/spaces", 0, fault)
			err := w.sync(backends.Query{})
			if err == nil {
				t.Fatalf("%s: no error", name)
			}
			for _, text := range []string{fmt.Sprintf("%v", err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
				if strings.Contains(text, "Bearer ") || strings.Contains(text, "Basic ") || strings.Contains(text, w.space.Password) {
					t.Errorf("%s, %s: a secret in %s", name, auth, text)
				}
			}
		}
	}
}
