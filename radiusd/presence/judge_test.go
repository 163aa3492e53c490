package presence

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
	"memberradius/radiusd/coa"
)

func TestReconsider(t *testing.T) {
	t.Parallel()
	coaTo := func(plan, vlan, attributes string) Outcome {
		o := allowed(plan, vlan)
		o.Attributes = []byte(attributes)
		return o
	}
	nak := func(cause coa.ErrorCause) func(Action, *member.Session) (coa.Result, error) {
		return func(a Action, _ *member.Session) (coa.Result, error) {
			if a == Change {
				return coa.Result{Outcome: coa.NAK, Cause: cause, Sends: 1}, nil
			}
			return coa.Result{Outcome: coa.ACK, Sends: 1}, nil
		}
	}
	known := []change{by([16]byte{1}), with("desk", "20")}
	both := []string{"s coa AT", "s disconnect"}
	for name, c := range map[string]struct {
		session []change
		outcome Outcome
		answer  func(Action, *member.Session) (coa.Result, error)
		want    []string
		why     string
	}{
		"could not say":           {known, Outcome{}, nil, nil, ""},
		"allowed as before":       {known, allowed("desk", "20"), nil, nil, ""},
		"denied":                  {known, denied(member.ReasonExpired), nil, []string{"s disconnect"}, member.ReasonExpired.Sentence()},
		"denied without a reason": {known, denied(0), nil, []string{"s disconnect"}, member.ReasonRefused.Sentence()},
		"another VLAN":            {known, coaTo("desk", "30", "AT"), nil, []string{"s coa AT"}, "VLAN 20 -> 30"},
		"another plan":            {known, coaTo("office", "20", "AT"), nil, []string{"s coa AT"}, "plan desk -> office"},
		"no plan any more":        {known, coaTo("", "", "AT"), nil, []string{"s coa AT"}, "plan desk -> none, VLAN 20 -> none"},
		"nothing to tell the NAS": {known, allowed("desk", "30"), nil, []string{"s disconnect"}, "VLAN 20 -> 30"},
		"not known what it has":   {[]change{with("", "")}, coaTo("desk", "30", "AT"), nil, nil, ""},
		"known to have nothing":   {[]change{with("", ""), by([16]byte{1})}, coaTo("desk", "30", "AT"), nil, []string{"s coa AT"}, "plan none -> desk, VLAN none -> 30"},

		"NAK: not known":              {known, coaTo("desk", "30", "AT"), nak(503), both, "VLAN 20 -> 30"},
		"NAK: attribute":              {known, coaTo("desk", "30", "AT"), nak(401), both, ""},
		"NAK: missing attribute":      {known, coaTo("desk", "30", "AT"), nak(402), both, ""},
		"NAK: NAS identification":     {known, coaTo("desk", "30", "AT"), nak(403), both, ""},
		"NAK: service":                {known, coaTo("desk", "30", "AT"), nak(405), both, ""},
		"NAK: extension":              {known, coaTo("desk", "30", "AT"), nak(406), both, ""},
		"NAK: no cause":               {known, coaTo("desk", "30", "AT"), nak(0), both, ""},
		"NAK: prohibited":             {known, coaTo("desk", "30", "AT"), nak(501), []string{"s coa AT"}, ""},
		"NAK: resources, later maybe": {known, coaTo("desk", "30", "AT"), nak(506), []string{"s coa AT"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.outcomes["anna"] = c.outcome
				if c.answer != nil {
					r.answer = c.answer
				}
				r.report("s", "Anna", mac1, c.session...)
				r.report("other", "berta", mac2)
				r.Reconsider("ANNA", "nobody")
				synctest.Wait()
				if asked := r.took(); !slices.Equal(asked, c.want) {
					t.Errorf("asked %v, want %v", asked, c.want)
				}
				notes := r.noted()
				if len(notes) != len(c.want) || c.why != "" && notes[0].Why != c.why {
					t.Errorf("noted %+v, want %q", notes, c.why)
				}
				for _, a := range notes {
					if a.ID == "" || a.Session != "s" || a.Login != "Anna" || a.Client != "ap1" || a.Target == "" || a.At.IsZero() || a.Result.Sends != 1 || a.Err != "" {
						t.Errorf("noted %+v", a)
					}
				}
			})
		})
	}
}

// TestTold: what a CoA-Request has changed is not asked for again, though the
// session's reports go on to say what it began with.
func TestTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		o := allowed("office", "30")
		o.Attributes = []byte("AT")
		r.outcomes["anna"] = o
		r.report("s", "anna", mac1, by([16]byte{1}))
		r.answer = func(Action, *member.Session) (coa.Result, error) {
			return coa.Result{Outcome: coa.NAK, Cause: coa.ResourcesUnavailable}, nil
		}
		for i, want := range []string{"[s coa AT]", "[s coa AT]", "[]", "[s coa AT]"} {
			r.Reconsider("anna")
			synctest.Wait()
			if asked := fmt.Sprint(r.took()); asked != want {
				t.Errorf("%d: asked %v, want %v", i, asked, want)
			}
			r.set(func() {
				r.answer = func(Action, *member.Session) (coa.Result, error) { return coa.Result{Outcome: coa.ACK}, nil }
				if i == 2 {
					o.Plan = "desk"
					r.outcomes["anna"] = o
				}
			})
			r.report("s", "anna", mac1, moved(1))
		}
		// The ledger has it; another decision after that counts.
		r.report("s", "anna", mac1, with("desk", "30"))
		r.report("s", "anna", mac1, with("office", "30"), by([16]byte{2}))
		r.Reconsider("anna")
		synctest.Wait()
		if asked := fmt.Sprint(r.took()); asked != "[s coa AT]" {
			t.Errorf("after another decision asked %v", asked)
		}
	})
}

// TestSurplus: where a plan allows fewer devices, the ones longest silent go.
func TestSurplus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.Swap(devices(0))
		r.outcomes["anna"] = allowed("desk", "")
		for _, s := range [][2]string{{"s3", mac3}, {"s1", mac1}, {"s4", mac4}, {"s2", mac2}, {"s2b", mac2}} {
			r.report(s[0], "anna", s[1])
			time.Sleep(time.Second)
		}
		r.report("s1", "anna", mac1) // heard of just now
		want := func(when string, want ...string) {
			t.Helper()
			r.Reconsider("anna")
			synctest.Wait()
			if asked := r.took(); !slices.Equal(asked, want) {
				t.Errorf("%s: asked %v, want %v", when, asked, want)
			}
		}
		want("no limit")
		r.Swap(devices(4))
		want("four: a device on two access points is one")
		r.Swap(devices(2))
		want("two", "s3 disconnect", "s4 disconnect")
		r.report("s3", "anna", mac3)
		want("those that leave are not counted")
		r.end("s3")
		r.end("s4")
		o := allowed("desk", "")
		o.Devices = 1
		r.set(func() { r.outcomes["anna"] = o })
		want("her own limit", "s2 disconnect", "s2b disconnect")
		for _, a := range r.noted() {
			if a.Reason != member.ReasonDevices {
				t.Errorf("noted %+v", a)
			}
		}
	})
}

// TestPoll: what nobody told of is found every 15 minutes, and what a NAS would not
// do is tried again then.
func TestPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Poll = 0 })
		start := r.now()
		r.outcomes["anna"] = allowed("desk", "")
		r.report("s", "anna", mac1)
		r.answer = func(Action, *member.Session) (coa.Result, error) {
			time.Sleep(30 * time.Second)
			return coa.Result{Outcome: coa.NAK, Cause: coa.ResourcesUnavailable, Sends: 5}, nil
		}
		time.Sleep(20 * time.Minute)
		r.set(func() { r.outcomes["anna"] = denied(member.ReasonExpired) })
		time.Sleep(40*time.Minute + 10*time.Second)
		notes := r.noted()
		if len(notes) != 2 || notes[0].At.Sub(start) != 30*time.Minute || notes[1].At.Sub(start) != 45*time.Minute {
			t.Errorf("noted %+v", notes)
		}
		for _, a := range notes {
			if a.Result.Outcome != coa.NAK || a.Result.Sends != 5 || a.Err != "" || !a.Gone.IsZero() || a.Left() {
				t.Errorf("noted %+v", a)
			}
		}
		r.end("s")
		time.Sleep(time.Hour)
		if n := len(r.noted()); n != 3 { // that of 60 minutes was under way
			t.Errorf("%d attempts, the session has ended", n)
		}
	})
}

// TestReconsiderAll: everybody, once, and whoever is named does not wait behind them.
func TestReconsiderAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		judged := map[string]int{}
		var order []string
		r := newRig(t, func(c *Config) { c.Judge = &slowJudge{rig: c.Ledger.(*rig), judged: judged, order: &order} })
		const n = 1000
		for i := range n {
			r.report(fmt.Sprint(i), fmt.Sprint("m", i), "")
		}
		r.report("a", "anna", mac1)
		r.ReconsiderAll()
		time.Sleep(time.Second) // a judge takes as long: four are under way, and none is done
		r.Reconsider("anna")
		synctest.Wait()
		r.set(func() {
			if !slices.Contains(order, "anna") || len(order) > 3*sweepers {
				t.Errorf("%d were judged before her", len(order))
			}
		})
		time.Sleep(n * time.Second)
		synctest.Wait()
		if len(judged) != n+1 {
			t.Errorf("%d of %d were judged", len(judged), n+1)
		}
		for login, times := range judged {
			if times != 1 && login != "anna" {
				t.Errorf("%s was judged %d times", login, times)
			}
		}
	})
}

// TestGoneMeanwhile: whoever goes while she is judged is not asked to.
func TestGoneMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Judge = goodbye{c.Ledger.(*rig)} })
		r.report("s", "anna", mac1)
		r.Reconsider("anna")
		synctest.Wait()
		if asked, notes := r.took(), r.noted(); len(asked)+len(notes) > 0 {
			t.Errorf("asked %v, noted %v", asked, notes)
		}
	})
}

// goodbye ends the session that it denies.
type goodbye struct{ *rig }

// Judge implements Judge.
func (g goodbye) Judge(_ context.Context, s *member.Session) Outcome {
	g.end(s.ID)
	return denied(member.ReasonExpired)
}

// TestLateStart: a session whose Start comes after the change that ends it.
func TestLateStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.outcomes["anna"] = denied(member.ReasonExpired)
		want := func(when, id string, want ...string) {
			t.Helper()
			r.report(id, "Anna", mac1)
			synctest.Wait()
			if asked := r.took(); !slices.Equal(asked, want) {
				t.Errorf("%s: asked %v, want %v", when, asked, want)
			}
		}
		want("nobody has said anything", "s1")
		r.Reconsider("ANNA")
		synctest.Wait()
		r.took()
		want("just now; that of the other is waited for", "s2", "s2 disconnect")
		want("it is known already", "s2")
		time.Sleep(pendingFor)
		want("a while ago", "s3", "s1 disconnect", "s2 disconnect", "s3 disconnect")
		time.Sleep(2 * pendingFor)
		want("long ago", "s4")
		time.Sleep(time.Hour)
		r.ReconsiderAll()
		synctest.Wait()
		r.took()
		want("everybody", "s5", "s5 disconnect")
		time.Sleep(2 * pendingFor)
		want("everybody, long ago", "s6")
		for i := range maxWanted + 1 {
			r.recent.add(fmt.Sprint(i))
		}
		if !r.recent.has("whoever") {
			t.Error("too many are not everybody")
		}
	})
}

// A slowJudge takes a second for everybody, and keeps whom it has judged.
type slowJudge struct {
	*rig
	judged map[string]int
	order  *[]string
}

// Judge implements Judge.
func (j *slowJudge) Judge(_ context.Context, s *member.Session) Outcome {
	j.set(func() {
		j.judged[s.Login]++
		*j.order = append(*j.order, s.Login)
	})
	time.Sleep(time.Second)
	return Outcome{}
}
