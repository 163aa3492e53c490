package onboard

import (
	"fmt"
	"html"
	"slices"
	"strings"
)

// The words of the templates of letters.
const (
	wordSpace    = "space_name"
	wordMember   = "member_name"
	wordSSID     = "ssid"
	wordUser     = "username"
	wordPassword = "password"
	wordPage     = "profile_url"
)

// words are all of them, in the order of the documentation.
func words() []string {
	return []string{wordSpace, wordMember, wordSSID, wordUser, wordPassword, wordPage}
}

// A template is a text with {{words}} in it, and no other language.
type template []part

// A part is either text or a word.
type part struct{ text, word string }

// parseTemplate reads a template. The error names the line and the word that
// there is none of.
func parseTemplate(text string) (template, error) {
	var t template
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "{{")
		if before != "" {
			t = append(t, part{text: before})
		}
		if !found {
			break
		}
		line := 1 + strings.Count(text[:len(text)-len(after)], "\n")
		inside, behind, closed := strings.Cut(after, "}}")
		if !closed {
			return nil, fmt.Errorf("line %d: {{ has no }} behind it", line)
		}
		word := strings.Trim(inside, " ")
		if !slices.Contains(words(), word) {
			return nil, fmt.Errorf("line %d: {{%s}} is none of the words of a letter: {{%s}}", line, visible(inside), strings.Join(words(), "}} {{"))
		}
		t = append(t, part{word: word})
		rest = behind
	}
	return t, nil
}

// String writes the template as it is read.
func (t template) String() string {
	var b strings.Builder
	for _, p := range t {
		if p.word != "" {
			b.WriteString("{{" + p.word + "}}")
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// has says whether a word is in the template.
func (t template) has(word string) bool {
	return slices.Contains(t, part{word: word})
}

// plainText fills the template in.
func (t template) plainText(v *Values) string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.text + v.of(p.word))
	}
	return b.String()
}

// markup fills the template in as the body of an HTML page: an empty line ends
// a paragraph. What is to be typed is in a font that tells l, 1 and I apart.
func (t template) markup(v *Values) string {
	const type1, type2 = `<code style="font-family:monospace;font-size:1.1em">`, `</code>`
	var b strings.Builder
	for _, p := range t {
		value := html.EscapeString(v.of(p.word))
		switch p.word {
		case "":
			b.WriteString(html.EscapeString(p.text))
		case wordUser, wordPassword:
			b.WriteString(type1 + value + type2)
		case wordSSID:
			b.WriteString("<strong>" + value + "</strong>")
		case wordPage:
			b.WriteString(link(value))
		default:
			b.WriteString(value)
		}
	}
	var paragraphs strings.Builder
	for p := range strings.SplitSeq(b.String(), "\n\n") {
		if p = strings.Trim(p, "\n"); p != "" {
			paragraphs.WriteString("<p>" + strings.ReplaceAll(p, "\n", "<br>\n") + "</p>\n")
		}
	}
	return paragraphs.String()
}

// link makes a link of an escaped address, unless it leads elsewhere than to a page.
func link(address string) string {
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		return address
	}
	return `<a href="` + address + `">` + address + `</a>`
}

// of returns the value of a word, on one line.
func (v *Values) of(word string) string {
	switch word {
	case wordSpace:
		return display(v.SpaceName)
	case wordMember:
		return display(v.MemberName)
	case wordSSID:
		return visible(v.SSID)
	case wordUser:
		return visible(v.Username)
	case wordPassword:
		return visible(string(v.Password))
	case wordPage:
		return visible(string(v.ProfileURL))
	}
	return ""
}
