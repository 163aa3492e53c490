package coa

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Why a datagram was ignored: labels.
const (
	ignoredMalformed = "malformed"
	ignoredUnknown   = "unknown"
	ignoredForged    = "forged"
)

// answerBuckets reach from a NAS next door to one that is given up.
var answerBuckets = []float64{.001, .005, .02, .1, .5, 1, 2, 5, 10, 20, 30}

// meters are the client's metrics.
type meters struct {
	requests *prometheus.CounterVec
	resends  *prometheus.CounterVec
	naks     *prometheus.CounterVec
	ignored  *prometheus.CounterVec
	answers  prometheus.Histogram
}

func newMeters() *meters {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "memberradius", Subsystem: "coa", Name: name, Help: help}, labels)
	}
	return &meters{
		requests: counter("requests_total", "Requests to end or change a session, by what became of them.", "client", "kind", "outcome"),
		resends:  counter("resends_total", "Times that a request was sent again.", "client"),
		naks:     counter("naks_total", "Requests that a NAS would not do, by its Error-Cause.", "client", "cause"),
		ignored:  counter("ignored_total", "Datagrams that answered no request, or were not signed right.", "reason"),
		answers: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "memberradius", Subsystem: "coa", Name: "answer_seconds", Buckets: answerBuckets,
			Help: "Time from a request to a NAS's answer.",
		}),
	}
}

// register hands the metrics over, with the gauges that are read off c.
func (m *meters) register(r prometheus.Registerer, c *Client) error {
	if r == nil {
		return nil
	}
	gauge := func(name, help string, read func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "memberradius", Subsystem: "coa", Name: name, Help: help},
			func() float64 {
				c.mu.Lock()
				defer c.mu.Unlock()
				return float64(read())
			})
	}
	var errs []error
	for _, metric := range []prometheus.Collector{
		m.requests, m.resends, m.naks, m.ignored, m.answers,
		gauge("waiting", "Requests that wait for a NAS's answer.", func() int { return c.waiting }),
		gauge("source_ports", "Source ports that are open.", func() int { return len(c.ports) }),
	} {
		errs = append(errs, r.Register(metric))
	}
	return errors.Join(errs...)
}

// count counts a request that has ended.
func (m *meters) count(t *Target, code byte, r *Result) {
	m.requests.WithLabelValues(t.Name, kindOf(code), r.Outcome.String()).Inc()
	if r.Sends > 1 {
		m.resends.WithLabelValues(t.Name).Add(float64(r.Sends - 1))
	}
	switch r.Outcome {
	case NAK:
		m.naks.WithLabelValues(t.Name, r.Cause.label()).Inc()
		m.answers.Observe(r.Took.Seconds())
	case ACK:
		m.answers.Observe(r.Took.Seconds())
	}
}
