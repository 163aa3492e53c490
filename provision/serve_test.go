package provision

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/store"
)

func TestServeSchedule(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bench) {
		start := time.Now()
		time.Sleep(everyDefault + time.Second)
		synctest.Wait()
		b.want("asked", b.said(), "full changes")
		if q := b.source.asked()[1]; !q.Since.Equal(start.Add(-overlap)) {
			b.t.Errorf("since %s, want the begin of the first (%s) and %s before", q.Since, start, overlap)
		}
		time.Sleep(everyDefault)
		synctest.Wait()
		if q := b.source.asked()[2]; !q.Since.Equal(start.Add(everyDefault - overlap)) {
			b.t.Errorf("since %s", q.Since)
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n := strings.Count(b.said(), "full"); n != 2 {
			b.t.Errorf("%d times everything in a day", n)
		}
		if len(b.told) != 0 {
			b.t.Errorf("told %+v", b.told)
		}
	})
}

func TestServeAfterFailures(t *testing.T) {
	t.Parallel()
	say := func(b *bench, err error) {
		b.source.answer(func(context.Context, *backends.Query, func(*member.Record) error) error { return err })
	}
	inBubble(t, func(b *bench) {
		say(b, errBroken)
		time.Sleep(3 * everyDefault)
		synctest.Wait()
		// What was there before is nothing worse than old, and no reason to ask more often.
		b.want("asked", b.said(), "full changes changes changes")
		say(b, &backends.Error{Class: backends.Throttled, Err: errBroken, After: 2 * time.Hour})
		time.Sleep(everyDefault)
		synctest.Wait()
		asked := len(b.source.asked())
		time.Sleep(2*time.Hour - time.Second)
		synctest.Wait()
		if n := len(b.source.asked()); n != asked {
			b.t.Errorf("asked %d times more before Retry-After", n-asked)
		}
		say(b, nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(b.told) != 2 || !b.told[0].Wrong || !strings.HasPrefix(b.told[1].What, "members are synced again") {
			b.t.Errorf("told %+v", b.told)
		}
	})
}

// TestServeBeforeAnythingIsKnown: nobody gets in yet, so it asks each minute.
func TestServeBeforeAnythingIsKnown(t *testing.T) {
	t.Parallel()
	s := &source{say: func(context.Context, *backends.Query, func(*member.Record) error) error { return errBroken }}
	inBubble(t, func(b *bench) {
		b.source = s
		time.Sleep(3*soon + time.Second)
		synctest.Wait()
		b.want("asked", b.said(), "full full full full")
		s.answer(nil)
		time.Sleep(everyDefault)
		synctest.Wait()
		b.want("asked", b.said(), "full full full full full")
	}, func(c *Config) { c.Source = s })
}

// TestServeAfterARestart: what the store has holds, and there is no hurry.
func TestServeAfterARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t)
		b.full(rec("1", "anna"))
		b.Runner = New(b.config(b.c.Now))
		b.source.answer(func(context.Context, *backends.Query, func(*member.Record) error) error { return errBroken })
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := b.Serve(ctx); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(everyDefault - time.Second)
		synctest.Wait()
		b.want("asked", b.said(), "full full")
		time.Sleep(everyDefault)
		synctest.Wait()
		b.want("asked", b.said(), "full full full")
		b.want("members", b.members(), "anna@x")
		cancel()
		running.Wait()
	})
}

func TestServeWithoutSourceForgets(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bench) {
		b.push(&backends.Push{Records: []member.Record{rec("1", "anna"), rec("2", "bob")}})
		b.push(&backends.Push{Records: []member.Record{gone("1", "")}})
		time.Sleep(89 * 24 * time.Hour)
		synctest.Wait()
		if len(b.kept()) != 2 {
			b.t.Error("forgotten too early")
		}
		time.Sleep(2 * 24 * time.Hour)
		synctest.Wait()
		if all := b.kept(); len(all) != 1 || all["bob@x"] == nil {
			b.t.Errorf("kept %v", all)
		}
	}, func(c *Config) { c.Source = nil })
}

func TestJoin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t)
		b.full(rec("1", "anna"))
		next := make(chan struct{})
		b.source.answer(func(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
			<-next
			return saying(rec("1", "anna"))(ctx, q, out)
		})
		var running sync.WaitGroup
		heard := make([]int, 8)
		start := func(i int, o Options) {
			o.Progress = func(backends.Progress) { heard[i]++ }
			running.Go(func() {
				if _, err := b.Run(t.Context(), o); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		start(0, Options{})
		start(1, Options{})
		start(2, Options{Full: true})
		start(3, Options{Full: true})
		start(4, Options{DryRun: true})
		for range 3 {
			next <- struct{}{}
			synctest.Wait()
		}
		running.Wait()
		said := b.said()
		if strings.Count(said, "changes") != 2 || strings.Count(said, "full") != 2 {
			t.Errorf("asked %q, want one of changes for 0 and 1, one of everything for 2 and 3, and one for the dry run", said)
		}
		for i, n := range heard[:5] {
			if n != 1 {
				t.Errorf("%d heard of progress %d times", i, n)
			}
		}
	})
}

// TestNobodyJoinsADryRun: it applies nothing.
func TestNobodyJoinsADryRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t)
		next := make(chan struct{})
		b.source.answer(func(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
			<-next
			return saying(rec("1", "anna"))(ctx, q, out)
		})
		var running sync.WaitGroup
		for _, o := range []Options{{Full: true, DryRun: true}, {Full: true}} {
			running.Go(func() {
				if _, err := b.Run(t.Context(), o); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		next <- struct{}{}
		synctest.Wait()
		b.want("members", b.members(), "")
		next <- struct{}{}
		running.Wait()
		b.want("members", b.members(), "anna@x")
	})
}

// TestJoinedRunOutlivesItsFirst: whoever joined goes on where the first gives up.
func TestJoinedRunOutlivesItsFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t)
		b.source.answer(func(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
			if len(b.source.asked()) == 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			return saying(rec("1", "anna"))(ctx, q, out)
		})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if _, err := b.Run(ctx, Options{}); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		running.Go(func() {
			rep, err := b.Run(t.Context(), Options{})
			if err != nil || rep.Added != 1 {
				t.Errorf("%v, %v", rep, err)
			}
		})
		gone, leave := context.WithCancel(t.Context())
		running.Go(func() {
			if _, err := b.Run(gone, Options{}); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		cancel()
		running.Wait()
	})
}

// TestSystemThatForgot: a kind that keeps what it has read can't say what has
// changed after a restart.
func TestSystemThatForgot(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna"))
	b.Runner = New(b.config(b.c.Now))
	b.source.answer(func(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
		if !q.Everything() {
			return &backends.Error{Class: backends.NotReady, Err: errBroken}
		}
		return saying(rec("1", "anna"), rec("2", "bob"))(ctx, q, out)
	})
	rep := b.run(Options{})
	b.want("asked", b.said(), "full changes full")
	if rep.Kind != kindFull || rep.Added != 1 || len(b.journal()) != 2 {
		t.Errorf("%s, journal %+v", rep, b.journal())
	}
}

func TestSince(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		runs    []store.Run // as the journal has them from before this program started
		want    time.Duration
		options Options
	}{
		{"never", nil, 0, Options{}},
		{"full", []store.Run{{Kind: "full", Started: epoch.Add(-time.Hour)}}, -time.Hour - overlap, Options{}},
		{"asked for", []store.Run{{Kind: "full", Started: epoch.Add(-time.Hour)}}, 0, Options{Full: true}},
		{"accepted", []store.Run{{Kind: "full", Started: epoch.Add(-time.Hour)}}, 0, Options{Accept: true}},
		{"changes", []store.Run{{Kind: "full", Started: epoch.Add(-2 * time.Hour)}, {Kind: "changes", Started: epoch.Add(-time.Hour)}}, -time.Hour - overlap, Options{}},
		{"failed and held", []store.Run{
			{Kind: "full", Started: epoch.Add(-3 * time.Hour)},
			{Kind: "changes", Started: epoch.Add(-2 * time.Hour), Error: "x"}, {Kind: "full", Started: epoch.Add(-time.Hour), Held: true},
		}, -3*time.Hour - overlap, Options{}},
		{"pushes and hooks", []store.Run{{Kind: "full", Started: epoch.Add(-2 * time.Hour)}, {Kind: "refs", Started: epoch.Add(-time.Hour)}}, -2*time.Hour - overlap, Options{}},
		{"a day ago", []store.Run{{Kind: "full", Started: epoch.Add(-24 * time.Hour)}, {Kind: "changes", Started: epoch.Add(-time.Hour)}}, 0, Options{}},
		{"full in the future", []store.Run{{Kind: "full", Started: epoch.Add(25 * 365 * 24 * time.Hour)}}, 0, Options{}},
		{"changes in the future", []store.Run{{Kind: "full", Started: epoch.Add(-time.Hour)}, {Kind: "changes", Started: epoch.Add(time.Hour)}}, 0, Options{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setUp(t)
			for i := range tt.runs {
				tt.runs[i].Backend = "nexudus"
				if err := b.store.RecordRun(t.Context(), &tt.runs[i]); err != nil {
					t.Fatal(err)
				}
			}
			got, err := b.since(t.Context(), &tt.options)
			want := epoch.Add(tt.want)
			if tt.want == 0 {
				want = time.Time{}
			}
			if err != nil || !got.Equal(want) {
				t.Errorf("since %s, %v, want %s", got, err, want)
			}
		})
	}
}

func TestClockThatIsSet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		gap        time.Duration
		set, leapt bool
	}{
		{0, false, false}, {time.Second, false, false}, {-time.Second, false, false},
		{time.Hour, true, false}, {-time.Hour, true, false}, {25 * 365 * 24 * time.Hour, true, true},
	} {
		var c clock
		if c.observe(tt.gap); c.set.Load() != tt.set || c.leapt.Load() != tt.leapt {
			t.Errorf("%s: set %v, leapt %v", tt.gap, c.set.Load(), c.leapt.Load())
		}
	}
	b := setUp(t)
	b.full(rec("1", "anna"), rec("2", "bob"))
	b.full(rec("1", "anna"))
	const age = 25 * 365 * 24 * time.Hour
	b.clock.observe(age)
	b.after(age)
	if rep := b.run(Options{}); rep.Kind != kindFull || len(b.kept()) != 2 {
		t.Errorf("%s: whoever ended is forgotten by a clock that is set", rep)
	}
	b.full(rec("1", "anna"), rec("3", "carl"))
	b.full(rec("3", "carl"))
	if b.clock.set.Load() || len(b.kept()) != 3 {
		t.Error("the clock is never relied on again, or too early")
	}
	// It is set right: Anna ended in the future, and must not be let in until then.
	b.after(-age)
	b.full(rec("3", "carl"))
	if e := b.kept()["anna@x"]; e.Lapsed.After(b.now) {
		t.Errorf("anna ended at %s, and it is %s", e.Lapsed, b.now)
	}
}
