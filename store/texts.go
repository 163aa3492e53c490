package store

import "memberradius/member"

// texts are the plans, terms, teams and VLANs that were read: a few words that
// thousands of members share. Without texts (nil) nothing is shared.
type texts struct {
	words map[string]string
	lists map[string][]string
	held  map[string][]member.Term
}

// mostTexts is how many of a sort are remembered: words that each member has of
// her own, as the days on which she joined, would cost more than sharing saves.
const mostTexts = 4096

func newTexts() *texts {
	return &texts{words: map[string]string{}, lists: map[string][]string{}, held: map[string][]member.Term{}}
}

// word returns s, always the same copy of it.
func (t *texts) word(s string) string {
	if s == "" || t == nil {
		return s
	}
	have, ok := t.words[s]
	if !ok {
		have = s
		if len(t.words) < mostTexts {
			t.words[s] = s
		}
	}
	return have
}

// list returns the plans that s joins, always the same list.
func (t *texts) list(s string) []string {
	if t == nil {
		return splitPlans(s)
	}
	have, ok := t.lists[s]
	if !ok {
		have = splitPlans(s)
		if len(t.lists) < mostTexts {
			t.lists[s] = have
		}
	}
	return have
}

// terms returns the terms that s joins, always the same list.
func (t *texts) terms(s string) ([]member.Term, error) {
	if t == nil || s == "" {
		return splitTerms(s)
	}
	have, ok := t.held[s]
	if ok {
		return have, nil
	}
	have, err := splitTerms(s)
	if err == nil && len(t.held) < mostTexts {
		t.held[s] = have
	}
	return have, err
}
