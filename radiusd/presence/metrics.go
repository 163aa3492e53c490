package presence

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// meters are the metrics.
type meters struct {
	attempts *prometheus.CounterVec
	overflow prometheus.Counter
	lost     prometheus.Counter
	stayed   prometheus.Counter
}

func newMeters() *meters {
	single := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "memberradius", Subsystem: "presence", Name: name, Help: help})
	}
	return &meters{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "memberradius", Subsystem: "presence", Name: "attempts_total",
			Help: "Attempts to make a session leave or change, by why and by what came of them."}, []string{"action", "reason", "result"}),
		overflow: single("postponed_total", "Sessions that had to leave, but too many waited already: they are judged again."),
		lost:     single("notes_lost_total", "Attempts that could not be noted in the ledger."),
		stayed:   single("stayed_total", "Sessions that a NAS said it ended, and of which no Stop came."),
	}
}

// register hands the metrics over, with the gauges that are read off p.
func (m *meters) register(r prometheus.Registerer, p *Presence) error {
	if r == nil {
		return nil
	}
	gauge := func(name, help string, read func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "memberradius", Subsystem: "presence", Name: name, Help: help},
			func() float64 { return float64(read()) })
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.attempts, m.overflow, m.lost, m.stayed,
		gauge("to_judge", "Members whose sessions wait to be judged anew.", p.rounds.load),
		gauge("to_leave", "Sessions that wait until their NAS is asked to end or change them.", func() int { n, _ := p.door.load(); return n }),
		gauge("leaving", "Sessions whose NAS is being asked to end or change them.", func() int { _, n := p.door.load(); return n }),
	} {
		errs = append(errs, r.Register(c))
	}
	return errors.Join(errs...)
}
