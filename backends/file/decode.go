package file

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"memberradius/member"

	"github.com/BurntSushi/toml"
)

// maxFaults is how many faults of one file are named at once.
const maxFaults = 20

// A fault is what is wrong in the file, and where.
type fault struct {
	path string
	line int
	key  string // empty: none
	what string
}

// Error implements error.
func (f *fault) Error() string {
	where := f.path
	if f.line > 0 {
		where = fmt.Sprintf("%s:%d", f.path, f.line)
	}
	if f.key != "" {
		where += ": " + f.key
	}
	return where + ": " + f.what
}

// decode reads the text of a file of members: every member by folded login. The
// error joins what is wrong, each with file, line, key and what to do.
func decode(path, backend string, text []byte) (map[string]*member.Record, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		// An editor that truncates before it writes leaves such a file for a
		// moment; taking it would put every member out.
		return nil, &fault{path: path, what: "the file is empty; to have no members at all, leave a comment in it"}
	}
	var doc map[string]any
	if _, err := toml.Decode(string(text), &doc); err != nil {
		return nil, syntax(path, err)
	}
	d := &decoder{path: path, backend: backend, places: locate(text), members: make(map[string]*member.Record), lines: make(map[string]int)}
	for key := range doc {
		if key != "member" {
			d.fault(d.places[0].line(key), key, "is not known here; a file of members holds [[member]] tables only")
		}
	}
	switch list := doc["member"].(type) {
	case nil:
	case []map[string]any:
		for i, table := range list {
			d.member(i, table)
		}
	default:
		d.fault(d.places[0].line("member"), "member", "is not a list of tables; begin each member with a line [[member]]")
	}
	return d.members, errors.Join(d.faults...)
}

// quoted is what a message of the TOML parser may have from the file: what
// stands in quotes, and every word with a digit in it.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^ ]*[0-9][^ ]*` + "|`[^`]*`?")

// syntax says where the file is no TOML. What the parser quotes is left out:
// it may be a password that lacks its quotes.
func syntax(path string, err error) error {
	var p toml.ParseError
	if !errors.As(err, &p) {
		return &fault{path: path, what: "not valid TOML; put text into double quotes and keep one key on one line"}
	}
	what := quoted.ReplaceAllString(p.Message, "[...]")
	return &fault{path: path, line: p.Position.Line, what: "not valid TOML: " + what + "; put text into double quotes and keep one key on one line"}
}

// A decoder gathers members and faults.
type decoder struct {
	path, backend string
	places        []place
	members       map[string]*member.Record
	lines         map[string]int // of each folded login
	faults        []error
}

func (d *decoder) fault(line int, key, what string) {
	switch {
	case len(d.faults) < maxFaults:
		d.faults = append(d.faults, &fault{path: d.path, line: line, key: key, what: what})
	case len(d.faults) == maxFaults:
		d.faults = append(d.faults, &fault{path: d.path, what: "and more"})
	}
}

// member takes the i-th [[member]].
func (d *decoder) member(i int, table map[string]any) {
	at := place{}
	if i+1 < len(d.places) {
		at = d.places[i+1]
	}
	t := &reader{decoder: d, at: at, table: table}
	r := t.record()
	t.leftovers()
	if t.failed || r.Member.Login == "" {
		return
	}
	folded := member.FoldString(r.Member.Login)
	if line, twice := d.lines[folded]; twice {
		d.fault(at.line("login"), "login", fmt.Sprintf("%q is the same login as in line %d (case does not count); remove one of the two", r.Member.Login, line))
		return
	}
	d.lines[folded] = at.line("login")
	d.members[folded] = r
}

// A place is where a table stands in the text, and each of its keys.
type place struct {
	head int
	keys map[string]int
}

// line returns the line of key, or of the table where it has none of its own.
func (p place) line(key string) int {
	if n, ok := p.keys[key]; ok {
		return n
	}
	return p.head
}

// locate finds the lines of the keys: those before the first table at 0, then
// each [[member]]. The text is known to be TOML; the parser keeps the lines to
// itself. Members written as inline tables have no lines of their own.
func locate(text []byte) []place {
	s := &scanner{text: string(text), line: 1}
	places := []place{{keys: make(map[string]int)}}
	for s.skipBlank() {
		line := s.line
		if strings.HasPrefix(s.text, "[") {
			name := s.untilEnd()
			if bare := strings.Join(strings.Fields(strings.SplitN(name, "#", 2)[0]), ""); strings.Trim(bare, `[]"'`) == "member" {
				places = append(places, place{head: line, keys: make(map[string]int)})
			}
			continue
		}
		key := s.key()
		s.value()
		if keys := places[len(places)-1].keys; keys[key] == 0 {
			keys[key] = line
		}
	}
	return places
}
