package backends

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"memberradius/member"
)

func TestSingleFlight(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"PAP", "MS-CHAPv2"} {
		release := make(chan struct{})
		f := &fake{say: func(ctx context.Context, a *member.Attempt) (member.Answer, error) {
			<-release
			if ctx.Err() != nil {
				return member.Answer{}, ctx.Err()
			}
			return allow, nil
		}}
		m := new(Meter)
		c := newCache(t, f, CacheConfig{Deps: Deps{Meter: m}})
		try := func() *member.Attempt {
			if kind == "PAP" {
				return pap("bob", "hello")
			}
			return mschapv2(7)
		}
		first, leave := context.WithCancel(t.Context())
		done := make(chan error, 20)
		go func() {
			_, err := c.Ask(first, try())
			done <- err
		}()
		if !until(func() bool { return f.calls.Load() == 1 }) {
			t.Fatal("not asked")
		}
		for range 19 {
			go func() {
				ans, err := c.Ask(t.Context(), try())
				if ans.Verdict != member.Allow {
					err = errors.Join(err, errBad)
				}
				done <- err
			}()
		}
		leave()
		if err := <-done; ClassOf(err) != Timeout || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: who left got %v", kind, err)
		}
		close(release)
		for range 19 {
			if err := <-done; err != nil {
				t.Errorf("%s: one who stayed got %v", kind, err)
			}
		}
		// Those that came when the call was over made one of their own.
		if n := f.calls.Load(); n < 1 || uint64(n)+m.Figures().Joined != 20 {
			t.Errorf("%s: %d calls and %d who joined make no 20", kind, n, m.Figures().Joined)
		}
	}
}

// TestManyEqualAsksAreOneCall where the answer is kept for a moment.
func TestManyEqualAsksAreOneCall(t *testing.T) {
	t.Parallel()
	f := always(allow, nil)
	c := newCache(t, f, CacheConfig{Fresh: time.Hour})
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if ans, err := c.Ask(t.Context(), pap("bob", "hello")); err != nil || ans.Verdict != member.Allow {
				t.Errorf("%s, %v", ans.Verdict, err)
			}
		})
	}
	wg.Wait()
	if n := f.calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// TestCallLooksOnceMore: an equal call may end after the look into memory and
// before this one begins.
func TestCallLooksOnceMore(t *testing.T) {
	t.Parallel()
	f, ans, a := always(deny, nil), allow, pap("bob", "hello")
	c := newCache(t, f, CacheConfig{Fresh: time.Hour})
	c.keep(c.keyed.of(a), &ans, nil)
	if got, err := c.call(c.keyed.of(a), a); err != nil || got.Verdict != member.Allow || f.calls.Load() != 0 {
		t.Errorf("%s, %v, %d calls", got.Verdict, err, f.calls.Load())
	}
}

// TestAnswerAfterTheCallerLeft is kept: the call may have cost a pass.
func TestAnswerAfterTheCallerLeft(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	f := &fake{say: func(context.Context, *member.Attempt) (member.Answer, error) { <-release; return allow, nil }}
	c := newCache(t, f, CacheConfig{Fresh: time.Hour})
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		until(func() bool { return f.calls.Load() == 1 })
		leave()
	}()
	if _, err := c.Ask(ctx, pap("bob", "hello")); ClassOf(err) != Timeout {
		t.Fatal(err)
	}
	close(release)
	var out member.Answer
	if !until(func() bool { return c.Known(pap("bob", "hello"), &out) == Found }) || f.calls.Load() != 1 {
		t.Errorf("not kept, %d calls", f.calls.Load())
	}
}

func TestFlightKeepsNoStrings(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	seen := make(chan string, 1)
	f := &fake{say: func(_ context.Context, a *member.Attempt) (member.Answer, error) {
		<-release
		seen <- a.Login + string(a.Proof.Password) + a.Site + a.Client + a.NAS + a.SSID + a.StationMAC
		return allow, nil
	}}
	c := newCache(t, f, CacheConfig{Fresh: time.Hour})
	packet := []byte("0123456789")
	s := unsafe.String(&packet[0], len(packet))
	a := &member.Attempt{Login: s, Site: s, Client: s, NAS: s, SSID: s, StationMAC: s, Proof: member.Proof{Kind: member.Password, Password: member.Secret(s)}}
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		until(func() bool { return f.calls.Load() == 1 })
		leave()
	}()
	_, _ = c.Ask(ctx, a)
	clear(packet)
	close(release)
	if got := <-seen; got != strings.Repeat("0123456789", 7) {
		t.Errorf("the call saw %q", got)
	}
}

// TestIdleGoroutinesEnd: the bubble ends only if they do.
func TestIdleGoroutinesEnd(t *testing.T) {
	t.Parallel()
	for _, end := range []func(*Cache){
		func(*Cache) { time.Sleep(crewIdle + time.Second) },
		func(c *Cache) { _ = c.Close() },
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{say: func(context.Context, *member.Attempt) (member.Answer, error) {
				time.Sleep(time.Second)
				return allow, nil
			}}
			c := NewCache(f, CacheConfig{Deps: Deps{Name: "club"}})
			var wg sync.WaitGroup
			for i := range 10 {
				wg.Go(func() {
					for range 3 {
						if _, err := c.Ask(t.Context(), pap(fmt.Sprint(i), "hello")); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			end(c)
		})
	}
}
