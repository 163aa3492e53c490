package presence

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"
)

const (
	in       = member.ReasonNone
	tooMany  = member.ReasonDevices
	usedUp   = member.ReasonQuota
	interval = 10 * time.Minute
)

// TestDevices are the rules of doc.go, one after the other.
func TestDevices(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(t *testing.T, r *rig){
		"without a limit everybody": func(t *testing.T, r *rig) {
			r.Swap(Tables{})
			for _, mac := range []string{mac1, mac2, mac3, ""} {
				r.admit(mac, in)
			}
		},
		"as many as the plan says": func(t *testing.T, r *rig) {
			r.admit(mac1, in)
			r.admit(mac2, in)
			r.admit(mac3, tooMany)
			r.admit(mac1, in)
			r.admit(mac2, in)
		},
		"the member's own limit comes first": func(t *testing.T, r *rig) {
			a := r.admission(mac1)
			a.Devices = 1
			if got := r.Admit(a); got != in {
				t.Error(got)
			}
			a.StationMAC = mac2
			if got := r.Admit(a); got != tooMany {
				t.Error(got)
			}
			a.Devices = 5
			for _, a.StationMAC = range []string{mac2, mac3, mac4} {
				if got := r.Admit(a); got != in {
					t.Error(got)
				}
			}
		},
		"logins that fold alike are one member": func(t *testing.T, r *rig) {
			r.admit(mac1, in)
			r.report("s", "ANNA", mac2)
			r.admit(mac3, tooMany)
		},
		"others' devices are not hers": func(t *testing.T, r *rig) {
			r.report("s1", "berta", mac1)
			r.report("s2", "anna", mac2, from("another"))
			r.admit(mac3, in)
			r.admit(mac4, in)
		},
		"a session of an unknown backend may be hers": func(t *testing.T, r *rig) {
			r.report("s1", "anna", mac1)
			r.report("s2", "anna", mac2, from("club"))
			r.admit(mac3, tooMany)
		},
		"an admission without accounting is forgotten": func(t *testing.T, r *rig) {
			r.admit(mac1, in)
			r.admit(mac2, in)
			time.Sleep(pendingFor - 1)
			r.admit(mac3, tooMany)
			time.Sleep(time.Nanosecond)
			r.admit(mac3, in)
		},
		"a session keeps the place": func(t *testing.T, r *rig) {
			r.admit(mac1, in)
			r.report("s", "anna", mac1, from("club"))
			time.Sleep(pendingFor)
			r.admit(mac2, in)
			r.admit(mac3, tooMany)
		},
		"a Stop gives it back at once": func(t *testing.T, r *rig) {
			r.admit(mac1, in)
			r.admit(mac2, in)
			r.report("s", "anna", mac1)
			r.admit(mac3, tooMany)
			r.end("s")
			r.admit(mac3, in)
		},
		"a Stop before its Start": func(t *testing.T, r *rig) {
			a := r.admission(mac1)
			a.Decision = [16]byte{1}
			if got := r.Admit(a); got != in {
				t.Error(got)
			}
			r.admit(mac2, in)
			r.Presence.Ended(Session{ID: "other", Report: &member.Session{Login: "anna", Decision: text([16]byte{2})}})
			r.admit(mac3, tooMany)
			r.Presence.Ended(Session{ID: "s", Report: &member.Session{Login: "Anna", StationMAC: mac1, Decision: text(a.Decision)}})
			r.admit(mac3, in)
			r.admit(mac1, tooMany)
		},
		"roaming takes no second place": func(t *testing.T, r *rig) {
			r.admit(mac1, in)
			r.report("s1", "anna", mac1, by([16]byte{1}))
			r.admit(mac2, in)
			r.report("s2", "anna", mac2)
			a := r.admission(mac1)
			a.Client, a.Decision = "ap2", [16]byte{2}
			if got := r.Admit(a); got != in {
				t.Error(got)
			}
			r.end("s1") // the first access point's Stop must not free the place
			r.admit(mac3, tooMany)
			r.report("s3", "anna", mac1, at("ap2"), by([16]byte{2}))
			time.Sleep(pendingFor)
			r.admit(mac3, tooMany)
			r.end("s3")
			r.admit(mac3, in)
		},
		"two sessions of a device": func(t *testing.T, r *rig) {
			r.report("s1", "anna", mac1)
			r.report("s2", "anna", mac1, at("ap2"))
			r.report("s3", "anna", mac2)
			r.end("s1")
			r.admit(mac3, tooMany)
			r.end("s2")
			r.admit(mac3, in)
		},
		"a silent device counts no more": func(t *testing.T, r *rig) {
			r.report("s1", "anna", mac1)
			r.report("s2", "anna", mac2)
			time.Sleep(interval)
			r.report("s2", "anna", mac2)
			time.Sleep(interval / 2)
			r.admit(mac3, tooMany)
			time.Sleep(time.Nanosecond)
			r.admit(mac3, in)
			r.admit(mac4, tooMany)
		},
		"a NAS with an interval of its own is taken at its deeds": func(t *testing.T, r *rig) {
			r.report("s1", "anna", mac1)
			r.report("s2", "anna", mac2)
			for range 3 {
				time.Sleep(2 * interval)
				r.report("s1", "anna", mac1, moved(1))
				r.report("s2", "anna", mac2, moved(1))
			}
			time.Sleep(2*interval + interval)
			r.admit(mac3, tooMany)
			time.Sleep(time.Nanosecond)
			r.admit(mac3, in)
		},
		"without an interval silence says nothing": func(t *testing.T, r *rig) {
			r.report("s1", "anna", mac1, every(0))
			r.report("s2", "anna", mac2, every(0))
			time.Sleep(24 * time.Hour)
			r.admit(mac3, tooMany)
		},
		"a session that changes hands": func(t *testing.T, r *rig) {
			r.report("s1", "anonymous", mac1)
			r.report("s2", "anna", mac2)
			r.admit(mac3, in)
			r.report("s1", "anonymous", mac1, func(s *member.Session) { s.Login = "anna" })
			r.end("s2")
			r.admit(mac4, tooMany)
			r.end("s1")
			r.admit(mac4, in)
		},
		"a session whose MAC a later report says": func(t *testing.T, r *rig) {
			r.report("s1", "anna", "")
			r.report("s2", "anna", mac2)
			r.report("s1", "anna", "", func(s *member.Session) { s.StationMAC = mac1 })
			r.admit(mac1, in)
			r.admit(mac3, tooMany)
		},
		"a session without a MAC is its port": func(t *testing.T, r *rig) {
			a := r.admission("")
			a.Port, a.HasPort = 7, true
			if got := r.Admit(a); got != in {
				t.Error(got)
			}
			r.report("s1", "anna", "", port(7))
			r.admit(mac1, in)
			if got := r.Admit(a); got != in {
				t.Error("the same port:", got)
			}
			a.Client = "ap2"
			if got := r.Admit(a); got != tooMany {
				t.Error("that port of another client:", got)
			}
		},
		"without MAC and port each login is a device": func(t *testing.T, r *rig) {
			for i, want := range []member.Reason{in, in, tooMany} {
				a := r.admission("")
				a.Decision = [16]byte{byte(i + 1)}
				if got := r.Admit(a); got != want {
					t.Error(i, got)
				}
			}
			r.report("s1", "anna", mac1, by([16]byte{1})) // the report says the MAC that the request did not
			r.report("s2", "anna", "", by([16]byte{2}))
			r.admit(mac1, in)
			r.admit(mac2, tooMany)
			r.Swap(devices(3))
			r.admit(mac2, in)
			r.admit(mac3, tooMany)
			r.Swap(devices(2))
			time.Sleep(pendingFor)
			r.admit(mac2, tooMany)
			r.end("s2")
			r.admit(mac2, in)
		},
		"the admission names the backend": func(t *testing.T, r *rig) {
			r.admit(mac1, in)
			r.report("s1", "anna", mac1, from("as the journal has it"))
			time.Sleep(pendingFor)
			r.admit(mac2, in)
			r.admit(mac3, tooMany)
		},
		"a Stop after the Start of the same decision": func(t *testing.T, r *rig) {
			a := r.admission(mac1)
			a.Decision = [16]byte{1}
			if got := r.Admit(a); got != in {
				t.Error(got)
			}
			r.admit(mac2, in)
			r.report("s", "anna", mac1, by(a.Decision))
			r.end("s")
			r.admit(mac3, in)
		},
		"what was silent before this server began was not heard": func(t *testing.T, r *rig) {
			old := func(id, mac string) Session {
				return Session{ID: id, Started: r.now().Add(-5 * time.Hour), Updated: r.now().Add(-time.Hour), Report: &member.Session{
					Login: "anna", Client: "ap1", StationMAC: mac, Site: "main", SSID: "Members", Plan: "desk", Interim: interval,
				}}
			}
			r.Load([]Session{old("s1", mac1), old("s2", mac2)})
			r.admit(mac3, tooMany)
			time.Sleep(interval * 3 / 2)
			r.admit(mac3, tooMany)
			time.Sleep(time.Nanosecond)
			r.admit(mac3, in)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.Swap(devices(2))
				test(t, r)
				synctest.Wait()
				if asked := r.took(); len(asked) > 0 {
					t.Errorf("a NAS was asked: %v", asked)
				}
			})
		})
	}
}

// TestShared: a login that many share, with a limit of its own.
func TestShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		const n = 2*manyDevices + 1
		r.Swap(devices(n))
		mac := func(i int) string { return fmt.Sprintf("00:00:5e:00:54:%02x", i) }
		for i := range n {
			r.admit(mac(i), in)
			r.report(mac(i), "anna", mac(i), every(0))
		}
		for i := range n {
			r.admit(mac1, tooMany)
			r.end(mac(i))
			time.Sleep(pendingFor)
			r.admit(mac1, in)
			r.report("s", "anna", mac1, every(0))
			r.end("s")
			r.admit(mac(i), in)
			r.report(mac(i), "anna", mac(i), every(0))
		}
		r.admit(mac1, tooMany)
		for i := range n {
			r.end(mac(i))
		}
		r.index.prune(r.now().Add(pendingFor))
		if left := r.index.logins(); len(left) != 0 {
			t.Error(left)
		}
	})
}

// TestForget: what is not seen any more takes no memory.
func TestForget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.Swap(devices(1))
		r.admit(mac1, in)
		r.report("s", "anna", mac2)
		r.end("s")
		time.Sleep(pendingFor)
		r.index.prune(r.now())
		for i := range shards {
			if n, m := len(r.index.members[i].entries), len(r.index.lives[i].byID); n+m > 0 {
				t.Errorf("%d members and %d sessions are kept", n, m)
			}
		}
	})
}
