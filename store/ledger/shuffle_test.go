package ledger_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store/ledger"
)

// shuffled is how many sessions TestShuffled has, and writers how many goroutines
// report them. Each reports whole sessions, so that the order within one is known.
const (
	shuffled = 10_000
	writers  = 128
)

// An expected session, by what was reported of it, in the order in which it came.
type expected struct {
	input, output uint64
	duration      time.Duration
	began         time.Time
	seen, stopped bool
	counted       bool
	cause         string
}

// An expectedUse is what a login should have used by one plan on one day.
type expectedUse struct{ login, plan, day string }

// A model is what should come of reports: the simplest words for it.
type model struct {
	mu       sync.Mutex
	sessions map[string]*expected
	usage    map[expectedUse]*ledger.Usage
}

func (m *model) report(r *member.Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.sessions[r.ID]
	began := r.At.Add(-r.Duration)
	if e == nil {
		e = &expected{began: began}
		m.sessions[r.ID] = e
	}
	k := expectedUse{r.Login, r.Plan, r.At.Format(time.DateOnly)}
	if m.usage[k] == nil {
		m.usage[k] = &ledger.Usage{}
	}
	u := m.usage[k]
	u.Input += max(r.Input, e.input) - e.input
	u.Output += max(r.Output, e.output) - e.output
	u.Duration += max(r.Duration, e.duration) - e.duration
	if used := r.Input+r.Output > 0 || r.Duration > 0; used && !e.counted {
		e.counted = true
		u.Sessions++
	}
	e.input, e.output, e.duration = max(e.input, r.Input), max(e.output, r.Output), max(e.duration, r.Duration)
	switch {
	case r.Event == member.Start:
		e.seen, e.began = true, r.At
	case !e.seen && began.Before(e.began):
		e.began = began
	}
	if r.Event == member.Stop {
		e.stopped, e.cause = true, r.Cause
	}
}

// life returns all that happens in session n, over up to three days.
func life(rng *rand.Rand, n int) []*member.Session {
	at := noon().Add(time.Duration(rng.IntN(2*86400)) * time.Second)
	report := func(e member.Event) *member.Session {
		s := visit(n, e, at)
		s.ID = fmt.Sprintf("%08X-%08X", n%40, n) // nobody is on twice by one id
		return s
	}
	reports := []*member.Session{report(member.Start)}
	began, input, output := at, uint64(0), uint64(0)
	for i := range 2 + rng.IntN(4) {
		at = at.Add(time.Duration(60+rng.IntN(7200)) * time.Second)
		input, output = input+rng.Uint64N(1<<33), output+rng.Uint64N(1<<34)
		e := member.Interim
		if i > 0 && rng.IntN(3) == 0 {
			e = member.Stop
		}
		s := report(e)
		s.Input, s.Output, s.Duration = input, output, at.Sub(began)
		if e == member.Stop {
			s.Cause = "User-Request"
		}
		if reports = append(reports, s); e == member.Stop {
			break
		}
	}
	return reports
}

// muddle loses some reports, doubles some, and brings all out of order.
func muddle(rng *rand.Rand, reports []*member.Session) []*member.Session {
	var sent []*member.Session
	for _, r := range reports {
		switch rng.IntN(8) {
		case 0:
		case 1, 2:
			sent = append(sent, r, r)
		default:
			sent = append(sent, r)
		}
	}
	rng.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
	return sent
}

// TestShuffled (fault F26): of 10,000 sessions whose reports are lost, doubled and
// out of order, every total, every open session and every day's usage is exact.
func TestShuffled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := ledger.Open(t.Context(), ledger.Config{Dir: dir, Zone: utc, Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	m := &model{sessions: map[string]*expected{}, usage: map[expectedUse]*ledger.Usage{}}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(26, uint64(w)))
			for n := w; n < shuffled; n += writers {
				for _, r := range muddle(rng, life(rng, n)) {
					if err := l.Record(context.Background(), r); err != nil {
						t.Error(err)
						return
					}
					m.report(r)
				}
			}
		})
	}
	wg.Wait()
	m.compare(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, _ = open(t, dir, nil)
	m.compare(t, l)
}

// compare holds a ledger against the model.
func (m *model) compare(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	open, found := 0, 0
	for _, s := range all(t, l) {
		found++
		e := m.sessions[s.Session.ID]
		switch {
		case e == nil:
			t.Fatalf("session %s was never reported", s.Session.ID)
		case s.Input != e.input || s.Output != e.output || s.Duration != e.duration:
			t.Fatalf("session %s has %d, %d, %v; want %d, %d, %v", s.Session.ID, s.Input, s.Output, s.Duration, e.input, e.output, e.duration)
		case s.Open() == e.stopped || s.StartSeen != e.seen || !s.Started.Equal(e.began) || s.Cause != e.cause:
			t.Fatalf("session %s is %+v, want %+v", s.Session.ID, s, e)
		case s.Open():
			open++
		}
	}
	if found != len(m.sessions) || l.Count() != open {
		t.Errorf("%d sessions, want %d; %d are open, want %d", found, len(m.sessions), l.Count(), open)
	}
	m.compareUsage(t, l)
}

func (m *model) compareUsage(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	q, rows, month := ledger.UsageQuery{Most: 1000}, 0, map[string]ledger.Used{}
	for {
		page, err := l.Usage(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page {
			e := m.usage[expectedUse{u.Login, u.Plan, u.Day}]
			if e == nil || u.Input != e.Input || u.Output != e.Output || u.Duration != e.Duration || u.Sessions != e.Sessions {
				t.Fatalf("usage %+v, want %+v", u, e)
			}
			rows++
			used := month[u.Login]
			used.Octets, used.Time = used.Octets+u.Input+u.Output, used.Time+u.Duration
			month[u.Login] = used
		}
		if len(page) < q.Most {
			break
		}
		q.After = page[len(page)-1].Cursor()
	}
	want := 0
	for _, u := range m.usage {
		if u.Input+u.Output > 0 || u.Duration > 0 || u.Sessions > 0 {
			want++
		}
	}
	if rows != want {
		t.Errorf("%d rows of usage, want %d", rows, want)
	}
	for login, used := range month {
		if _, _, got := l.Used(login, "berlin", noon()); got != used {
			t.Fatalf("%s has used %+v this month, want %+v", login, got, used)
		}
	}
}
