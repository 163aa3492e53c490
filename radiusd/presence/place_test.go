package presence

import (
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
)

// TestLeftBehind: the place of a random MAC address that moves no data goes to
// a newcomer, and its session is ended.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mac     string
		changes []change
		quiet   int // reports without data
		wait    time.Duration
		want    member.Reason
	}{
		"idle for an interval":       {random1, nil, 1, 0, in},
		"idle for several":           {random2, nil, 3, 0, in},
		"data moved":                 {random1, []change{moved(1)}, 1, 0, tooMany},
		"no report says so yet":      {random1, nil, 0, interval, tooMany},
		"not for an interval yet":    {random1, []change{every(2 * interval)}, 1, 0, tooMany},
		"an address of the device's": {mac1, nil, 1, 0, tooMany},
		"on another network":         {random1, []change{on("Guests")}, 1, 0, tooMany},
		"at another site":            {random1, []change{func(s *member.Session) { s.Site = "berlin" }}, 1, 0, tooMany},
		"no interval is known":       {random1, []change{every(0)}, 1, 0, tooMany},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.Swap(devices(2))
				r.report("other", "anna", mac2, every(0))
				r.report("left", "anna", c.mac, append(c.changes, moved(100))...)
				for range c.quiet {
					time.Sleep(interval)
					r.report("left", "anna", c.mac, c.changes...)
				}
				time.Sleep(c.wait)
				r.admit(mac3, c.want)
				synctest.Wait()
				asked, notes := r.took(), r.noted()
				if c.want != in {
					if len(asked) != 0 {
						t.Errorf("asked %v", asked)
					}
					return
				}
				if len(asked) != 1 || asked[0] != "left disconnect" || len(notes) != 1 || notes[0].Reason != member.ReasonDevices {
					t.Errorf("asked %v, noted %+v", asked, notes)
				}
				r.admit(c.mac, tooMany) // the place is another's now
				r.end("left")
				r.admit(c.mac, tooMany)
			})
		})
	}
}

// TestBackAgain: a device that had been silent, and whose place another took,
// turns out to be there.
func TestBackAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.Swap(devices(1))
		r.report("s1", "anna", mac1)
		time.Sleep(2 * interval)
		r.admit(mac2, in)
		r.report("s2", "anna", mac2)
		synctest.Wait()
		if asked := r.took(); len(asked) != 0 {
			t.Errorf("asked %v of a session that nothing was heard of", asked)
		}
		r.report("s1", "anna", mac1)
		synctest.Wait()
		if asked := r.took(); len(asked) != 1 || asked[0] != "s1 disconnect" {
			t.Errorf("asked %v", asked)
		}
		r.admit(mac1, tooMany)
		r.end("s1")
		r.end("s2")

		// The same, but the other has left by then: nobody has to go.
		r.report("s3", "anna", mac1)
		time.Sleep(2 * interval)
		r.admit(mac2, in)
		r.report("s4", "anna", mac2)
		r.end("s4")
		r.report("s3", "anna", mac1)
		synctest.Wait()
		if asked := r.took(); len(asked) != 0 {
			t.Errorf("asked %v, though there is room", asked)
		}
		r.admit(mac3, tooMany)
		r.end("s3")

		// The same, but there is no limit by then.
		r.report("s5", "anna", mac1)
		time.Sleep(2 * interval)
		r.admit(mac2, in)
		r.Swap(Tables{})
		r.report("s5", "anna", mac1)
		synctest.Wait()
		if asked := r.took(); len(asked) != 0 {
			t.Errorf("asked %v, though there is no limit", asked)
		}
	})
}
