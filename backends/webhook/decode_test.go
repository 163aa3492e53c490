package webhook

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"memberradius/member"
)

var (
	generating = decoder{backend: "club"}
	giving     = decoder{backend: "club", given: true, ntHash: func(p string) member.Hash { return member.Hash{byte(len(p))} }}
)

// push writes a body of one type with this data.
func push(kind, data string) []byte {
	return fmt.Appendf(nil, `{"type":%q,"timestamp":"2026-01-31T11:59:00Z","data":%s}`, kind, data)
}

// TestRecord reads every field.
func TestRecord(t *testing.T) {
	t.Parallel()
	m, err := generating.decode(push("member.created", `{
		"login": " Anna@example.com ", "id": 123456789012345678, "membership_id": "m-1", "name": "Anna \u00d6", "team": "Acme", "email": "a@example.org",
		"plans": ["Hot Desk", " Office "], "vlan": 20, "office_vlan": "0030", "team_vlan": "acme",
		"valid_from": "2026-01-01T00:00:00+01:00", "valid_until": "2026-12-31T23:00:00.75Z", "devices": 3, "disabled": true, "more": {"vlan": [1]}}`), noon)
	if err != nil {
		t.Fatal(err)
	}
	want := member.Record{
		Member: member.Member{
			Backend: "club", Login: "Anna@example.com", ID: "123456789012345678", MembershipID: "m-1", Name: "Anna Ö", Team: "Acme",
			Plans: []string{"Hot Desk", "Office"}, VLAN: "20", OfficeVLAN: "30", TeamVLAN: "acme",
			ValidFrom: time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC), ValidUntil: time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC),
			Devices: 3, Disabled: true,
		},
		Email: "a@example.org",
	}
	if len(m.records) != 1 || !reflect.DeepEqual(m.records[0], want) || !m.at.Equal(noon.Add(-time.Minute)) {
		t.Errorf("at %s\n%+v, want\n%+v", m.at, m.records, want)
	}
}

// TestForms: other ways to say it.
func TestForms(t *testing.T) {
	t.Parallel()
	bare := func(login string) member.Record {
		return member.Record{Member: member.Member{Backend: "club", Login: login}}
	}
	for body, want := range map[string][]member.Record{
		`{"login":4711}`:            {bare("4711")},
		`{"login":"x","plan":null}`: {bare("x")},
		`{"login":"x","valid_until":null,"vlan":null,"devices":null,"password":null}`: {bare("x")},
		`{"login":"x@example.com","email":null}`:                                      {bare("x@example.com")},
		`{"login":"x@example.com","email":""}`:                                        {bare("x@example.com")},
		`{"login":"x@example.com"}`:                                                   {{Member: bare("x@example.com").Member, Email: "x@example.com"}},
		`{"login":"Anna <x@example.com>"}`:                                            {bare("Anna <x@example.com>")},
		`[{"login":"x"},{"login":"y","disabled":false}]`:                              {bare("x"), bare("y")},
		`{"login":"x","devices":0,"name":"","team":"  "}`:                             {bare("x")},
		`{"login":"x","plans":[]}`:                                                    {{Member: member.Member{Backend: "club", Login: "x", Plans: []string{}}}},
		` {"login":"x","some":{"a":[{}]},"tags":["login"]}`:                           {bare("x")},
	} {
		m, err := generating.decode(push(typeUpdated, body), noon)
		if err != nil || !reflect.DeepEqual(m.records, want) {
			t.Errorf("%s: %+v, %v", body, m, err)
		}
	}
	m, err := generating.decode(push(typeEnded, `[{"login":"x","plan":5,"disabled":null},{"id":7}]`), noon)
	if err != nil || len(m.records) != 2 || !m.records[0].Gone || m.records[0].Member.Login != "x" || !m.records[1].Gone || m.records[1].Member.ID != "7" || m.records[1].Member.Login != "" {
		t.Errorf("ended: %+v, %v", m, err)
	}
	for _, body := range []string{`{"type":"invoice.paid"}`, `{"type":"invoice.paid","timestamp":5,"data":"x"}`} {
		if m, err := generating.decode([]byte(body), noon); err != nil || len(m.records) != 0 {
			t.Errorf("%s: %+v, %v", body, m, err)
		}
	}
}

// TestCredentials: who makes the password is said in the configuration, and a push keeps to it.
func TestCredentials(t *testing.T) {
	t.Parallel()
	const phc = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b27Lg"
	for body, want := range map[string]member.Credential{
		`"password":" correct horse "`:                 {Password: " correct horse ", NTHash: &member.Hash{15}},
		`"nt_hash":"44ebba8d5312b8d611474411f56989AE"`: {NTHash: &member.Hash{0x44, 0xeb, 0xba, 0x8d, 0x53, 0x12, 0xb8, 0xd6, 0x11, 0x47, 0x44, 0x11, 0xf5, 0x69, 0x89, 0xae}},
		`"password_hash":"` + phc + `"`:                {Argon2id: phc},
		`"password":"x","nt_hash":null`:                {Password: "x", NTHash: &member.Hash{1}},
	} {
		m, err := giving.decode(push(typeUpdated, `{"login":"x",`+body+`}`), noon)
		if err != nil || !reflect.DeepEqual(m.records[0].Credential, want) {
			t.Errorf("%s: %v", body, err)
		}
		if m, err := generating.decode(push(typeUpdated, `{"login":"x",`+body+`}`), noon); err == nil || m.records != nil || !strings.Contains(err.Error(), "given") {
			t.Errorf("%s, where passwords are made here: %v", body, err)
		}
	}
	for _, body := range []string{`"name":"x"`, `"password":""`, `"password":null`, `"password":"canary\u0000"`, `"password":"canary\n"`, `"password":4711}`,
		`"password":"` + strings.Repeat("canary", 22) + `"`, `"password":"canary","nt_hash":"44ebba8d5312b8d611474411f56989ae"`, `"nt_hash":"canary"`,
		`"nt_hash":"canarya8d5312b8d611474411f56989a"`, `"nt_hash":"44ebba8d5312b8d611474411f56989ae00"`, `"password_hash":"canary"`, `"password":"canary\ud800"`} {
		m, err := giving.decode(push(typeUpdated, `{"login":"x",`+body+`}`), noon)
		if err == nil || m != nil && m.records != nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", body, err)
		}
	}
	if m, err := giving.decode(push(typeEnded, `{"login":"x"}`), noon); err != nil || !m.records[0].Gone {
		t.Errorf("ended needs no password: %v", err)
	}
}

// TestRefused: what might let somebody in by mistake, or says nothing, is an
// error that names the field, and nothing of the push counts.
func TestRefused(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`null`: "data", `5`: "data", `[]`: "from 1 to 1000", `{}`: "login is missing", `[{"login":"x"},5]`: "data[1]", `[{"login":"x"},{}]`: "data[1]: login",
		`{"login":null}`: "login is missing", `{"login":""}`: "login is empty", `{"login":" "}`: "login is empty", `{"login":true}`: "login must be", `{"login":1.5}`: "login",
		`{"login":"x\u0000"}`: "U+0000", `{"login":"x\u200b"}`: "U+200B", `{"login":"x\u202ey"}`: "U+202E", `{"login":"\ud800"}`: "U+FFFD",
		`{"login":"` + strings.Repeat("x", 254) + `"}`:  "253",
		`{"login":"x","Login":"y"}`:                     "did you mean login",
		`{"login":"x","login":"y"}`:                     "login stands there twice",
		`{"login":"x","validUntil":"2026"}`:             "did you mean valid_until",
		`{"login":"x","valid-until":null}`:              "did you mean valid_until",
		`{"login":"x","disabled":true,"disabled":null}`: "disabled stands there twice",
		`{"login":"x","disabled":null}`:                 "disabled must be", `{"login":"x","disabled":"true"}`: "disabled must be", `{"login":"x","disabled":1}`: "disabled must be",
		`{"login":"x","valid_until":""}`: "valid_until must be", `{"login":"x","valid_until":"2026-01-31"}`: "valid_until must be", `{"login":"x","valid_until":1767225600}`: "valid_until must be",
		`{"login":"x","valid_until":"2026-01-31T12:00:00"}`: "valid_until must be", `{"login":"x","valid_until":"0001-01-01T00:00:00Z"}`: "year", `{"login":"x","valid_from":"never"}`: "valid_from must be",
		`{"login":"x","valid_from":"2026-02-01T00:00:00Z","valid_until":"2026-01-01T00:00:00Z"}`: "not after valid_from",
		`{"login":"x","plan":""}`: "plan is empty", `{"login":"x","plans":["a",""]}`: "plan is empty", `{"login":"x","plan":["a"]}`: "plan must be", `{"login":"x","plans":"a"}`: "plans must be",
		`{"login":"x","plan":"a","plans":["b"]}`: "stands beside plan", `{"login":"x","plan":"a;b"}`: "several", `{"login":"x","plan":"` + strings.Repeat("a", 1025) + `"}`: "1024",
		`{"login":"x","plans":["a\n"]}`:  "", // a line break at the end is a blank
		`{"login":"x","plans":["a\nb"]}`: "U+000A",
		`{"login":"x","vlan":0}`:         "vlan", `{"login":"x","vlan":4095}`: "vlan", `{"login":"x","vlan":""}`: "vlan", `{"login":"x","vlan":-1}`: "vlan", `{"login":"x","team_vlan":true}`: "team_vlan",
		`{"login":"x","devices":-1}`: "devices", `{"login":"x","devices":"2"}`: "devices", `{"login":"x","devices":1e2}`: "devices", `{"login":"x","devices":10001}`: "devices",
		`{"login":"x","email":"Anna <a@example.com>"}`: "email", `{"login":"x","email":"a@example.com\r\nBcc: b@example.com"}`: "email", `{"login":"x","email":5}`: "email",
		`{"login":"x","name":5}`: "name must be", `{"login":"x","name":"a\u2028b"}`: "U+2028", `{"login":"x","team":"a\u202eb"}`: "U+202E",
		`[{"login":"Anna@x"},{"login":"y"},{"login":"anna@X"}]`:          "data[2]: the same member as in data[0]",
		`[{"login":"a","id":7},{"login":"b","id":"7"}]`:                  "data[1]: the same member",
		`[` + strings.TrimSuffix(strings.Repeat(`{},`, 1001), ",") + `]`: "1001",
	} {
		m, err := generating.decode(push(typeUpdated, data), noon)
		switch {
		case want == "":
			if err != nil {
				t.Errorf("%.60s: %v", data, err)
			}
		case err == nil || !strings.Contains(err.Error(), want) || m != nil && m.records != nil:
			t.Errorf("%.60s: %v, want %q", data, err, want)
		}
	}
	if _, err := generating.decode(push(typeEnded, `{"name":"x"}`), noon); err == nil || !strings.Contains(err.Error(), "login is missing, and id") {
		t.Errorf("ended, and nobody: %v", err)
	}
}

// TestBodies: what is wrong around the members.
func TestBodies(t *testing.T) {
	t.Parallel()
	const data = `,"data":{"login":"x"}}`
	at := func(d time.Duration) string {
		return `{"type":"member.updated","timestamp":"` + noon.Add(d).Format(time.RFC3339) + `"` + data
	}
	for body, want := range map[string]string{
		``: "JSON", `{`: "JSON", `[]`: "a JSON object is needed", `null`: "a JSON object is needed", `"x"`: "a JSON object is needed", `{}{}`: "JSON", "{\"type\":\"\xff\"}": "JSON",
		strings.Repeat("[", 20000): "JSON", `{}`: "type is missing", `{"type":5}`: "type must be", `{"type":null}`: "type is missing", `{"Type":"member.updated"}`: "did you mean type",
		`{"type":"member.updated","type":"invoice.paid"}`:   "type stands there twice",
		`{"type":"member.suspended","timestamp":"x"` + data: "not known", `{"type":"Member.Ended"` + data: "not known", `{"type":"member.` + strings.Repeat("x", 999) + `"}`: "not known",
		`{"type":"member.updated"` + data: "timestamp is missing", `{"type":"member.updated","timestamp":null` + data: "timestamp is missing",
		`{"type":"member.updated","timestamp":1767225600` + data: "timestamp must be", `{"type":"member.updated","timestamp":"2026-01-31"` + data: "timestamp must be",
		at(5*time.Minute + time.Second): "future", at(-30*24*time.Hour - time.Second): "30 days",
		`{"type":"member.updated","timestamp":"2026-01-31T11:59:00Z"}`: "data is missing",
	} {
		m, err := generating.decode([]byte(body), noon)
		if err == nil || !strings.Contains(err.Error(), want) || m != nil && m.records != nil || len(err.Error()) > 400 {
			t.Errorf("%.60s: %v, want %q", body, err, want)
		}
	}
	for _, d := range []time.Duration{0, 5 * time.Minute, -30 * 24 * time.Hour} {
		if m, err := generating.decode([]byte(at(d)), noon); err != nil || !m.at.Equal(noon.Add(d)) {
			t.Errorf("%s: %v", d, err)
		}
	}
}

// TestEveryPrefixFails: half a body is no body.
func TestEveryPrefixFails(t *testing.T) {
	t.Parallel()
	whole := push(typeUpdated, `[{"login":"x","plan":"a","valid_until":"2026-12-31T23:00:00Z"},{"login":"y","disabled":true}]`)
	for n := range whole {
		if m, err := giving.decode(whole[:n], noon); err == nil {
			t.Errorf("taken: %s as %+v", whole[:n], m)
		}
	}
}

func FuzzMessage_NoPanic(f *testing.F) {
	for _, data := range []string{`{"login":"x"}`, `[{"login":"x","vlan":"a"},{"id":5}]`, `{"login":"\ud83d","password":"x"}`, `{"a":[[[]]]}`, `5`} {
		f.Add(push(typeUpdated, data))
		f.Add(push(typeEnded, data))
	}
	f.Add([]byte(`{"type":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, d := range []*decoder{&generating, &giving} {
			m, err := d.decode(body, noon)
			if err != nil {
				continue
			}
			if !json.Valid(body) || len(m.records) > maxRecords || len(m.records) > 0 && m.at.IsZero() {
				t.Errorf("taken: %q", body)
			}
			for _, r := range m.records {
				switch {
				case r.Member.Backend != "club", len(r.Member.Login) > member.MaxLogin, r.Member.Login == "" && !(r.Gone && r.Member.ID != ""),
					!r.Gone && (r.Credential != (member.Credential{})) != d.given, strings.ContainsAny(r.Member.Login+r.Member.Name+r.Email, "\r\n\x00\x1b"):
					t.Errorf("%q becomes %+v", body, r.Member)
				}
			}
		}
	})
}

// FuzzMessage_RoundTrip writes a member as JSON and reads her back.
func FuzzMessage_RoundTrip(f *testing.F) {
	f.Add("anna@example.com", "Anna", "Hot Desk", "20", int64(1800000000), 3, true)
	f.Add("x", "", "", "", int64(0), 0, false)
	f.Fuzz(func(t *testing.T, login, name, plan, vlan string, until int64, devices int, disabled bool) {
		want := member.Member{Backend: "club", Login: login, Name: name, Devices: devices, Disabled: disabled}
		data := map[string]any{"login": login, "name": name, "devices": devices, "disabled": disabled}
		if plan != "" {
			data["plan"], want.Plans = plan, []string{plan}
		}
		if vlan != "" {
			v, err := member.ParseVLAN(vlan)
			if err != nil {
				t.Skip()
			}
			data["vlan"], want.VLAN = vlan, v
		}
		if until > 0 && until < 250_000_000_000 {
			want.ValidUntil = time.Unix(until, 0).UTC()
			data["valid_until"] = want.ValidUntil.Format(time.RFC3339)
		}
		body, err := json.Marshal(map[string]any{"type": typeUpdated, "timestamp": noon.Format(time.RFC3339), "data": data})
		if err != nil {
			t.Skip()
		}
		m, err := generating.decode(body, noon)
		if err != nil {
			return // what is no login is no matter here
		}
		for _, s := range []string{login, name, plan, vlan} {
			if strings.TrimSpace(s) != s {
				t.Skip()
			}
		}
		if !reflect.DeepEqual(m.records[0].Member, want) {
			t.Errorf("%s is read as\n%+v, want\n%+v", body, m.records[0].Member, want)
		}
	})
}
