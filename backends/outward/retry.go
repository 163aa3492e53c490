package outward

import (
	"net/http"
	"strconv"
	"time"
)

// RetryAfter reads how long a response asks to wait: seconds or a date (RFC 9110
// §10.2.3), at most 12 days of the former; 0: it does not say.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil {
		return time.Duration(min(max(n, 0), 1<<20)) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
