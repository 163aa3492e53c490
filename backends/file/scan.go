package file

import "strings"

// A scanner walks over the text of a TOML file that has been parsed already,
// only to learn on which line a key stands.
type scanner struct {
	text string // what is left
	line int
}

// advance drops n octets and counts the lines in them.
func (s *scanner) advance(n int) {
	s.line += strings.Count(s.text[:n], "\n")
	s.text = s.text[n:]
}

// skipBlank drops blanks, empty lines and comments. It returns false at the end.
func (s *scanner) skipBlank() bool {
	for s.text != "" {
		switch s.text[0] {
		case ' ', '\t', '\r', '\n':
			s.advance(1)
		case '#':
			s.untilEnd()
		default:
			return true
		}
	}
	return false
}

// untilEnd drops the rest of the line and returns it.
func (s *scanner) untilEnd() string {
	n := strings.IndexByte(s.text, '\n')
	if n < 0 {
		n = len(s.text)
	}
	rest := s.text[:n]
	s.advance(n)
	return rest
}

// key drops a key and its "=", and returns the first part of it.
func (s *scanner) key() string {
	n := 0
	if q := s.text[0]; q == '"' || q == '\'' {
		n = 1 + strings.IndexByte(s.text[1:], q)
		name := s.text[1:max(n, 1)]
		s.advance(max(n, 1))
		s.toEquals()
		return name
	}
	for n < len(s.text) && !strings.ContainsRune(" \t=.\n", rune(s.text[n])) {
		n++
	}
	name := s.text[:n]
	s.advance(n)
	s.toEquals()
	return name
}

func (s *scanner) toEquals() {
	n := strings.IndexAny(s.text, "=\n")
	if n < 0 {
		n = len(s.text) - 1
	}
	s.advance(n + 1)
}

// value drops a value, which ends with its line unless a bracket or a text in
// three quotes is open.
func (s *scanner) value() {
	depth := 0
	for s.text != "" {
		switch c := s.text[0]; c {
		case '"', '\'':
			s.quoted(c)
		case '[', '{':
			depth++
			s.advance(1)
		case ']', '}':
			depth--
			s.advance(1)
		case '#':
			s.untilEnd()
		case '\n':
			if depth <= 0 {
				return
			}
			s.advance(1)
		default:
			s.advance(1)
		}
	}
}

// quoted drops a text in one or three quotes.
func (s *scanner) quoted(q byte) {
	mark := string(q)
	if strings.HasPrefix(s.text, strings.Repeat(mark, 3)) {
		mark = strings.Repeat(mark, 3)
	}
	s.advance(len(mark))
	for s.text != "" {
		switch {
		case q == '"' && s.text[0] == '\\':
			s.advance(min(2, len(s.text)))
		case strings.HasPrefix(s.text, mark):
			s.advance(len(mark))
			// A text in three quotes may end in up to two quotes of its own.
			for len(mark) == 3 && s.text != "" && s.text[0] == q {
				s.advance(1)
			}
			return
		default:
			s.advance(1)
		}
	}
}
