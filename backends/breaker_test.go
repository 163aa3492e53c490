package backends

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
)

// system is a fake whose answer a test changes.
func system(err *error) *fake {
	return &fake{say: func(context.Context, *member.Attempt) (member.Answer, error) {
		if *err != nil {
			return member.Answer{}, *err
		}
		return allow, nil
	}}
}

func class(c Class) error { return &Error{Class: c, Backend: "club", Err: errBad} }

func TestBreakerOpensAndProbes(t *testing.T) {
	t.Parallel()
	for _, c := range []Class{Timeout, Unreachable, Faulty, Throttled} {
		synctest.Test(t, func(t *testing.T) {
			err := class(c)
			f, m := system(&err), new(Meter)
			b := NewBreaker(f, Deps{Name: "club", Meter: m})
			for range 100 {
				_, _ = b.Ask(t.Context(), pap("bob", "x"))
			}
			if n := f.calls.Load(); n != breakAfter || b.State() != StateOpen || m.Figures().Breaker != StateOpen || m.Figures().NotSaid[Open] != 90 {
				t.Fatalf("%s: %d calls, %s, %+v", c, n, b.State(), m.Figures())
			}
			if _, err := b.Ask(t.Context(), pap("bob", "x")); ClassOf(err) != Open {
				t.Errorf("%s: %v", c, err)
			}
			f.calls.Store(0)
			for range 600 { // a minute
				time.Sleep(100 * time.Millisecond)
				_, _ = b.Ask(t.Context(), pap("bob", "x"))
			}
			if n := f.calls.Load(); n < 10 || n > 12 {
				t.Errorf("%s: %d probes in a minute, want one each 5 s", c, n)
			}
			err = nil
			time.Sleep(probeEvery + time.Second)
			if ans, err := b.Ask(t.Context(), pap("bob", "x")); err != nil || ans.Verdict != member.Allow || b.State() != StateClosed {
				t.Errorf("%s: after it came back: %s, %v, %s", c, ans.Verdict, err, b.State())
			}
		})
	}
}

func TestBreakerStaysClosed(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, member.ErrUnknown, class(BadAnswer), class(NoNTKey), class(Full), class(Broken), class(TokenRefused), &Error{Class: Timeout, Err: context.Canceled}} {
		synctest.Test(t, func(t *testing.T) {
			f := system(&err)
			b := NewBreaker(f, Deps{Name: "club"})
			for range 100 {
				_, _ = b.Ask(t.Context(), pap("bob", "x"))
			}
			if f.calls.Load() != 100 || b.State() != StateClosed {
				t.Errorf("%v: %d calls, %s", err, f.calls.Load(), b.State())
			}
		})
	}
}

func TestBreakerAndRefusedTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		err := class(TokenRefused)
		f := system(&err)
		b := NewBreaker(f, Deps{Name: "club"})
		for range 10 { // a system that says 401 for a wrong password, and 422 now and then
			for range 50 {
				_, _ = b.Ask(t.Context(), pap("bob", "x"))
			}
			err = nil
			_, _ = b.Ask(t.Context(), pap("bob", "x"))
			err = class(TokenRefused)
			time.Sleep(tokenQuiet / 2)
		}
		if f.calls.Load() != 510 || b.State() != StateClosed {
			t.Fatalf("%d calls, %s", f.calls.Load(), b.State())
		}
		time.Sleep(tokenQuiet)
		f.calls.Store(0)
		for range 50 {
			_, _ = b.Ask(t.Context(), pap("bob", "x"))
		}
		if f.calls.Load() != breakAfter || b.State() != StateOpen {
			t.Errorf("after a minute of nothing else: %d calls, %s", f.calls.Load(), b.State())
		}
	})
}

// TestProbesThatProveNothing are not followed by the next one at once.
func TestProbesThatProveNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		err := class(Faulty)
		f := system(&err)
		b := NewBreaker(f, Deps{Name: "club"})
		for range breakAfter {
			_, _ = b.Ask(t.Context(), pap("bob", "x"))
		}
		err = class(BadAnswer)
		time.Sleep(probeEvery + time.Second)
		f.calls.Store(0)
		for range 1000 { // ten seconds
			_, _ = b.Ask(t.Context(), pap("bob", "x"))
			time.Sleep(10 * time.Millisecond)
		}
		if n := f.calls.Load(); n < 9 || n > 11 || b.State() != StateProbing {
			t.Errorf("%d probes in 10 s, %s", n, b.State())
		}
	})
}

func TestRetryAfterIsRespected(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ after, pause time.Duration }{{30 * time.Second, 30 * time.Second}, {24 * time.Hour, maxPause}} {
		synctest.Test(t, func(t *testing.T) {
			var err error = &Error{Class: Throttled, Backend: "club", Err: errBad, After: tt.after}
			f := system(&err)
			b := NewBreaker(f, Deps{Name: "club"})
			_, _ = b.Ask(t.Context(), pap("bob", "x"))
			err = nil
			time.Sleep(tt.pause - time.Second)
			if _, err := b.Ask(t.Context(), pap("bob", "x")); ClassOf(err) != Open || f.calls.Load() != 1 {
				t.Errorf("asked again too early: %v", err)
			}
			time.Sleep(2 * time.Second)
			if _, err := b.Ask(t.Context(), pap("bob", "x")); err != nil {
				t.Errorf("not asked again: %v", err)
			}
		})
	}
}

func TestBreakerSurvivesAPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var err error
		broken := true
		f := &fake{say: func(context.Context, *member.Attempt) (member.Answer, error) {
			if broken {
				panic("x")
			}
			return allow, err
		}}
		b := NewBreaker(NewBulkhead(f, 1, Deps{Name: "club"}), Deps{Name: "club"})
		ask := func() (err error) {
			defer func() {
				if recover() != nil {
					err = errBad
				}
			}()
			_, err = b.Ask(t.Context(), pap("bob", "x"))
			return err
		}
		for range 20 {
			_ = ask()
		}
		broken = false
		time.Sleep(probeEvery + time.Second)
		if err := ask(); err != nil {
			t.Errorf("a slot or the probe was lost in a panic: %v", err)
		}
	})
}

func TestBulkhead(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	f := &fake{say: func(ctx context.Context, _ *member.Attempt) (member.Answer, error) {
		<-release
		return allow, nil
	}}
	m := new(Meter)
	b := NewBulkhead(f, 3, Deps{Name: "club", Meter: m})
	done := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := b.Ask(t.Context(), pap("bob", "x"))
			done <- err
		}()
	}
	if !until(func() bool { return f.calls.Load() == 3 }) || m.Figures().InFlight != 3 {
		t.Fatalf("%d calls, %d in flight", f.calls.Load(), m.Figures().InFlight)
	}
	if _, err := b.Ask(t.Context(), pap("bob", "x")); ClassOf(err) != Full || !errors.Is(err, errFull) || f.calls.Load() != 3 {
		t.Errorf("the fourth: %v", err)
	}
	close(release)
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if _, err := b.Ask(t.Context(), pap("bob", "x")); err != nil {
		t.Errorf("a slot that is free again: %v", err)
	}
	got := m.Figures()
	var calls uint64
	for _, n := range got.Latency {
		calls += n
	}
	if got.InFlight != 0 || got.Allowed != 4 || got.NotSaid[Full] != 1 || calls != 4 {
		t.Errorf("%+v", got)
	}
}

func TestMeterCountsHowCallsEnd(t *testing.T) {
	t.Parallel()
	m := new(Meter)
	for _, f := range []*fake{always(allow, nil), always(deny, nil), unknown(), fails(Faulty), always(member.Answer{}, nil), always(member.Answer{}, errBad)} {
		_, _ = NewBulkhead(f, 1, Deps{Name: "club", Meter: m}).Ask(t.Context(), pap("bob", "x"))
	}
	got := m.Figures()
	if got.Allowed != 1 || got.Denied != 1 || got.Unknown != 1 || got.NotSaid[Faulty] != 1 || got.NotSaid[Broken] != 2 {
		t.Errorf("%+v", got)
	}
	if len(Classes()) != len(got.NotSaid) || len(LatencyBounds())+1 != len(got.Latency) {
		t.Error("labels and counts differ in number")
	}
	var none *Meter
	none.ended(0, member.Allow, nil)
	none.notSaid(200)
	if f := none.Figures(); f.Allowed != 0 {
		t.Error("a nil Meter counts")
	}
}
