package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"
)

// state is all that Apply writes, as text that can be compared.
func state(t *testing.T, s *store.Store) string {
	t.Helper()
	var b bytes.Buffer
	counter, err := s.Kept(t.Context(), club, func(k *store.Kept) error {
		_, err := fmt.Fprintf(&b, "%+v\n", k)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	runs, err := s.Runs(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d\n%s\n%+v\n%+v", counter, b.String(), runs, events)
}

func TestApply(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	add(t, s, bob())
	add(t, s, carol())
	m := load(t, s)
	c := &store.Changes{
		Seen: 2, Edits: crowd(20), Forget: []string{"CAROL@example.com", "nobody"}, Delivery: "push-1",
		Events: []store.Event{{Login: "member000001@example.com", Kind: "welcome"}, {Login: "member000002@example.com", Kind: "welcome", Next: now.Add(time.Hour)}},
		Run:    &store.Run{Trigger: "webhook", Kind: "push", Started: now, Ended: now, Added: 20},
	}
	got, err := s.Apply(t.Context(), club, c)
	if want := (store.Imported{Added: 20, Forgotten: 1}); err != nil || got != want {
		t.Fatalf("%+v, %v", got, err)
	}
	refresh(t, m)
	if _, ok := m.Lookup("carol@example.com"); ok || m.Len() != 21 {
		t.Errorf("%d members, carol %v", m.Len(), ok)
	}
	if c.Run.ID == "" || c.Run.Backend != club || c.Events[0].ID == "" || !c.Events[0].Created.Equal(now) || c.Events[0].Backend != club {
		t.Errorf("not filled in: %+v %+v", c.Run, c.Events[0])
	}
	if runs, err := s.Runs(t.Context(), club, 9); err != nil || len(runs) != 1 || runs[0].ID != c.Run.ID {
		t.Errorf("runs %+v, %v", runs, err)
	}
	if due, err := s.DueEvents(t.Context(), now, 9); err != nil || len(due) != 1 || due[0].ID != c.Events[0].ID {
		t.Errorf("due %+v, %v", due, err)
	}
	// What holds already is no write: readers have nothing to look at.
	got, err = s.Apply(t.Context(), club, &store.Changes{Seen: 3, Edits: crowd(20), Forget: []string{"carol@example.com"}})
	if want := (store.Imported{Unchanged: 20}); err != nil || got != want {
		t.Errorf("again: %+v, %v", got, err)
	}
	if counter, err := s.KeptOf(t.Context(), club, nil, nil); counter != 3 || err != nil {
		t.Errorf("counter %d after nothing changed, %v", counter, err)
	}
	if _, err := s.Apply(t.Context(), club, &store.Changes{Edits: []store.Edit{{Fields: store.AllFields, Record: *carol()}}}); err != nil {
		t.Errorf("carol comes back: %v", err)
	}
	refresh(t, m)
	if _, ok := m.Lookup("carol@example.com"); !ok {
		t.Error("carol is back, and not found")
	}
}

// TestApplyAllOrNothing spoils one part after the other.
func TestApplyAllOrNothing(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	if _, err := s.Apply(t.Context(), club, &store.Changes{Edits: crowd(9), Delivery: "was here"}); err != nil {
		t.Fatal(err)
	}
	before := state(t, s)
	for name, c := range map[string]struct {
		spoil func(*store.Changes)
		is    error
	}{
		"changed since":      {func(c *store.Changes) { c.Seen = 2 }, store.ErrChanged},
		"repeated":           {func(c *store.Changes) { c.Delivery = "was here" }, store.ErrRepeated},
		"an edit":            {func(c *store.Changes) { c.Edits[5].Record.Member.VLAN = "0" }, nil},
		"a row":              {func(c *store.Changes) { c.Edits[5].Record.Member.Terms = make([]member.Term, 2) }, nil},
		"edit and forget":    {func(c *store.Changes) { c.Forget = append(c.Forget, "MEMBER000003@example.com") }, nil},
		"an event":           {func(c *store.Changes) { c.Events[1].Kind = "" }, nil},
		"an event's login":   {func(c *store.Changes) { c.Events[1].Login = "" }, nil},
		"the run, at its id": {func(c *store.Changes) { c.Run.ID = "taken" }, nil},
	} {
		if name == "the run, at its id" {
			if err := s.RecordRun(t.Context(), &store.Run{ID: "taken", Backend: club, Started: newYear, Ended: newYear}); err != nil {
				t.Fatal(err)
			}
			before = state(t, s)
		}
		whole := &store.Changes{
			Seen: 1, Edits: crowd(9), Forget: []string{"member000008@example.com"}, Delivery: "new",
			Events: []store.Event{{Login: "a", Kind: "welcome"}, {Login: "b", Kind: "welcome"}},
			Run:    &store.Run{Kind: "full", Started: newYear, Ended: newYear},
		}
		whole.Edits = whole.Edits[:8]
		whole.Edits[0].Record.Member.Team = "changed"
		c.spoil(whole)
		done, err := s.Apply(t.Context(), club, whole)
		if err == nil || c.is != nil && !errors.Is(err, c.is) || done != (store.Imported{}) {
			t.Errorf("%s: %+v, %v", name, done, err)
		}
		if after := state(t, s); after != before {
			t.Errorf("%s: part of it was kept\nbefore %s\nafter  %s", name, before, after)
		}
	}
	// And what was refused did not use the id of its push up.
	if _, err := s.Apply(t.Context(), club, &store.Changes{Delivery: "new"}); err != nil {
		t.Error(err)
	}
	_, err := s.Apply(t.Context(), "", &store.Changes{})
	says(t, err, "no backend")
}

func TestRepeatedPush(t *testing.T) {
	t.Parallel()
	now := newYear
	s := openAt(t, t.TempDir(), &now)
	push := func(backend string) error {
		_, err := s.Apply(t.Context(), backend, &store.Changes{Delivery: "msg_1\x00\xff"})
		return err
	}
	for _, c := range []struct {
		backend string
		after   time.Duration
		want    error
	}{
		{club, 0, nil},
		{club, 0, store.ErrRepeated},
		{"other", 0, nil},
		{club, 24*time.Hour - time.Millisecond, store.ErrRepeated},
		{club, time.Millisecond, nil},
		{club, time.Hour, store.ErrRepeated},
	} {
		now = now.Add(c.after)
		if err := push(c.backend); !errors.Is(err, c.want) {
			t.Errorf("%s at %v: %v, want %v", c.backend, now, err, c.want)
		}
	}
}

// TestConcurrentApply wants one of many who have seen the same to be taken.
func TestConcurrentApply(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	add(t, open(t, dir), bob())
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		s := open(t, dir)
		all.Go(func() {
			e := *credential("bob@example.com", member.Credential{Password: member.Secret(fmt.Sprint("pass ", i))})
			_, errs[i] = s.Apply(t.Context(), club, &store.Changes{Seen: 1, Edits: []store.Edit{e}})
		})
	}
	all.Wait()
	taken := 0
	for _, err := range errs {
		if err == nil {
			taken++
		} else if !errors.Is(err, store.ErrChanged) {
			t.Error(err)
		}
	}
	if taken != 1 {
		t.Errorf("%d were taken", taken)
	}
}

// TestWritersQueue wants a writer to wait for another of its process as long as
// its context lasts, and to take no connection from readers meanwhile.
func TestWritersQueue(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	add(t, s, bob())
	m := load(t, s)
	writing, finish := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		err := s.Shelf().Change(t.Context(), club, func(putFunc, forgetFunc) error { close(writing); <-finish; return nil })
		if err != nil {
			t.Error(err)
		}
	})
	<-writing
	errs := make(chan error, 20)
	for i := range cap(errs) {
		all.Go(func() {
			_, err := s.Apply(t.Context(), club, &store.Changes{Edits: crowd(i + 1)[i:]})
			errs <- err
		})
	}
	refresh(t, m) // readers go on
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.EventDone(ctx, "x"); !errors.Is(err, ctx.Err()) {
		t.Errorf("a writer whose context has ended: %v", err)
	}
	close(finish)
	all.Wait()
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if refresh(t, m); m.Len() != 1+cap(errs) {
		t.Errorf("%d members", m.Len())
	}
}

// A brake is randomness that, once it is let go, says so after so many reads
// and then gives none any more.
type brake struct{ reads int }

func (b *brake) Read(p []byte) (int, error) {
	if b.reads--; b.reads == 0 {
		_, _ = os.Stdout.WriteString("half\n")
		select {}
	}
	return rand.Read(p)
}

// TestKillInTheMiddle kills a process with SIGKILL while it is applying, and
// wants the state from before it, and a store that goes on working.
func TestKillInTheMiddle(t *testing.T) {
	if dir := os.Getenv("STORE_TEST_APPLY"); dir != "" { // the process that is killed
		s, err := store.Open(t.Context(), store.Config{Dir: dir, Random: &brake{reads: 600}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Apply(t.Context(), club, changesOfAll())
		t.Fatal("it was not killed in the middle", err)
	}
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.Apply(t.Context(), club, &store.Changes{Edits: crowd(50), Run: &store.Run{Kind: "full", Started: newYear, Ended: newYear}}); err != nil {
		t.Fatal(err)
	}
	before := state(t, s)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKillInTheMiddle$")
	child.Env = append(os.Environ(), "STORE_TEST_APPLY="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	half := make([]byte, len("half\n"))
	if _, err := io.ReadFull(out, half); err != nil || string(half) != "half\n" {
		t.Errorf("%q, %v", half, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if after := state(t, s); after != before {
		t.Errorf("part of it was kept\nbefore %s\nafter  %s", before, after)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	got, err := s.Apply(t.Context(), club, changesOfAll())
	if want := (store.Imported{Added: 350, Updated: 49, Forgotten: 1}); err != nil || got != want {
		t.Errorf("the same again: %+v, %v", got, err)
	}
}

// changesOfAll change and forget the 50 that are there, and add many.
func changesOfAll() *store.Changes {
	c := &store.Changes{
		Seen: 1, Edits: crowd(400), Forget: []string{"member000000@example.com"}, Delivery: "push",
		Run: &store.Run{Kind: "full", Started: newYear, Ended: newYear},
	}
	c.Edits = c.Edits[1:]
	for i := range c.Edits {
		c.Edits[i].Record.Member.Team = "another"
		c.Events = append(c.Events, store.Event{Login: c.Edits[i].Record.Member.Login, Kind: "welcome"})
	}
	return c
}
