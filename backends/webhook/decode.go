package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"memberradius/member"
)

const (
	// maxRecords is how many members one push may hold.
	maxRecords = 1000
	// maxAge is how long ago what a push says may have happened. Senders repeat
	// for days; what is older is a mistake, or somebody's recording.
	maxAge = 30 * 24 * time.Hour
)

// The types of pushes. The two that a member goes on by do the same, so that it
// does not matter which of them comes first.
const (
	typeCreated = "member.created"
	typeUpdated = "member.updated"
	typeEnded   = "member.ended"
)

// A message is the body of a push.
type message struct {
	// at is when what it says was so: an older one never undoes a newer one.
	at      time.Time
	records []member.Record
}

// A decoder reads bodies.
type decoder struct {
	backend string
	given   bool // each record brings its password
	ntHash  func(password string) member.Hash
}

// decode reads a body that came at now. Of a type that is not about members
// nothing is read, since systems send what nobody asked for.
func (d *decoder) decode(body []byte, now time.Time) (*message, error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, errNotJSON
	}
	top, err := readObject(body, topFields[:])
	if err != nil {
		return nil, fmt.Errorf("the body: %w", err)
	}
	kind := top.text("type")
	switch {
	case top.err != nil:
		return nil, top.err
	case kind == "":
		return nil, fmt.Errorf(`type is missing; write "type": %q`, typeUpdated)
	case !strings.HasPrefix(strings.ToLower(kind), "member."):
		return &message{}, nil
	case kind != typeCreated && kind != typeUpdated && kind != typeEnded:
		return nil, fmt.Errorf("type %.64q is not known; write %s, %s or %s", kind, typeCreated, typeUpdated, typeEnded)
	}
	m := &message{at: top.when("timestamp")}
	switch {
	case top.err != nil:
		return nil, top.err
	case m.at.IsZero():
		return nil, errors.New(`timestamp is missing; write when this became so, as "2026-01-31T12:00:00Z", and the same when you send it again: an older push never undoes a newer one`)
	case m.at.After(now.Add(tolerance)):
		return nil, errors.New("timestamp lies in the future; set the clock of the sender by NTP")
	case m.at.Before(now.Add(-maxAge)):
		return nil, fmt.Errorf("timestamp lies more than %d days back; send what holds now", int(maxAge.Hours()/24))
	}
	m.records, err = d.records(top.fields["data"], kind == typeEnded)
	return m, err
}

// records reads data: a member or a list of them.
func (d *decoder) records(data json.RawMessage, ended bool) ([]member.Record, error) {
	list := []json.RawMessage{data}
	where := func(int) string { return "data" }
	switch {
	case len(data) > 0 && data[0] == '{':
	case len(data) > 0 && data[0] == '[':
		list = nil
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, errNotJSON
		}
		where = func(i int) string { return fmt.Sprintf("data[%d]", i) }
	default:
		return nil, errors.New("data is missing; write a member as an object, or a list of them")
	}
	if len(list) == 0 || len(list) > maxRecords {
		return nil, fmt.Errorf("data holds %d members; a push holds from 1 to %d", len(list), maxRecords)
	}
	all := make([]member.Record, 0, len(list))
	seen := make(map[string]int, len(list))
	for i, raw := range list {
		r, err := d.record(raw, ended)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where(i), err)
		}
		for _, key := range []string{"login " + member.FoldString(r.Member.Login), "id " + r.Member.ID} {
			if first, twice := seen[key]; twice {
				return nil, fmt.Errorf("%s: the same member as in data[%d]; send what holds, once", where(i), first)
			}
			if _, value, _ := strings.Cut(key, " "); value != "" {
				seen[key] = i
			}
		}
		all = append(all, r)
	}
	return all, nil
}

// An object is a JSON object of which some fields are known. The first fault of
// a field is kept in err.
type object struct {
	fields map[string]json.RawMessage
	err    error
}

// readObject reads an object. A field that comes twice, and one that is spelled
// almost like a known one, are errors: where a reader overlooks them, what was
// meant to refuse a member would be lost. Other fields that are not known are
// passed over.
func readObject(raw []byte, known []string) (*object, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("a JSON object is needed")
	}
	o := &object{fields: map[string]json.RawMessage{}}
	meant := make(map[string]string, len(known))
	for _, name := range known {
		meant[plain(name)] = name
	}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		var value json.RawMessage
		if err != nil || !ok || d.Decode(&value) != nil {
			return nil, errNotJSON
		}
		right, known := meant[plain(name)]
		switch {
		case !known:
			continue
		case right != name:
			return nil, fmt.Errorf("the field %.64q is not known; did you mean %s?", name, right)
		case o.fields[name] != nil:
			return nil, fmt.Errorf("%s stands there twice", name)
		}
		o.fields[name] = value
	}
	return o, nil
}

// plain is a field's name without what spellings differ in: validUntil,
// Valid-Until and valid_until are one.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
}
