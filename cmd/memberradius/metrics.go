package main

import (
	"slices"
	"sync"

	"memberradius/backends"

	"github.com/prometheus/client_golang/prometheus"
)

// backendMeters keeps one Meter for each [[backend]] name, over reloads, and
// shows them to Prometheus.
type backendMeters struct {
	mu     sync.Mutex
	meters map[string]*backends.Meter
	shown  []string // the names of the configuration that holds
	d      backendDescs
}

var _ prometheus.Collector = (*backendMeters)(nil)

type backendDescs struct {
	answers, unsaid, reused, shelf, panics, inFlight, entries, breaker, latency *prometheus.Desc
}

func newBackendMeters() *backendMeters {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("memberradius_backend_"+name, help, append([]string{"backend"}, labels...), nil)
	}
	return &backendMeters{meters: map[string]*backends.Meter{}, d: backendDescs{
		answers:  desc("answers_total", "Answers that a member system gave.", "answer"),
		unsaid:   desc("unanswered_total", "How often a member system could not say, by why.", "class"),
		reused:   desc("reused_total", "Answers that needed no call: fresh ones, those in grace, those of another's call.", "how"),
		shelf:    desc("shelf_errors_total", "Answers that were not kept in the store: dropped when it was too slow, failed when it refused.", "how"),
		panics:   desc("panics_total", "Faults in a backend's code; it should stay 0."),
		inFlight: desc("in_flight", "Calls under way."),
		entries:  desc("cache_entries", "Answers in the cache."),
		breaker:  desc("breaker_state", "0 closed, 1 probing, 2 open."),
		latency:  desc("call_seconds", "Time that calls to a member system took."),
	}}
}

// of returns the Meter of a backend.
func (m *backendMeters) of(name string) *backends.Meter {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.meters[name] == nil {
		m.meters[name] = &backends.Meter{}
	}
	return m.meters[name]
}

// keep shows the backends of these names only. Others keep their counts, so
// that one that comes back goes on counting.
func (m *backendMeters) keep(names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shown = slices.Sorted(slices.Values(names))
}

// Describe implements prometheus.Collector.
func (m *backendMeters) Describe(ch chan<- *prometheus.Desc) {
	d := &m.d
	for _, desc := range []*prometheus.Desc{d.answers, d.unsaid, d.reused, d.shelf, d.panics, d.inFlight, d.entries, d.breaker, d.latency} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *backendMeters) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range m.shown {
		if meter := m.meters[name]; meter != nil {
			m.collect(ch, name, meter.Figures())
		}
	}
}

func (m *backendMeters) collect(ch chan<- prometheus.Metric, name string, f backends.Figures) {
	d := &m.d
	count := func(desc *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(v), append([]string{name}, labels...)...)
	}
	gauge := func(desc *prometheus.Desc, v int) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(v), name)
	}
	count(d.answers, f.Allowed, "allow")
	count(d.answers, f.Denied, "deny")
	count(d.answers, f.Unknown, "unknown")
	for i, class := range backends.Classes() {
		count(d.unsaid, f.NotSaid[i], class.String())
	}
	count(d.reused, f.Fresh, "fresh")
	count(d.reused, f.Grace, "grace")
	count(d.reused, f.Joined, "joined")
	count(d.shelf, f.ShelfDropped, "dropped")
	count(d.shelf, f.ShelfFailed, "failed")
	count(d.panics, f.Panics)
	gauge(d.inFlight, f.InFlight)
	gauge(d.entries, f.Entries)
	gauge(d.breaker, int(f.Breaker))
	buckets, total := map[float64]uint64{}, uint64(0)
	for i, bound := range backends.LatencyBounds() {
		total += f.Latency[i]
		buckets[bound.Seconds()] = total
	}
	total += f.Latency[len(f.Latency)-1]
	ch <- prometheus.MustNewConstHistogram(d.latency, total, f.Took.Seconds(), buckets, name)
}
