package main

import (
	"fmt"
	"time"

	"memberradius/radiusd/radiustest"
)

// progress writes over one line of the terminal.
func progress(p *program, s radiustest.Snapshot) {
	_, _ = fmt.Fprintf(p.stderr, "\r\x1b[K%4.0fs  %9.0f/s  p50 %-8s p99 %-8s accepted %d  rejected %d  lost %d",
		s.Elapsed.Seconds(), s.Rate, short(s.P50), short(s.P99), s.Accepted, s.Rejected, s.Lost)
}

func short(d time.Duration) string {
	if d < time.Millisecond {
		return d.Round(time.Microsecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

// A loadReport is a result as JSON has it.
type loadReport struct {
	Mode     string  `json:"mode"`
	Seconds  float64 `json:"seconds"`
	Rate     float64 `json:"replies_per_second"`
	Sent     uint64  `json:"sent"`
	Accepted uint64  `json:"accepted"`
	Rejected uint64  `json:"rejected"`
	Lost     uint64  `json:"lost"`
	Late     uint64  `json:"late"`
	Wrong    uint64  `json:"wrong"`
	Verified uint64  `json:"verified"`
	// Resumed and RoundsEach are of EAP logins.
	Resumed    uint64  `json:"resumed,omitempty"`
	RoundsEach float64 `json:"rounds_each,omitempty"`
	Trouble    string  `json:"trouble,omitempty"`
	// Latency is in milliseconds, by quantile.
	Latency struct {
		Mean float64 `json:"mean"`
		P50  float64 `json:"p50"`
		P90  float64 `json:"p90"`
		P99  float64 `json:"p99"`
		P999 float64 `json:"p99.9"`
		Max  float64 `json:"max"`
	} `json:"latency_ms"`
	Behind float64 `json:"generator_behind_ms"`
}

// report prints a result. Requests that were lost, refused or answered wrongly
// are exit status 1: what was measured is not what was meant.
func (c *loadCmd) report(p *program, r *radiustest.Result) error {
	if p.JSON {
		if err := p.printJSON(reportOf(r)); err != nil {
			return err
		}
	} else {
		h := &r.Latency
		what := "replies"
		if r.Mode.EAP() {
			what = "logins"
		}
		p.printf("%s: %.0f %s/s over %.1f s (%d sent, %d accepted, %d rejected, %d lost, %d wrong)\n",
			r.Mode, r.Rate, what, r.Elapsed.Seconds(), r.Sent, r.Accepted, r.Rejected, r.Lost, r.Wrong)
		p.printf("latency: mean %s, p50 %s, p90 %s, p99 %s, p99.9 %s, max %s\n", short(h.Mean()),
			short(h.Quantile(.5)), short(h.Quantile(.9)), short(h.Quantile(.99)), short(h.Quantile(.999)), short(h.Max()))
		if r.Mode.EAP() {
			p.printf("%.1f rounds a login, %d resumed\n", roundsEach(r), r.Resumed)
		}
		if r.Trouble != "" {
			p.printf("the first that did not go well: %s\n", visible(r.Trouble))
		}
		if r.Behind > 0 {
			p.printf("the generator itself was up to %s behind its schedule\n", short(r.Behind))
		}
	}
	if r.Accepted != r.Sent {
		return errQuiet
	}
	return nil
}

// roundsEach is how many requests an EAP login took, 0 of other modes.
func roundsEach(r *radiustest.Result) float64 {
	if !r.Mode.EAP() || r.Replies == 0 {
		return 0
	}
	return float64(r.Challenged+r.Replies) / float64(r.Replies)
}

func reportOf(r *radiustest.Result) *loadReport {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	o := &loadReport{
		Mode: string(r.Mode), Seconds: r.Elapsed.Seconds(), Rate: r.Rate, Sent: r.Sent, Accepted: r.Accepted,
		Rejected: r.Rejected, Lost: r.Lost, Late: r.Late, Wrong: r.Wrong, Verified: r.Verified, Behind: ms(r.Behind),
		Resumed: r.Resumed, RoundsEach: roundsEach(r), Trouble: r.Trouble,
	}
	h, l := &r.Latency, &o.Latency
	l.Mean, l.P50, l.P90, l.P99, l.P999, l.Max = ms(h.Mean()), ms(h.Quantile(.5)), ms(h.Quantile(.9)), ms(h.Quantile(.99)), ms(h.Quantile(.999)), ms(h.Max())
	return o
}
