package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"memberradius/member"
)

// A reader collects findings while a file is read.
type reader struct {
	file  string
	dir   string
	lines outline
	found findings
}

func (r *reader) add(l level, path, what, remedy string) {
	r.found = append(r.found, finding{File: r.file, Line: r.lines.line(path), Level: l, What: what, Remedy: remedy})
}

// A table is one table of the file. Every getter names the key that it reads,
// so that end knows which keys are left: nobody reads those. What is missing
// or wrong reads as the zero value, and what is wrong is a finding.
type table struct {
	r     *reader
	path  string // as the outline has it
	label string // as people are told: client "lobby"
	m     map[string]any
	known map[string]bool
}

func (r *reader) table(path, label string, m map[string]any) *table {
	return &table{r: r, path: path, label: label, m: m, known: map[string]bool{}}
}

// child returns the table [key] of t, empty where there is none.
func (t *table) child(key string) *table {
	v, ok := t.get(key)
	m, isTable := v.(map[string]any)
	if ok && !isTable {
		t.wrong(key, key+" is no table", "write ["+key+"] on a line of its own, and its keys below")
	}
	return t.r.table(join(t.path, key), "["+key+"]", m)
}

// children returns the tables [[key]] of t. Where a table has a name its label says it.
func (t *table) children(key string) []*table {
	v, ok := t.get(key)
	if !ok {
		return nil
	}
	var rows []map[string]any
	switch list := v.(type) {
	case []map[string]any:
		rows = list
	case []any:
		for _, e := range list {
			if m, ok := e.(map[string]any); ok {
				rows = append(rows, m)
			}
		}
		ok = len(rows) == len(list)
	default:
		ok = false
	}
	if !ok {
		t.wrong(key, key+" is no list of tables", "write [["+key+"]] on a line of its own for each, and its keys below")
		return nil
	}
	tables := make([]*table, len(rows))
	for i, m := range rows {
		label := fmt.Sprintf("%s %d", key, i+1)
		if name, ok := m["name"].(string); ok {
			label = fmt.Sprintf("%s %q", key, name)
		}
		tables[i] = t.r.table(fmt.Sprintf("%s[%d]", join(t.path, key), i), label, m)
	}
	return tables
}

func (t *table) get(key string) (any, bool) {
	t.known[key] = true
	v, ok := t.m[key]
	return v, ok
}

func (t *table) has(key string) bool { _, ok := t.m[key]; return ok }

func (t *table) add(l level, key, what, remedy string) {
	path := t.path
	if key != "" {
		path = join(t.path, key)
	}
	if t.label != "" {
		what = t.label + ": " + what
	}
	t.r.add(l, path, what, remedy)
}

func (t *table) wrong(key, what, remedy string) { t.add(wrong, key, what, remedy) }
func (t *table) warn(key, what, remedy string)  { t.add(warn, key, what, remedy) }
func (t *table) note(key, what, remedy string)  { t.add(note, key, what, remedy) }

// mistyped says that the value of key is of the wrong type, without the value.
func (t *table) mistyped(key string, v any, want, example string) {
	t.wrong(key, fmt.Sprintf("%s is %s, and %s is needed", key, kindOf(v), want), "write "+key+" = "+example)
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case int64:
		return "a whole number"
	case float64:
		return "a number with a fraction"
	case bool:
		return "true or false"
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	case time.Time:
		return "a date"
	}
	return "something else"
}

// text reads a string; fallback is for a key that is not there.
func (t *table) text(key, fallback string) string {
	v, ok := t.get(key)
	if !ok {
		return fallback
	}
	s, ok := v.(string)
	if !ok {
		t.mistyped(key, v, "text", `"..."`)
		return fallback
	}
	return s
}

// word reads one of a few words.
func (t *table) word(key, fallback string, words []string) string {
	s := t.text(key, fallback)
	if s != "" && !slices.Contains(words, s) {
		t.wrong(key, fmt.Sprintf("%s %q is unknown", key, s), "use one of "+strings.Join(words, ", "))
		return fallback
	}
	return s
}

// texts reads a list of strings; nil where the key is not there.
func (t *table) texts(key string) []string {
	v, ok := t.get(key)
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		t.mistyped(key, v, "a list of texts", `["...", "..."]`)
		return nil
	}
	out := make([]string, 0, len(list))
	for _, e := range list {
		s, ok := e.(string)
		if !ok {
			t.mistyped(key, e, "a list of texts", `["...", "..."]`)
			return nil
		}
		out = append(out, s)
	}
	return out
}

// flag reads true or false; it is true where the key is not there.
func (t *table) flag(key string) bool {
	v, ok := t.get(key)
	if !ok {
		return true
	}
	b, ok := v.(bool)
	if !ok {
		t.mistyped(key, v, "true or false", "true")
		return true
	}
	return b
}

// number reads a whole number from least to most.
func (t *table) number(key string, fallback, least, most int) int {
	v, ok := t.get(key)
	if !ok {
		return fallback
	}
	n, ok := v.(int64)
	if !ok {
		t.mistyped(key, v, "a whole number", fmt.Sprint(least))
		return fallback
	}
	if n < int64(least) || n > int64(most) {
		t.wrong(key, fmt.Sprintf("%s is %d", key, n), fmt.Sprintf("a number from %d to %d is needed", least, most))
		return fallback
	}
	return int(n)
}

// duration reads a duration in Go's syntax, from least up; 0 is always taken.
func (t *table) duration(key string, fallback, least time.Duration) time.Duration {
	v, ok := t.get(key)
	if !ok {
		return fallback
	}
	s, ok := v.(string)
	if !ok {
		t.mistyped(key, v, "a duration with its unit", `"30s" (or "10m", "12h")`)
		return fallback
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		t.wrong(key, fmt.Sprintf("%s %q is no duration", key, s), `write it with its unit, as "30s", "10m" or "12h"`)
		return fallback
	}
	if d != 0 && d < least {
		t.wrong(key, fmt.Sprintf("%s %q is too short", key, s), fmt.Sprintf("at least %s is needed", least))
		return fallback
	}
	return d
}

// vlan reads a VLAN's number or name.
func (t *table) vlan(key string) member.VLAN {
	v, ok := t.get(key)
	if !ok {
		return ""
	}
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case int64:
		s = fmt.Sprint(v)
	default:
		t.mistyped(key, v, "a VLAN's number or name", `101 (or "members")`)
		return ""
	}
	vlan, err := member.ParseVLAN(s)
	if err != nil {
		t.wrong(key, err.Error(), "write "+key+" = 101, or the name that the access point knows the VLAN by")
	}
	return vlan
}

// rate reads a bandwidth.
func (t *table) rate(key string) member.Rate {
	s := t.text(key, "")
	if s == "" {
		return member.Rate{}
	}
	rate, err := member.ParseRate(s)
	if err != nil {
		t.wrong(key, err.Error(), "write "+key+` = "50M" for 50 megabits per second`)
	}
	return rate
}

// end reports every key that no getter has read.
func (t *table) end() {
	for _, key := range slices.Sorted(maps.Keys(t.m)) {
		if !t.known[key] {
			t.unknown(key, slices.Sorted(maps.Keys(t.known)))
		}
	}
}

func (t *table) unknown(key string, known []string) {
	remedy := "take it out, or use one of " + strings.Join(known, ", ")
	if i := slices.IndexFunc(known, func(k string) bool { return oneSlip(k, key) }); i >= 0 {
		remedy = "did you mean " + known[i] + "?"
	}
	t.wrong(key, fmt.Sprintf("unknown key %q", key), remedy)
}

// oneSlip says whether a is b after one letter more, less, changed or swapped
// with its neighbour, in whatever case.
func oneSlip(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	a, b = a[i:], b[i:]
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a)+len(b) <= 1 || len(a) == 1 && len(b) == 1 ||
		len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}
