package standin

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
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
	for _, rec := range rows.records() {
		if !s.IgnoreFilters && !passes(rec, query) {
			continue
		}
		if p.total >= (p.number-1)*p.size && p.total < p.number*p.size {
			p.lines = append(p.lines, rows.line(s, rec))
		}
		p.total++
	}
	writePage(w, &p)
}

func number(text string, other int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return other
}

// passes says whether a record meets the filters. One that is not known is
// ignored without a word.
func passes(r record, query url.Values) bool {
	for name, values := range query {
		if match, known := r.is(name, values[0]); known && !match {
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
