package roster

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"memberradius/member"
)

// ParsePlans reads plans with semicolons between them.
func ParsePlans(s string) []string {
	var plans []string
	for p := range strings.SplitSeq(s, ";") {
		if p = strings.TrimSpace(p); p != "" {
			plans = append(plans, p)
		}
	}
	return plans
}

// forms are the ways to write a time of day besides RFC 3339.
var forms = [...]string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"}

// latest is the end of what RFC 3339 can write: spreadsheets say "for ever" by 9999-12-31.
var latest = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// ParseFrom reads when a membership begins: RFC 3339 ("2026-01-31T08:00:00Z"),
// "2026-01-31 08:00", or a day, which means its beginning. Without a zone the
// time is in zone.
func ParseFrom(s string, zone *time.Location) (time.Time, error) {
	t, _, err := parseTime(s, zone)
	return t, err
}

// ParseUntil reads when a membership ends, like ParseFrom; but a day means the
// end of it, since that is what "until 31 January" says.
func ParseUntil(s string, zone *time.Location) (time.Time, error) {
	t, day, err := parseTime(s, zone)
	if err == nil && day {
		t = t.AddDate(0, 0, 1)
	}
	if t.After(latest) {
		t = latest
	}
	return t, err
}

func parseTime(s string, zone *time.Location) (t time.Time, day bool, err error) {
	if t, err = time.Parse(time.RFC3339, s); err == nil {
		return t.Truncate(time.Second), false, nil
	}
	if t, err = time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return t, true, nil
	}
	for _, form := range forms {
		if t, err = time.ParseInLocation(form, s, zone); err == nil {
			return t.Truncate(time.Second), false, nil
		}
	}
	return time.Time{}, false, fmt.Errorf("%q is no date: write 2026-01-31, 2026-01-31 18:00 or 2026-01-31T18:00:00+01:00", s)
}

// ParseNTHash reads the 32 hexadecimal digits of an NT hash. They are in no error.
func ParseNTHash(s string) (*member.Hash, error) {
	h := new(member.Hash)
	if len(s) != hex.EncodedLen(len(h)) {
		return nil, fmt.Errorf("the NT hash has %d characters: 32 hexadecimal digits are needed", len(s))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return nil, errors.New("the NT hash holds something else than 32 hexadecimal digits")
	}
	return h, nil
}

func parseDevices(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no whole number: write 2, or nothing to leave it to the plan", s)
	}
	return n, nil
}

func parseDisabled(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "", "false", "no", "0":
		return false, nil
	case "true", "yes", "1":
		return true, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", s)
}
