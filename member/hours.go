package member

import (
	"fmt"
	"strings"
	"time"
)

// Hours are the times of a week at which a plan lets in, on the wall clock of
// the site's zone. Build them with ParseHours; nil is always.
type Hours struct {
	text  string
	spans []span
}

// A span opens on each of its days at from and closes at to, both minutes
// after midnight, 0 to 1440. Where to <= from it closes on the next day.
type span struct {
	days     [7]bool
	from, to int
}

var weekdays = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

// ParseHours reads "Mon-Fri 08:00-20:00", or several such parts with commas
// between them: "Mon-Fri 08:00-20:00, Sat 10:00-14:00". Days may be left out
// (every day), and so may times (all day). 22:00-06:00 closes on the next day.
func ParseHours(s string) (*Hours, error) {
	h := &Hours{text: s}
	for part := range strings.SplitSeq(s, ",") {
		sp, err := parseSpan(part)
		if err != nil {
			return nil, fmt.Errorf("hours %q: %w; write them as \"Mon-Fri 08:00-20:00, Sat 10:00-14:00\"", s, err)
		}
		h.spans = append(h.spans, sp)
	}
	return h, nil
}

func parseSpan(part string) (span, error) {
	sp := span{to: 24 * 60}
	fields := strings.Fields(part)
	if len(fields) == 0 || len(fields) > 2 {
		return sp, fmt.Errorf("%q is not days and times", strings.TrimSpace(part))
	}
	if strings.Contains(fields[0], ":") {
		for i := range sp.days {
			sp.days[i] = true
		}
	} else {
		if err := parseDays(fields[0], &sp.days); err != nil {
			return sp, err
		}
		fields = fields[1:]
	}
	if len(fields) == 0 {
		return sp, nil
	}
	if len(fields) > 1 {
		return sp, fmt.Errorf("%q follows the times", fields[1])
	}
	from, to, ok := strings.Cut(fields[0], "-")
	if !ok {
		return sp, fmt.Errorf("%q is not a time-time", fields[0])
	}
	var err error
	if sp.from, err = parseMinute(from); err != nil {
		return sp, err
	}
	if sp.to, err = parseMinute(to); err != nil {
		return sp, err
	}
	if sp.from == 24*60 || sp.from == sp.to {
		return sp, fmt.Errorf("%q is no time at all", fields[0])
	}
	return sp, nil
}

func parseDays(s string, days *[7]bool) error {
	first, last, ranged := strings.Cut(s, "-")
	a, ok := weekdays[strings.ToLower(first)]
	if !ok {
		return fmt.Errorf("%q is no day of the week", first)
	}
	b := a
	if ranged {
		if b, ok = weekdays[strings.ToLower(last)]; !ok {
			return fmt.Errorf("%q is no day of the week", last)
		}
	}
	for d := a; ; d = (d + 1) % 7 {
		days[d] = true
		if d == b {
			return nil
		}
	}
}

func parseMinute(s string) (int, error) {
	if s == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%q is no time of day", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// String returns the hours as they were written.
func (h *Hours) String() string {
	if h == nil {
		return "always"
	}
	return h.text
}

// Open says whether now, in the site's zone, lies within the hours, and when
// they next end: the zero time where they never do.
func (h *Hours) Open(now time.Time) (until time.Time, open bool) {
	if h == nil || len(h.spans) == 0 {
		return time.Time{}, h == nil
	}
	end := now
	// Spans that touch or overlap make one: follow them for a week at the most.
	for range 7*len(h.spans) + 1 {
		next, ok := h.closes(end)
		if !ok {
			return end, open
		}
		open, end = true, next
		if end.Sub(now) >= 7*24*time.Hour {
			return time.Time{}, true
		}
	}
	return end, open
}

// closes returns the latest end of the spans that are open at t.
func (h *Hours) closes(t time.Time) (time.Time, bool) {
	var end time.Time
	for i := range h.spans {
		sp := &h.spans[i]
		for _, back := range [2]int{0, 1} {
			y, m, d := t.Date()
			midnight := time.Date(y, m, d-back, 0, 0, 0, 0, t.Location())
			if !sp.days[midnight.Weekday()] {
				continue
			}
			from, to := sp.bounds(y, m, d-back, t.Location())
			if !t.Before(from) && t.Before(to) && to.After(end) {
				end = to
			}
		}
	}
	return end, !end.IsZero()
}

// bounds returns when the span opens and closes if it opens on that day. The
// wall clock counts, so that a day on which the clocks change has its own length.
func (s *span) bounds(y int, m time.Month, d int, loc *time.Location) (from, to time.Time) {
	from = time.Date(y, m, d, 0, s.from, 0, 0, loc)
	if s.to <= s.from {
		d++
	}
	return from, time.Date(y, m, d, 0, s.to, 0, 0, loc)
}
