package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sirupsen/logrus"
)

// A level says how much a finding matters.
type level string

const (
	// wrong keeps the server from starting, or a reload from being taken.
	wrong level = "error"
	// warn is a danger or a likely mistake; the server starts.
	warn level = "warning"
	// note is for the operator to know.
	note level = "note"
)

// A finding is one thing to say about the configuration: where, what, and what
// to do about it. It never holds a secret.
type finding struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Level  level  `json:"level"`
	What   string `json:"what"`
	Remedy string `json:"remedy"`
}

// place returns "file:line", as editors and terminals take it.
func (f finding) place() string {
	if f.Line == 0 {
		return f.File
	}
	return fmt.Sprintf("%s:%d", f.File, f.Line)
}

// String returns the finding on one line.
func (f finding) String() string {
	return fmt.Sprintf("%s: %s: %s; %s", f.place(), f.Level, f.What, f.Remedy)
}

// findings are all there is to say, in the order of the file.
type findings []finding

// bad says whether one of them is wrong.
func (fs findings) bad() bool {
	return slices.ContainsFunc(fs, func(f finding) bool { return f.Level == wrong })
}

// sort puts them in the order in which a reader meets their lines.
func (fs findings) sort() {
	slices.SortStableFunc(fs, func(a, b finding) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
}

// print writes them for people: what, and below it what to do.
func (fs findings) print(w io.Writer) {
	for _, f := range fs {
		_, _ = fmt.Fprintf(w, "%s: %s: %s\n    %s\n", f.place(), f.Level, f.What, f.Remedy)
	}
}

// log says them one line each.
func (fs findings) log(log logrus.FieldLogger) {
	for _, f := range fs {
		entry := log.WithFields(logrus.Fields{"at": f.place(), "remedy": f.Remedy})
		switch f.Level {
		case wrong:
			entry.Error(f.What)
		case warn:
			entry.Warn(f.What)
		default:
			entry.Info(f.What)
		}
	}
}

// errFindings is what a verb returns when it has already said what is wrong.
var errFindings = errors.New("the configuration can't be used as it is")
