package main

import (
	"strconv"
	"strings"
)

// An outline says on which line of a TOML file each table and key stands, by
// paths like "client[1].secret" and "plan[0].attributes[2].name". The TOML
// decoder keeps positions by name alone, and so knows the last of several
// [[client]] only.
type outline map[string]int

// outlineOf reads text, which the TOML decoder has accepted. On any other text
// it ends all the same, and the outline is what could be understood.
func outlineOf(text string) outline {
	s := outliner{text: text, line: 1, at: outline{}, tables: map[string]int{}}
	for s.skip(true); s.pos < len(s.text); s.skip(true) {
		before := s.pos
		if s.peek() == '[' {
			s.header()
		} else {
			s.pair(s.table)
		}
		if s.pos == before {
			s.next()
		}
	}
	return s.at
}

// line returns where path stands, or else where the nearest table around it does.
func (o outline) line(path string) int {
	for path != "" {
		if n, ok := o[path]; ok {
			return n
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}

// maxDepth bounds arrays in arrays, so that a hostile file can't exhaust the stack.
const maxDepth = 64

type outliner struct {
	text      string
	pos, line int
	depth     int
	table     string         // path of the table whose header was read last
	tables    map[string]int // how many [[path]] there were
	at        outline
}

func (s *outliner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *outliner) next() {
	if s.peek() == '\n' {
		s.line++
	}
	s.pos++
}

// skip passes over spaces and, where newlines may stand, newlines and comments.
func (s *outliner) skip(newlines bool) {
	for s.pos < len(s.text) {
		switch c := s.peek(); {
		case c == ' ' || c == '\t' || c == '\r':
		case newlines && c == '\n':
		case newlines && c == '#':
			for s.pos < len(s.text) && s.peek() != '\n' {
				s.pos++
			}
			continue
		default:
			return
		}
		s.next()
	}
}

func (s *outliner) header() {
	line := s.line
	s.next()
	array := s.peek() == '['
	if array {
		s.next()
	}
	parts := s.key()
	for s.peek() == ']' {
		s.next()
	}
	path := ""
	for i, part := range parts {
		path = join(path, part)
		switch n := s.tables[path]; {
		case array && i == len(parts)-1:
			s.tables[path]++
			path += "[" + strconv.Itoa(n) + "]"
		case n > 0:
			path += "[" + strconv.Itoa(n-1) + "]"
		}
	}
	s.table = path
	s.note(path, line)
}

// pair reads one key = value under the table.
func (s *outliner) pair(table string) {
	line := s.line
	path := table
	for _, part := range s.key() {
		path = join(path, part)
		s.note(path, line)
	}
	if s.peek() == '=' {
		s.next()
		s.value(path)
	}
}

// key reads a dotted key up to what follows it.
func (s *outliner) key() []string {
	var parts []string
	for {
		s.skip(false)
		start := s.pos
		switch c := s.peek(); c {
		case '"', '\'':
			s.quoted()
			part := strings.Trim(s.text[start:s.pos], string(c))
			if c == '"' {
				if u, err := strconv.Unquote(s.text[start:s.pos]); err == nil {
					part = u
				}
			}
			parts = append(parts, part)
		default:
			for s.pos < len(s.text) && !strings.ContainsRune(" \t\r\n.=]#", rune(s.peek())) {
				s.pos++
			}
			if s.pos > start {
				parts = append(parts, s.text[start:s.pos])
			}
		}
		s.skip(false)
		if s.peek() != '.' {
			return parts
		}
		s.next()
	}
}

func (s *outliner) value(path string) {
	s.skip(false)
	switch s.peek() {
	case '"', '\'':
		s.quoted()
	case '[':
		s.list(path, ']')
	case '{':
		s.list(path, '}')
	default:
		for s.pos < len(s.text) && !strings.ContainsRune(",]}#\n", rune(s.peek())) {
			s.pos++
		}
	}
}

// list reads an array, or an inline table, up to its end.
func (s *outliner) list(path string, end byte) {
	if s.depth++; s.depth > maxDepth {
		s.pos = len(s.text)
	}
	s.next()
	for i := 0; s.pos < len(s.text); {
		s.skip(true)
		before := s.pos
		switch {
		case s.peek() == end:
			s.next()
			s.depth--
			return
		case s.peek() == ',':
			s.next()
			i++
			continue
		case end == ']':
			element := path + "[" + strconv.Itoa(i) + "]"
			s.note(element, s.line)
			s.value(element)
		default:
			s.pair(path)
		}
		if s.pos == before && s.pos < len(s.text) {
			s.next()
		}
	}
}

// quoted reads a string of any of TOML's four kinds.
func (s *outliner) quoted() {
	quote := s.text[s.pos : s.pos+1]
	if strings.HasPrefix(s.text[s.pos:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	s.pos += len(quote)
	for s.pos < len(s.text) {
		switch {
		case s.peek() == '\\' && quote[0] == '"':
			s.next()
			s.next()
		case strings.HasPrefix(s.text[s.pos:], quote):
			s.pos += len(quote)
			// Up to two quotes may stand before the three that end it.
			for len(quote) == 3 && s.peek() == quote[0] {
				s.pos++
			}
			return
		case len(quote) == 1 && s.peek() == '\n':
			return
		default:
			s.next()
		}
	}
	s.pos = min(s.pos, len(s.text))
}

func (s *outliner) note(path string, line int) {
	if _, ok := s.at[path]; !ok {
		s.at[path] = line
	}
}

func join(path, part string) string {
	if path == "" {
		return part
	}
	return path + "." + part
}
