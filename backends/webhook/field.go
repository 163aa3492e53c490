package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// topFields are those of a body.
var topFields = [...]string{"type", "timestamp", "data"}

// has says whether a field is there and not null.
func (o *object) has(name string) bool {
	raw := o.fields[name]
	return raw != nil && string(raw) != "null"
}

// wrong keeps the first fault.
func (o *object) wrong(name, format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf("%s %w", name, fmt.Errorf(format, args...))
	}
}

// raw returns the text of a field as it was sent; empty where there is none.
func (o *object) raw(name string) string {
	var s string
	if o.has(name) && json.Unmarshal(o.fields[name], &s) != nil {
		o.wrong(name, "must be text in double quotes")
	}
	return s
}

// text returns the text of a field, checked and without blanks around it.
func (o *object) text(name string) string {
	s := strings.TrimSpace(o.raw(name))
	if err := checkText(s); err != nil {
		o.wrong(name, "%w", err)
	}
	return s
}

// word is text for fields that systems also write as a whole number.
func (o *object) word(name string) string {
	if raw := string(o.fields[name]); digits(raw) {
		return raw
	}
	return o.text(name)
}

// digits says whether s is a whole number without a sign, as JSON writes it.
func digits(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

// when returns the moment of a field; zero where there is none.
func (o *object) when(name string) time.Time {
	s := o.raw(name)
	if !o.has(name) {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, s)
	switch {
	case err != nil:
		o.wrong(name, `must be a date, a time and an offset, as "2026-01-31T12:00:00Z" or "2026-01-31T12:00:00+01:00", or null for none`)
	case at.UTC().Year() < 1970 || at.UTC().Year() > 9999:
		o.wrong(name, "has the year %d; one from 1970 to 9999 is needed", at.UTC().Year())
	}
	return at.UTC()
}

// number returns the whole number of a field, from 0 to most.
func (o *object) number(name string, most int) int {
	if !o.has(name) {
		return 0
	}
	n, err := strconv.Atoi(string(o.fields[name]))
	if err != nil || n < 0 || n > most {
		o.wrong(name, "must be a whole number from 0 to %d, without quotes", most)
		return 0
	}
	return n
}

// flag returns true or false; false where the field is not there. Null is
// neither: it may stand for a question that the system could not answer.
func (o *object) flag(name string) bool {
	switch raw := string(o.fields[name]); raw {
	case "true":
		return true
	case "false", "":
		return false
	}
	o.wrong(name, "must be true or false, without quotes")
	return false
}

// maxText is the longest text in octets.
const maxText = 1024

// checkText takes what can be shown to people: no control characters, and none
// that turn the direction of writing, by which one name can be made to look
// like another.
func checkText(s string) error {
	if len(s) > maxText {
		return fmt.Errorf("has %d octets; at most %d are taken", len(s), maxText)
	}
	for _, c := range s {
		if unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029' || c == unicode.ReplacementChar {
			return fmt.Errorf("holds the character %U, which can't be shown; remove it", c)
		}
	}
	return nil
}

// checkVisible refuses characters that nobody can see or type.
func checkVisible(s string) error {
	for _, c := range s {
		if unicode.Is(unicode.Cf, c) {
			return fmt.Errorf("holds the invisible character %U; remove it", c)
		}
	}
	return nil
}

var errEmptyText = errors.New("is empty; leave the field out, or write null")
