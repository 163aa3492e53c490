package ledger

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"runtime"
	"time"

	"memberradius/member"
)

// A task is what waits for the writer: a report, or other work on the tables.
type task struct {
	ctx    context.Context
	report *member.Session
	other  func(*batch) error
	done   chan error
}

// do hands t to the writer and waits until it is on the disk, or ctx has ended.
func (l *Ledger) do(ctx context.Context, doing string, t task) error {
	t.ctx, t.done = ctx, make(chan error, 1)
	if err := l.send(&t); err != nil {
		return l.explain(doing, err)
	}
	select {
	case err := <-t.done:
		return l.explain(doing, err)
	case <-ctx.Done():
		return l.explain(doing, ctx.Err())
	}
}

func (l *Ledger) send(t *task) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return errClosed
	}
	select {
	case l.queue <- t:
		return nil
	default:
		l.stats.refused.Add(1)
		return ErrBusy
	}
}

// A writer is the one goroutine that writes. SQLite has one writer at a time, so
// more of them would only wait for each other, and a commit costs the same for
// one report as for hundreds.
type writer struct {
	l    *Ledger
	ctx  context.Context // the writer's own, without an end: half of a transaction helps nobody
	conn *sql.Conn
	last id
	stmt statements
	// prepared are they all, to be closed.
	prepared []io.Closer
	args     []any
}

// statements are prepared once.
type statements struct {
	insert                             *fast
	updateCounts, updateEnd, update    *fast
	begin, commit, rollback            *sql.Stmt
	find, use, attempt                 *sql.Stmt
	forget, forgetAttempts, forgetDays *sql.Stmt
}

func newWriter(ctx context.Context, l *Ledger, last id) (*writer, error) {
	w := &writer{l: l, ctx: context.WithoutCancel(ctx), last: last}
	var err error
	if w.conn, err = l.write.Conn(ctx); err != nil {
		return nil, err
	}
	for _, setting := range []string{
		// A batch changes up to a thousand pages; what has no room is written twice.
		`PRAGMA cache_size = -16384`,
		// 16 MB, four times the default: a page that many batches change is brought
		// into the file once for all of them.
		`PRAGMA wal_autocheckpoint = 4096`,
	} {
		if _, err := w.conn.ExecContext(ctx, setting); err != nil {
			return nil, errors.Join(err, w.conn.Close())
		}
	}
	if err := w.prepare(ctx); err != nil {
		return nil, errors.Join(err, w.conn.Close())
	}
	return w, nil
}

func (w *writer) prepare(ctx context.Context) (err error) {
	s := &w.stmt
	for _, p := range []struct {
		to    **fast
		query string
	}{
		{&s.insert, `INSERT INTO session (` + columns + `) VALUES (` + holes(columns) + `)
			ON CONFLICT (client, nas, acct_id, login_sent, reuse) DO NOTHING`},
		{&s.updateCounts, `UPDATE session SET ` + settings(countColumns) + ` WHERE id = ?`},
		{&s.updateEnd, `UPDATE session SET ` + settings(countColumns+", "+endColumns) + ` WHERE id = ?`},
		{&s.update, `UPDATE session SET ` + settings(countColumns+", "+endColumns+", "+restColumns) + ` WHERE id = ?`},
	} {
		if *p.to, err = prepareFast(w.conn, p.query); err != nil {
			return err
		}
		w.prepared = append(w.prepared, *p.to)
	}
	for _, p := range []struct {
		to    **sql.Stmt
		query string
	}{
		{&s.begin, `BEGIN IMMEDIATE`}, {&s.commit, `COMMIT`}, {&s.rollback, `ROLLBACK`},
		{&s.find, `SELECT ` + columns + ` FROM session WHERE client = ? AND nas = ? AND acct_id = ? AND login_sent = ? AND reuse <= ?
			ORDER BY reuse DESC LIMIT 1`},
		{&s.use, useQuery}, {&s.attempt, attemptQuery},
		{&s.forget, forgetQuery}, {&s.forgetAttempts, forgetAttemptsQuery}, {&s.forgetDays, forgetDaysQuery},
	} {
		if *p.to, err = w.conn.PrepareContext(ctx, p.query); err != nil { //nolint:sqlclosecheck // run closes it with its connection
			return err
		}
		w.prepared = append(w.prepared, *p.to)
	}
	return nil
}

// run writes until the queue is closed and empty.
func (w *writer) run() {
	defer close(w.l.ended)
	defer w.close()
	for first := range w.l.queue {
		w.write(w.gather(first))
	}
}

// close closes every statement too: with one open SQLite does not bring the log
// into the database file when its last connection goes, and who copies the file
// of a server that has stopped would copy an empty ledger.
func (w *writer) close() {
	for _, st := range w.prepared {
		_ = st.Close()
	}
	_ = w.conn.Close()
}

// gather returns the reports that share the next commit: what waits already, and
// what comes within the Wait, as long as more is coming whenever others have run.
// It sleeps by no timer: with one processor those are late by tens of
// milliseconds while memory is collected. What comes during a commit is the next one's.
func (w *writer) gather(first *task) []*task {
	batch, until := w.l.config.Batch, time.Now().Add(w.l.config.Wait)
	tasks := append(make([]*task, 0, batch), first)
	for seen := 0; len(tasks) < batch; {
		select {
		case t, ok := <-w.l.queue:
			if !ok {
				return tasks
			}
			tasks = append(tasks, t)
			continue
		default:
		}
		if len(tasks) == seen || !time.Now().Before(until) {
			return tasks
		}
		seen = len(tasks)
		runtime.Gosched()
	}
	return tasks
}

// write puts tasks into one transaction, and tells each how it went. A
// transaction that fails leaves memory as it was.
func (w *writer) write(tasks []*task) {
	live := tasks[:0]
	for _, t := range tasks {
		if err := t.ctx.Err(); err != nil { // its NAS is not waiting any more
			t.done <- err
			continue
		}
		live = append(live, t)
	}
	if len(live) == 0 {
		return
	}
	b := &batch{w: w, now: map[key]*state{}, used: map[usageKey]*use{}}
	if err := w.transact(b, live); err != nil {
		w.l.fault.Store(&err)
		w.fail(live, err)
		return
	}
	w.l.fault.Store(nil)
	w.l.stats.commits.Add(1)
	w.l.publish(b)
	for _, t := range live {
		if t.report != nil {
			w.l.stats.reports.Add(1)
		}
		t.done <- nil
	}
}

func (w *writer) transact(b *batch, tasks []*task) (err error) {
	if _, err := w.stmt.begin.ExecContext(w.ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = w.stmt.rollback.ExecContext(w.ctx) // SQLite may have done it already
		}
	}()
	for _, t := range tasks {
		do := t.other
		if do == nil {
			do = func(b *batch) error { return b.report(t.report) }
		}
		if err := do(b); err != nil {
			return err
		}
	}
	if err := b.writeUsed(); err != nil {
		return err
	}
	_, err = w.stmt.commit.ExecContext(w.ctx)
	return err
}

// fail tells tasks that the database would not take them, and whoever waits
// behind them: they would wait as long for the same.
func (w *writer) fail(tasks []*task, err error) {
	for n := len(w.l.queue); n > 0; n-- {
		if t, ok := <-w.l.queue; ok {
			tasks = append(tasks, t)
		}
	}
	for _, t := range tasks {
		w.l.stats.failed.Add(1)
		t.done <- err
	}
}

// publish takes what was written into memory and tells of it.
func (l *Ledger) publish(b *batch) {
	for _, c := range b.steps {
		l.memory.put(c.state)
	}
	for k, g := range b.used {
		l.used.add(k.folded, k.day, g.growth)
	}
	if l.config.Changed == nil {
		return
	}
	for _, c := range b.steps {
		l.config.Changed(Change{Kind: c.kind, Session: &c.state.Session})
	}
}
