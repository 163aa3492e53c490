package ledger

import (
	"context"
	"fmt"
	"time"

	"memberradius/member"
)

// RecordTogether records reports in one commit, in their order. They wait while a
// transaction is in work that ends with this error.
func (l *Ledger) RecordTogether(ctx context.Context, before error, reports ...*member.Session) []error {
	held, hold := make(chan struct{}), make(chan struct{})
	go func() {
		_ = l.do(ctx, "hold the writer up", task{other: func(*batch) error {
			close(held)
			<-hold
			return before
		}})
	}()
	<-held
	tasks := make([]*task, len(reports))
	for i, r := range reports {
		if err := l.legible(r); err != nil {
			return []error{err}
		}
		tasks[i] = &task{ctx: ctx, report: r, done: make(chan error, 1)}
		l.queue <- tasks[i]
	}
	close(hold)
	errs := make([]error, len(tasks))
	for i, t := range tasks {
		errs[i] = <-t.done
	}
	return errs
}

// Impatient lets the writer wait for another's lock for so long only.
func (l *Ledger) Impatient(ctx context.Context, d time.Duration) error {
	return l.do(ctx, "wait less", task{other: func(b *batch) error {
		_, err := b.w.conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA busy_timeout = %d`, d.Milliseconds()))
		return err
	}})
}
