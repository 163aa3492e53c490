package store

import (
	"reflect"
	"testing"
	"time"

	"memberradius/member"
)

func TestTerms(t *testing.T) {
	t.Parallel()
	a, b := time.Unix(1767225600, 0).UTC(), time.Unix(253402300799, 0).UTC()
	for text, terms := range map[string][]member.Term{
		"":                          nil,
		"-":                         {{}},
		"-;-":                       {{}, {}},
		"1767225600-":               {{From: a}},
		"-253402300799;0-":          {{Until: b}, {From: time.Unix(0, 0).UTC()}},
		"1767225600-253402300799;-": {{From: a, Until: b}, {}},
	} {
		if got := joinTerms(terms); got != text {
			t.Errorf("%v is written %q, want %q", terms, got, text)
		}
		if got, err := splitTerms(text); err != nil || !reflect.DeepEqual(got, terms) {
			t.Errorf("%q is read %v, %v", text, got, err)
		}
	}
	for _, text := range []string{";", "1", "1-2;", "-1-2", "+1-2", "01-2", "1-2-3", "x-", "1 -2", "-2534023007990", "99999999999999999999-"} {
		if got, err := splitTerms(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

// TestTextsAreBounded wants words that each member has of her own not to pile up.
func TestTextsAreBounded(t *testing.T) {
	t.Parallel()
	m := newTexts()
	for i := range 3 * mostTexts {
		word := string(rune('a' + i))
		text := joinTerms([]member.Term{{From: time.Unix(int64(i), 0)}})
		terms, err := m.terms(text)
		if m.word(word) != word || m.list(word)[0] != word || err != nil || joinTerms(terms) != text {
			t.Fatalf("%q comes back wrong", word)
		}
	}
	if len(m.words) != mostTexts || len(m.lists) != mostTexts || len(m.held) != mostTexts {
		t.Errorf("%d words, %d lists, %d terms", len(m.words), len(m.lists), len(m.held))
	}
}

func FuzzTerms_NoPanic(f *testing.F) {
	f.Add("")
	f.Add("1767225600-;-")
	f.Add("-;-1767225600;;")
	f.Fuzz(func(t *testing.T, text string) {
		terms, err := splitTerms(text)
		if err == nil && joinTerms(terms) != text {
			t.Errorf("%q is read as %v", text, terms)
		}
	})
}

func FuzzTerms_RoundTrip(f *testing.F) {
	f.Add(int64(0), int64(0), int64(1), int64(2))
	f.Add(int64(1767225600), int64(253402300799), int64(0), int64(0))
	f.Fuzz(func(t *testing.T, a, b, c, d int64) {
		terms := make([]member.Term, 2)
		for i, n := range []int64{a, b, c, d} {
			if n == 0 {
				continue
			}
			at := time.Unix(n, 0).UTC()
			if i%2 == 0 {
				terms[i/2].From = at
			} else {
				terms[i/2].Until = at
			}
		}
		if checkTerms(terms) != nil {
			t.Skip()
		}
		got, err := splitTerms(joinTerms(terms))
		if err != nil || !reflect.DeepEqual(got, terms) {
			t.Errorf("%v comes back as %v, %v", terms, got, err)
		}
	})
}
