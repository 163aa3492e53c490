package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"memberradius/member"
)

// joinTerms writes the terms of a member's plans as the database holds them:
// "since-until" in seconds since 1970 for each plan, with nothing for no bound,
// and planSeparator in between. No terms are "".
func joinTerms(terms []member.Term) string {
	if len(terms) == 0 {
		return ""
	}
	b := make([]byte, 0, 24*len(terms))
	for i := range terms {
		if i > 0 {
			b = append(b, planSeparator...)
		}
		if from := seconds(terms[i].From); from.Valid {
			b = strconv.AppendInt(b, from.Int64, 10)
		}
		b = append(b, '-')
		if until := seconds(terms[i].Until); until.Valid {
			b = strconv.AppendInt(b, until.Int64, 10)
		}
	}
	return string(b)
}

var errTerms = errors.New("the terms are not of the form since-until;since-until")

// splitTerms reads what joinTerms writes.
func splitTerms(s string) ([]member.Term, error) {
	if s == "" {
		return nil, nil
	}
	terms := make([]member.Term, 0, 1+strings.Count(s, planSeparator))
	for part := range strings.SplitSeq(s, planSeparator) {
		since, until, ok := strings.Cut(part, "-")
		if !ok {
			return nil, errTerms
		}
		var t member.Term
		var err error
		if t.From, err = termTime(since); err != nil {
			return nil, err
		}
		if t.Until, err = termTime(until); err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
	return terms, nil
}

// termTime reads one bound: decimal digits as joinTerms writes them, no longer
// than the year 9999 needs.
func termTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || len(s) > len("253402300799") || strconv.FormatInt(n, 10) != s {
		return time.Time{}, errTerms
	}
	return instant(sql.NullInt64{Int64: n, Valid: true}), nil
}

// checkTerms takes terms that can be kept, and of which each has a while in it.
func checkTerms(terms []member.Term) error {
	for i := range terms {
		t := &terms[i]
		if err := errors.Join(checkTime(t.From), checkTime(t.Until)); err != nil {
			return err
		}
		if !t.From.IsZero() && !t.Until.IsZero() && !t.Until.After(t.From) {
			return fmt.Errorf("plan %d is held until %s, which is not after its begin (%s), so it would never be held",
				i+1, t.Until.UTC().Format(time.RFC3339), t.From.UTC().Format(time.RFC3339))
		}
	}
	return nil
}
