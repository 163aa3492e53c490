package main

import (
	"context"
	"slices"
	"time"

	"memberradius/store"

	"github.com/prometheus/client_golang/prometheus"
)

// memberMeters show Prometheus who is kept here, and how well it follows the
// member systems. What they show is read when it is asked for.
type memberMeters struct {
	s                                      *systems
	members, synced, held, failing, outbox *prometheus.Desc
}

var _ prometheus.Collector = (*memberMeters)(nil)

func newMemberMeters(s *systems) *memberMeters {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("memberradius_"+name, help, labels, nil)
	}
	return &memberMeters{
		s:       s,
		members: desc("members", "Members that are kept here, those who have ended included.", "backend"),
		synced:  desc("sync_success_timestamp_seconds", "When the last sync that was applied began.", "backend"),
		held:    desc("sync_held", "1: the last sync waits to be accepted, since too many members would go.", "backend"),
		failing: desc("sync_failing", "1: the last sync failed.", "backend"),
		outbox:  desc("outbox_waiting", "Letters and passwords that are due and not delivered."),
	}
}

// Describe implements prometheus.Collector.
func (m *memberMeters) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.members, m.synced, m.held, m.failing, m.outbox} {
		ch <- d
	}
}

// collectTimeout bounds the reading of the store.
const collectTimeout = 2 * time.Second

// Collect implements prometheus.Collector. What can't be read is not shown.
func (m *memberMeters) Collect(ch chan<- prometheus.Metric) {
	db := m.s.database()
	if db == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, name := range m.s.kept() {
		gauge(m.members, float64(m.s.membersOf(name)), name)
		runs, err := db.Runs(ctx, name, runsSeen)
		if err != nil || len(runs) == 0 {
			continue
		}
		gauge(m.held, truth(runs[0].Held), name)
		gauge(m.failing, truth(runs[0].Error != ""), name)
		good := slices.IndexFunc(runs, func(r store.Run) bool { return r.Error == "" && !r.Held })
		if good >= 0 {
			gauge(m.synced, float64(runs[good].Started.Unix()), name)
		}
	}
	if due, err := db.DueEvents(ctx, time.Now(), mostDue); err == nil {
		gauge(m.outbox, float64(len(due)))
	}
}

// runsSeen is among how many of the newest runs the last good one is looked for.
const runsSeen = 100

// mostDue bounds what is counted of the outbox.
const mostDue = 10_000

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// kept returns the names of the open systems whose members are kept here.
func (s *systems) kept() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, sys := range s.open {
		if kinds()[sys.config.Kind].stored {
			names = append(names, name)
		}
	}
	return names
}
