package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// newLogger logs to w, never in colours: those come without the quotation
// marks and escapes that keep a User-Name from writing lines of its own.
func newLogger(w io.Writer, c logConfig) *logrus.Logger {
	l := logrus.New()
	l.SetOutput(w)
	l.SetLevel(c.Level)
	l.SetFormatter(formatter(c.Format))
	return l
}

// timestamp has milliseconds: packets are compared by them.
const timestamp = "2006-01-02T15:04:05.000Z07:00"

func formatter(format string) logrus.Formatter {
	if format == "json" {
		return &logrus.JSONFormatter{TimestampFormat: timestamp}
	}
	return &logrus.TextFormatter{DisableColors: true, FullTimestamp: true, TimestampFormat: timestamp}
}

// debugWriter logs each line that is written to it: what net/http has to say
// of clients that break off.
type debugWriter struct{ log *logrus.Logger }

// Write implements io.Writer.
func (w debugWriter) Write(line []byte) (int, error) {
	w.log.Debug(strings.TrimSpace(string(line)))
	return len(line), nil
}

// forbidCoreDumps keeps passwords and secrets in memory from being written to
// a file when the process dies.
func forbidCoreDumps() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("core dumps can't be switched off: %w", err)
	}
	// A core_pattern that is a pipe does not ask for the limit.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("core dumps can't be switched off: %w", err)
	}
	return nil
}

// makeData makes the data directory, for this user alone.
func makeData(dir string, log logrus.FieldLogger) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data directory %s can't be made: %w; make it yourself, or name another with data = \"...\" below [server]", dir, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("data directory %s is no directory; name another with data = \"...\" below [server]", dir)
	}
	if info.Mode().Perm()&0o077 != 0 {
		log.WithField("remedy", "chmod 700 "+dir).Warn("others on this machine may look into the data directory")
	}
	return nil
}

// identityFile keys the identities that members have towards NASes (RFC 4372).
// It outlives restarts, so that a member stays the same to accounting.
const identityFile = "identity.key"

// identityKey returns the key, and makes it on first start.
func identityKey(data string) ([]byte, error) {
	path := filepath.Join(data, identityFile)
	key, err := os.ReadFile(path)
	if err == nil && len(key) != 32 {
		return nil, fmt.Errorf("%s holds %d octets, and 32 are needed: remove it, and a new one is made", path, len(key))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("random octets: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return nil, fmt.Errorf("identity key: %w", err)
	}
	_, err = f.Write(key)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("identity key: %w", err)
	}
	return key, nil
}
