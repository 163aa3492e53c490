package provision

import (
	"sync"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"
)

// An older push never undoes a newer one: neither lets it somebody in who has
// ended, nor ends it somebody who has come back, whichever comes first.
func TestAsOf(t *testing.T) {
	t.Parallel()
	b := setUp(t, func(c *Config) { c.Source = nil })
	at := b.c.Now()
	say := func(after time.Duration, r member.Record) {
		t.Helper()
		b.push(&backends.Push{AsOf: at.Add(after), Records: []member.Record{r}})
	}
	say(2*time.Second, gone("", "anna@x"))
	say(time.Second, rec("1", "anna"))
	b.want("created after it had ended", b.members(), "")
	say(3*time.Second, rec("1", "anna"))
	b.want("back again", b.members(), "anna@x")
	say(2500*time.Millisecond, gone("1", ""))
	b.want("an older end, by id", b.members(), "anna@x")
	say(4*time.Second, gone("1", ""))
	b.want("a newer end", b.members(), "")
	say(3*time.Second, rec("1", "anna"))
	b.want("an older one after it", b.members(), "")
	// What changes nothing is news too.
	say(5*time.Second, rec("2", "bob"))
	say(7*time.Second, rec("2", "bob"))
	say(6*time.Second, gone("2", ""))
	b.want("older than what changed nothing", b.members(), "bob@x")
	// One push may be old news of one member and news of another.
	b.push(&backends.Push{AsOf: at.Add(6 * time.Second), Records: []member.Record{gone("2", ""), rec("3", "carl")}})
	b.want("half of it is old", b.members(), "bob@x carl@x")
}

// Of pushes that come at once the newest holds.
func TestAsOfAtOnce(t *testing.T) {
	t.Parallel()
	b := setUp(t, func(c *Config) { c.Source = nil })
	at := b.c.Now()
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			r := rec("1", "anna")
			if i == 39 {
				r = gone("1", "anna@x")
			}
			if err := b.Push(t.Context(), &backends.Push{AsOf: at.Add(time.Duration(i) * time.Second), Records: []member.Record{r}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	b.want("the newest has ended her", b.members(), "")
}

// Whoever asks hears at once what the journal will call the run, also of one
// that it joins.
func TestBegan(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna"))
	b.after(time.Second)
	var id string
	report, err := b.Run(t.Context(), Options{Full: true, Began: func(s string) { id = s }})
	if err != nil || id == "" || report.ID != id || b.journal()[0].ID != id {
		t.Errorf("began as %q, reported %q, in the journal %q; %v", id, report.ID, b.journal()[0].ID, err)
	}
}

// TestFull: that all members are read is known while they are.
func TestFull(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.full(rec("1", "anna"))
	for _, full := range []bool{true, false} {
		var during bool
		if _, err := b.Run(t.Context(), Options{Full: full, Began: func(string) { during = b.Full() }}); err != nil {
			t.Fatal(err)
		}
		if during != full || b.Full() {
			t.Errorf("Full is %v during one that is full: %v, and %v after it", during, full, b.Full())
		}
	}
}
