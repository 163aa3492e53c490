package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"memberradius/member"
	"memberradius/radiusd/coa"
	"memberradius/radiusd/presence"
	"memberradius/store/ledger"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
)

// An online is what the server knows of who is on the network: the ledger of
// sessions, the limits, and the way to throw somebody off.
type online struct {
	server   *server
	log      logrus.FieldLogger
	ledger   *ledger.Ledger
	nas      *coa.Client
	presence *presence.Presence
	running  sync.WaitGroup
	ctx      context.Context // ends what runs
	stop     context.CancelFunc
	nudges   chan struct{}
}

// openOnline opens the ledger, and has whoever was on still be on.
func (s *server) openOnline(ctx context.Context, c *config, registry prometheus.Registerer) (o *online, err error) {
	o = &online{server: s, log: s.log, nudges: make(chan struct{}, maxNudges)}
	o.ctx, o.stop = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			o.close()
		}
	}()
	if o.ledger, err = ledger.Open(ctx, ledger.Config{Dir: c.Server.Data, Zone: s.zone, Changed: o.changed}); err != nil {
		return o, err
	}
	if o.nas, err = coa.New(coa.Config{Metrics: registry}); err != nil {
		return o, err
	}
	o.presence, err = presence.New(presence.Config{
		Ledger: o, Judge: o, Targets: o, NAS: o.nas, Tables: c.limits(), Tell: o.tell, Metrics: registry,
	})
	if err != nil {
		return o, err
	}
	if err := registry.Register(newLedgerMeters(o.ledger)); err != nil {
		return o, err
	}
	open := o.ledger.Online()
	standing := make([]presence.Session, len(open))
	for i, session := range open {
		standing[i] = presenceOf(session)
	}
	o.presence.Load(standing)
	o.running.Go(func() { o.tidy(o.ctx) })
	return o, nil
}

// close gives everything back. No report may come any more.
func (o *online) close() {
	if o == nil {
		return
	}
	o.stop()
	o.running.Wait()
	if o.presence != nil {
		o.presence.Close()
	}
	var errs []error
	if o.nas != nil {
		errs = append(errs, o.nas.Close())
	}
	if o.ledger != nil {
		errs = append(errs, o.ledger.Close())
	}
	if err := errors.Join(errs...); err != nil {
		o.log.WithError(err).Warn("the ledger of sessions did not close as it should")
	}
}

// limits are what the plans allow, and the zones whose days count.
func (c *config) limits() presence.Tables {
	t := presence.Tables{Plans: map[string]presence.Limits{}, Zones: map[string]*time.Location{}}
	for i := range c.Plans {
		p := &c.Plans[i]
		t.Plans[p.Name] = presence.Limits{Devices: p.Devices, Quotas: p.Quotas}
	}
	for i := range c.Sites {
		t.Zones[c.Sites[i].Name] = c.Sites[i].Zone
	}
	return t
}

// zone returns the zone of a site; UTC where nobody says.
func (s *server) zone(site string) *time.Location {
	if c := s.config.Load(); c != nil {
		if s := c.site(site); s != nil {
			return s.Zone
		}
	}
	return time.UTC
}

// changed passes on what the ledger has taken in.
func (o *online) changed(c ledger.Change) {
	if o.presence == nil {
		return // it is opening: Load has them
	}
	if c.Kind == ledger.Closed {
		o.presence.Ended(presenceOf(c.Session))
		return
	}
	o.presence.Seen(presenceOf(c.Session))
}

func presenceOf(s *ledger.Session) presence.Session {
	return presence.Session{ID: s.ID, Report: &s.Session, Started: s.Started, Updated: s.Updated, Ended: s.Ended}
}

// Used implements presence.Ledger.
func (o *online) Used(login, site string, now time.Time) (day, week, month presence.Use) {
	d, w, m := o.ledger.Used(login, site, now)
	return presence.Use(d), presence.Use(w), presence.Use(m)
}

// NoteAttempt implements presence.Ledger.
func (o *online) NoteAttempt(ctx context.Context, a *presence.Attempt) error {
	noted := noteOf(a)
	return o.ledger.NoteAttempt(ctx, &noted)
}

// noteOf is an attempt as the ledger keeps it.
func noteOf(a *presence.Attempt) ledger.Attempt {
	result := a.Result.Outcome.String()
	if a.Stayed {
		result = "stayed"
	}
	return ledger.Attempt{
		ID: a.ID, Session: a.Session, At: a.At, Kind: a.Action.String(), Why: a.Why, Target: a.Target,
		Result: result, ErrorCause: int(a.Result.Cause), Sends: a.Result.Sends, Took: a.Result.Took,
		Plan: a.Plan, VLAN: a.VLAN, Gone: a.Gone,
	}
}

// coaPort is where a NAS listens for Disconnect-Requests and CoA-Requests (RFC 5176 §2.1).
const coaPort = 3799

// Target implements presence.Targets: the client's own coa, else where the
// session's reports come from.
func (o *online) Target(s *member.Session) (coa.Target, bool) {
	c := o.server.config.Load()
	i := c.client(s.Client)
	if i < 0 {
		return coa.Target{}, false
	}
	cl := &c.Clients[i]
	t := coa.Target{Address: cl.CoA, Secret: cl.Secret, Vendor: cl.Vendor, Name: cl.Name}
	if !t.Address.IsValid() {
		if !s.Peer.IsValid() {
			return coa.Target{}, false
		}
		t.Address = netip.AddrPortFrom(s.Peer, coaPort)
	}
	return t, true
}

// tell logs what the operator should know.
func (o *online) tell(f presence.Finding) {
	o.log.WithFields(logrus.Fields{"client": f.Client, "login": f.Login, "session": f.Session, "remedy": f.Remedy}).Warn(f.What)
}

const (
	// sweepEvery is how often silent sessions are looked for.
	sweepEvery = time.Minute
	// forgetEvery is how often sessions that ended long ago are removed.
	forgetEvery = time.Hour
	// leastUsage is for how many days usage is kept at the least: a month, and the week that it began in.
	leastUsage = 38
)

// tidy closes silent sessions and forgets old ones, until ctx ends.
func (o *online) tidy(ctx context.Context) {
	sweep, forget := time.NewTicker(sweepEvery), time.NewTicker(forgetEvery)
	defer sweep.Stop()
	defer forget.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-sweep.C:
			closed, err := o.ledger.Sweep(ctx, now)
			o.tidied(ctx, "silent sessions could not be closed", err)
			if closed > 0 {
				o.log.WithField("sessions", closed).Info("sessions were closed that nothing was heard of")
			}
		case now := <-forget.C:
			before := now.Add(-o.server.config.Load().Sessions.Keep)
			_, err := o.ledger.Forget(ctx, before)
			// Quotas of this month go by what is kept of it.
			if quotas := now.AddDate(0, 0, -leastUsage); before.After(quotas) {
				before = quotas
			}
			_, usage := o.ledger.ForgetUsage(ctx, before.Format(time.DateOnly))
			o.tidied(ctx, "sessions that ended long ago could not be removed", errors.Join(err, usage))
		}
	}
}

func (o *online) tidied(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		o.log.WithError(err).Warn(what)
	}
}

// kick ends a session by its id, or by an Acct-Session-Id, and waits for what
// comes of it.
func (o *online) kick(ctx context.Context, name string) (*ledger.Session, *presence.Attempt, error) {
	s, err := o.ledger.Find(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if !s.Open() {
		return s, nil, fmt.Errorf("session %s has ended already, %s", s.ID, s.Ended.Local().Format(time.DateTime))
	}
	a, err := o.presence.Kick(ctx, presenceOf(s), "the operator wants it")
	return s, &a, err
}

// ledgerMeters show Prometheus the ledger.
type ledgerMeters struct {
	ledger                                           *ledger.Ledger
	open, waiting, refused, reports, commits, failed *prometheus.Desc
}

func newLedgerMeters(l *ledger.Ledger) *ledgerMeters {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("memberradius_"+name, help, nil, nil)
	}
	return &ledgerMeters{
		ledger:  l,
		open:    desc("sessions_open", "Sessions that go on, as far as their NASes have reported."),
		waiting: desc("ledger_waiting", "Reports that wait to be written."),
		refused: desc("ledger_refused_total", "Reports that found too many waiting, and were not acknowledged."),
		reports: desc("ledger_reports_total", "Reports that are on the disk."),
		commits: desc("ledger_commits_total", "Commits that they took."),
		failed:  desc("ledger_failed_total", "Reports that the database did not take, and that were not acknowledged."),
	}
}

// Describe implements prometheus.Collector.
func (m *ledgerMeters) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.open, m.waiting, m.refused, m.reports, m.commits, m.failed} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *ledgerMeters) Collect(ch chan<- prometheus.Metric) {
	s := m.ledger.Stats()
	ch <- prometheus.MustNewConstMetric(m.open, prometheus.GaugeValue, float64(s.Open))
	ch <- prometheus.MustNewConstMetric(m.waiting, prometheus.GaugeValue, float64(s.Waiting))
	ch <- prometheus.MustNewConstMetric(m.refused, prometheus.CounterValue, float64(s.Refused))
	ch <- prometheus.MustNewConstMetric(m.reports, prometheus.CounterValue, float64(s.Reports))
	ch <- prometheus.MustNewConstMetric(m.commits, prometheus.CounterValue, float64(s.Commits))
	ch <- prometheus.MustNewConstMetric(m.failed, prometheus.CounterValue, float64(s.Failed))
}
