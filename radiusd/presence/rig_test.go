package presence

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/coa"
)

// A rig is a Presence with a world around it: what members have used, what
// would hold for them, and NASes that answer as they are told.
type rig struct {
	*Presence
	t   *testing.T
	now func() time.Time

	mu       sync.Mutex
	used     [3]Use
	outcomes map[string]Outcome // by folded login; none: could not say
	answer   func(a Action, s *member.Session) (coa.Result, error)
	asked    []asked
	notes    []Attempt
	places   map[string]int // of notes, by ID
	found    []Finding
	sessions map[string]Session
}

type asked struct {
	action     Action
	id         string
	attributes string
}

// newRig builds a rig; in a bubble of synctest its clock is the bubble's.
func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Now, outcomes: map[string]Outcome{}, sessions: map[string]Session{}, places: map[string]int{}}
	r.answer = func(Action, *member.Session) (coa.Result, error) { return coa.Result{Outcome: coa.ACK, Sends: 1}, nil }
	c := Config{Ledger: r, Judge: r, Targets: r, NAS: r, Tell: r.tell, Poll: -1}
	if change != nil {
		change(&c)
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r.Presence = p
	t.Cleanup(p.Close)
	return r
}

// Used implements Ledger.
func (r *rig) Used(string, string, time.Time) (day, week, month Use) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used[0], r.used[1], r.used[2]
}

// NoteAttempt implements Ledger.
func (r *rig) NoteAttempt(_ context.Context, a *Attempt) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i, ok := r.places[a.ID]; ok {
		r.notes[i] = *a
	} else {
		r.places[a.ID] = len(r.notes)
		r.notes = append(r.notes, *a)
	}
	return nil
}

// Judge implements Judge.
func (r *rig) Judge(_ context.Context, s *member.Session) Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outcomes[member.FoldString(s.Login)]
}

// Target implements Targets.
func (r *rig) Target(s *member.Session) (coa.Target, bool) {
	if s.Client == "" {
		return coa.Target{}, false
	}
	address := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, s.Client[len(s.Client)-1]}), 3799)
	return coa.Target{Address: address, Secret: "secret", Name: s.Client}, true
}

// Disconnect implements NAS.
func (r *rig) Disconnect(_ context.Context, _ *coa.Target, s *member.Session) (coa.Result, error) {
	return r.ask(Disconnect, s, "")
}

// Change implements NAS.
func (r *rig) Change(_ context.Context, _ *coa.Target, s *member.Session, attributes []byte) (coa.Result, error) {
	return r.ask(Change, s, string(attributes))
}

func (r *rig) ask(a Action, s *member.Session, attributes string) (coa.Result, error) {
	r.mu.Lock()
	r.asked = append(r.asked, asked{a, s.ID, attributes})
	answer := r.answer
	r.mu.Unlock()
	return answer(a, s)
}

func (r *rig) tell(f Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = append(r.found, f)
}

// set changes the world.
func (r *rig) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// took returns what NASes were asked since the last time, in order of session.
func (r *rig) took() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, a := range r.asked {
		all = append(all, fmt.Sprintf("%s %s %s", a.id, a.action, a.attributes)[:len(a.id)+1+len(a.action.String())+min(1, len(a.attributes))+len(a.attributes)])
	}
	r.asked = nil
	slices.Sort(all)
	return all
}

// noted returns the attempts that are in the ledger.
func (r *rig) noted() []Attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.notes)
}

// A change is what a test says of a session besides its ID, login and MAC.
type change func(*member.Session)

const mac1, mac2, mac3, mac4 = "00:00:5e:00:53:01", "00:00:5e:00:53:02", "00:00:5e:00:53:03", "00:00:5e:00:53:04"
const random1, random2 = "02:00:5e:00:53:01", "06:00:5e:00:53:02"

// report says that the session goes on. What was said of it before holds.
func (r *rig) report(id, login, mac string, changes ...change) {
	s, known := r.sessions[id]
	if !known {
		s = Session{ID: id, Started: r.now(), Report: &member.Session{
			Client: "ap1", NAS: "ap1", ID: id, User: login, Login: login, StationMAC: mac, Site: "main", SSID: "Members", Plan: "desk",
			Interim: 10 * time.Minute,
		}}
	}
	report := *s.Report
	for _, c := range changes {
		c(&report)
	}
	report.Received = r.now()
	s.Report, s.Updated = &report, r.now()
	r.sessions[id] = s
	r.Seen(s)
}

// end says that the session is over.
func (r *rig) end(id string) {
	s := r.sessions[id]
	s.Ended = r.now()
	delete(r.sessions, id)
	r.Presence.Ended(s)
}

func moved(octets uint64) change         { return func(s *member.Session) { s.Input += octets } }
func at(client string) change            { return func(s *member.Session) { s.Client = client } }
func on(ssid string) change              { return func(s *member.Session) { s.SSID = ssid } }
func every(interim time.Duration) change { return func(s *member.Session) { s.Interim = interim } }
func by(d [16]byte) change               { return func(s *member.Session) { s.Decision = text(d) } }
func with(plan, vlan string) change      { return func(s *member.Session) { s.Plan, s.VLAN = plan, vlan } }
func from(backend string) change         { return func(s *member.Session) { s.Backend = backend } }
func port(n uint32) change               { return func(s *member.Session) { s.Port, s.HasPort = n, true } }
func devices(n int) Tables               { return Tables{Plans: map[string]Limits{"desk": {Devices: n}}} }
func allowed(plan, vlan string) Outcome {
	return Outcome{Verdict: member.Allow, Plan: plan, VLAN: vlan}
}
func denied(reason member.Reason) Outcome { return Outcome{Verdict: member.Deny, Reason: reason} }

func text(d [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", d[:4], d[4:6], d[6:8], d[8:10], d[10:])
}

// admission is one of anna's, of plan desk.
func (r *rig) admission(mac string) *Admission {
	return &Admission{Login: "anna", Backend: "club", Plan: "desk", StationMAC: mac, Client: "ap1", Site: "main", SSID: "Members", Now: r.now()}
}

// admit fails the test where Admit says something else.
func (r *rig) admit(mac string, want member.Reason) {
	r.t.Helper()
	if got := r.Admit(r.admission(mac)); got != want {
		r.t.Errorf("%s: %v, want %v", mac, got, want)
	}
}
