package presence

import (
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
)

func TestQuotas(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	octets := func(n uint64, per member.Period) member.Quota { return member.Quota{Per: per, Octets: n} }
	online := func(d time.Duration, per member.Period) member.Quota { return member.Quota{Per: per, Time: d} }
	// A bubble of synctest begins on a Saturday, 1 January 2000, at midnight UTC.
	for name, c := range map[string]struct {
		quotas  []member.Quota
		used    [3]Use
		at      time.Duration // how late it is
		timeout time.Duration
		want    member.Reason
		left    time.Duration
	}{
		"nothing used":             {[]member.Quota{octets(100, member.Day)}, [3]Use{}, 0, 0, in, 0},
		"the last octet":           {[]member.Quota{octets(100, member.Day)}, [3]Use{{Octets: 99}}, 0, 0, in, 0},
		"the day's data":           {[]member.Quota{octets(100, member.Day)}, [3]Use{{Octets: 100}}, 0, 0, usedUp, 0},
		"the week's data":          {[]member.Quota{octets(100, member.Week)}, [3]Use{{}, {Octets: 100}}, 0, 0, usedUp, 0},
		"the month's data":         {[]member.Quota{octets(100, member.Month)}, [3]Use{{}, {}, {Octets: 101}}, 0, 0, usedUp, 0},
		"another period's data":    {[]member.Quota{octets(100, member.Day)}, [3]Use{{Octets: 99}, {Octets: 500}, {Octets: 500}}, 0, 0, in, 0},
		"one of several":           {[]member.Quota{octets(100, member.Day), online(h, member.Month)}, [3]Use{{}, {}, {Time: h}}, 0, 0, usedUp, 0},
		"time is left":             {[]member.Quota{online(2*h, member.Day)}, [3]Use{{Time: h}}, 0, 0, in, h},
		"time bounds the session":  {[]member.Quota{online(2*h, member.Day)}, [3]Use{{Time: h}}, 0, 12 * h, in, h},
		"the session is shorter":   {[]member.Quota{online(2*h, member.Day)}, [3]Use{{Time: h}}, 0, h, in, 0},
		"whole seconds":            {[]member.Quota{online(2*h, member.Day)}, [3]Use{{Time: h + time.Millisecond}}, 0, 0, in, h - time.Second},
		"a second at the least":    {[]member.Quota{online(2*h, member.Day)}, [3]Use{{Time: 2*h - 1}}, 0, 0, in, time.Second},
		"time is used up":          {[]member.Quota{online(2*h, member.Day)}, [3]Use{{Time: 2 * h}}, 0, 0, usedUp, 0},
		"the next day's is added":  {[]member.Quota{online(2*h, member.Day)}, [3]Use{{Time: h}}, 23 * h, 0, in, 3 * h},
		"the next week's is added": {[]member.Quota{online(50*h, member.Week)}, [3]Use{}, h, 0, in, 47*h + 50*h},
		"the shortest holds":       {[]member.Quota{online(9*h, member.Month), online(2*h, member.Day), online(8*h, member.Week)}, [3]Use{{Time: h}}, 0, 0, in, h},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(c.at)
				r := newRig(t, nil)
				r.Swap(Tables{Plans: map[string]Limits{"desk": {Quotas: c.quotas}}, Zones: map[string]*time.Location{"main": time.UTC}})
				r.used = c.used
				a := r.admission(mac1)
				a.Timeout, a.Left = c.timeout, time.Minute
				if got := r.Admit(a); got != c.want || a.Left != c.left {
					t.Errorf("%v and %v left, want %v and %v", got, a.Left, c.want, c.left)
				}
			})
		})
	}
}

// TestQuotaZone: a day ends at the site's midnight.
func TestQuotaZone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		zone := time.FixedZone("", -int((20 * time.Hour).Seconds())) // there it is 4 o'clock
		quota := member.Quota{Per: member.Day, Time: 23 * time.Hour}
		r.Swap(Tables{Plans: map[string]Limits{"desk": {Quotas: []member.Quota{quota}}}, Zones: map[string]*time.Location{"main": zone}})
		a := r.admission(mac1)
		if got := r.Admit(a); got != in || a.Left != 20*time.Hour+23*time.Hour {
			t.Errorf("%v, %v", got, a.Left)
		}
	})
}

// TestQuotaRuns: what open sessions have used since their last report counts too.
func TestQuotaRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.Swap(Tables{Plans: map[string]Limits{"desk": {Quotas: []member.Quota{{Per: member.Day, Time: time.Hour}}}}})
		r.used[0].Time = 30 * time.Minute
		r.report("s1", "anna", mac1)
		r.report("s2", "anna", mac2)
		time.Sleep(10 * time.Minute)
		a := r.admission(mac3)
		if got := r.Admit(a); got != in || a.Left != 10*time.Minute {
			t.Errorf("%v, %v", got, a.Left)
		}
		time.Sleep(5 * time.Minute)
		if got := r.Admit(r.admission(mac3)); got != usedUp {
			t.Errorf("%v: both have used 15 minutes more", got)
		}
		r.report("s1", "anna", mac1) // the ledger will have counted it
		r.end("s2")
		a = r.admission(mac3)
		if got := r.Admit(a); got != in || a.Left != 30*time.Minute {
			t.Errorf("%v, %v", got, a.Left)
		}
	})
}

// TestQuotaOnline: a quota that is used up while she is on ends all her sessions of that plan.
func TestQuotaOnline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.Swap(Tables{Plans: map[string]Limits{"desk": {Quotas: []member.Quota{{Per: member.Week, Octets: 1000}}}}})
		r.outcomes["berta"] = allowed("desk", "")
		r.report("a1", "anna", mac1) // nobody can say what holds for her now
		r.report("b1", "berta", mac2)
		r.report("b2", "berta", mac3)
		r.report("b3", "berta", mac4, with("office", ""))
		synctest.Wait()
		if asked := r.took(); len(asked) != 0 {
			t.Fatalf("asked %v", asked)
		}
		r.set(func() { r.used[1].Octets = 1000; r.outcomes["carla"] = allowed("office", "30") })
		r.report("b1", "berta", mac2)
		synctest.Wait()
		if asked := r.took(); len(asked) != 3 || asked[0] != "b1 disconnect" || asked[1] != "b2 disconnect" || asked[2] != "b3 disconnect" {
			t.Errorf("asked %v", asked)
		}
		r.report("a1", "anna", mac1)
		synctest.Wait()
		if asked, notes := r.took(), r.noted(); len(asked) != 1 || asked[0] != "a1 disconnect" || notes[0].Reason != member.ReasonQuota {
			t.Errorf("asked %v", asked)
		}
		r.report("c1", "carla", mac1, by([16]byte{1})) // she has bought more meanwhile
		synctest.Wait()
		if asked := r.took(); len(asked) != 1 || asked[0] != "c1 disconnect" {
			t.Errorf("asked %v", asked)
		}
	})
}
