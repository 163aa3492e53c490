package api

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	// exportPage is how many sessions are read at a time: the ledger is asked
	// anew for each page, so that a reader who is slow holds nothing of it.
	exportPage = 1000
	// exportWithin is how long a reader may take for one page, of some 400 KiB.
	exportWithin = 30 * time.Second
)

// A sheet is a form of export.
type sheet interface {
	// row writes one session.
	row(s *sessionView) error
	// page hands over what was written so far.
	page() error
	// close writes what stands at the end.
	close() error
}

// exportSessions answers GET /sessions/export with all sessions that the
// filters take, page for page, whatever their number.
func (a *api) exportSessions(w http.ResponseWriter, r *http.Request, _ *Token) error {
	q := queryOf(r, "format", "login", "mac", "client", "site", "plan", "online", "from", "until")
	format := q.word("format", "csv", "json")
	s := q.sessions()
	s.Limit = exportPage
	if q.err != nil {
		return q.err
	}
	e := &exporting{query: s}
	var err error
	if e.page, s.After, err = a.Sessions.Sessions(r.Context(), s); err != nil {
		return err
	}
	mediaType, name := "text/csv; charset=utf-8; header=present", "sessions.csv" // RFC 4180 §3
	if format == "json" {
		mediaType, name = "application/json", "sessions.json"
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	if r.Method == http.MethodHead {
		return nil
	}
	e.to = newSheet(w, format)
	a.export(w, r, e)
	return nil
}

// An exporting is an export under way: a page that was read, and what to ask for
// the next.
type exporting struct {
	query *SessionQuery
	page  []Session
	to    sheet
}

// export writes page for page. The status has been sent by then: an export that
// can't be finished breaks the connection, so that nobody takes it for whole.
func (a *api) export(w http.ResponseWriter, r *http.Request, e *exporting) {
	connection := http.NewResponseController(w)
	for {
		// A writer without deadlines has the server's own.
		_ = connection.SetWriteDeadline(time.Now().Add(exportWithin))
		for i := range e.page {
			if e.to.row(sessionOf(&e.page[i])) != nil {
				return // whoever has gone hears no more
			}
		}
		if e.query.After == "" {
			_ = e.to.close()
			return
		}
		if e.to.page() != nil {
			return
		}
		_ = connection.Flush()
		var err error
		if e.page, e.query.After, err = a.Sessions.Sessions(r.Context(), e.query); err != nil {
			if r.Context().Err() == nil {
				a.Fault(fmt.Errorf("api: export of sessions broke off: %w", err))
			}
			panic(http.ErrAbortHandler)
		}
	}
}

func newSheet(w io.Writer, format string) sheet {
	if format == "json" {
		return &jsonSheet{to: w}
	}
	return newCSVSheet(w)
}

// A csvSheet writes CSV (RFC 4180), for spreadsheets.
type csvSheet struct {
	to   *csv.Writer
	cols []string
}

// sessionColumns are the names of the columns, in the order of cells.
func sessionColumns() []string {
	return []string{
		"id", "session", "client", "nas", "access_point", "user", "login", "backend", "plan", "vlan", "site", "ssid", "mac", "address",
		"started", "updated", "ended", "online", "input_octets", "output_octets", "duration_seconds", "cause", "closed",
	}
}

func newCSVSheet(w io.Writer) *csvSheet {
	c := &csvSheet{to: csv.NewWriter(w), cols: sessionColumns()}
	_ = c.to.Write(c.cols) // row says what is wrong with the writer
	return c
}

func (c *csvSheet) row(s *sessionView) error {
	ended := ""
	if !s.Online {
		ended = s.Ended.Format(time.RFC3339)
	}
	return c.to.Write(append(c.cols[:0],
		cell(s.ID), cell(s.Session), cell(s.Client), cell(s.NAS), cell(s.AccessPoint), cell(s.User), cell(s.Login), cell(s.Backend),
		cell(s.Plan), cell(s.VLAN), cell(s.Site), cell(s.SSID), cell(s.MAC), cell(s.Address),
		s.Started.Format(time.RFC3339), s.Updated.Format(time.RFC3339), ended, strconv.FormatBool(s.Online),
		strconv.FormatUint(s.Input, 10), strconv.FormatUint(s.Output, 10), strconv.FormatInt(s.Duration, 10), cell(s.Cause), cell(s.Closed),
	))
}

func (c *csvSheet) page() error {
	c.to.Flush()
	return c.to.Error()
}

func (c *csvSheet) close() error { return c.page() }

// A jsonSheet writes a JSON array, one session a line.
type jsonSheet struct {
	to    io.Writer
	begun bool
}

func (j *jsonSheet) row(s *sessionView) error {
	open := ",\n"
	if !j.begun {
		j.begun, open = true, "[\n"
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = j.to.Write(append([]byte(open), b...))
	return err
}

func (j *jsonSheet) page() error { return nil }

func (j *jsonSheet) close() error {
	end := "\n]\n"
	if !j.begun {
		end = "[]\n"
	}
	_, err := io.WriteString(j.to, end)
	return err
}

// cell makes a text fit for a cell. Whoever connects to a network chooses her
// User-Name, and an access point's neighbour its SSID: a formula ("=cmd|...")
// would run on the desk of whoever opens the export, and so gets an apostrophe
// in front, which makes it text; what is no printable character is written as
// its number.
func cell(s string) string {
	if strings.ContainsFunc(s, unprintable) {
		var b strings.Builder
		for _, c := range s {
			if unprintable(c) {
				_, _ = fmt.Fprintf(&b, `\u%04x`, c)
			} else {
				b.WriteRune(c)
			}
		}
		s = b.String()
	}
	s = strings.ToValidUTF8(s, "\ufffd")
	// Some spreadsheets take the wide forms of East Asian keyboards too.
	if text := strings.TrimLeft(s, "' "); strings.IndexAny(text, "=+-@\uff1d\uff0b\uff0d\uff20") == 0 {
		return "'" + s
	}
	return s
}

func unprintable(c rune) bool {
	return unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029'
}
