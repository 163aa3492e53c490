package standin

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// defaultSize and maxSize are Nexudus' own.
	defaultSize = 25
	maxSize     = 1000
)

// A page is one page of a list, encoded.
type page struct {
	lines               [][]byte
	number, size, total int
}

// list serves a page of what the filters let through.
func (s *Server) list(w http.ResponseWriter, r *http.Request, noun string, rows shelf) {
	if !s.may(w, noun+"-List") {
		return
	}
	query := r.URL.Query()
	p := page{number: max(number(query.Get("page"), 1), 1), size: min(number(query.Get("size"), defaultSize), maxSize)}
	if p.size < 1 {
		p.size = defaultSize
	}
	passed := s.passed(noun, rows, query)
	p.total = len(passed)
	for _, rec := range passed[min((p.number-1)*p.size, p.total):min(p.number*p.size, p.total)] {
		p.lines = append(p.lines, rows.line(s, rec))
	}
	writePage(w, &p)
}

// A selection is what the filters of a list let through, until something changes.
type selection struct {
	key     string
	version int
	records []record
}

// passed returns the records of a list. Those of its first page are kept for
// the others.
func (s *Server) passed(noun string, rows shelf, query url.Values) []record {
	var all []filter
	if !s.IgnoreFilters {
		all = filters(query)
	}
	key := noun
	for _, f := range all {
		key += "&" + f.name + "=" + f.value
	}
	if s.selected.key == key && s.selected.version == s.version {
		return s.selected.records
	}
	chosen := slices.DeleteFunc(rows.records(), func(r record) bool { return !passes(r, all) })
	s.selected = selection{key, s.version, chosen}
	return chosen
}

func number(text string, other int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return other
}

// A filter is one of a list's.
type filter struct {
	name, value string
	at          time.Time // value, where it is a time
}

// filters reads those of a query, without what is about paging.
func filters(query url.Values) []filter {
	var list []filter
	for name, values := range query {
		switch name {
		case "page", "size", "orderBy", "dir":
		default:
			list = append(list, filter{name, values[0], moment(values[0])})
		}
	}
	slices.SortFunc(list, func(a, b filter) int { return strings.Compare(a.name, b.name) })
	return list
}

// passes says whether a record meets the filters. One that is not known is
// ignored without a word.
func passes(r record, filters []filter) bool {
	for i := range filters {
		if match, known := r.is(&filters[i]); known && !match {
			return false
		}
	}
	return true
}

// moment reads a time of a filter: to the minute, in UTC.
func moment(text string) time.Time {
	for _, form := range []string{"2006-01-02T15:04", time.RFC3339, "2006-01-02"} {
		if at, err := time.Parse(form, text); err == nil {
			return at.Truncate(time.Minute)
		}
	}
	return time.Time{}
}

// writePage writes the envelope.
func writePage(w http.ResponseWriter, p *page) {
	pages := (p.total + p.size - 1) / p.size
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	for i, line := range p.lines {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(line)
	}
	first := min((p.number-1)*p.size+1, p.total)
	_, _ = fmt.Fprintf(&b, `],"CurrentPage":%d,"CurrentPageSize":%d,"CurrentOrderField":"Id","CurrentSortDirection":1,"FirstItem":%d,"LastItem":%d,`+
		`"PageNumber":%d,"PageSize":%d,"TotalItems":%d,"TotalPages":%d,"HasNextPage":%t,"HasPreviousPage":%t}`,
		p.number, p.size, first, min(p.number*p.size, p.total), p.number, p.size, p.total, pages, p.number < pages, p.number > 1)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes())
}
