package presence

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/radiusd/coa"
	"memberradius/store/ledger"
)

// kept is a ledger as cmd hands it in.
type kept struct{ *ledger.Ledger }

func (k kept) Used(login, site string, now time.Time) (day, week, month Use) {
	d, w, m := k.Ledger.Used(login, site, now)
	return Use(d), Use(w), Use(m)
}

func (k kept) NoteAttempt(ctx context.Context, a *Attempt) error {
	return k.Ledger.NoteAttempt(ctx, &ledger.Attempt{
		ID: a.ID, Session: a.Session, At: a.At, Kind: a.Action.String(), Why: a.Why, Target: a.Target,
		Result: a.Result.Outcome.String(), Sends: a.Result.Sends, Took: a.Result.Took,
		Plan: a.Plan, VLAN: a.VLAN, Gone: a.Gone,
	})
}

// TestWithLedger: the real ledger, the real client and an access point that
// reports: 1,000 members are thrown off, and each attempt is kept with its end.
func TestWithLedger(t *testing.T) {
	t.Parallel()
	const n = 1000
	w := newWired(t, coa.Timers{})
	opened := make(chan struct{})
	var p *Presence
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: t.TempDir(), Changed: func(c ledger.Change) {
		<-opened
		s := Session{ID: c.Session.ID, Report: &c.Session.Session, Started: c.Session.Started, Updated: c.Session.Updated, Ended: c.Session.Ended}
		if c.Kind == ledger.Closed {
			p.Ended(s)
		} else {
			p.Seen(s)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	config := w.config
	config.Ledger, config.Judge, config.Tables = kept{l}, everybodyOut{}, Tables{Plans: map[string]Limits{"desk": {Devices: 1}}}
	if p, err = New(config); err != nil {
		t.Fatal(err)
	}
	close(opened)
	t.Cleanup(p.Close)

	a := newAccessPoint(t)
	w.points["ap1"] = a
	report := func(id string, e member.Event) {
		now := time.Now()
		s := &member.Session{
			Event: e, Client: "ap1", NAS: "ap1", ID: id, User: id, Login: id, Plan: "desk", Decision: text([16]byte{1}), StationMAC: mac1,
			Site: "main", SSID: "Members", Peer: netip.MustParseAddr("127.0.0.1"), At: now, Received: now, Interim: interval,
		}
		if err := l.Record(context.Background(), s); err != nil {
			t.Error(err)
		}
	}
	var starts, stops sync.WaitGroup // two: what comes by the network is not synchronized with a Wait
	a.set(func() { a.stop = func(id string) { stops.Go(func() { report(id, member.Stop) }) } })
	var logins []string
	for i := range n {
		id := fmt.Sprint("m", i)
		logins = append(logins, id)
		a.set(func() { a.sessions[id] = true })
		starts.Go(func() { report(id, member.Start) })
	}
	starts.Wait()
	if got := p.Admit(&Admission{Login: "M7", Plan: "desk", StationMAC: mac2, Now: time.Now()}); got != tooMany {
		t.Error(got)
	}
	sessions := l.Online()
	begin := time.Now()
	p.Reconsider(logins...)
	for deadline := begin.Add(10 * time.Second); l.Count() > 0 && time.Now().Before(deadline); {
		tick := time.NewTimer(5 * time.Millisecond)
		<-tick.C
	}
	took := time.Since(begin)
	t.Logf("%d sessions were off, and their Stops kept, after %v", n, took)
	if l.Count() > 0 || took > 5*time.Second {
		t.Errorf("%d stay after %v", l.Count(), took)
	}
	stops.Wait()
	p.Close() // what is to be noted is
	for _, s := range sessions {
		attempts, err := l.Attempts(t.Context(), s.ID)
		// A Stop that overtakes its ACK ends the attempt: she is off, and nobody waits any more.
		settled := len(attempts) == 1 && (attempts[0].Result == "ack" || attempts[0].Result == "ended")
		if err != nil || !settled || attempts[0].Gone.IsZero() {
			t.Fatalf("%s: %+v, %v", s.ID, attempts, err)
		}
	}
	if got := p.Admit(&Admission{Login: "M7", Plan: "desk", StationMAC: mac2, Now: time.Now()}); got != in {
		t.Error(got)
	}
}

// everybodyOut denies.
type everybodyOut struct{}

func (everybodyOut) Judge(context.Context, *member.Session) Outcome {
	return denied(member.ReasonExpired)
}
