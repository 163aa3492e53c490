package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"memberradius/member"
)

// A usageKey is a row of usage.
type usageKey struct {
	day                   date
	folded, backend, plan string
}

// A use is what a transaction adds to a row of usage.
type use struct {
	growth
	login string
}

// use counts what a report of that time adds to what the session's login has used.
func (b *batch) use(st *state, g growth, at time.Time) {
	if g == (growth{}) {
		return
	}
	k := usageKey{dateOf(at.In(b.w.l.zone(st.Site))), member.FoldString(st.Login), st.Backend, st.Plan}
	u := b.used[k]
	if u == nil {
		u = &use{}
		b.used[k] = u
	}
	u.login = st.Login
	u.input += g.input
	u.output += g.output
	u.duration += g.duration
	u.sessions += g.sessions
}

// Sums stop at the largest integer: beyond it SQLite would go on in floating point.
const useQuery = `INSERT INTO usage (day, folded, backend, plan, login, input, output, duration, sessions) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (day, folded, backend, plan) DO UPDATE SET login = excluded.login,
		input = min(usage.input + excluded.input, 9223372036854775807), output = min(usage.output + excluded.output, 9223372036854775807),
		duration = usage.duration + excluded.duration, sessions = usage.sessions + excluded.sessions`

// writeUsed writes what the transaction's reports have used.
func (b *batch) writeUsed() error {
	for k, u := range b.used {
		_, err := b.w.stmt.use.ExecContext(b.w.ctx, k.day.String(), k.folded, k.backend, k.plan, u.login,
			int64(min(u.input, maxCounter)), int64(min(u.output, maxCounter)), u.duration.Milliseconds(), u.sessions)
		if err != nil {
			return err
		}
	}
	return nil
}

// Usage is what a login used by one plan on one day.
type Usage struct {
	// Login is as it was last spelled; Backend and Plan are those of its sessions.
	Login, Backend, Plan string
	// Day is the day in the site's zone on which the reports were made: "2006-01-02".
	Day string
	// Input is octets from the devices, Output to them.
	Input, Output uint64
	// Duration is that of all sessions together.
	Duration time.Duration
	// Sessions is how many of them were first used on that day. One that never moved an
	// octet and lasted no second is none.
	Sessions int
}

// Cursor names u for UsageQuery.After.
func (u *Usage) Cursor() string {
	return strings.Join([]string{u.Day, member.FoldString(u.Login), u.Backend, u.Plan}, "\x1f")
}

// A UsageQuery says which usage. What is empty is not looked at.
type UsageQuery struct {
	// Login is compared folded.
	Login, Plan string
	// From and Until are the first day and the last: "2006-01-02".
	From, Until string
	// Most is how many rows at most: 1 to 1000, and 100 where it is 0.
	Most int
	// After is the Cursor of the last row of the page before.
	After string
}

// Usage returns what was used, the newest days first, and within a day by login.
// Where it returns Most rows there may be more.
func (l *Ledger) Usage(ctx context.Context, q UsageQuery) ([]Usage, error) {
	const doing = "read the usage"
	query, args, err := q.statement()
	if err != nil {
		return nil, fmt.Errorf("ledger: %s: %w", doing, err)
	}
	rows, err := l.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, l.explain(doing, err)
	}
	defer func() { _ = rows.Close() }()
	var all []Usage
	for rows.Next() {
		var u Usage
		var input, output, duration int64
		if err := rows.Scan(&u.Day, &u.Login, &u.Backend, &u.Plan, &input, &output, &duration, &u.Sessions); err != nil {
			return nil, l.explain(doing, err)
		}
		u.Input, u.Output, u.Duration = uint64(input), uint64(output), milliseconds(duration)
		all = append(all, u)
	}
	return all, l.explain(doing, rows.Err())
}

// statement returns the query in SQL, and its arguments.
func (q *UsageQuery) statement() (query string, args []any, err error) {
	most, err := page(q.Most)
	if err != nil {
		return "", nil, err
	}
	var c conditions
	for _, bound := range []struct{ condition, day string }{{"day >= ?", q.From}, {"day <= ?", q.Until}} {
		if bound.day == "" {
			continue
		}
		if _, err := parseDate(bound.day); err != nil {
			return "", nil, fmt.Errorf("day %q: write it as 2006-01-02", bound.day)
		}
		c.add(bound.condition, bound.day)
	}
	if q.Login != "" {
		c.add("folded = ?", member.FoldString(q.Login))
	}
	if q.Plan != "" {
		c.add("plan = ?", q.Plan)
	}
	if q.After != "" {
		last := strings.Split(q.After, "\x1f")
		if len(last) != 4 {
			return "", nil, errors.New("the cursor is not one that a row of usage gave")
		}
		c.add("day <= ?", last[0])
		c.add("(day < ? OR (folded, backend, plan) > (?, ?, ?))", last[0], last[1], last[2], last[3])
	}
	return `SELECT day, login, backend, plan, input, output, duration, sessions FROM usage` + c.String() +
		` ORDER BY day DESC, folded, backend, plan LIMIT ?`, append(c.args, most), nil
}

// ForgetUsage forgets the usage of the days before that one ("2006-01-02"), and
// returns how many rows went. What a quota of this month goes by must stay: keep
// 38 days at the least.
func (l *Ledger) ForgetUsage(ctx context.Context, before string) (n int, err error) {
	const doing = "forget usage"
	if _, err := parseDate(before); err != nil {
		return 0, fmt.Errorf("ledger: %s: day %q: write it as 2006-01-02", doing, before)
	}
	return l.forget(ctx, doing, func(b *batch) (int, error) { return b.delete(b.w.stmt.forgetDays, before) })
}
