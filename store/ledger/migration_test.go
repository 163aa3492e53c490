package ledger

import (
	"io/fs"
	"testing"

	"github.com/pressly/goose/v3"
)

// TestMigrate goes down to nothing and up again.
func TestMigrate(t *testing.T) {
	t.Parallel()
	l, err := Open(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	files, err := fs.Sub(migrations, "migration")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, l.read, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	var tables int
	if err := l.read.QueryRowContext(t.Context(), `SELECT count(*) FROM sqlite_master WHERE name IN ('session', 'usage', 'attempt')`).Scan(&tables); err != nil || tables != 3 {
		t.Errorf("%d tables, %v", tables, err)
	}
}
