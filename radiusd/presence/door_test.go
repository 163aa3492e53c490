package presence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
	"memberradius/radiusd/coa"
)

// lates answers after a while, and counts how many are asked at the same time.
type lates struct {
	after     time.Duration
	outcome   coa.Outcome
	now, most atomic.Int64
}

func (l *lates) answer(Action, *member.Session) (coa.Result, error) {
	n := l.now.Add(1)
	for most := l.most.Load(); n > most && !l.most.CompareAndSwap(most, n); most = l.most.Load() {
	}
	time.Sleep(l.after)
	l.now.Add(-1)
	r := coa.Result{Outcome: l.outcome, Sends: 1, Took: l.after}
	if l.outcome == coa.Timeout {
		return r, coa.ErrTimeout
	}
	return r, nil
}

// TestNeverTwice: however often a session is to leave, its NAS is asked once at a time.
func TestNeverTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		late := &lates{after: 10 * time.Second, outcome: coa.NAK}
		r.answer = late.answer
		r.outcomes["anna"] = denied(member.ReasonExpired)
		r.report("s", "anna", mac1)
		for range 100 {
			r.Reconsider("anna")
			r.ReconsiderAll()
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		if n := late.most.Load(); n != 1 {
			t.Errorf("asked %d times at the same time", n)
		}
		if asked := r.took(); len(asked) != 2 { // and once more, since something may have changed meanwhile
			t.Errorf("asked %v", asked)
		}
	})
}

// TestStop: after an ACK the Stop must follow.
func TestStop(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after time.Duration // when the Stop comes: while the NAS is asked, or after its ACK
		stayed        bool
	}{
		"before the ACK":     {before: time.Second},
		"after the ACK":      {after: time.Second},
		"in the last moment": {after: time.Minute - 1},
		"too late":           {after: time.Minute + 1, stayed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				late := &lates{after: 2 * time.Second, outcome: coa.ACK}
				r.answer = late.answer
				r.outcomes["anna"] = denied(member.ReasonExpired)
				r.report("s", "anna", mac1)
				r.Reconsider("anna")
				time.Sleep(late.after)
				if c.after > 0 {
					synctest.Wait()
					if notes := r.noted(); len(notes) != 1 || !notes[0].Gone.IsZero() || notes[0].Stayed || !notes[0].Left() {
						t.Errorf("noted %+v", notes)
					}
					r.Reconsider("anna") // it is on its way, and not asked again
				} else {
					return
				}
				time.Sleep(c.after)
				gone := r.now()
				r.end("s")
				synctest.Wait()
				notes := r.noted()
				if len(notes) != 1 || notes[0].Stayed != c.stayed || notes[0].Gone.Equal(gone) == c.stayed {
					t.Errorf("noted %+v", notes)
				}
				if told := len(r.found) == 1 && strings.Contains(r.found[0].What, "no Stop") && r.found[0].Session == "s"; told != c.stayed {
					t.Errorf("told %+v", r.found)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // while the NAS is asked
		r := newRig(t, nil)
		r.answer = (&lates{after: 2 * time.Second, outcome: coa.ACK}).answer
		r.outcomes["anna"] = denied(member.ReasonExpired)
		r.report("s", "anna", mac1)
		r.Reconsider("anna")
		time.Sleep(time.Second)
		gone := r.now()
		r.end("s")
		time.Sleep(2 * time.Minute)
		if notes := r.noted(); len(notes) != 1 || !notes[0].Gone.Equal(gone) || notes[0].Stayed || len(r.found) != 0 {
			t.Errorf("noted %+v, told %+v", notes, r.found)
		}
	})
}

// TestStayed: a device that stays although its NAS has said otherwise is asked for again.
func TestStayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Poll = 0 })
		r.outcomes["anna"] = denied(member.ReasonExpired)
		r.report("s", "anna", mac1)
		r.Reconsider("anna")
		time.Sleep(time.Hour + time.Second)
		if notes := r.noted(); len(notes) != 5 || !notes[3].Stayed {
			t.Errorf("noted %+v", notes)
		}
	})
}

// TestUnknownSession: a NAS that does not know a session has none; it takes no place any more.
func TestUnknownSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.Swap(devices(1))
		r.answer = func(Action, *member.Session) (coa.Result, error) {
			return coa.Result{Outcome: coa.NAK, Cause: coa.SessionContextNotFound}, nil
		}
		r.outcomes["anna"] = denied(member.ReasonExpired)
		r.report("s", "anna", mac1)
		r.admit(mac2, tooMany)
		r.Reconsider("anna")
		synctest.Wait()
		if notes := r.noted(); len(notes) != 1 || !notes[0].Left() {
			t.Errorf("noted %+v", notes)
		}
		r.report("s", "anna", mac1) // it does, after all
		r.admit(mac2, tooMany)
		r.Reconsider("anna")
		synctest.Wait()
		r.admit(mac2, in)
		r.admit(mac3, tooMany)
	})
}

// TestDeadNAS: it holds few places, nothing of it waits, and others do not notice. F28.
func TestDeadNAS(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		dead := &lates{after: 30 * time.Second, outcome: coa.Timeout}
		live := &lates{after: time.Millisecond, outcome: coa.ACK}
		first := dead
		r.answer = func(a Action, s *member.Session) (coa.Result, error) {
			by := live
			if s.Client == "ap1" {
				r.set(func() { by = first })
			}
			return by.answer(a, s)
		}
		const n = 2000
		for i := range n {
			for _, client := range []string{"ap1", "ap2"} {
				login := fmt.Sprint(client, "-", i)
				r.set(func() { r.outcomes[login] = denied(member.ReasonExpired) })
				r.report(login, login, "", at(client))
			}
		}
		r.ReconsiderAll()
		time.Sleep(time.Second)
		if waiting, flying := r.door.load(); waiting != n-firstWindow || flying != firstWindow {
			t.Errorf("%d wait and %d are under way", waiting, flying)
		}
		if most := live.most.Load(); most != lastWindow {
			t.Errorf("%d at the same time to the NAS that answers, want %d", most, lastWindow)
		}
		if len(r.took()) != n+firstWindow {
			t.Error("the NAS that answers was held up")
		}
		time.Sleep(30 * time.Second)
		if waiting, flying := r.door.load(); waiting != 0 || flying != 0 {
			t.Errorf("%d wait and %d are under way", waiting, flying)
		}
		silent := 0
		for _, a := range r.noted() {
			if strings.Contains(a.Err, "not sent") && a.Result.Outcome == coa.Unsent {
				silent++
			}
		}
		if silent != n-firstWindow || len(r.noted()) != 2*n {
			t.Errorf("%d of %d attempts were not sent", silent, len(r.noted()))
		}
		if len(r.found) > 2 {
			t.Errorf("told %d findings of one NAS", len(r.found))
		}
		r.took()
		for i := range n {
			r.end(fmt.Sprint("ap2-", i))
		}
		time.Sleep(10 * time.Second)
		r.Reconsider("ap1-7") // a moment later it is not asked at all
		synctest.Wait()
		if asked := r.took(); len(asked) != 0 {
			t.Errorf("asked %v", asked)
		}
		r.set(func() { first = live })
		time.Sleep(silence) // and then it is back
		if asked := r.took(); len(asked) != n {
			t.Errorf("asked for %d", len(asked))
		}
	})
}

// TestOverflow: more than may wait are not forgotten.
func TestOverflow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		late := &lates{after: time.Second, outcome: coa.ACK}
		r.answer = late.answer
		const n = maxLane + 1000
		r.set(func() { r.outcomes["anna"] = denied(member.ReasonExpired) })
		for i := range n {
			r.report(fmt.Sprint(i), "anna", "", port(uint32(i)))
		}
		r.Reconsider("anna")
		synctest.Wait()
		if waiting, flying := r.door.load(); waiting != maxLane || flying != firstWindow {
			t.Errorf("%d wait, %d are under way", waiting, flying)
		}
		time.Sleep(5 * time.Minute)
		if asked := r.took(); len(asked) < n {
			t.Errorf("%d of %d were asked for", len(asked), n)
		}
	})
}

// TestWaitingEnds: who has gone is not asked for any more.
func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.answer = (&lates{after: time.Second, outcome: coa.ACK}).answer
		for i := range firstWindow + 2 {
			login := fmt.Sprint("m", i)
			r.set(func() { r.outcomes[login] = denied(member.ReasonExpired) })
			r.report(login, login, "")
			r.Reconsider(login)
			synctest.Wait()
		}
		r.end(fmt.Sprint("m", firstWindow))
		time.Sleep(time.Minute)
		if asked := r.took(); len(asked) != firstWindow+1 {
			t.Errorf("asked for %d", len(asked))
		}
	})
}

// TestSpared: what waits is not done where it need not be any more.
func TestSpared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.answer = (&lates{after: time.Second, outcome: coa.ACK}).answer
		for i := range firstWindow + 2 {
			login := fmt.Sprint("m", i)
			r.set(func() { r.outcomes[login] = denied(member.ReasonExpired) })
			r.report(login, login, "")
			r.Reconsider(login)
			synctest.Wait()
		}
		r.set(func() { r.outcomes[fmt.Sprint("m", firstWindow)] = allowed("desk", "") })
		r.Reconsider(fmt.Sprint("m", firstWindow))
		synctest.Wait()
		if waiting, flying := r.door.load(); waiting != 1 || flying != firstWindow {
			t.Errorf("%d wait, %d are under way", waiting, flying)
		}
		time.Sleep(time.Minute)
		if asked := r.took(); len(asked) != firstWindow+1 {
			t.Errorf("asked for %d", len(asked))
		}
	})
}

// TestClose: nothing goes on, whatever was under way; the bubble fails where a goroutine is left.
func TestClose(t *testing.T) {
	t.Parallel()
	for _, outcome := range []coa.Outcome{coa.Ended, coa.Timeout} {
		t.Run(outcome.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testClose(t, outcome) })
		})
	}
}

func testClose(t *testing.T, outcome coa.Outcome) {
	r := newRig(t, func(c *Config) {
		c.Poll = 0
		c.NAS = hanging{c.NAS, outcome}
	})
	for i := range 1000 {
		login := fmt.Sprint("m", i)
		r.set(func() { r.outcomes[login] = denied(member.ReasonExpired) })
		r.report(login, login, "", at(fmt.Sprint("ap", i%8)))
	}
	r.report("s", "anna", mac1)
	r.ReconsiderAll()
	synctest.Wait()
	var kicked error
	go func() { _, kicked = r.Kick(context.Background(), r.sessions["s"], "operator") }()
	synctest.Wait()
	r.Close()
	synctest.Wait()
	if !errors.Is(kicked, context.Canceled) {
		t.Error(kicked)
	}
	if notes := r.noted(); len(notes) != 8*firstWindow+1 || notes[0].Err == "" {
		t.Errorf("%d attempts were noted", len(notes))
	}
	r.Reconsider("m1")
	r.ReconsiderAll()
	r.report("m1", "m1", "")
	r.end("m1")
	r.Close()
}

// A hanging NAS answers nothing until its caller ends.
type hanging struct {
	NAS
	outcome coa.Outcome
}

func (h hanging) Disconnect(ctx context.Context, _ *coa.Target, _ *member.Session) (coa.Result, error) {
	<-ctx.Done()
	return coa.Result{Outcome: h.outcome}, ctx.Err()
}

// TestNotes: a ledger that stands still holds nobody up; what it does not take is told.
func TestNotes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Ledger = stuck{c.Ledger} })
		r.outcomes["anna"] = denied(member.ReasonExpired)
		r.report("s", "anna", mac1)
		begin := r.now()
		if a, err := r.Kick(t.Context(), r.sessions["s"], "operator"); err != nil || !a.Left() || !r.now().Equal(begin) {
			t.Errorf("%+v, %v after %v", a, err, r.now().Sub(begin))
		}
		time.Sleep(noteFor)
		synctest.Wait()
		if len(r.found) != 1 || !strings.Contains(r.found[0].What, "could not be noted") {
			t.Errorf("told %+v", r.found)
		}
	})
}

// A stuck ledger takes no note.
type stuck struct{ Ledger }

func (stuck) NoteAttempt(ctx context.Context, _ *Attempt) error {
	<-ctx.Done()
	return ctx.Err()
}
