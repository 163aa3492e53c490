package portal

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
)

func TestBrake(t *testing.T) {
	t.Parallel()
	now := noon
	b := newBrake(pace{3, 10 * time.Second}, func() time.Time { return now })
	for i := range 3 {
		if wait, _ := b.take("a"); wait != 0 {
			t.Fatalf("try %d waits %v", i, wait)
		}
	}
	for i, want := range []bool{true, false} {
		if wait, news := b.take("a"); wait != 10*time.Second || news != want {
			t.Errorf("try %d after all are used up waits %v, news %v", i, wait, news)
		}
	}
	if wait, _ := b.take("b"); wait != 0 {
		t.Errorf("another key waits %v", wait)
	}
	b.giveBack("a")
	if wait, _ := b.take("a"); wait != 0 {
		t.Errorf("one was given back, and it waits %v", wait)
	}
	now = now.Add(10 * time.Second)
	if wait, _ := b.take("a"); wait != 0 {
		t.Errorf("one has come back, and it waits %v", wait)
	}
	if wait, news := b.take("a"); wait == 0 || !news {
		t.Errorf("two have come back: %v, news %v", wait, news)
	}
	b.giveBack("never") // is no key then
	if _, known := b.free["never"]; known {
		t.Error("a key that was never taken is remembered")
	}
}

func TestBrakesAreBounded(t *testing.T) {
	t.Parallel()
	now := noon
	b := newBrake(pace{3, 10 * time.Second}, func() time.Time { return now })
	for range 3 {
		b.take("hard")
	}
	for i := range maxKeys + 100 {
		b.take(fmt.Sprint(i))
	}
	if len(b.free) > maxKeys {
		t.Errorf("%d keys are remembered, at most %d", len(b.free), maxKeys)
	}
	if wait, _ := b.take("hard"); wait == 0 {
		t.Error("who tried hardest was forgotten")
	}
	now = now.Add(time.Hour)
	b.take("new")
	b.mu.Lock()
	b.makeRoom(now)
	b.mu.Unlock()
	if len(b.free) != 1 {
		t.Errorf("%d keys are remembered after an hour", len(b.free))
	}
}

// tries sends forms until one is refused for being one too many, and returns
// how many were not.
func (b *browser) tries(t *testing.T, how string, next func(i int) (path string, fields []string)) (int, *reply) {
	t.Helper()
	for i := range 300 {
		path, fields := next(i)
		p := b.do(t, http.MethodPost, "/portal/berlin/"+how, with(b.open(t, path), fields...))
		if p.StatusCode == http.StatusTooManyRequests {
			return i, p
		}
	}
	t.Fatal("three hundred tries, and nobody says stop")
	return 0, nil
}

func deviceNumber(i int) string {
	return strings.Replace(chilliRedirect, "28-CF-E9-13-47-CB", fmt.Sprintf("28-CF-E9-13-00-%02X", i), 1)
}

func TestTooManyTries(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		how  string
		next func(i int) (string, []string)
		want int
		wait string
	}{
		"of one device": {"login", func(i int) (string, []string) {
			return chilliRedirect, []string{"user", fmt.Sprint(i), "password", "guess"}
		}, 10, "6"},
		"of one login, from many devices": {"login", func(i int) (string, []string) {
			return deviceNumber(i), []string{"user", []string{"Anna@example.com", "anna@EXAMPLE.com"}[i%2], "password", "guess"}
		}, 30, "1"},
		"from one address":           {"voucher", func(i int) (string, []string) { return deviceNumber(i), []string{"code", fmt.Sprint(i)} }, 60, "1"},
		"of one device that clicks":  {"click", func(int) (string, []string) { return chilliRedirect, nil }, 10, "6"},
		"of many devices that click": {"click", func(i int) (string, []string) { return deviceNumber(i), nil }, 200, "1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			b := w.browse(t)
			n, p := b.tries(t, tt.how, tt.next)
			if n != tt.want || p.Header.Get("Retry-After") != tt.wait || !strings.Contains(p.body, tt.wait+" s") {
				t.Errorf("%s: %d tries, then wait %q, want %d, %q\n%s", name, n, p.Header.Get("Retry-After"), tt.want, tt.wait, p.body)
			}
			if e := w.last(t); e.Reason != "too_many_tries" || e.Outcome != member.Unanswered {
				t.Errorf("%s: logged %+v", name, e)
			}
			lines := len(w.log)
			path, fields := tt.next(n)
			b.do(t, http.MethodPost, "/portal/berlin/"+tt.how, with(b.open(t, path), fields...))
			if len(w.log) != lines {
				t.Errorf("%s: the log says it again", name)
			}
			w.pass(time.Minute)
			if p = b.do(t, http.MethodPost, "/portal/berlin/"+tt.how, with(b.open(t, path), fields...)); p.StatusCode == http.StatusTooManyRequests {
				t.Errorf("%s: a minute later too", name)
			}
		})
	}
}

// TestRightOnesCostNothing: a whole site behind one address logs in.
func TestRightOnesCostNothing(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := w.browse(t)
	for i := range 90 {
		if p := b.do(t, http.MethodPost, "/portal/berlin/login", with(b.open(t, deviceNumber(i)), "user", "anna@example.com", "password", password)); p.StatusCode != http.StatusOK {
			t.Fatalf("login %d: %d", i, p.StatusCode)
		}
	}
	w.out["anna@example.com"] = Outcome{Reason: member.ReasonTimeout}
	for i := range 90 {
		if p := b.do(t, http.MethodPost, "/portal/berlin/login", with(b.open(t, deviceNumber(i)), "user", "anna@example.com", "password", password)); p.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("login %d while the member system is down: %d", i, p.StatusCode)
		}
	}
}

// TestPlacesAreBounded: attempts that wait for a member system don't pile up.
func TestPlacesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld()
	inside, release := make(chan struct{}), make(chan struct{})
	auth := authFunc(func(*Attempt) Outcome {
		inside <- struct{}{}
		<-release
		return Outcome{}
	})
	b := w.browse(t, func(c *Config) {
		c.Auth, c.Proxies = auth, proxies("203.0.113.0/24")
		c.Now = time.Now // so that no brake is in the way for long
	})
	answered := make(chan int, allPlaces)
	send := func(i int) int {
		one := *b
		one.from = fmt.Sprintf("198.51.100.%d:1", i/8)
		form := with(one.open(t, strings.Replace(chilliRedirect, "28-CF-E9-13-47-CB", fmt.Sprintf("28-CF-E9-13-%02X-%02X", i>>8, i&255), 1)), "user", fmt.Sprint(i), "password", "x")
		return one.do(t, http.MethodPost, "/portal/berlin/login", form).StatusCode
	}
	for i := range allPlaces {
		go func() { answered <- send(i) }()
	}
	for range allPlaces {
		<-inside
	}
	if status := send(allPlaces); status != http.StatusTooManyRequests {
		t.Errorf("one more than there are places: %d", status)
	}
	close(release)
	for range allPlaces {
		if status := <-answered; status != http.StatusServiceUnavailable {
			t.Errorf("one that had a place: %d", status)
		}
	}
}
