package coa

import (
	"errors"
	"time"
)

// Timers say when a request is sent again, and when it is given up (RFC 5080 §2.2.1).
// The zero value is that section's own figures; otherwise all must be set.
type Timers struct {
	// IRT is the first wait, doubled at each turn up to MRT: 2 s, 16 s.
	IRT, MRT time.Duration
	// MRC is how many times a request is sent at most: 5.
	MRC int
	// MRD is after what time it is given up, whatever the others say: 30 s.
	MRD time.Duration
	// Jitter is how far each wait strays, both ways, so that what began together does
	// not come back together: 0.1.
	Jitter float64
}

func (t Timers) orDefault() (Timers, error) {
	if t == (Timers{}) {
		return Timers{IRT: 2 * time.Second, MRT: 16 * time.Second, MRC: 5, MRD: 30 * time.Second, Jitter: 0.1}, nil
	}
	if t.IRT <= 0 || t.MRT < t.IRT || t.MRC <= 0 || t.MRD <= 0 || t.Jitter < 0 || t.Jitter >= 1 {
		return t, errors.New("coa: timers: IRT, MRC and MRD must be more than 0, MRT at least IRT, Jitter from 0 to less than 1")
	}
	return t, nil
}

// A schedule is one request's way through Timers.
type schedule struct {
	timers Timers
	// random is uniform in [0, 1).
	random  func() float64
	rt      time.Duration
	elapsed time.Duration
	sends   int
}

// next returns how long to wait for an answer to what was just sent, and whether
// it is sent again then.
func (s *schedule) next() (wait time.Duration, again bool) {
	t := &s.timers
	s.sends++
	if s.rt == 0 {
		s.rt = s.stray(t.IRT, t.IRT)
	} else {
		s.rt = s.stray(2*s.rt, s.rt)
	}
	if s.rt > t.MRT {
		s.rt = s.stray(t.MRT, t.MRT)
	}
	wait, again = s.rt, s.sends < t.MRC
	if left := t.MRD - s.elapsed; wait >= left {
		wait, again = left, false
	}
	s.elapsed += wait
	return wait, again
}

// stray returns d and a random part, of either sign, of unit.
func (s *schedule) stray(d, unit time.Duration) time.Duration {
	return d + time.Duration((2*s.random()-1)*s.timers.Jitter*float64(unit))
}
