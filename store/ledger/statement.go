package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// A fast is a statement that is run for each report. Package database/sql makes a
// slice of 2 KB of the arguments each time, a quarter of all garbage of a report: so
// the driver is called here, under the connection's own lock.
type fast struct {
	conn  *sql.Conn
	stmt  driver.Stmt
	exec  driver.StmtExecContext
	named []driver.NamedValue
}

// prepareFast prepares a statement of conn, which outlives it.
func prepareFast(conn *sql.Conn, query string) (*fast, error) {
	f := &fast{conn: conn}
	err := conn.Raw(func(raw any) (err error) {
		if f.stmt, err = raw.(driver.Conn).Prepare(query); err != nil {
			return err
		}
		var ok bool
		if f.exec, ok = f.stmt.(driver.StmtExecContext); !ok {
			return errors.Join(errors.New("the driver runs no statements with a context"), f.stmt.Close())
		}
		return nil
	})
	return f, err
}

// run runs the statement and returns how many rows it has changed. The arguments
// are of the driver's own types: int64, string, nil.
func (f *fast) run(ctx context.Context, args []any) (n int64, err error) {
	f.named = f.named[:0]
	for i, a := range args {
		f.named = append(f.named, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	err = f.conn.Raw(func(any) error {
		result, err := f.exec.ExecContext(ctx, f.named)
		if err == nil {
			n, err = result.RowsAffected()
		}
		return err
	})
	return n, err
}

// Close implements io.Closer.
func (f *fast) Close() error {
	return f.conn.Raw(func(any) error { return f.stmt.Close() })
}
