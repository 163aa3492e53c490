package ledger

import (
	"context"
	"database/sql"
	"time"
)

// forgottenAtOnce is how many rows are deleted in one transaction: a few
// milliseconds, in which reports wait.
const forgottenAtOnce = 100

// Sweep closes the sessions of which nothing is heard any more: where Interims were
// due, after three of them (by what the NAS was told, or by the longest time
// between two where that is longer, but then at most 24 hours); where there
// never was one and none was asked for, 5 minutes after Session-Timeout, or 24
// hours after the last sign of life. A Stop that comes later still counts, and an
// Interim opens the session again. Call it every minute or so.
func (l *Ledger) Sweep(ctx context.Context, now time.Time) (closed int, err error) {
	l.used.forget(dateOf(now.UTC()))
	silent := []int64{}
	for _, st := range l.memory.all() {
		if !now.Before(st.silentAt()) {
			silent = append(silent, st.id.head)
		}
	}
	for len(silent) > 0 {
		some := silent[:min(len(silent), forgottenAtOnce)]
		silent = silent[len(some):]
		n := 0
		err := l.do(ctx, "close silent sessions", task{other: func(b *batch) (err error) {
			n, err = b.silence(some, now)
			return err
		}})
		if err != nil {
			return closed, err
		}
		closed += n
	}
	return closed, nil
}

// silence closes those sessions that are still silent.
func (b *batch) silence(heads []int64, now time.Time) (n int, err error) {
	for _, head := range heads {
		st := b.w.l.memory.findID(head)
		if st == nil {
			continue
		}
		if newer := b.now[keyOf(&st.Session.Session)]; newer != nil {
			st = newer
		}
		if !st.Open() || now.Before(st.silentAt()) {
			continue
		}
		if err := b.update(st, st.closed(Silent, st.lastSign()), now); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

const (
	forgetQuery = `DELETE FROM session WHERE id IN (SELECT id FROM session INDEXED BY session_started
		WHERE ended_at IS NOT NULL AND started_at < ?1 AND ended_at < ?1 ORDER BY started_at LIMIT 100)`
	forgetAttemptsQuery = `DELETE FROM attempt WHERE id IN (SELECT id FROM attempt INDEXED BY attempt_at WHERE at < ? ORDER BY at LIMIT 100)`
	forgetDaysQuery     = `DELETE FROM usage WHERE (day, folded, backend, plan) IN
		(SELECT day, folded, backend, plan FROM usage WHERE day < ? ORDER BY day LIMIT 100)`
)

// Forget forgets the sessions that ended before that time, and what was attempted
// on them, and returns how many sessions went. It deletes few at a time, so that
// Record never waits long for it. What was used stays: ForgetUsage.
func (l *Ledger) Forget(ctx context.Context, before time.Time) (n int, err error) {
	const doing = "forget sessions"
	n, err = l.forget(ctx, doing, func(b *batch) (int, error) { return b.delete(b.w.stmt.forget, before.UnixMilli()) })
	if err != nil {
		return n, err
	}
	_, err = l.forget(ctx, doing, func(b *batch) (int, error) { return b.delete(b.w.stmt.forgetAttempts, before.UnixMilli()) })
	return n, err
}

// forget deletes until there is nothing left to delete.
func (l *Ledger) forget(ctx context.Context, doing string, some func(*batch) (int, error)) (n int, err error) {
	for {
		gone := 0
		err := l.do(ctx, doing, task{other: func(b *batch) (err error) {
			gone, err = some(b)
			return err
		}})
		if n += gone; err != nil || gone < forgottenAtOnce {
			return n, err
		}
	}
}

func (b *batch) delete(stmt *sql.Stmt, before any) (int, error) {
	result, err := stmt.ExecContext(b.w.ctx, before)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}
