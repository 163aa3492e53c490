package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/backends"
	"memberradius/member"
)

func TestPush(t *testing.T) {
	t.Parallel()
	b := setUp(t, func(c *Config) { c.Source = nil })
	b.push(&backends.Push{ID: "d1", Records: []member.Record{rec("1", "anna", "day"), rec("", "bob")}})
	b.want("members", b.members(), "anna@x bob@x")
	first := b.kept()["anna@x"].Credential.Password
	b.push(&backends.Push{ID: "d2", Records: []member.Record{gone("1", "")}})
	b.want("ended by id", b.members(), "bob@x")
	for range 100 { // F20
		b.push(&backends.Push{ID: "d1", Records: []member.Record{rec("1", "anna", "day")}})
	}
	b.want("repeated", b.members(), "bob@x")
	if n := len(b.journal()); n != 2 {
		t.Errorf("%d rows in the journal", n)
	}
	b.push(&backends.Push{ID: "d3", Records: []member.Record{rec("1", "anna", "day")}})
	if b.kept()["anna@x"].Credential.Password != first {
		t.Error("she has another password than before")
	}
	b.push(&backends.Push{ID: "d4", Records: []member.Record{gone("", "BOB@x"), gone("77", "nobody"), gone("", "")}})
	b.want("ended by login", b.members(), "anna@x")
	if run := b.journal()[0]; run.Kind != "push" || run.Lapsed != 1 || run.Skipped != 1 {
		t.Errorf("%+v", run)
	}
	// The login is somebody else's now: she is not ended by a stranger's end.
	b.push(&backends.Push{ID: "d5", Records: []member.Record{gone("5", "anna@x")}})
	b.want("ended by another's id", b.members(), "anna@x")
	if run := b.journal()[0]; len(run.Notes) != 1 || !strings.Contains(run.Notes[0], `id "5" has ended`) {
		t.Errorf("notes %q", run.Notes)
	}
	b.after(25 * time.Hour)
	b.push(&backends.Push{ID: "d1", Records: []member.Record{rec("2", "carl")}})
	b.want("a day later", b.members(), "anna@x carl@x")
	if _, err := b.Run(t.Context(), Options{}); !errors.Is(err, ErrNoSource) {
		t.Error(err)
	}
	if err := b.Push(t.Context(), &backends.Push{Refs: []backends.Ref{{ID: "1"}}}); !errors.Is(err, ErrNoSource) {
		t.Error(err)
	}
}

func TestPushDoesNotChangeWhatItIsGiven(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	p := &backends.Push{Records: []member.Record{with(rec("1", " anna "), func(r *member.Record) { r.Member.Name = " Anna " })}}
	b.push(p)
	if p.Records[0].Member.Name != " Anna " || p.Records[0].Credential.Password != "" {
		t.Errorf("%+v", p.Records[0])
	}
}

func TestFailedPush(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna"))
	b.c.Rand = strings.NewReader("")
	b.after(time.Second)
	if err := b.Push(t.Context(), &backends.Push{ID: "p", Records: []member.Record{rec("2", "bob"), gone("1", "")}}); err == nil {
		t.Fatal("it worked without randomness")
	}
	b.want("members", b.members(), "anna@x")
	if b.journal()[0].Error == "" {
		t.Error("the journal says nothing")
	}
	if b.run(Options{}).Kind != kindFull {
		t.Error("what could not be applied is not read in full")
	}
}

// TestPushDuringSync: what a sync has read before a push came is older than the
// push, and must not undo it.
func TestPushDuringSync(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	old := []member.Record{rec("1", "anna", "day"), rec("2", "bob"), rec("3", "carl"), rec("5", "emil")}
	b.full(old[:3]...)
	b.source.answer(func(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
		if err := saying(old...)(ctx, q, out); err != nil {
			return err
		}
		b.push(&backends.Push{Records: []member.Record{
			gone("1", ""), gone("", "bob@x"), rec("4", "dora"), with(rec("3", "carl"), func(r *member.Record) { r.Member.Login = "carl@new" }),
			gone("5", "emil@x"), // whom nobody knew yet
		}})
		return nil
	})
	rep := b.run(Options{Full: true})
	b.want("members", b.members(), "carl@new dora@x")
	if !strings.Contains(strings.Join(rep.Notes, "\n"), "left as a push or hook") {
		t.Errorf("notes %q", rep.Notes)
	}
	b.source.answer(nil)
	b.full(rec("1", "anna"), rec("4", "dora"))
	b.want("members", b.members(), "anna@x dora@x")
}

// TestPushTakesALoginDuringSync: what was read of whom it is taken from is lost,
// and may be older than the overlap, so it is asked for once more.
func TestPushTakesALoginDuringSync(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna"))
	during := rec("1", "anna", "day")
	b.source.answer(func(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
		b.push(&backends.Push{Records: []member.Record{during}})
		return saying(rec("1", "anna"), rec("2", "bob"))(ctx, q, out)
	})
	sinceOf := func(i int) time.Time {
		b.after(time.Hour)
		b.run(Options{})
		return b.source.asked()[i].Since
	}
	first := sinceOf(1)
	during = with(rec("3", "bob"), func(r *member.Record) { r.Email = "other@x" })
	if second := sinceOf(2); !second.After(first) {
		t.Errorf("since %s: of Anna nothing was lost", second)
	}
	third := sinceOf(3)
	if fourth := sinceOf(4); !fourth.Equal(third) {
		t.Errorf("since %s, want %s once more: of Bob something was lost", fourth, third)
	}
}

// TestFirstSyncThatLostSomething: there is nothing that the next one could go by.
func TestFirstSyncThatLostSomething(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.source.answer(func(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
		b.push(&backends.Push{Records: []member.Record{rec("2", "anna")}})
		return saying(with(rec("1", "anna"), func(r *member.Record) { r.Email = "other@x" }))(ctx, q, out)
	})
	b.run(Options{})
	b.source.answer(nil)
	b.run(Options{})
	b.want("asked", b.said(), "full full")
}

// inBubble runs Serve in a bubble of testing/synctest until f has ended.
func inBubble(t *testing.T, f func(b *bench), config ...func(*Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := setUp(t, append([]func(*Config){func(c *Config) { c.Now = time.Now }}, config...)...)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.Serve(ctx) }()
		synctest.Wait()
		f(b)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func refs(ids ...int) *backends.Push {
	p := new(backends.Push)
	for _, id := range ids {
		p.Refs = append(p.Refs, backends.Ref{Kind: "coworker", ID: fmt.Sprint(id)})
	}
	return p
}

// said says what was asked: "full", "changes", or the ids.
func (b *bench) said() string {
	var all []string
	for _, q := range b.source.asked() {
		switch {
		case q.Everything():
			all = append(all, "full")
		case len(q.Refs) == 0:
			all = append(all, "changes")
		default:
			var ids []string
			for _, r := range q.Refs {
				ids = append(ids, r.ID)
			}
			all = append(all, strings.Join(ids, "+"))
		}
	}
	return strings.Join(all, " ")
}

func TestHooksAreHints(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bench) {
		b.want("at the start", b.said(), "full")
		b.source.set(rec("1", "anna"))
		b.push(refs(1))
		synctest.Wait()
		b.want("one", b.said(), "full 1")
		b.want("members", b.members(), "anna@x")
		if run := b.journal()[0]; run.Kind != "refs" || run.Trigger != "hook" {
			b.t.Errorf("%+v", run)
		}
		// While one is read others wait: each once, and more than five are one question.
		release := make(chan struct{})
		slow := func(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
			<-release
			return saying(rec("1", "anna"))(ctx, q, out)
		}
		b.source.answer(slow)
		b.push(refs(1))
		synctest.Wait()
		for range 100 {
			b.push(refs(2, 3))
		}
		close(release)
		synctest.Wait()
		b.want("repeated", b.said(), "full 1 1 2+3")
		release = make(chan struct{})
		b.push(refs(1))
		synctest.Wait()
		b.push(refs(2, 3, 4, 5, 6))
		b.push(refs(7, 8, 2))
		close(release)
		synctest.Wait()
		b.want("many", b.said(), "full 1 1 2+3 1 changes")
	})
}

func TestFailedHookMakesTheNextSyncFull(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bench) {
		b.source.answer(func(context.Context, *backends.Query, func(*member.Record) error) error { return errBroken })
		b.push(refs(1))
		synctest.Wait()
		b.source.answer(nil)
		time.Sleep(everyDefault + time.Minute)
		synctest.Wait()
		b.want("asked", b.said(), "full 1 full")
		if len(b.told) != 2 || !b.told[0].Wrong || b.told[1].Wrong {
			b.t.Errorf("told %+v", b.told)
		}
	})
}

// TestManyHooksDoNotJoin: a sync that runs may have read on already past what
// they are about.
func TestManyHooksDoNotJoin(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bench) {
		release := make(chan struct{})
		b.source.answer(func(context.Context, *backends.Query, func(*member.Record) error) error {
			<-release
			return nil
		})
		time.Sleep(everyDefault)
		synctest.Wait()
		b.want("asked", b.said(), "full changes")
		b.push(refs(1, 2, 3, 4, 5, 6))
		synctest.Wait()
		b.want("asked", b.said(), "full changes changes")
		close(release)
		synctest.Wait()
	})
}

// TestHookThatMeetsAPush is read again, since its answer may be of before.
func TestHookThatMeetsAPush(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bench) {
		answers := []member.Record{rec("1", "anna", "old"), rec("1", "anna", "new")}
		b.source.answer(func(ctx context.Context, q *backends.Query, out func(*member.Record) error) error {
			now := answers[0]
			if len(answers) > 1 {
				answers = answers[1:]
				b.push(&backends.Push{Records: []member.Record{rec("1", "anna", "pushed")}})
			}
			return saying(now)(ctx, q, out)
		})
		b.push(refs(1))
		synctest.Wait()
		b.want("asked", b.said(), "full 1 1")
		b.want("plan", b.kept()["anna@x"].Member.Plans[0], "new")
	})
}
