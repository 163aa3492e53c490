package coa

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// trace returns when an unanswered request is sent, and when it is given up.
func trace(t Timers, random func() float64) (sends []time.Duration, end time.Duration) {
	s := schedule{timers: t, random: random}
	for again := true; again; {
		sends = append(sends, end)
		var wait time.Duration
		wait, again = s.next()
		end += wait
	}
	return sends, end
}

func seconds(all ...float64) []time.Duration {
	out := make([]time.Duration, len(all))
	for i, s := range all {
		out[i] = time.Duration(s * float64(time.Second)).Round(time.Millisecond)
	}
	return out
}

// Rule D7: IRT 2 s, MRT 16 s, MRC 5, MRD 30 s, each wait up to a tenth more or less.
func TestScheduleTrace(t *testing.T) {
	t.Parallel()
	standard, err := Timers{}.orDefault()
	if err != nil {
		t.Fatal(err)
	}
	long := standard
	long.MRD = time.Hour
	for _, c := range []struct {
		name   string
		timers Timers
		random float64
		sends  []time.Duration
		end    time.Duration
	}{
		{"no jitter", standard, 0.5, seconds(0, 2, 6, 14), 30 * time.Second},
		{"a tenth less", standard, 0, seconds(0, 1.8, 5.22, 11.718, 24.064), 30 * time.Second},
		{"a tenth more", standard, 1, seconds(0, 2.2, 6.82, 16.522), 30 * time.Second},
		{"MRC ends it", long, 0.5, seconds(0, 2, 6, 14, 30), 46 * time.Second},
		{"once", Timers{IRT: time.Second, MRT: time.Second, MRC: 1, MRD: time.Minute}, 0.9, seconds(0), time.Second},
		{"MRD first", Timers{IRT: time.Minute, MRT: time.Minute, MRC: 9, MRD: time.Second}, 0.9, seconds(0), time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sends, end := trace(c.timers, func() float64 { return c.random })
			for i := range sends {
				sends[i] = sends[i].Round(time.Millisecond)
			}
			if !slices.Equal(sends, c.sends) || end != c.end {
				t.Errorf("sent at %v, given up at %v; want %v, %v", sends, end, c.sends, c.end)
			}
		})
	}
}

// However the dice fall: never past MRD, never more than MRC times, and each wait but
// the last within a tenth of double the one before, or of MRT.
func TestScheduleBounds(t *testing.T) {
	t.Parallel()
	standard, _ := Timers{}.orDefault()
	dice := rand.New(rand.NewPCG(1, 2))
	first := map[time.Duration]bool{}
	for range 10_000 {
		sends, end := trace(standard, dice.Float64)
		if end != standard.MRD || len(sends) < 4 || len(sends) > standard.MRC {
			t.Fatalf("sent at %v, given up at %v", sends, end)
		}
		first[sends[1]] = true
		before := standard.IRT
		for i := 1; i < len(sends); i++ {
			wait := sends[i] - sends[i-1]
			low, high := 19*before/10, 21*before/10
			if i == 1 {
				low, high = 9*before/10, 11*before/10
			}
			if high >= standard.MRT*9/10 {
				low, high = min(low, standard.MRT*9/10), max(standard.MRT*11/10, high)
			}
			if wait < low || wait > high {
				t.Fatalf("wait %d is %v, not from %v to %v", i, wait, low, high)
			}
			before = wait
		}
	}
	if len(first) < 9_000 {
		t.Errorf("%d different first waits of 10,000: what begins together comes back together", len(first))
	}
}

func TestTimersAreChecked(t *testing.T) {
	t.Parallel()
	good := Timers{IRT: 1, MRT: 1, MRC: 1, MRD: 1}
	for name, change := range map[string]func(*Timers){
		"no IRT": func(t *Timers) { t.IRT = 0 }, "MRT under IRT": func(t *Timers) { t.MRT = 0 },
		"no MRC": func(t *Timers) { t.MRC = 0 }, "no MRD": func(t *Timers) { t.MRD = 0 },
		"jitter": func(t *Timers) { t.Jitter = 1 }, "negative jitter": func(t *Timers) { t.Jitter = -0.1 },
	} {
		bad := good
		change(&bad)
		if _, err := New(Config{Timers: bad}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for _, c := range []Config{{Sockets: -1}, {Waiting: -1}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	if _, err := New(Config{Timers: good}); err != nil {
		t.Error(err)
	}
}
