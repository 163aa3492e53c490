package ledger

import (
	"context"
	"slices"
	"sync"
	"time"

	"memberradius/member"
)

// Used is what a login has used in a time.
type Used struct {
	// Octets are both directions together.
	Octets uint64
	Time   time.Duration
}

// A date is a day of some zone, as days since 1970-01-01.
type date int32

// dateOf is the day of t in its zone.
func dateOf(t time.Time) date {
	y, m, d := t.Date()
	return date(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// dayForm is how a day is written everywhere.
const dayForm = time.DateOnly

func (d date) String() string { return time.Unix(int64(d)*86400, 0).UTC().Format(dayForm) }

func parseDate(s string) (date, error) {
	t, err := time.Parse(dayForm, s)
	return dateOf(t), err
}

// usedDays is for how long days stay in memory: the longest month and the week
// that began before it, and a day for zones.
const usedDays = 31 + 6 + 1

// A dayUse is what a login used on a day.
type dayUse struct {
	day    date
	octets uint64
	time   time.Duration
}

// used holds what each login (folded) used on the last days, by day ascending.
type used struct {
	mu sync.RWMutex
	of map[string][]dayUse
	// tidied is the day of the last forget.
	tidied date
}

// add counts a growth.
func (u *used) add(folded string, day date, g growth) {
	u.mu.Lock()
	defer u.mu.Unlock()
	days := u.of[folded]
	i, there := slices.BinarySearchFunc(days, day, func(d dayUse, day date) int { return int(d.day) - int(day) })
	if !there {
		days = slices.Insert(days, i, dayUse{day: day})
		u.of[folded] = days
	}
	days[i].octets += g.input + g.output
	days[i].time += g.duration
}

// forget drops the days that no quota reaches back to, once a day: logins wait for it.
func (u *used) forget(today date) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.tidied == today {
		return
	}
	u.tidied = today
	for folded, days := range u.of {
		days = slices.DeleteFunc(days, func(d dayUse) bool { return d.day < today-usedDays })
		if len(days) == 0 {
			delete(u.of, folded)
			continue
		}
		u.of[folded] = days
	}
}

// zone is where a site keeps its days.
func (l *Ledger) zone(site string) *time.Location {
	if l.config.Zone != nil {
		if z := l.config.Zone(site); z != nil {
			return z
		}
	}
	return time.Local
}

// Used returns what a login has used in the day, the week (from Monday) and the
// month of now in the site's zone, at all sites and by all plans together. It is
// read from memory, allocates nothing for logins of ASCII, and is as new as the last
// report.
func (l *Ledger) Used(login, site string, now time.Time) (day, week, month Used) {
	now = now.In(l.zone(site))
	today := dateOf(now)
	monday := today - date((now.Weekday()+6)%7)
	first := today - date(now.Day()-1)
	next := dateOf(time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC))
	var room [3 * member.MaxLogin]byte
	folded := member.Fold(room[:0], login)
	l.used.mu.RLock()
	defer l.used.mu.RUnlock()
	for _, d := range l.used.of[string(folded)] {
		if d.day == today {
			day.add(d)
		}
		if d.day >= monday && d.day < monday+7 {
			week.add(d)
		}
		if d.day >= first && d.day < next {
			month.add(d)
		}
	}
	return day, week, month
}

func (u *Used) add(d dayUse) {
	u.Octets += d.octets
	u.Time += d.time
}

// loadUsed reads the last days' usage.
func (l *Ledger) loadUsed(ctx context.Context) error {
	since := dateOf(l.now()) - usedDays
	rows, err := l.read.QueryContext(ctx, `SELECT day, folded, input, output, duration FROM usage WHERE day >= ? ORDER BY day`, since.String())
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var day, folded string
		var input, output, duration int64
		if err := rows.Scan(&day, &folded, &input, &output, &duration); err != nil {
			return err
		}
		d, err := parseDate(day)
		if err != nil {
			return err
		}
		l.used.add(folded, d, growth{input: uint64(input), output: uint64(output), duration: milliseconds(duration)})
	}
	return rows.Err()
}
