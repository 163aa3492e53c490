package coa

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"layeh.com/radius"
)

func counted(t testing.TB, c prometheus.Collector) float64 {
	t.Helper()
	return testutil.ToFloat64(c)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		w, c := newWorld(t, Config{Metrics: registry})
		w.nases[lobby] = says(t, lobby, time.Millisecond, radius.CodeDisconnectNAK, 77)
		for range 2 {
			if _, err := c.Disconnect(t.Context(), target(lobby), session()); err != nil {
				t.Error(err)
			}
		}
		if _, err := c.Change(t.Context(), target(nowhere), session(), nil); err == nil {
			t.Error("somebody answers")
		}
		if err := testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP memberradius_coa_naks_total Requests that a NAS would not do, by its Error-Cause.
# TYPE memberradius_coa_naks_total counter
memberradius_coa_naks_total{cause="other",client="lobby"} 2
# HELP memberradius_coa_requests_total Requests to end or change a session, by what became of them.
# TYPE memberradius_coa_requests_total counter
memberradius_coa_requests_total{client="lobby",kind="coa",outcome="timeout"} 1
memberradius_coa_requests_total{client="lobby",kind="disconnect",outcome="nak"} 2
# HELP memberradius_coa_resends_total Times that a request was sent again.
# TYPE memberradius_coa_resends_total counter
memberradius_coa_resends_total{client="lobby"} 3
# HELP memberradius_coa_source_ports Source ports that are open.
# TYPE memberradius_coa_source_ports gauge
memberradius_coa_source_ports 1
# HELP memberradius_coa_waiting Requests that wait for a NAS's answer.
# TYPE memberradius_coa_waiting gauge
memberradius_coa_waiting 0
`), "memberradius_coa_naks_total", "memberradius_coa_requests_total", "memberradius_coa_resends_total", "memberradius_coa_source_ports", "memberradius_coa_waiting"); err != nil {
			t.Error(err)
		}
		problems, err := testutil.GatherAndLint(registry)
		if err != nil || len(problems) > 0 {
			t.Errorf("%v, %v", problems, err)
		}
		if _, err := New(Config{Metrics: registry}); err == nil {
			t.Error("two clients count in one place")
		}
	})
}
