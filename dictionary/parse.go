package dictionary

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Limits of what an operator's file may hold. The whole of FreeRADIUS 3.2 is
// some 250 files of at most 150 KB.
const (
	maxFiles    = 2000
	maxFileSize = 4 << 20
	maxIncludes = 16 // files that include one another
	maxName     = 128
	maxValues   = 10000 // of one attribute, which are compared one by one
)

// A parser adds files to a dictionary.
type parser struct {
	d *Dictionary
	// own are the attributes that d does not share with the dictionary it was cloned from.
	own map[*Attribute]bool
	// pending are VALUEs that came before their ATTRIBUTE.
	pending []pendingValue
	// open are the files that are being read, outermost first.
	open  []string
	files int
}

// A pendingValue waits for its attribute.
type pendingValue struct {
	attribute, number string
	value             value
}

// A scope is what a line of one file stands in.
type scope struct {
	place  place
	vendor *vendor
	// extended: the vendor's attributes lie in an extended attribute (RFC 6929).
	extended bool
	// tlvs are the attributes of the BEGIN-TLVs that are open.
	tlvs []*Attribute
	// began is where the innermost BEGIN stands.
	began place
}

func newParser(d *Dictionary) *parser {
	return &parser{d: d, own: map[*Attribute]bool{}}
}

// file reads a file of the operator's.
func (p *parser) file(path string) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if slices.Contains(p.open, path) {
		return fmt.Errorf("%s includes itself: %s", path, strings.Join(append(p.open, path), " includes "))
	}
	if len(p.open) >= maxIncludes {
		return fmt.Errorf("%s: files include one another %d deep: at most %d are read", path, len(p.open)+1, maxIncludes)
	}
	if p.files++; p.files > maxFiles {
		return fmt.Errorf("%s: more than %d files", path, maxFiles)
	}
	text, err := readFile(path)
	if err != nil {
		return err
	}
	p.open = append(p.open, path)
	defer func() { p.open = p.open[:len(p.open)-1] }()
	return p.parse(path, text)
}

func readFile(path string) (text []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err = io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err == nil && len(text) > maxFileSize {
		err = fmt.Errorf("%s: larger than %d MiB, which no dictionary is", path, maxFileSize>>20)
	}
	return text, err
}

// A lineError is an error with its place, so that a file that includes another does not add its own.
type lineError struct {
	place place
	err   error
}

func (e *lineError) Error() string { return e.place.String() + ": " + e.err.Error() }
func (e *lineError) Unwrap() error { return e.err }

// parse reads the lines of one file.
func (p *parser) parse(name string, text []byte) error {
	s := scope{place: place{file: name}}
	for line := range strings.Lines(string(text)) {
		s.place.line++
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if err := p.line(&s, fields); err != nil {
			var inner *lineError
			if errors.As(err, &inner) {
				return err
			}
			return &lineError{place: s.place, err: err}
		}
	}
	if s.vendor != nil || len(s.tlvs) > 0 {
		return &lineError{place: s.began, err: errors.New("the block that begins here has no END")}
	}
	return nil
}

// line reads one line that is not empty.
func (p *parser) line(s *scope, f []string) error {
	switch word := strings.ToUpper(f[0]); word {
	case "ATTRIBUTE":
		return p.attribute(s, f)
	case "VALUE":
		return p.value(s, f)
	case "VENDOR":
		return p.vendor(s, f)
	case "BEGIN-VENDOR":
		return p.beginVendor(s, f)
	case "END-VENDOR":
		return p.endVendor(s, f)
	case "BEGIN-TLV":
		return p.beginTLV(s, f)
	case "END-TLV":
		return p.endTLV(s, f)
	case "$INCLUDE", "$INCLUDE-":
		return p.include(s, f, word == "$INCLUDE-")
	}
	return fmt.Errorf("%q is no word of a FreeRADIUS 3 dictionary: ATTRIBUTE, VALUE, VENDOR, BEGIN-VENDOR, END-VENDOR, BEGIN-TLV, END-TLV and $INCLUDE are", clip(f[0]))
}

// include reads another file; an optional one may be missing.
func (p *parser) include(s *scope, f []string, optional bool) error {
	if len(f) != 2 {
		return fmt.Errorf("%s needs one file name", f[0])
	}
	if len(p.open) == 0 {
		return fmt.Errorf("%s is not possible in a built-in file", f[0])
	}
	path := f[1]
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(s.place.file), path)
	}
	err := p.file(path)
	if optional && errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// finish resolves what came before what it belongs to.
func (p *parser) finish() error {
	for i := range p.pending {
		w := &p.pending[i]
		a, ok := p.d.ByName(w.attribute)
		if !ok {
			return &lineError{place: w.value.place, err: fmt.Errorf("VALUE %s belongs to attribute %s, which is nowhere defined", clip(w.value.name), clip(w.attribute))}
		}
		if err := p.addValue(a, w.value, w.number); err != nil {
			return &lineError{place: w.value.place, err: err}
		}
	}
	p.pending = nil
	return nil
}

// clip bounds what an error repeats of a file.
func clip(s string) string {
	if len(s) > maxName {
		return s[:maxName] + "..."
	}
	return s
}
