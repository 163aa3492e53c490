//go:build linux

package main

import (
	"slices"
	"time"
)

// median returns the middle of values, or between the middle two; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// percentile returns the smallest of sorted that at least p of 100 do not exceed; 0 of none.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(p/100*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

// An outcome is what one measurement of one contender found.
type outcome struct {
	// Rate is in requests answered as they should be, a second.
	Rate float64
	// P50 and P99 are how long answers took.
	P50, P99 time.Duration
	// CPU is what the server's process used of its core for one request, and Busy
	// the share of the core that it used: well under 1, something else was the limit.
	CPU  time.Duration
	Busy float64
	// Lost is how many requests got no answer, Wrong how many got another one than they should.
	Lost, Wrong uint64
	// Sent is how many reports of sessions left, and Answered how many of them were
	// acknowledged: the warm-up included, as they are all kept.
	Sent, Answered uint64
}

// A series is the outcomes of one contender over the rounds.
type series []outcome

// rate returns the median rate.
func (s series) rate() float64 {
	return median(s.each(func(o outcome) float64 { return o.Rate }))
}

// of returns how many times the rate of base this is: the median of what each
// round came to, since the machine's speed drifts from round to round. It is 0
// where they had no round in common.
func (s series) of(base series) float64 {
	ratios := make([]float64, 0, len(s))
	for i := range min(len(s), len(base)) {
		if base[i].Rate > 0 {
			ratios = append(ratios, s[i].Rate/base[i].Rate)
		}
	}
	return median(ratios)
}

// p50 and p99 return the median of the rounds' percentiles.
func (s series) p50() time.Duration {
	return time.Duration(median(s.each(func(o outcome) float64 { return float64(o.P50) })))
}

func (s series) p99() time.Duration {
	return time.Duration(median(s.each(func(o outcome) float64 { return float64(o.P99) })))
}

// cpu and busy return the medians of the rounds.
func (s series) cpu() time.Duration {
	return time.Duration(median(s.each(func(o outcome) float64 { return float64(o.CPU) })))
}

func (s series) busy() float64 {
	return median(s.each(func(o outcome) float64 { return o.Busy }))
}

// lost returns how many requests got no answer or a wrong one, in all rounds.
func (s series) lost() (n uint64) {
	for _, o := range s {
		n += o.Lost + o.Wrong
	}
	return n
}

// median returns the outcome of a turn that was taken in slices.
func (s series) median() outcome {
	o := outcome{Rate: s.rate(), P50: s.p50(), P99: s.p99(), CPU: s.cpu(), Busy: s.busy()}
	for _, slice := range s {
		o.Lost += slice.Lost
		o.Wrong += slice.Wrong
	}
	return o
}

// spread returns the lowest and the highest rate.
func (s series) spread() (low, high float64) {
	if len(s) == 0 {
		return 0, 0
	}
	rates := s.each(func(o outcome) float64 { return o.Rate })
	return slices.Min(rates), slices.Max(rates)
}

// used fills in CPU and Busy from what a process used in how long.
func (o *outcome) used(cpu, elapsed time.Duration, requests uint64) {
	if requests > 0 && elapsed > 0 {
		o.CPU, o.Busy = cpu/time.Duration(requests), float64(cpu)/float64(elapsed)
	}
}

func (s series) each(f func(outcome) float64) []float64 {
	values := make([]float64, 0, len(s))
	for _, o := range s {
		values = append(values, f(o))
	}
	return values
}
