package nexudus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"memberradius/backends"
)

const (
	// pageSize is between Nexudus' 25, by which 100,000 members would be 4,000
	// requests, and its most, 1,000.
	pageSize = 500
	// maxPages ends a list that never does.
	maxPages = 20_000
	// rereads is how often a list is read that changes under the reader.
	rereads = 3
	// stamp is how filters spell a time: in UTC, to the minute.
	stamp = "2006-01-02T15:04"
)

// A row is a record that has an id.
type row interface{ id() word }

// A list is what is asked for: an entity with a filter.
type list struct {
	entity
	filter url.Values
}

// only returns a list with one filter more.
func (l list) only(name, value string) list {
	filter := url.Values{}
	for k, v := range l.filter {
		filter[k] = v
	}
	filter.Set(name, value)
	return list{l.entity, filter}
}

func all(e entity) list { return list{entity: e} }

// since returns the records that changed since a time of Nexudus' own clock.
func since(e entity, at time.Time) list {
	return all(e).only("from_"+e.noun+"_UpdatedOn", at.UTC().Format(stamp))
}

// A reading counts what one sync has read.
type reading struct {
	c        *client
	progress func(backends.Progress)
	said     backends.Progress
	sent     int64 // requests before it
	bulk     bool  // nobody waits for it
}

func newReading(c *client, progress func(backends.Progress)) *reading {
	return &reading{c: c, progress: progress, sent: c.sent.Load()}
}

// tell says how far it has come.
func (r *reading) tell(doing string, members, of int) {
	if r.progress == nil {
		return
	}
	r.said.Doing, r.said.Members, r.said.Of = doing, members, of
	r.said.Requests = int(r.c.sent.Load() - r.sent)
	r.progress(r.said)
}

// An extent is what the pages of a list said of its length.
type extent struct {
	first, last int // what the first and the last page said that there are; -1: nothing
	seen        int // how many records came
	shrank      bool
}

// settled says whether all pages came from the same list. A record that leaves it while
// it is read moves those behind it forward by one, and one of them over the
// edge between two pages to where it is never read.
func (e extent) settled() bool {
	return e.last < 0 || !e.shrank && e.seen == e.last
}

var (
	errCircle  = errors.New("its pages go round in a circle: a page brought nothing new and said that there is another")
	errPage    = errors.New("it sent another page than the one that was asked for")
	errRecords = errors.New("the answer has no Records")
	errMoves   = fmt.Errorf("the list changed while it was read, %d times; nothing is taken over, and the next sync tries again", rereads)
)

// read calls f for each record of a list, each once, in a list that did not
// change under way. begin is called before each attempt to read it.
func read[R any, P interface {
	*R
	row
}](ctx context.Context, r *reading, l list, begin func(), f func(P) error) error {
	for range rereads {
		begin()
		e, err := readOnce(ctx, r, l, f)
		if err != nil || e.settled() {
			return err
		}
	}
	return r.c.fault(backends.Faulty, l.path, errMoves)
}

// readOnce reads the pages of a list one after the other.
func readOnce[R any, P interface {
	*R
	row
}](ctx context.Context, r *reading, l list, f func(P) error) (extent, error) {
	seen := map[word]struct{}{}
	e := extent{first: -1, last: -1}
	var body bytes.Buffer
	for page := 1; page <= maxPages; page++ {
		var got envelope[R]
		if err := r.page(ctx, l, page, func(b io.Reader) error { return decodePage(&body, b, page, &got) }); err != nil {
			return e, err
		}
		before := len(seen)
		for i := range *got.Records {
			record := P(&(*got.Records)[i])
			if _, twice := seen[record.id()]; twice {
				continue
			}
			seen[record.id()] = struct{}{}
			if err := f(record); err != nil {
				return e, r.c.fault(backends.BadAnswer, l.path, fmt.Errorf("record %.40q: %w", record.id(), err))
			}
		}
		e.note(got.total(), len(seen))
		r.said.Pages++
		r.tell(l.what, len(seen), max(e.last, 0))
		if !got.more(page) {
			return e, nil
		}
		if len(seen) == before {
			return e, r.c.fault(backends.BadAnswer, l.path, errCircle)
		}
	}
	return e, r.c.fault(backends.BadAnswer, l.path, errCircle)
}

// page asks for one page.
func (r *reading) page(ctx context.Context, l list, page int, decode func(io.Reader) error) error {
	query := l.only("page", strconv.Itoa(page)).only("size", strconv.Itoa(pageSize)).only("orderBy", "Id")
	return r.c.do(ctx, &call{method: http.MethodGet, path: l.path, query: query.filter, role: l.role("List"), bulk: r.bulk}, decode)
}

// decodePage reads a page. room is used again for the next one.
func decodePage[R any](room *bytes.Buffer, body io.Reader, page int, got *envelope[R]) error {
	room.Reset()
	if _, err := room.ReadFrom(body); err != nil {
		return err
	}
	*got = envelope[R]{}
	if err := decode(room.Bytes(), got); err != nil {
		return err
	}
	switch {
	case got.WasSuccessful == no:
		return errFailed
	case got.Records == nil:
		return errRecords
	case got.CurrentPage != nil && *got.CurrentPage != page:
		return errPage
	}
	return nil
}

var (
	errJSON   = errors.New("the body is not valid JSON")
	errFailed = errors.New("WasSuccessful is false: it did not do what was asked")
)

// decode reads JSON. Of what encoding/json says of a fault only the field's
// name gets out: the rest is about Go, and may quote a value.
func decode(body []byte, to any) error {
	if !utf8.Valid(body) { // where encoding/json would read U+FFFD
		return errJSON
	}
	err := json.Unmarshal(body, to)
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return fmt.Errorf("%s is of another type than Nexudus documents", wrong.Field)
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		return errJSON
	}
	return err
}

// note keeps what a page said of the length.
func (e *extent) note(total, seen int) {
	if e.first < 0 {
		e.first = total
	}
	if total < e.last {
		e.shrank = true
	}
	e.last, e.seen = total, seen
}

// total returns how many records there are, -1 where the page does not say.
func (v *envelope[R]) total() int {
	if v.TotalItems == nil {
		return -1
	}
	return *v.TotalItems
}

// more says whether another page follows.
func (v *envelope[R]) more(page int) bool {
	switch {
	case v.HasNextPage != unsaid:
		return v.HasNextPage == yes
	case v.TotalPages != nil:
		return page < *v.TotalPages
	}
	return len(*v.Records) >= pageSize
}
