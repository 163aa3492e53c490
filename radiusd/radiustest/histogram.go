package radiustest

import (
	"math/bits"
	"time"
)

// Buckets are linear up to 2^histogramBits ns, and then 2^histogramBits to each
// power of two: a value is known to 1/64 of itself.
const (
	histogramBits    = 6
	histogramLinear  = 1 << (histogramBits + 1)
	histogramOctaves = 30 // up to 2^37 ns, over two minutes
	histogramBuckets = histogramLinear + histogramOctaves<<histogramBits
)

// A Histogram counts durations in buckets of fixed number: 16 KiB whatever the
// count. What it returns is at most 1.6 % above what was recorded. The zero
// value is empty and ready.
type Histogram struct {
	buckets [histogramBuckets]uint64
	count   uint64
	sum     time.Duration
	most    time.Duration
}

// bucket returns where a duration is counted; too long ones share the last.
func bucket(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < histogramLinear {
		return int(v)
	}
	shift := bits.Len64(v) - histogramBits - 1
	return min(shift<<histogramBits+int(v>>shift), histogramBuckets-1)
}

// ceiling returns the longest duration of a bucket.
func ceiling(b int) time.Duration {
	if b < histogramLinear {
		return time.Duration(b)
	}
	shift := b>>histogramBits - 1
	return time.Duration(uint64(b&(1<<histogramBits-1)|1<<histogramBits)+1)<<shift - 1
}

// Record counts a duration.
func (h *Histogram) Record(d time.Duration) {
	h.buckets[bucket(d)]++
	h.count++
	h.sum += d
	h.most = max(h.most, d)
}

// Count returns how many durations were recorded.
func (h *Histogram) Count() uint64 { return h.count }

// Max returns the longest duration.
func (h *Histogram) Max() time.Duration { return h.most }

// Mean returns the average; 0 where nothing was recorded.
func (h *Histogram) Mean() time.Duration {
	if h.count == 0 {
		return 0
	}
	return h.sum / time.Duration(h.count)
}

// Quantile returns the duration that a share q of all did not exceed: 0.5 is
// the median. It is 0 where nothing was recorded.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := uint64(q*float64(h.count) + 0.5)
	rank = min(max(rank, 1), h.count)
	var seen uint64
	for b, n := range h.buckets {
		if seen += n; seen >= rank && n > 0 {
			return min(ceiling(b), h.most)
		}
	}
	return 0
}
