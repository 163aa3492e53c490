package main

import "github.com/prometheus/client_golang/prometheus"

// A tolerance shows Prometheus which clients of the configuration in force may
// leave Message-Authenticator out, so that an alarm can outlast good intentions.
type tolerance struct {
	config func() *config
	desc   *prometheus.Desc
}

var _ prometheus.Collector = (*tolerance)(nil)

func newTolerance(config func() *config) *tolerance {
	return &tolerance{config, prometheus.NewDesc(prometheus.BuildFQName("memberradius", "", "client_tolerates_no_message_authenticator"),
		"1 for each client that may send Access-Requests without Message-Authenticator (CVE-2024-3596).", []string{"client"}, nil)}
}

// Describe implements prometheus.Collector.
func (t *tolerance) Describe(ch chan<- *prometheus.Desc) { ch <- t.desc }

// Collect implements prometheus.Collector.
func (t *tolerance) Collect(ch chan<- prometheus.Metric) {
	c := t.config()
	if c == nil { // the server is starting
		return
	}
	for i := range c.Clients {
		if cl := &c.Clients[i]; cl.TolerateNoMessageAuthenticator {
			ch <- prometheus.MustNewConstMetric(t.desc, prometheus.GaugeValue, 1, cl.Name)
		}
	}
}
