package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestLoginsOfADeviceAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.serve(t)
	for range deviceLogins {
		if got := grant(h, seedBody); got.Code != http.StatusCreated {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
	}
	got := grant(h, strings.Replace(seedBody, "11:22:33:44:55:66", "1122.3344.5566", 1)) // in another spelling it is the same
	if p := problemIn(t, got); p.Status != http.StatusTooManyRequests || got.Header().Get("Retry-After") != "6" {
		t.Errorf("%d, Retry-After %q", got.Code, got.Header().Get("Retry-After"))
	}
	if got := grant(h, strings.Replace(seedBody, "11:22", "12:22", 1)); got.Code != http.StatusCreated {
		t.Errorf("another device: %d", got.Code)
	}
	w.now = w.now.Add(deviceEvery)
	if got := grant(h, seedBody); got.Code != http.StatusCreated {
		t.Errorf("6 s later: %d", got.Code)
	}
	if n := len(w.house.orders); n != deviceLogins+2 {
		t.Errorf("%d grants", n)
	}
}

func TestCallersAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.serve(t)
	ask := func(token, from string) int {
		r := httptest.NewRequest("GET", portalPath+"7/", nil)
		r.RemoteAddr = from
		r.Header.Set("Authorization", "Bearer "+token)
		got := httptest.NewRecorder()
		h.ServeHTTP(got, r)
		return got.Code
	}
	for i := range callerCalls {
		if code := ask("mr_portal_login", fmt.Sprintf("192.0.2.%d:1", i%200)); code != http.StatusOK {
			t.Fatalf("call %d: %d", i, code)
		}
	}
	if code := ask("mr_portal_login", "192.0.2.250:1"); code != http.StatusTooManyRequests {
		t.Errorf("one more by the token from a new address: %d", code)
	}
	if code := ask("mr_admin", "192.0.2.251:1"); code != http.StatusOK {
		t.Errorf("by another token: %d", code)
	}
	for range callerCalls {
		ask("mr_admin", "198.51.100.1:1")
	}
	w.now = w.now.Add(time.Second) // the tokens have some back, and so has the address
	for range int(time.Second / callerEvery) {
		ask("mr_admin", "198.51.100.1:1")
	}
	if code := ask("mr_portal_login", "198.51.100.1:1"); code != http.StatusTooManyRequests {
		t.Errorf("one more from the address: %d", code)
	}
}

func TestPaceForgets(t *testing.T) {
	t.Parallel()
	now := noon
	p := newPace(2, time.Second, func() time.Time { return now })
	p.take("hard")
	p.take("hard")
	for i := range maxPaced + 100 {
		if p.take(fmt.Sprint(i)) != 0 {
			t.Fatal("a new one waits")
		}
	}
	if len(p.free) > maxPaced || p.take("hard") != time.Second {
		t.Errorf("%d are known; who asked hardest waits %v", len(p.free), p.take("hard"))
	}
	now = now.Add(time.Minute)
	p.take("new")
	if len(p.free) != 1 {
		t.Errorf("%d are known after a minute", len(p.free))
	}
}

// TestLoginIsGrantedOnce by one Idempotency-Key.
func TestLoginIsGrantedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := w.serve(t)
	first := grant(h, seedBody, "Idempotency-Key", `"8e03978e-40d5"`)
	again := grant(h, seedObject, "Idempotency-Key", "8e03978e-40d5") // the same, otherwise written
	if first.Code != 201 || again.Code != 201 || first.Body.String() != again.Body.String() || len(w.house.orders) != 1 || len(w.deeds) != 1 {
		t.Errorf("%d %s, %d %s, %d granted", first.Code, first.Body, again.Code, again.Body, len(w.house.orders))
	}
	if got := grant(h, strings.Replace(seedBody, "room_401", "room_402", 1), "Idempotency-Key", "8e03978e-40d5"); got.Code != 422 {
		t.Errorf("another login by the key: %d", got.Code)
	}
	if got := grant(h, seedBody, "Idempotency-Key", "another"); got.Code != 201 || len(w.house.orders) != 2 {
		t.Errorf("another key: %d, %d granted", got.Code, len(w.house.orders))
	}
	if got := grant(h, seedBody, "Idempotency-Key", "another", "Authorization", "Bearer mr_admin"); got.Code != 201 || len(w.house.orders) != 3 {
		t.Errorf("the key of another token: %d, %d granted", got.Code, len(w.house.orders))
	}
	w.now = w.now.Add(repeatsKept)
	if got := grant(h, seedBody, "Idempotency-Key", "another"); got.Code != 201 || len(w.house.orders) != 4 {
		t.Errorf("a day later: %d, %d granted", got.Code, len(w.house.orders))
	}
	w.house.refuse = ErrNoAnswer
	if got := grant(h, seedBody, "Idempotency-Key", "third"); got.Code != 503 {
		t.Errorf("%d", got.Code)
	}
	w.house.refuse = nil
	if got := grant(h, seedBody, "Idempotency-Key", "third"); got.Code != 201 || len(w.house.orders) != 6 {
		t.Errorf("after it failed: %d, %d granted", got.Code, len(w.house.orders))
	}
	for _, key := range []string{"", `""`, "a b", "ä", strings.Repeat("x", 256)} {
		if p := problemIn(t, grant(h, seedBody, "Idempotency-Key", key)); p.Status != 400 || p.Errors[0].Field != "Idempotency-Key" {
			t.Errorf("key %q: %+v", key, p)
		}
	}
	if got := grant(h, seedBody, "Idempotency-Key", "a", "Idempotency-Key", "b"); got.Code != 400 {
		t.Errorf("two keys: %d", got.Code)
	}

	w.now = w.now.Add(time.Minute)
	w.house.granting = make(chan struct{})
	done := make(chan int)
	go func() { done <- grant(h, seedBody, "Idempotency-Key", "slow").Code }()
	<-w.house.granting // it is in work
	if p := problemIn(t, grant(h, seedBody, "Idempotency-Key", "slow")); p.Status != http.StatusConflict {
		t.Errorf("while the first is in work: %d", p.Status)
	}
	w.house.granting <- struct{}{}
	if code := <-done; code != 201 {
		t.Errorf("the first: %d", code)
	}
}

func TestRepeatsAreBounded(t *testing.T) {
	t.Parallel()
	rs := newRepeats(func() time.Time { return noon })
	for i := range maxRepeats + 10 {
		rp, fresh := rs.begin(fmt.Sprint(i), &PortalLogin{})
		if !fresh {
			t.Fatalf("%d is known", i)
		}
		rs.end(rp, &PortalLogin{PageID: int64(i)})
	}
	if len(rs.known) > maxRepeats || len(rs.queue) > maxRepeats {
		t.Errorf("%d are known, %d wait", len(rs.known), len(rs.queue))
	}
	if rp, fresh := rs.begin(fmt.Sprint(maxRepeats), &PortalLogin{}); fresh || rp.given.PageID != maxRepeats {
		t.Error("a late one was forgotten before an early one")
	}
}
