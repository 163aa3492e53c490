package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store/ledger"
)

// another opens the database as another process would.
func another(t *testing.T, l *ledger.Ledger) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+l.Path()+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestLocked: while another process writes, reports wait, and are written when it
// ends. Where it does not, they fail, and with them who waits behind them; memory
// stays as the file is, and the next one tries anew.
func TestLocked(t *testing.T) {
	t.Parallel()
	told := 0
	l, _ := open(t, t.TempDir(), func(ledger.Change) { told++ })
	record(t, l, says(member.Start, 0))
	tx, err := another(t, l).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- l.Record(context.Background(), says(member.Interim, time.Minute, input(5))) }()
	for l.Stats().Waiting > 0 { // until the writer has it
		select {
		case err := <-done:
			t.Fatalf("recorded against a lock: %v", err)
		default:
		}
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := l.Impatient(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if tx, err = another(t, l).BeginTx(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*member.Session{says(member.Stop, time.Hour, input(9)), says(member.Start, 0, called("new")), says(member.NASOn, time.Hour)} {
		if err := l.Record(t.Context(), s); err == nil || !strings.Contains(err.Error(), "another process") {
			t.Errorf("%v against a lock: %v", s.Event, err)
		}
	}
	if err := l.Fault(); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("Fault = %v against a lock", err)
	}
	if s := l.OnlineOf("ann@example.com"); len(s) != 1 || s[0].Input != 5 || l.Count() != 1 || told != 2 {
		t.Errorf("memory has %+v, told %d", s, told)
	}
	if day, _, _ := l.Used("ann@example.com", "berlin", noon()); day.Octets != 5 {
		t.Errorf("%d octets were used", day.Octets)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	record(t, l, says(member.Stop, time.Hour, input(9)))
	if s := only(t, l); s.Open() || s.Input != 9 || l.Fault() != nil {
		t.Errorf("after the lock %+v, %v", s, l.Fault())
	}
	if st := l.Stats(); st.Failed != 3 || st.Reports != 3 {
		t.Errorf("stats are %+v", st)
	}
}

// TestFailTogether: when the database does not take a transaction, who waits behind
// it is told so too, and need not find out one after the other.
func TestFailTogether(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	broken := errors.New("broken")
	for _, err := range l.RecordTogether(t.Context(), broken, says(member.Start, 0), says(member.Start, 0, called("another"))) {
		if !errors.Is(err, broken) {
			t.Errorf("told %v", err)
		}
	}
	if n := l.Stats().Failed; n != 3 || l.Count() != 0 {
		t.Errorf("%d failed, %d are open", n, l.Count())
	}
}

// TestBusy: the queue has a bound.
func TestBusy(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	if err := l.Impatient(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	tx, err := another(t, l).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	const most = 8192 + 512 + 1 // the queue, and a batch
	errs := make(chan error, most+1)
	for range most + 1 {
		go func() { errs <- l.Record(context.Background(), says(member.Start, 0)) }()
	}
	if err := <-errs; !errors.Is(err, ledger.ErrBusy) {
		t.Errorf("the first answer is %v", err)
	}
	if l.Stats().Refused == 0 {
		t.Error("nothing was counted")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for range most {
		if err := <-errs; err != nil && !errors.Is(err, ledger.ErrBusy) {
			t.Fatal(err)
		}
	}
	if n := len(all(t, l)); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// smallDisk is how many octets the disk of TestFullDisk has.
const smallDisk = 3 << 20

// TestFullDisk (fault F7): on a full disk nothing is acknowledged, what was is kept,
// and when there is room again it goes on. The disk is a small tmpfs in a mount
// namespace of a process of its own.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-role", "fill", "-folder", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || strings.Contains(string(out), "no mount"):
		t.Skipf("a tmpfs can't be mounted here, which takes root or user namespaces: %v %s", err, out)
	case err != nil:
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
}

// fillDisk is TestFullDisk on its disk.
func fillDisk(dir string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("no mount: %w", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", smallDisk)); err != nil {
		return fmt.Errorf("no mount: %w", err)
	}
	l, err := ledger.Open(context.Background(), ledger.Config{Dir: dir, Zone: utc, Wait: time.Nanosecond})
	if err != nil {
		return err
	}
	// What the server itself writes fills the disk, up to the last octet.
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, smallDisk/2), 0o600); err != nil {
		return err
	}
	acked := 0
	for ; acked < 100_000; acked++ {
		if err = l.Record(context.Background(), visit(acked, member.Start, noon())); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "is full: free some space") {
		return fmt.Errorf("after %d reports: %w", acked, err)
	}
	if l.Count() != acked {
		return fmt.Errorf("%d sessions are open in memory, %d were acknowledged", l.Count(), acked)
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	for i := range 10 { // the one that failed is among them
		if err := l.Record(context.Background(), visit(acked+i, member.Start, noon())); err != nil {
			return fmt.Errorf("with room again: %w", err)
		}
	}
	if err := l.Close(); err != nil {
		return err
	}
	if l, err = ledger.Open(context.Background(), ledger.Config{Dir: dir, Zone: utc}); err != nil {
		return err
	}
	if l.Count() != acked+10 {
		return fmt.Errorf("%d sessions are open after a restart, %d were acknowledged", l.Count(), acked+10)
	}
	fmt.Printf("the disk was full after %d reports, and %d are kept\n", acked, l.Count())
	return l.Close()
}

// TestRowTakenAway: an open session that somebody deletes by hand comes back with its
// next report, and does not keep others from being written.
func TestRowTakenAway(t *testing.T) {
	t.Parallel()
	l, _ := open(t, t.TempDir(), nil)
	record(t, l, says(member.Start, 0), says(member.Interim, time.Minute, input(5)))
	before := only(t, l).ID
	if _, err := another(t, l).ExecContext(t.Context(), `DELETE FROM session`); err != nil {
		t.Fatal(err)
	}
	record(t, l, says(member.Stop, time.Hour, input(9)))
	if s := only(t, l); s.ID != before || s.Input != 9 || s.Open() {
		t.Errorf("the session is %+v", s)
	}
}

// TestWrittenByAnother: a session that another process has recorded is not made
// twice: this is what a start of the new server before the end of the old one does.
func TestWrittenByAnother(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, _ := open(t, dir, nil)
	old, _ := open(t, dir, nil)
	record(t, old, says(member.Start, 0), says(member.Interim, time.Minute, input(5)))
	record(t, l, says(member.Interim, 2*time.Minute, input(7)))
	if s := only(t, l); s.Input != 7 || l.Count() != 1 {
		t.Errorf("the session is %+v", s)
	}
	if u, err := l.Usage(t.Context(), ledger.UsageQuery{}); err != nil || len(u) != 1 || u[0].Input != 7 {
		t.Errorf("usage is %+v, %v", u, err)
	}
}
