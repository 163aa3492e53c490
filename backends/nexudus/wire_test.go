package nexudus

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestMoments(t *testing.T) {
	t.Parallel()
	at := time.Date(2019, 12, 9, 15, 13, 58, 0, time.UTC)
	for text, want := range map[string]time.Time{
		`"2019-12-09T15:13:58Z"`: at, `"2019-12-09T15:13:58"`: at, `"2019-12-09T16:13:58+01:00"`: at, `"2019-12-09T15:13:58.0000000"`: at,
		`"2019-12-09T15:13"`: at.Truncate(time.Minute), `"2019-12-09"`: at.Truncate(24 * time.Hour), `""`: {}, `null`: {}, `"0001-01-01T00:00:00"`: {},
	} {
		var m moment
		if err := json.Unmarshal([]byte(text), &m); err != nil || !m.Equal(want) {
			t.Errorf("%s: %s, %v", text, m, err)
		}
	}
	for _, text := range []string{`"soon"`, `1`, `true`, `{}`, `[]`, `"2019-13-01"`, `"2019-12-09T25:00:00Z"`} {
		var m moment
		if err := json.Unmarshal([]byte(text), &m); err == nil {
			t.Errorf("%s is %s", text, m)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`[1,2]`: "1 2", `["1","2"]`: "1 2", `[{"Id":1},{"Id":"2"}]`: "1 2", `"1, 2"`: "1 2", `"[1,2]"`: "1 2", `7`: "7", `""`: "", `[]`: "", `null`: "-", `[null,3]`: "3",
	} {
		var l ids
		err := json.Unmarshal([]byte(text), &l)
		got := make([]string, len(l.list))
		for i, id := range l.list {
			got[i] = string(id)
		}
		if joined := strings.Join(got, " "); err != nil || joined != strings.TrimPrefix(want, "-") || l.said == (want == "-") {
			t.Errorf("%s: %q, said %v, %v", text, joined, l.said, err)
		}
	}
	var l ids
	if json.Unmarshal([]byte(`{"a":1}`), &l) == nil || json.Unmarshal([]byte(`[[1]]`), &l) == nil {
		t.Error("an object or a list of lists is taken for ids")
	}
}

const coworkerSample = `{"Id":3032,"UniqueId":"a","CoworkerType":1,"FullName":"Jos\u00e9 Anna","Email":"anna@example.com","Active":true,"Archived":false,` +
	`"AccessPincode":11546,"Custom1":null,"Custom30":"x","IsDefaultProfile":true,"UpdatedOn":"2019-12-09T15:13:58Z","Unknown":{"a":[1,2]}}`

// TestMissingAndNull: every field may be left out or null.
func TestMissingAndNull(t *testing.T) {
	t.Parallel()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(coworkerSample), &fields); err != nil {
		t.Fatal(err)
	}
	for name, value := range fields {
		for _, put := range []json.RawMessage{nil, json.RawMessage("null")} {
			delete(fields, name)
			if put != nil {
				fields[name] = put
			}
			body, _ := json.Marshal(fields)
			var row coworkerRow
			if err := decode(body, &row); err != nil {
				t.Errorf("%s: %v", body, err)
			}
			readCoworker(&row, fieldEmail, fieldCustom+30)
		}
		fields[name] = value
	}
	var row coworkerRow
	if err := decode([]byte(coworkerSample), &row); err != nil || row.ID != "3032" || row.FullName != "José Anna" || row.AccessPincode != "11546" || row.custom(30) != "x" {
		t.Errorf("%+v, %v", row, err)
	}
}

// TestEveryPrefixFails: half a page is no page.
func TestEveryPrefixFails(t *testing.T) {
	t.Parallel()
	page := `{"Records":[` + coworkerSample + `],"CurrentPage":1,"TotalItems":1,"HasNextPage":false}`
	var room bytes.Buffer
	for n := range len(page) {
		var got envelope[coworkerRow]
		if err := decodePage(&room, strings.NewReader(page[:n]), 1, &got); err == nil {
			t.Errorf("%q is taken for a page", page[:n])
		}
	}
	var got envelope[coworkerRow]
	if err := decodePage(&room, strings.NewReader(page), 1, &got); err != nil {
		t.Error(err)
	}
}

func FuzzPage_NoPanic(f *testing.F) {
	f.Add([]byte(`{"Records":[` + coworkerSample + `],"CurrentPage":1,"TotalItems":1,"HasNextPage":false}`))
	f.Add([]byte(`{"Records":[{"Id":"1","CoworkerId":2,"Desks":[1,{"Id":2}],"FloorPlanDeskIds":"1,2","StartDate":"2026-01-01"}],"HasNextPage":"true"}`))
	f.Add([]byte(`{"Records":[{"TeamMembers":[1],"CoworkerIds":null}],"TotalPages":3}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var room bytes.Buffer
		var people envelope[coworkerRow]
		if decodePage(&room, bytes.NewReader(body), 1, &people) == nil {
			r := newReplica()
			for i := range *people.Records {
				r.put(readCoworker(&(*people.Records)[i], fieldEmail, fieldPincode))
			}
		}
		var held envelope[contractRow]
		if decodePage(&room, bytes.NewReader(body), 1, &held) == nil {
			r := newReplica()
			for i := range *held.Records {
				row := &(*held.Records)[i]
				r.put(readCoworker(&coworkerRow{ID: row.CoworkerID, Email: "a@example.com"}, fieldEmail, fieldNone))
				r.hold(row)
			}
			r.record("a@example.com", rule{backend: "x", checkinRequired: true}, time.Unix(0, 0))
		}
		var groups envelope[teamRow]
		_ = decodePage(&room, bytes.NewReader(body), 1, &groups)
	})
}

func FuzzWord_RoundTrip(f *testing.F) {
	f.Add("anna@example.com", int64(3032), int64(1575904438))
	f.Add("\"\\\u2028", int64(-1), int64(0))
	f.Fuzz(func(t *testing.T, text string, number, seconds int64) {
		quoted, _ := json.Marshal(text)
		var plain string
		_ = json.Unmarshal(quoted, &plain) // as encoding/json reads it itself
		var w word
		if err := json.Unmarshal(quoted, &w); err != nil || string(w) != plain {
			t.Errorf("%s: %q, %v", quoted, w, err)
		}
		if err := json.Unmarshal(strconv.AppendInt(nil, number, 10), &w); err != nil || string(w) != strconv.FormatInt(number, 10) {
			t.Errorf("%d: %q, %v", number, w, err)
		}
		at := time.Unix(seconds%250_000_000_000, 0).UTC()
		if at.Year() < 2 || at.Year() > 9999 {
			return
		}
		var m moment
		stamped, _ := json.Marshal(at)
		if err := json.Unmarshal(stamped, &m); err != nil || !m.Equal(at) {
			t.Errorf("%s: %s, %v", stamped, m, err)
		}
	})
}

func FuzzHook_NoPanic(f *testing.F) {
	f.Add([]byte(`[{"Id":5,"CoworkerId":7}]`), "00")
	f.Add([]byte(`{"Coworker":{"Id":7}}`), "")
	f.Fuzz(func(t *testing.T, body []byte, signature string) {
		if signed([]byte("secret"), signature, body) {
			t.Errorf("%q signs %q", signature, body)
		}
		refs, err := hookRefs(body)
		if err == nil && len(refs) == 0 {
			t.Errorf("%q tells of nothing", body)
		}
		for _, r := range refs {
			if r.Kind == refCoworker && !plainID(word(r.ID)) {
				t.Errorf("%q names %q", body, r.ID)
			}
		}
	})
}
