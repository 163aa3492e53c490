package member

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Period is what a Quota is for. They are the calendar's, in the site's zone.
// The zero value is none.
type Period uint8

const (
	// Day lasts from midnight to midnight.
	Day Period = iota + 1
	// Week begins on Monday (ISO 8601).
	Week
	// Month begins on the 1st.
	Month
)

var periodWords = [...]string{Day: "day", Week: "week", Month: "month"}

// String returns the period as a quota spells it.
func (p Period) String() string {
	if p >= Day && p <= Month {
		return periodWords[p]
	}
	return "unknown"
}

// Bounds returns when the period that t lies in begins and when it ends, on the
// wall clock of t's zone; zero times where p is none.
func (p Period) Bounds(t time.Time) (from, until time.Time) {
	y, m, d := t.Date()
	date := func(m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, t.Location()) }
	switch p {
	case Day:
		return date(m, d), date(m, d+1)
	case Week:
		monday := d - (int(t.Weekday())+6)%7
		return date(m, monday), date(m, monday+7)
	case Month:
		return date(m, 1), date(m+1, 1)
	}
	return from, until
}

// A Quota is how much there is in each Period: Octets, both directions
// together, or Time online, all devices together. The other one is 0.
type Quota struct {
	Per    Period
	Octets uint64
	Time   time.Duration
}

// sizes are the units of data, powers of 1000. Mega is a capital letter: "10m" is ten minutes.
var sizes = []struct {
	unit   string
	octets uint64
}{
	{"T", 1e12}, {"G", 1e9}, {"M", 1e6}, {"k", 1e3}, {"", 1},
}

// ParseQuota reads "10G/day", "50GB/month" or "2h30m/week": whole octets with a
// unit (B, k, M, G, T, or kB to TB; powers of 1000), or a time as Go writes it,
// and the period.
func ParseQuota(s string) (Quota, error) {
	amount, per, _ := strings.Cut(s, "/")
	q := Quota{}
	for p := Day; p <= Month; p++ {
		if per == p.String() {
			q.Per = p
		}
	}
	bad := func(why string) (Quota, error) {
		return Quota{}, fmt.Errorf("quota %q: %s; write it as 10G/day, 50GB/month or 2h/week", s, why)
	}
	if q.Per == 0 {
		return bad("it is per day, per week or per month")
	}
	if t, err := time.ParseDuration(amount); err == nil && amount != "0" {
		if t < time.Second {
			return bad("a second is the least")
		}
		q.Time = t
		return q, nil
	}
	n, unit, ok := parseSize(amount)
	switch {
	case !ok:
		return bad("an amount of data with its unit, or a time is needed")
	case n == 0:
		return bad("nothing at all is no quota: disable the member, or leave the plan out")
	case n > math.MaxUint64/unit:
		return bad("that is more than can be counted")
	}
	q.Octets = n * unit
	return q, nil
}

// parseSize reads digits and a unit of data.
func parseSize(s string) (n, unit uint64, ok bool) {
	for _, size := range sizes {
		digits, found := strings.CutSuffix(s, size.unit+"B")
		if !found && size.unit != "" {
			digits, found = strings.CutSuffix(s, size.unit)
		}
		if !found {
			continue
		}
		// ParseUint takes no sign and, in base 10, no underscore.
		n, err := strconv.ParseUint(digits, 10, 64)
		return n, size.octets, err == nil
	}
	return 0, 0, false
}

// String returns the quota as ParseQuota reads it, in the largest unit that
// leaves a whole number.
func (q Quota) String() string {
	if q.Time != 0 {
		return q.Time.String() + "/" + q.Per.String()
	}
	for _, size := range sizes {
		if size.octets == 1 || q.Octets != 0 && q.Octets%size.octets == 0 {
			return strconv.FormatUint(q.Octets/size.octets, 10) + size.unit + "B/" + q.Per.String()
		}
	}
	return ""
}
