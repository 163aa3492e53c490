package presence

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
	"memberradius/radiusd/coa"
)

// TestSilence: a NAS that did not answer is tried again by itself, less often each
// time, and soon again once it has answered. F27, F28.
func TestSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Poll = -1 })
		const silent = 30 * time.Second
		var minutes []int // from when it last had not answered
		outcome, last := coa.Timeout, r.now()
		r.answer = func(Action, *member.Session) (coa.Result, error) {
			var answers bool
			r.set(func() {
				minutes = append(minutes, int(r.now().Sub(last)/time.Minute))
				answers = outcome == coa.ACK
			})
			if answers {
				return coa.Result{Outcome: coa.ACK}, nil
			}
			time.Sleep(silent)
			r.set(func() { last = r.now() })
			return coa.Result{Outcome: coa.Timeout, Sends: 5}, coa.ErrTimeout
		}
		after := func(d time.Duration, want ...int) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			r.set(func() {
				if !slices.Equal(minutes, want) {
					t.Errorf("asked after %v minutes, want %v", minutes, want)
				}
				minutes = nil
			})
		}
		r.set(func() { r.outcomes["anna"] = denied(member.ReasonExpired) })
		r.report("s", "anna", mac1)
		r.Reconsider("anna")
		after(50*time.Minute, 0, 1, 2, 4, 8, 15, 15)
		for _, a := range r.noted() {
			if a.Result.Outcome != coa.Timeout || a.Result.Sends != 5 || a.Err == "" || !a.Gone.IsZero() || a.Left() {
				t.Errorf("noted %+v", a)
			}
		}
		if len(r.noted()) != 7 || len(r.found) != 7 {
			t.Errorf("noted %d, told %+v", len(r.noted()), r.found)
		}
		r.set(func() { outcome = coa.ACK })
		after(15*time.Minute, 15)
		r.end("s")
		r.set(func() { outcome, last = coa.Timeout, r.now() })
		r.report("again", "anna", mac1)
		r.Reconsider("anna")
		after(5*time.Minute, 0, 1, 2)
	})
}
