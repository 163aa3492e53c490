package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/backends/outward"
	"memberradius/member"
)

// dialerOf puts another guard into the way of r.
func dialerOf(r *REST, g outward.Guard) {
	r.line.Transport.DialContext = (&net.Dialer{Control: g.Control}).DialContext
}

const full = `{"return_url":"https://a.example","valid_until":"2099/01/10 01:59:59 +0000","valid_from":"2017-01-09T02:03:52",` +
	`"nt_key":"41c00c584bd2d91c4017a2a12fa59f3f","membership_id":12,"membership":{"name":"John","id":"1","x":{}},"id":"9",` +
	`"attributes":[{"name":"Tunnel-Private-Group-Id","value":"101","op":":="},{"name":"Acct-Interim-Interval","value":300}],"unknown":[1,{"a":null}]}`

// TestMutatedBodies: a body that is broken in any of many ways is never an Allow.
func TestMutatedBodies(t *testing.T) {
	t.Parallel()
	var bodies []string
	for n := range len(full) {
		bodies = append(bodies, full[:n]) // every prefix
	}
	bodies = append(bodies, "", "null", "true", "false", "0", "-1.5e3", `"ok"`, "[]", "[{}]", "{}{}", "{},", "{}x", "\ufeff{}", "{}\x00",
		"{'a':1}", "{a:1}", "<html></html>", `{"a":01}`, `{"a":1.}`, `{"a":+1}`, `{"a":NaN}`, "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}",
		`{"a":"\x"}`, `{"a":"\u12"}`, `{"a":tru}`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":1,}`, `{"a":[1,]}`, `{,}`,
		strings.Repeat(`{"a":`, 10_001)+"1"+strings.Repeat("}", 10_001), strings.Repeat("[", 60000),
		`{"errors":["no"]}`, `{"errors":[""]}`, `{"membership":{"name":1}}`, `{"membership":{"id":true}}`)
	for _, field := range []string{"return_url", "valid_from", "valid_until", "id", "membership_id", "membership", "attributes", "errors"} {
		for _, v := range []string{"true", `{"id":[]}`, `[1]`, `"\u0000`, "1e", "[[]]"} {
			bodies = append(bodies, fmt.Sprintf(`{%q:%s}`, field, v))
		}
	}
	for _, v := range []string{`"tomorrow"`, `""`, `1483228800`, `"2017/13/10 01:59:59 +0000"`, `"2017/01/10"`, `"2017-01-10"`} {
		bodies = append(bodies, `{"valid_until":`+v+`}`, `{"valid_from":`+v+`}`)
	}
	for _, v := range []string{`"x"`, `[null]`, `["x"]`, `[{}]`, `[{"name":"A"}]`, `[{"value":"1"}]`, `[{"name":"","value":"1"}]`, `[{"name":1,"value":"1"}]`, `[{"name":"A","value":true}]`, `[{"name":"A","value":["1"]}]`, `[{"name":"A","value":null}]`, `[{"name":"A","value":"1","op":"=="}]`, `[{"name":"A","value":"1","op":1}]`, `{"name":"A","value":"1"}`, "[" + strings.Repeat(`{"name":"A","value":"1"},`, maxAttributes) + `{"name":"A","value":"1"}]`} {
		bodies = append(bodies, `{"attributes":`+v+`}`)
	}
	accepted := 0
	for _, b := range bodies {
		got, err := decodeReply([]byte(b), time.UTC)
		if err == nil && len(got.Errors) == 0 {
			accepted++
			t.Errorf("accepted: %.80s", b)
		}
	}
	t.Logf("%d bodies, %d accepted", len(bodies), accepted)
	if _, err := decodeReply([]byte(full), time.UTC); err != nil {
		t.Errorf("the body that is whole: %v", err)
	}
}

// TestFaultsNameTheFieldAndQuoteNothing: a body may hold an nt_key in any place.
func TestFaultsNameTheFieldAndQuoteNothing(t *testing.T) {
	t.Parallel()
	const canary = "41471147"
	for field, body := range map[string]string{
		"return_url":       `{"return_url":` + canary + `}`,
		"id":               `{"id":{"x":"` + canary + `"}}`,
		"valid_until":      `{"valid_until":"` + canary + `"}`,
		"membership.name":  `{"membership":{"name":` + canary + `}}`,
		"membership.id":    `{"membership":{"id":["` + canary + `"]}}`,
		"attributes.value": `{"attributes":[{"name":"A","value":["` + canary + `"]}]}`,
		"attributes":       `{"attributes":[{"name":"A","value":"1","op":"` + canary + `"}]}`,
		"errors":           `{"errors":[` + canary + `]}`,
		"not valid JSON":   `{"nt_key":"` + canary + `\y"}`,
		"a JSON object":    `"` + canary + `"`,
	} {
		_, err := decodeReply([]byte(body), time.UTC)
		if err == nil || !strings.Contains(err.Error(), field) || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "Go ") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestMutatedBodiesEndToEnd: a hundred bodies with octets cut out or turned
// around, through the whole backend. Where one is an Allow, it is a body that
// encoding/json reads as well.
func TestMutatedBodiesEndToEnd(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		b := []byte(full)
		for range 1 + rnd.IntN(3) {
			switch i := rnd.IntN(len(b)); rnd.IntN(3) {
			case 0:
				b = append(b[:i], b[min(len(b), i+1+rnd.IntN(20)):]...)
			case 1:
				b[i] ^= 1 << rnd.IntN(8)
			default:
				b[i] = `{}[]":,`[rnd.IntN(7)]
			}
		}
		r := serve(t, says(200, "application/json", string(b)), nil, backends.Deps{})
		ans, err := r.Ask(t.Context(), mschapv2())
		if err == nil && ans.Verdict == member.Allow && (!json.Valid(b) || ans.NTKey == nil) {
			t.Errorf("an Allow from %s", b)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("this host has no time zones")
	}
	for in, want := range map[string]time.Time{
		"2017/01/10 01:59:59 +0000":   time.Date(2017, 1, 10, 1, 59, 59, 0, time.UTC),
		"2017/01/10 01:59:59 -0330":   time.Date(2017, 1, 10, 5, 29, 59, 0, time.UTC),
		"2022-06-17T22:26:13":         time.Date(2022, 6, 17, 20, 26, 13, 0, time.UTC),
		"2022-06-17T22:26:13Z":        time.Date(2022, 6, 17, 22, 26, 13, 0, time.UTC),
		"2022-06-17T22:26:13.5+02:00": time.Date(2022, 6, 17, 20, 26, 13, 5e8, time.UTC),
	} {
		got, err := decodeReply([]byte(`{"valid_until":"`+in+`"}`), berlin)
		if err != nil || !got.validUntil.Equal(want) {
			t.Errorf("%s = %s, %v", in, got.validUntil, err)
		}
	}
}

func TestTextsAreCopied(t *testing.T) {
	t.Parallel()
	body := []byte(full)
	got, err := decodeReply(body, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(got)
	clear(body)
	if fmt.Sprint(got) != before {
		t.Error("the reply changes with the buffer")
	}
}

func FuzzReply_NoPanic(f *testing.F) {
	for _, s := range []string{full, "{}", `{"errors":["a\ud83d\ude00\ud83d"]}`, `{"a":"\ud83dx"}`, `{"valid_until":"x"}`, "[", `{"nt_key":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := decodeReply(b, time.UTC); err == nil && !json.Valid(b) {
			t.Errorf("taken, but no JSON: %q", b)
		}
		first, listed, err := decodeErrors(b)
		if err == nil && (!json.Valid(b) || first != "" && !listed) {
			t.Errorf("taken, but no JSON: %q", b)
		}
		if line := oneLine(first); len(line) > maxText || strings.ContainsAny(line, "\r\n\x00\x1b") {
			t.Errorf("%q became %q", first, line)
		}
		var out struct {
			Errors []string `json:"errors"`
		}
		if err == nil && listed && first != "" && json.Unmarshal(b, &out) == nil {
			for _, s := range out.Errors {
				if s != "" {
					if s != first {
						t.Errorf("%q is read as %q", s, first)
					}
					break
				}
			}
		}
	})
}

// FuzzReply_RoundTrip writes a reply with encoding/json and reads it back.
func FuzzReply_RoundTrip(f *testing.F) {
	f.Add("John", "id-1", "Filter-Id", "a\"b\\\u2028", int64(4102444800))
	f.Add("", "", "A", "", int64(1))
	f.Fuzz(func(t *testing.T, name, id, attribute, value string, until int64) {
		at := time.Unix(until%250_000_000_000, 0).UTC()
		if attribute == "" || at.Year() < 1 || at.Year() > 9999 || at.IsZero() {
			t.Skip()
		}
		b, err := json.Marshal(map[string]any{
			"membership": map[string]any{"name": name}, "id": id, "valid_until": at.Format("2006/01/02 15:04:05 -0700"),
			"attributes": []any{map[string]any{"name": attribute, "value": value, "op": "+="}},
		})
		if err != nil {
			t.Skip()
		}
		got, err := decodeReply(b, time.UTC)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		want := func(s string) string {
			var out string
			e, _ := json.Marshal(s)
			_ = json.Unmarshal(e, &out)
			return out
		}
		if got.Membership.Name != want(name) || string(got.ID) != want(id) || !got.validUntil.Equal(at) ||
			got.attributes[0] != (member.Attribute{Name: want(attribute), Value: want(value), Op: member.OpAdd}) {
			t.Errorf("%s is read as %+v", b, got)
		}
	})
}

// FuzzRequest_RoundTrip: encoding/json reads what encode writes, as if it had
// written it itself.
func FuzzRequest_RoundTrip(f *testing.F) {
	f.Add("user1", "hello", uint16(1812))
	f.Add("\xff\"\\\x00\u2028", "\x7f\x1f</script>", uint16(0))
	f.Fuzz(func(t *testing.T, login, password string, port uint16) {
		if password == "" {
			t.Skip() // nobody is asked about it
		}
		a := pap(login, member.Secret(password))
		a.Port = port
		b := encode(a, false)
		var got map[string]string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		var want map[string]string
		w, _ := json.Marshal(map[string]string{"login": login, "password": password, "auth_port": fmt.Sprint(port)})
		_ = json.Unmarshal(w, &want)
		if len(got) != 3 || got["login"] != want["login"] || got["password"] != want["password"] || got["auth_port"] != want["auth_port"] {
			t.Errorf("%q reads as %q, want %q", b, got, want)
		}
		if bytes.ContainsAny(bytes.TrimSuffix(b, []byte("\n")), "\x00\n\r") {
			t.Errorf("a control character in %q", b)
		}
	})
}

func FuzzRequest_NoPanic(f *testing.F) {
	f.Add("user1", "hello", byte(1), true)
	f.Fuzz(func(t *testing.T, login, password string, kind byte, raw bool) {
		a := pap(login, member.Secret(password))
		a.Proof.Kind = member.ProofKind(kind)
		if b := encode(a, raw); !json.Valid(b) {
			t.Errorf("no JSON: %q", b)
		}
	})
}
