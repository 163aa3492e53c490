package radiustest

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	t.Parallel()
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Mean() != 0 || h.Max() != 0 || h.Count() != 0 {
		t.Error("an empty histogram is not zero")
	}
	r := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	var sum time.Duration
	for range 20_000 {
		d := time.Duration(r.Uint64N(1 << r.UintN(37)))
		all, sum = append(all, d), sum+d
		h.Record(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.001, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[max(int(q*float64(len(all))+0.5), 1)-1]
		if got := h.Quantile(q); got < want || float64(got) > float64(want)*(1+1./64) {
			t.Errorf("quantile %v is %s, want %s", q, got, want)
		}
	}
	if h.Max() != all[len(all)-1] || h.Mean() != sum/20_000 || h.Count() != 20_000 {
		t.Errorf("most %s, mean %s, count %d", h.Max(), h.Mean(), h.Count())
	}
}

// TestHistogram_Buckets: buckets follow one another without gap or overlap.
func TestHistogram_Buckets(t *testing.T) {
	t.Parallel()
	for b := range histogramBuckets {
		most := ceiling(b)
		if bucket(most) != b {
			t.Fatalf("the longest of bucket %d, %d ns, is counted in %d", b, most, bucket(most))
		}
		if b < histogramBuckets-1 && bucket(most+1) != b+1 {
			t.Fatalf("%d ns is counted in %d, want %d", most+1, bucket(most+1), b+1)
		}
	}
	if bucket(-1) != 0 || bucket(1<<62) != histogramBuckets-1 {
		t.Error("durations out of range are not counted at the ends")
	}
	var h Histogram
	h.Record(time.Hour)
	if h.Quantile(0.5) > time.Hour || h.Max() != time.Hour {
		t.Errorf("an hour is %s", h.Quantile(0.5))
	}
}
