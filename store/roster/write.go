package roster

import (
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"memberradius/store"
)

// A Writer writes members as Read reads them. Fields that a spreadsheet would
// run as a formula get an apostrophe in front, which Read takes away again;
// secrets are written as they are, so open a file with secrets in no spreadsheet.
type Writer struct {
	csv     *csv.Writer
	secrets bool
	record  []string
}

// NewWriter returns a Writer that has written the header to w. With secrets it
// writes the columns password, nt_hash and password_hash too.
func NewWriter(w io.Writer, secrets bool) (*Writer, error) {
	out := &Writer{csv: csv.NewWriter(w), secrets: secrets}
	for _, c := range columns {
		if secrets || !c.secret {
			out.record = append(out.record, c.name)
		}
	}
	return out, out.write()
}

// Write writes one member. What is written may stay in memory until Flush.
func (w *Writer) Write(e *store.Entry) error {
	w.record = w.record[:0]
	for _, c := range columns {
		switch {
		case !c.secret:
			w.record = append(w.record, guard(text(c.name, e)))
		case w.secrets:
			w.record = append(w.record, secret(c.name, e))
		}
	}
	return w.write()
}

func (w *Writer) write() error {
	if err := w.csv.Write(w.record); err != nil {
		return fmt.Errorf("roster: %w", err)
	}
	return nil
}

// Flush writes what is still in memory.
func (w *Writer) Flush() error {
	w.csv.Flush()
	if err := w.csv.Error(); err != nil {
		return fmt.Errorf("roster: %w", err)
	}
	return nil
}

func text(column string, e *store.Entry) string {
	m := &e.Member
	switch column {
	case "login":
		return m.Login
	case "name":
		return m.Name
	case "team":
		return m.Team
	case "plan":
		return strings.Join(m.Plans, ";")
	case "vlan":
		return string(m.VLAN)
	case "valid_from":
		return instant(m.ValidFrom)
	case "valid_until":
		return instant(m.ValidUntil)
	case "devices":
		if m.Devices != 0 {
			return strconv.Itoa(m.Devices)
		}
	case "disabled":
		return strconv.FormatBool(m.Disabled)
	}
	return ""
}

// secret returns the one secret from which the credential can be made again:
// the NT hash of a password follows from it.
func secret(column string, e *store.Entry) string {
	c := &e.Credential
	switch {
	case column == "password":
		return string(c.Password)
	case column == "nt_hash" && c.Password == "" && c.NTHash != nil:
		return hex.EncodeToString(c.NTHash[:])
	case column == "password_hash":
		return string(c.Argon2id)
	}
	return ""
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
