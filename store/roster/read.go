package roster

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"memberradius/member"
	"memberradius/store"
)

// Options are what reading needs to know besides the file.
type Options struct {
	// NTHash makes the NT hash of a password; nil stores passwords without one.
	NTHash func(password string) [16]byte
	// Zone is that of times which name none; nil is UTC.
	Zone *time.Location
}

// A Problem is one thing that is wrong with a file. It holds no secret.
type Problem struct {
	// Line is where it stands, from 1; Column is the name of the column, empty for the whole line.
	Line   int
	Column string
	Err    error
}

// Error returns the problem as "line 7, column vlan: ...".
func (p Problem) Error() string {
	if p.Column == "" {
		return fmt.Sprintf("line %d: %v", p.Line, p.Err)
	}
	return fmt.Sprintf("line %d, column %s: %v", p.Line, p.Column, p.Err)
}

// Unwrap returns what is wrong.
func (p Problem) Unwrap() error { return p.Err }

// Problems are all that is wrong with a file, in the order of its lines.
type Problems []Problem

// Error returns the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Read reads members from r. Where anything is wrong with the file it returns
// Problems, all of them, and no members; another error means that r failed.
func Read(r io.Reader, o Options) ([]store.Edit, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	in, err := open(r)
	if err != nil {
		return nil, fmt.Errorf("roster: %w", err)
	}
	f := &file{csv: in, options: o, lines: make(map[string]int)}
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	for {
		record, err := f.csv.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var pe *csv.ParseError
		if err != nil && !errors.As(err, &pe) {
			return nil, fmt.Errorf("roster: %w", err)
		}
		if err != nil {
			f.problem(Problem{Line: pe.Line, Err: explain(pe.Err)})
			continue
		}
		f.readRecord(record)
	}
	if len(f.problems) > 0 {
		return nil, f.problems
	}
	return f.edits, nil
}

// open finds out how the fields are separated: spreadsheets write semicolons
// where a comma is the decimal sign.
func open(r io.Reader) (*csv.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if bom, _ := b.Peek(3); string(bom) == "\ufeff" {
		_, _ = b.Discard(3)
	}
	head, err := b.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	head, _, _ = bytes.Cut(head, []byte("\n"))
	in := csv.NewReader(b)
	in.FieldsPerRecord = -1 // counted here, to go on with the next line
	in.ReuseRecord = true
	for _, c := range ",;\t" {
		if bytes.ContainsRune(head, c) {
			in.Comma = c
			break
		}
	}
	return in, nil
}

func explain(err error) error {
	switch {
	case errors.Is(err, csv.ErrBareQuote):
		return errors.New(`a quotation mark stands in a field that does not begin with one: put the whole field in quotation marks and double those inside`)
	case errors.Is(err, csv.ErrQuote):
		return errors.New(`a quotation mark is missing, or one inside the field is not doubled`)
	}
	return err
}

// A file is one that is being read.
type file struct {
	csv      *csv.Reader
	options  Options
	columns  []column // in the order of the header
	fields   store.Fields
	lines    map[string]int // by folded login
	edits    []store.Edit
	problems Problems
}

func (f *file) problem(p Problem) { f.problems = append(f.problems, p) }

// readHeader reads the names of the columns. A file whose first line does not
// say login has no header, and what stands there may be a password: it is not
// quoted.
func (f *file) readHeader() error {
	header, err := f.csv.Read()
	var pe *csv.ParseError
	if err != nil && !errors.Is(err, io.EOF) && !errors.As(err, &pe) {
		return fmt.Errorf("roster: %w", err)
	}
	for i := range header {
		header[i] = strings.ToLower(strings.TrimSpace(header[i]))
	}
	if !slices.Contains(header, "login") {
		return Problems{{Line: 1, Err: fmt.Errorf("the first line must name the columns, login among them; there are %s", strings.Join(Columns(), ", "))}}
	}
	for i, name := range header {
		at := slices.IndexFunc(columns[:], func(c column) bool { return c.name == name })
		switch {
		case at < 0:
			f.problem(Problem{Line: 1, Column: name, Err: fmt.Errorf("it is unknown; there are %s", strings.Join(Columns(), ", "))})
		case slices.Contains(header[:i], name):
			f.problem(Problem{Line: 1, Column: name, Err: errors.New("it stands here twice: remove one of them")})
		default:
			f.columns = append(f.columns, columns[at])
			if !columns[at].secret {
				f.fields |= columns[at].field
			}
		}
	}
	if len(f.problems) > 0 {
		return f.problems
	}
	return nil
}

// readRecord reads a line, or several where a field holds line breaks.
func (f *file) readRecord(record []string) {
	line, _ := f.csv.FieldPos(0)
	if len(record) != len(f.columns) {
		f.problem(Problem{Line: line, Err: fmt.Errorf("it has %d fields, and the header %d: put a field that holds the separator in quotation marks", len(record), len(f.columns))})
		return
	}
	e := store.Edit{Fields: f.fields}
	good := true
	for i, c := range f.columns {
		err := f.set(&e, c, record[i])
		if err != nil {
			good = false
			f.problem(Problem{Line: line, Column: c.name, Err: err})
		}
	}
	// Only what could be read can be compared with the rest of its line.
	for i := 0; good && i < len(f.columns); i++ {
		if c := f.columns[i]; e.Fields&c.field != 0 {
			if err := store.Check(c.field, &e.Record); err != nil {
				good = false
				f.problem(Problem{Line: line, Column: c.name, Err: err})
			}
		}
	}
	if !good {
		return
	}
	folded := member.FoldString(e.Record.Member.Login)
	if first, twice := f.lines[folded]; twice {
		f.problem(Problem{Line: line, Column: "login", Err: fmt.Errorf("%q is the member of line %d already, as logins are compared without regard to case: remove one of the lines", e.Record.Member.Login, first)})
		return
	}
	f.lines[folded] = line
	f.edits = append(f.edits, e)
}

// set reads the value of a column into e.
func (f *file) set(e *store.Edit, c column, value string) (err error) {
	if c.secret {
		return f.setSecret(e, c.name, value)
	}
	value = strings.TrimSpace(unguard(strings.TrimSpace(value)))
	m := &e.Record.Member
	switch c.name {
	case "login":
		m.Login = value
	case "name":
		m.Name = value
	case "team":
		m.Team = value
	case "plan":
		m.Plans = ParsePlans(value)
	case "vlan":
		if value != "" {
			m.VLAN, err = member.ParseVLAN(value)
		}
	case "valid_from":
		if value != "" {
			m.ValidFrom, err = ParseFrom(value, f.options.Zone)
		}
	case "valid_until":
		if value != "" {
			m.ValidUntil, err = ParseUntil(value, f.options.Zone)
		}
	case "devices":
		m.Devices, err = parseDevices(value)
	case "disabled":
		m.Disabled, err = parseDisabled(value)
	}
	return err
}

// setSecret reads one of the columns of which a member has at most one. A
// password may begin and end with spaces, and with an apostrophe.
func (f *file) setSecret(e *store.Edit, name, value string) (err error) {
	if name != "password" {
		value = strings.TrimSpace(value)
	}
	if value == "" {
		return nil
	}
	if e.Fields&store.FieldCredential != 0 {
		return errors.New("there is another secret on this line: give one of password, nt_hash and password_hash")
	}
	e.Fields |= store.FieldCredential
	c := &e.Record.Credential
	switch name {
	case "password":
		*c = Password(value, f.options.NTHash)
	case "password_hash":
		c.Argon2id = member.Secret(value)
	case "nt_hash":
		c.NTHash, err = ParseNTHash(value)
	}
	return err
}

// Password returns the credential of a password, with the NT hash that ntHash
// makes of it; nil makes none.
func Password(password string, ntHash func(string) [16]byte) member.Credential {
	c := member.Credential{Password: member.Secret(password)}
	if ntHash != nil {
		h := member.Hash(ntHash(password))
		c.NTHash = &h
	}
	return c
}
