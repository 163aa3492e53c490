package rest

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep a body may nest; the contract needs three levels.
const maxDepth = 32

// A parser reads JSON (RFC 8259) where it lies. It is stricter than
// encoding/json where leniency could turn a broken body into an Allow: a key
// counts only as the contract spells it, and a text must be UTF-8.
type parser struct {
	b []byte
	i int
}

var (
	errJSON  = errors.New("the body is not valid JSON")
	errDepth = errors.New("the body nests too deep")
)

// space drops blanks and returns the octet after them, 0 at the end.
func (p *parser) space() byte {
	for ; p.i < len(p.b); p.i++ {
		switch c := p.b[p.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take drops c, if it comes next after blanks.
func (p *parser) take(c byte) bool {
	if p.space() != c || p.i >= len(p.b) {
		return false
	}
	p.i++
	return true
}

// word drops a literal.
func (p *parser) word(w string) bool {
	if len(p.b)-p.i < len(w) || string(p.b[p.i:p.i+len(w)]) != w {
		return false
	}
	p.i += len(w)
	return true
}

// null drops a null, if it comes next.
func (p *parser) null() bool { return p.space() == 'n' && p.word("null") }

// end says whether nothing follows.
func (p *parser) end() bool { return p.space() == 0 && p.i >= len(p.b) }

// object calls member for every member of an object. The key is valid during the call.
func (p *parser) object(member func(key []byte) error) error {
	if !p.take('{') {
		return errJSON
	}
	if p.take('}') {
		return nil
	}
	for {
		if p.space() != '"' {
			return errJSON
		}
		key, err := p.text()
		if err != nil {
			return err
		}
		if !p.take(':') {
			return errJSON
		}
		if err := member(key); err != nil {
			return err
		}
		if p.take('}') {
			return nil
		}
		if !p.take(',') {
			return errJSON
		}
	}
}

// array calls element before every element of an array.
func (p *parser) array(element func() error) error {
	if !p.take('[') {
		return errJSON
	}
	if p.take(']') {
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if p.take(']') {
			return nil
		}
		if !p.take(',') {
			return errJSON
		}
	}
}

// text reads a string. The result lies in the body unless it has escapes.
func (p *parser) text() ([]byte, error) {
	if !p.take('"') {
		return nil, errJSON
	}
	start := p.i
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == '"':
			s := p.b[start:p.i]
			p.i++
			if !utf8.Valid(s) {
				return nil, errJSON
			}
			return s, nil
		case c == '\\':
			return p.escaped(append([]byte(nil), p.b[start:p.i]...))
		case c < ' ':
			return nil, errJSON
		default:
			p.i++
		}
	}
	return nil, errJSON
}

// escaped reads the rest of a string that has escapes, after what it began with.
func (p *parser) escaped(s []byte) ([]byte, error) {
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == '"':
			p.i++
			if !utf8.Valid(s) {
				return nil, errJSON
			}
			return s, nil
		case c == '\\':
			p.i++
			var err error
			if s, err = p.escape(s); err != nil {
				return nil, err
			}
		case c < ' ':
			return nil, errJSON
		default:
			s = append(s, c)
			p.i++
		}
	}
	return nil, errJSON
}

// escape appends what follows a backslash.
func (p *parser) escape(s []byte) ([]byte, error) {
	if p.i >= len(p.b) {
		return nil, errJSON
	}
	c := p.b[p.i]
	p.i++
	switch c {
	case '"', '\\', '/':
		return append(s, c), nil
	case 'b':
		return append(s, '\b'), nil
	case 'f':
		return append(s, '\f'), nil
	case 'n':
		return append(s, '\n'), nil
	case 'r':
		return append(s, '\r'), nil
	case 't':
		return append(s, '\t'), nil
	case 'u':
	default:
		return nil, errJSON
	}
	r, err := p.unit()
	if err != nil {
		return nil, err
	}
	if utf16.IsSurrogate(r) {
		// A half that lacks its other half is U+FFFD, as encoding/json has it.
		low, at := rune(0), p.i
		if p.word(`\u`) {
			if low, err = p.unit(); err != nil {
				return nil, err
			}
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			p.i = at
		}
	}
	return utf8.AppendRune(s, r), nil
}

// unit reads the four digits of a \u escape.
func (p *parser) unit() (rune, error) {
	if len(p.b)-p.i < 4 {
		return 0, errJSON
	}
	n, err := strconv.ParseUint(string(p.b[p.i:p.i+4]), 16, 16)
	if err != nil {
		return 0, errJSON
	}
	p.i += 4
	return rune(n), nil
}

// number reads a number and returns it as it is written.
func (p *parser) number() ([]byte, error) {
	p.space()
	start := p.i
	p.one('-')
	switch {
	case p.one('0'):
	case !p.digits():
		return nil, errJSON
	}
	if p.one('.') && !p.digits() {
		return nil, errJSON
	}
	if p.one('e') || p.one('E') {
		if !p.one('+') {
			p.one('-')
		}
		if !p.digits() {
			return nil, errJSON
		}
	}
	return p.b[start:p.i], nil
}

// one drops c, if it is the next octet.
func (p *parser) one(c byte) bool {
	if p.i < len(p.b) && p.b[p.i] == c {
		p.i++
		return true
	}
	return false
}

// digits drops one digit or more.
func (p *parser) digits() bool {
	start := p.i
	for p.i < len(p.b) && '0' <= p.b[p.i] && p.b[p.i] <= '9' {
		p.i++
	}
	return p.i > start
}

// skip drops any value.
func (p *parser) skip(depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	switch p.space() {
	case '{':
		return p.object(func([]byte) error { return p.skip(depth + 1) })
	case '[':
		return p.array(func() error { return p.skip(depth + 1) })
	case '"':
		_, err := p.text()
		return err
	case 't':
		return p.literal("true")
	case 'f':
		return p.literal("false")
	case 'n':
		return p.literal("null")
	default:
		_, err := p.number()
		return err
	}
}

func (p *parser) literal(w string) error {
	if !p.word(w) {
		return errJSON
	}
	return nil
}

// wrongType says that a field holds something else than the contract has there.
// It never quotes what it holds.
func wrongType(field, need string) error { return fmt.Errorf("%s must be %s", field, need) }

// textField reads a string or null, which is empty.
func (p *parser) textField(field string) (string, error) {
	if p.null() {
		return "", nil
	}
	if p.space() != '"' {
		return "", wrongType(field, "a string")
	}
	s, err := p.text()
	return string(s), err
}

// wordField reads a string, a number as it is written, or null, which is empty.
func (p *parser) wordField(field string) (string, error) {
	switch c := p.space(); {
	case c == 'n':
		return "", p.literal("null")
	case c == '"':
		s, err := p.text()
		return string(s), err
	case c == '-' || '0' <= c && c <= '9':
		s, err := p.number()
		return string(s), err
	default:
		return "", wrongType(field, "a string or a number")
	}
}
