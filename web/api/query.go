package api

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A query reads the parameters of a list. err is the first thing that was
// wrong with one; what was read beside it is not to be used.
type query struct {
	values url.Values
	err    error
}

// queryOf begins to read the query of r, which may have the parameters names
// and no others.
func queryOf(r *http.Request, names ...string) *query {
	q := &query{values: r.URL.Query()}
	q.err = onlyOnce(q.values, names...)
	return q
}

func (q *query) wrong(name, detail string) {
	if q.err == nil {
		q.err = wrongField(name, detail)
	}
}

func (q *query) text(name string) string { return q.values.Get(name) }

// word reads one of words; "" where there is none.
func (q *query) word(name string, words ...string) string {
	v := q.values.Get(name)
	if v != "" && !slices.Contains(words, v) {
		q.wrong(name, "it is one of "+strings.Join(words, ", "))
	}
	return v
}

// mac reads a MAC address in any spelling.
func (q *query) mac(name string) string {
	v := q.values.Get(name)
	if v == "" {
		return ""
	}
	mac, ok := parseMAC(v)
	if !ok {
		q.wrong(name, wantMAC)
	}
	return mac
}

// when reads a time; zero where there is none.
func (q *query) when(name string) time.Time {
	v := q.values.Get(name)
	if v == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		q.wrong(name, `it is a time, as "2026-01-31T08:00:00Z"; a "+" in it is written %2B`)
	}
	return t
}

// day reads a day; "" where there is none.
func (q *query) day(name string) string {
	v := q.values.Get(name)
	if _, err := time.Parse(time.DateOnly, v); v != "" && err != nil {
		q.wrong(name, `it is a day, as "2026-01-31"`)
	}
	return v
}

// limit reads how many things to list.
func (q *query) limit() int {
	n, err := limitOf(q.values, defaultPage, maxPage)
	if err != nil && q.err == nil {
		q.err = err
	}
	return n
}

// cursor reads the parts of a cursor that markOf has written; nil where there is none.
func (q *query) cursor(parts int) []string {
	v := q.values.Get("cursor")
	if v == "" {
		return nil
	}
	found, ok := partsOf(v, parts)
	if !ok {
		q.wrong("cursor", wantCursor)
		return nil
	}
	return found
}

// markOf writes where a list goes on. None of parts holds a NUL.
func markOf(parts ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "\x00")))
}

// partsOf reads what markOf wrote, and nothing else.
func partsOf(mark string, n int) ([]string, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(mark)
	if err != nil {
		return nil, false
	}
	parts := strings.Split(string(b), "\x00")
	// The decoder passes over line breaks: only what we wrote is a cursor.
	return parts, len(parts) == n && markOf(parts...) == mark
}

// isUUID says whether s is an id as this server makes them.
func isUUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	return err == nil && len(b) == 16
}

// wantCursor says what a cursor is.
const wantCursor = "it is not the next_cursor of an earlier answer"

// wantMAC says what a MAC address may look like.
const wantMAC = `it is a MAC address, as "aa:bb:cc:dd:ee:ff", "AA-BB-CC-DD-EE-FF", "aabb.ccdd.eeff" or "aabbccddeeff"`

// parseMAC reads a MAC address as access points, controllers and people write
// it, and returns it as "aa:bb:cc:dd:ee:ff", which is how sessions and devices
// have it. Neither nobody's address (all zeros) nor everybody's (all ones) is a
// device's.
func parseMAC(s string) (string, bool) {
	digits := strings.NewReplacer(":", "", "-", "", ".", "").Replace(s)
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != 6 || strings.Trim(digits, "0") == "" || strings.Trim(strings.ToLower(digits), "f") == "" {
		return "", false
	}
	for _, form := range [...]struct {
		size      int
		separator string
	}{{12, ""}, {2, ":"}, {2, "-"}, {4, "."}, {6, "-"}} {
		groups := slices.Collect(slices.Chunk([]byte(digits), form.size))
		if string(bytes.Join(groups, []byte(form.separator))) == s {
			return net.HardwareAddr(b).String(), true
		}
	}
	return "", false
}

// parseIP reads an address of a device or a controller. One with a zone is
// good on one host only.
func parseIP(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil && a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast()
}

// plainText says what is wrong with s as a text that people and programs read
// in one line, of at most most octets; "" is nothing.
func plainText(s string, most int) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "it is empty"
	case strings.TrimSpace(s) != s:
		return "it begins or ends with a blank"
	case len(s) > most:
		return "it has more than " + strconv.Itoa(most) + " octets"
	case !utf8.ValidString(s), strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) }):
		return "it holds a character that can't be printed"
	}
	return ""
}
