package presence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
	"memberradius/radiusd/coa"
)

// TestKick: the operator's wish goes first, and waits for its answer.
func TestKick(t *testing.T) {
	t.Parallel()
	run := func(name string, f func(t *testing.T, r *rig)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.report("s", "anna", mac1, by([16]byte{1}))
				f(t, r)
			})
		})
	}
	kick := func(t *testing.T, r *rig) Attempt {
		t.Helper()
		a, err := r.Kick(t.Context(), r.sessions["s"], "operator: anna's phone is stolen")
		if err != nil {
			t.Error(err)
		}
		return a
	}
	run("answered", func(t *testing.T, r *rig) {
		if a := kick(t, r); !a.Left() || a.Why != "operator: anna's phone is stolen" || a.Reason != 0 || a.Action != Disconnect || a.Session != "s" {
			t.Errorf("%+v", a)
		}
		synctest.Wait()
		if notes := r.noted(); len(notes) != 1 || notes[0].Why != "operator: anna's phone is stolen" {
			t.Errorf("noted %+v", notes)
		}
	})
	run("refused", func(t *testing.T, r *rig) {
		r.answer = func(Action, *member.Session) (coa.Result, error) {
			return coa.Result{Outcome: coa.NAK, Cause: coa.AdministrativelyProhibited}, nil
		}
		if a := kick(t, r); a.Left() || a.Result.Cause != 501 {
			t.Errorf("%+v", a)
		}
	})
	run("again, though its Stop is waited for", func(t *testing.T, r *rig) {
		kick(t, r)
		kick(t, r)
		if asked := r.took(); len(asked) != 2 {
			t.Errorf("asked %v", asked)
		}
		r.end("s")
		synctest.Wait()
		if notes := r.noted(); len(notes) != 2 || notes[1].Gone.IsZero() {
			t.Errorf("noted %+v", notes)
		}
	})
	run("while it is asked to leave already", func(t *testing.T, r *rig) {
		late := &lates{after: time.Second, outcome: coa.ACK}
		r.answer = late.answer
		r.outcomes["anna"] = denied(member.ReasonExpired)
		r.Reconsider("anna")
		synctest.Wait()
		if a := kick(t, r); !a.Left() || a.Reason != member.ReasonExpired {
			t.Errorf("%+v", a)
		}
		if asked := r.took(); len(asked) != 1 {
			t.Errorf("asked %v", asked)
		}
	})
	run("while it is changed", func(t *testing.T, r *rig) {
		late := &lates{after: time.Second, outcome: coa.ACK}
		r.answer = late.answer
		o := allowed("office", "")
		o.Attributes = []byte("AT")
		r.outcomes["anna"] = o
		r.Reconsider("anna")
		synctest.Wait()
		if a := kick(t, r); !a.Left() || a.Action != Disconnect {
			t.Errorf("%+v", a)
		}
		if asked := fmt.Sprint(r.took()); asked != "[s coa AT s disconnect]" || late.most.Load() != 1 {
			t.Errorf("asked %v, %d at the same time", asked, late.most.Load())
		}
	})
	run("before all that wait, and to a NAS that is silent", func(t *testing.T, r *rig) {
		late := &lates{after: 30 * time.Second, outcome: coa.Timeout}
		r.answer = late.answer
		for i := range 100 {
			login := fmt.Sprint("m", i)
			r.set(func() { r.outcomes[login] = denied(member.ReasonExpired) })
			r.report(login, login, "")
		}
		r.ReconsiderAll()
		synctest.Wait()
		r.set(func() { r.outcomes["anna"] = denied(member.ReasonExpired) })
		r.Reconsider("anna") // waits
		synctest.Wait()
		begin := r.now()
		a, err := r.Kick(t.Context(), r.sessions["s"], "operator")
		if !errors.Is(err, coa.ErrTimeout) || a.Left() || r.now().Sub(begin) != late.after || a.Why != "operator" {
			t.Errorf("%+v, %v after %v", a, err, r.now().Sub(begin))
		}
		if a, err = r.Kick(t.Context(), r.sessions["s"], "operator"); !errors.Is(err, coa.ErrTimeout) || a.Result.Sends == 0 {
			t.Errorf("%+v, %v", a, err)
		}
	})
	run("the caller goes", func(t *testing.T, r *rig) {
		late := &lates{after: time.Second, outcome: coa.ACK}
		r.answer = late.answer
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := r.Kick(ctx, r.sessions["s"], "operator"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if notes := r.noted(); len(notes) != 1 || !notes[0].Left() {
			t.Errorf("noted %+v", notes)
		}
	})
	run("its session ends while it waits", func(t *testing.T, r *rig) {
		late := &lates{after: time.Minute, outcome: coa.ACK}
		r.answer = late.answer
		s := r.sessions["s"]
		time.AfterFunc(time.Second, func() { r.Ended(s) })
		if a := kick(t, r); !a.Left() || a.Gone.IsZero() {
			t.Errorf("%+v", a)
		}
	})
	run("no NAS", func(t *testing.T, r *rig) {
		s := r.sessions["s"]
		report := *s.Report
		report.Client, s.Report = "", &report
		if a, err := r.Kick(t.Context(), s, "operator"); err == nil || a.Left() || !strings.Contains(err.Error(), "set its coa") {
			t.Errorf("%+v, %v", a, err)
		}
	})
	run("the server has stopped", func(t *testing.T, r *rig) {
		r.Close()
		if _, err := r.Kick(t.Context(), r.sessions["s"], "operator"); !errors.Is(err, errClosed) {
			t.Error(err)
		}
	})
}
