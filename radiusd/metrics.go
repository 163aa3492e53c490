package radiusd

import (
	"errors"
	"sync/atomic"

	"memberradius/member"

	"github.com/prometheus/client_golang/prometheus"
)

// latencyBuckets reach from an answer from memory to a NAS that gives up.
var latencyBuckets = []float64{.000025, .0001, .0005, .002, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// meters are the server's metrics.
type meters struct {
	decisions *prometheus.CounterVec
	drops     *prometheus.CounterVec
	repeats   *prometheus.CounterVec
	status    *prometheus.CounterVec
	reports   *prometheus.CounterVec
	latency   *prometheus.HistogramVec
	panics    prometheus.Counter
	refused   prometheus.Counter
	evicted   prometheus.Counter
	unlogged  prometheus.Counter
	resumed   prometheus.Counter
}

func newMeters() *meters {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "memberradius", Name: name, Help: help}, labels)
	}
	single := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "memberradius", Name: name, Help: help})
	}
	return &meters{
		decisions: counter("decisions_total", "Access-Requests decided, by what was answered and why.", "client", "method", "verdict", "reason"),
		drops:     counter("drops_total", "Packets that got no reply.", "client", "reason"),
		repeats:   counter("repeats_total", "Repeats of a request, which were not processed again.", "client"),
		status:    counter("status_requests_total", "Status-Server requests answered.", "client"),
		reports:   counter("accounting_total", "Accounting-Requests that were kept and acknowledged.", "client", "event"),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "memberradius", Name: "answer_seconds", Buckets: latencyBuckets,
			Help: "Time from receipt of an Access-Request to its decision, reject_delay not counted.",
		}, []string{"client"}),
		panics:   single("panics_total", "Requests that made a worker panic; it should stay 0."),
		refused:  single("attributes_refused_total", "Attributes from member systems that were not passed on."),
		evicted:  single("replies_evicted_total", "Replies that were forgotten before 30 s because too many were kept."),
		resumed:  single("eap_resumed_total", "Logins by EAP that were fast reconnects."),
		unlogged: single("log_lines_dropped_total", "Log lines that were dropped because the log could not keep up."),
	}
}

// register hands the metrics over, with the gauges that are read off s.
func (m *meters) register(r prometheus.Registerer, s *Server) error {
	if r == nil {
		return nil
	}
	gauge := func(name, help string, read func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "memberradius", Name: name, Help: help},
			func() float64 { return float64(read()) })
	}
	working := func() int { n, _ := s.pool.load(); return n }
	waiting := func() int { _, n := s.pool.load(); return n }
	var errs []error
	for _, c := range []prometheus.Collector{
		m.decisions, m.drops, m.repeats, m.status, m.reports, m.latency, m.panics,
		m.refused, m.evicted, m.unlogged,
		gauge("pool_busy", "Requests that wait for member systems.", working),
		gauge("pool_queue", "Requests that wait for a place in the pool.", waiting),
		gauge("eap_conversations", "Conversations of EAP under way.", func() int { n, _ := s.engine.Open(); return n }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "memberradius", Name: "eap_evicted_total",
			Help: "Conversations of EAP that ended unfinished to make room for others."},
			func() float64 { _, n := s.engine.Open(); return float64(n) }),
		m.resumed,
		gauge("rejects_held", "Access-Rejects that wait for reject_delay.", s.delay.size),
		gauge("suspects", "Logins and devices whose wrong passwords lengthen reject_delay.", s.brake.size),
	} {
		errs = append(errs, r.Register(c))
	}
	return errors.Join(errs...)
}

// clientMeters are one client's metrics, looked up once and then found without a lock.
type clientMeters struct {
	decided [methods][member.Reasons]atomic.Pointer[prometheus.Counter]
	dropped [drops]atomic.Pointer[prometheus.Counter]
	repeats prometheus.Counter
	status  prometheus.Counter
	latency prometheus.Observer
}

// of returns the client's metrics. They belong to its name, so that a client
// that is loaded anew goes on counting.
func (m *meters) of(c *Client) *clientMeters {
	if cm := c.meters.Load(); cm != nil {
		return cm
	}
	name := c.config.Name
	cm := &clientMeters{
		repeats: m.repeats.WithLabelValues(name),
		status:  m.status.WithLabelValues(name),
		latency: m.latency.WithLabelValues(name),
	}
	c.meters.Store(cm)
	return cm
}

func (m *meters) decide(d *record) {
	c := d.client
	slot := &m.of(c).decided[d.method][d.reason]
	counter := slot.Load()
	if counter == nil {
		found := m.decisions.WithLabelValues(c.config.Name, d.method.String(), d.verdict.String(), d.reason.String())
		counter = &found
		slot.Store(counter)
	}
	(*counter).Inc()
	m.of(c).latency.Observe(d.took.Seconds())
}

func (m *meters) drop(c *Client, why drop) {
	if c == nil {
		m.drops.WithLabelValues("", dropped[why].word).Inc()
		return
	}
	slot := &m.of(c).dropped[why]
	counter := slot.Load()
	if counter == nil {
		found := m.drops.WithLabelValues(c.config.Name, dropped[why].word)
		counter = &found
		slot.Store(counter)
	}
	(*counter).Inc()
}
