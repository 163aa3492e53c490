package main

import (
	"context"
	"sync"
	"time"

	"memberradius/pki"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
)

// certEvery is how often certificates and revocation lists are read again. CAs
// publish lists for days ahead; a server certificate made here has 30 days left
// when it is made anew.
const certEvery = time.Hour

// A certWatch brings the certificates up to date, says in the log what an
// operator should know of them, and shows Prometheus when they end.
type certWatch struct {
	keeper *pki.Keeper
	log    logrus.FieldLogger
	desc   *prometheus.Desc

	mu   sync.Mutex
	said map[string]bool // what was true the last time
}

var _ prometheus.Collector = (*certWatch)(nil)

func newCertWatch(k *pki.Keeper, log logrus.FieldLogger) *certWatch {
	return &certWatch{keeper: k, log: log, said: map[string]bool{}, desc: prometheus.NewDesc(prometheus.BuildFQName("memberradius", "", "certificate_expires_timestamp_seconds"),
		"When a certificate of WPA-Enterprise ends: the server's, its CA, the first of the CAs of members' certificates.", []string{"certificate"}, nil)}
}

// run reads the certificates again every certEvery until ctx ends.
func (w *certWatch) run(ctx context.Context) error {
	tick := time.NewTicker(certEvery)
	defer tick.Stop()
	w.say()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := w.keeper.Reload(ctx); ctx.Err() != nil {
				return nil
			} else if err != nil {
				w.log.WithError(err).Debug("certificates were not read again") // a finding says the same, once
			}
			w.say()
		}
	}
}

// reload takes what the configuration c says of certificates, and reads them
// again. Findings that are bad leave the old ones in force.
func (w *certWatch) reload(ctx context.Context, c *config) findings {
	if err := w.keeper.Reconfigure(ctx, c.EAP.PKI); err != nil {
		return c.pkiFindings(err)
	}
	w.say()
	return nil
}

// say logs each finding when it begins to hold: a certificate's end 30, 7 and 1
// days before, and when it has come.
func (w *certWatch) say() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := map[string]bool{}
	for _, f := range w.keeper.Findings() {
		now[f.What] = true
		if w.said[f.What] {
			continue
		}
		entry := w.log.WithField("remedy", f.Remedy)
		if f.Wrong {
			entry.Error(f.What)
		} else {
			entry.Warn(f.What)
		}
	}
	w.said = now
}

// Describe implements prometheus.Collector.
func (w *certWatch) Describe(ch chan<- *prometheus.Desc) { ch <- w.desc }

// Collect implements prometheus.Collector.
func (w *certWatch) Collect(ch chan<- prometheus.Metric) {
	for _, e := range w.keeper.Identity().Expiries() {
		ch <- prometheus.MustNewConstMetric(w.desc, prometheus.GaugeValue, float64(e.NotAfter.Unix()), e.Name)
	}
}
