package nexudus

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/internal/nexudustest/standin"
	"memberradius/member"
)

func header(name, value string) http.Header {
	h := http.Header{}
	h.Set(name, value)
	return h
}

// pushedOnly opens a backend that reads nothing.
func pushedOnly(t *testing.T, change func(*Config), now func() time.Time) *Backend {
	t.Helper()
	c := Config{ACSToken: acsToken}
	if change != nil {
		change(&c)
	}
	b, err := c.Open(backends.Deps{Name: "nexudus", Directory: &directory{}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if _, reads := b.(backends.Syncer); reads {
		t.Fatal("a backend without a user reads")
	}
	return b.(*Backend)
}

func TestGroups(t *testing.T) {
	t.Parallel()
	b := pushedOnly(t, nil, nil)
	good := header("Authorization", "Bearer "+acsToken)
	if got, err := b.Groups(t.Context(), good); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	for _, h := range []http.Header{{}, header("Authorization", acsToken), header("Authorization", "Basic "+acsToken), header("Authorization", "Bearer "+acsToken+"x"), header("Authorization", "Bearer")} {
		if _, err := b.Groups(t.Context(), h); !errors.Is(err, backends.ErrUnsigned) {
			t.Errorf("%d octets: %v", len(h.Get("Authorization")), err)
		}
		if _, err := b.Grant(t.Context(), h, []byte("{}")); !errors.Is(err, backends.ErrUnsigned) {
			t.Errorf("%d octets: %v", len(h.Get("Authorization")), err)
		}
	}
	deaf := newWorld(t, func(_ *standin.Server, c *Config) { c.ACSToken = "" }).backend
	if _, err := deaf.Groups(t.Context(), header("Authorization", "Bearer ")); !errors.Is(err, backends.ErrDeaf) {
		t.Errorf("%v", err)
	}
	if _, err := deaf.Grant(t.Context(), header("Authorization", "Bearer "), nil); !errors.Is(err, backends.ErrDeaf) {
		t.Errorf("%v", err)
	}
}

// TestGrant reads the documented sample.
func TestGrant(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 8, 20, 16, 31, 0, 0, time.UTC)
	b := pushedOnly(t, func(c *Config) { c.Secret = "pincode" }, func() time.Time { return now })
	const sample = `{"time":"2024-08-20T16:30:49.7961262Z","business":{"id":101,"name":"Space Plus","uniqueId":"b"},` +
		`"coworker":{"id":3032,"email":"anna@example.com","uniqueId":"c","accessPincode":"11546"},` +
		`"groups":["1"],"schedule":[{"group":"1","expires_on":"2024-08-31T20:00:00Z"}]}`
	grant := func(body string) (*backends.Push, error) {
		t.Helper()
		return b.Grant(t.Context(), header("Authorization", "bearer "+acsToken), []byte(body))
	}
	push, err := grant(sample)
	if err != nil || len(push.Records) != 1 || len(push.ID) != 64 || len(push.Refs) != 0 {
		t.Fatalf("%+v, %v", push, err)
	}
	r := push.Records[0]
	until := time.Date(2024, 8, 31, 20, 0, 0, 0, time.UTC)
	if m := r.Member; m.Login != "anna@example.com" || m.ID != "3032" || m.Backend != "nexudus" || !slices.Equal(m.Plans, []string{"1"}) ||
		!slices.Equal(m.Terms, []member.Term{{Until: until}}) || !m.ValidUntil.Equal(until) || string(r.Credential.Password) != "11546" || r.Gone {
		t.Errorf("%+v", r)
	}
	again, err := grant(sample)
	if err != nil || again.ID != push.ID {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	later := strings.Replace(strings.Replace(sample, "16:30:49", "16:30:50", 1), `["1"]`, `[]`, 1)
	if push, err = grant(later); err != nil || len(push.Records) != 1 || !push.Records[0].Gone || push.Records[0].Member.ID != "3032" {
		t.Errorf("no groups any more: %+v, %v", push, err)
	}
	if push, err = grant(sample); err != nil || len(push.Records) != 0 {
		t.Errorf("an older push came late and has an effect: %+v, %v", push, err)
	}
	open := strings.Replace(strings.Replace(sample, "16:30:49", "16:30:55", 1), `["1"]`, `["1","2"]`, 1)
	if push, err = grant(open); err != nil || !push.Records[0].Member.ValidUntil.IsZero() || len(push.Records[0].Member.Terms) != 2 {
		t.Errorf("one group has no end: %+v, %v", push, err)
	}
	for name, body := range map[string]string{
		"garbage": "{", "empty": "{}", "list": "[]", "no coworker": `{"groups":["1"]}`,
		"no groups":  strings.Replace(sample, `"groups":["1"],`, "", 1),
		"null":       strings.Replace(sample, `["1"]`, "null", 1),
		"no time":    strings.Replace(sample, "2024-08-20T16:30:49.7961262Z", "", 1),
		"yesterday":  strings.Replace(sample, "2024-08-20T", "2024-08-19T", 1),
		"tomorrow":   strings.Replace(sample, "2024-08-20T", "2024-08-21T", 1),
		"no email":   strings.Replace(strings.Replace(sample, "16:30:49", "16:30:59", 1), "anna@example.com", "", 1),
		"id is none": strings.Replace(sample, "3032", `"../x"`, 1),
		"bad end":    strings.Replace(sample, "2024-08-31T20:00:00Z", "soon", 1),
		"too many":   strings.Replace(sample, `["1"]`, `["1"`+strings.Repeat(`,"2"`, 100)+`]`, 1),
	} {
		if push, err := grant(body); backends.ClassOf(err) != backends.BadAnswer || push != nil {
			t.Errorf("%s: %+v, %v", name, push, err)
		}
	}
}

// TestGrantWhereTheSpaceIsRead is a hint: the two must not disagree.
func TestGrantWhereTheSpaceIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	anna, _ := w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Hot Desk")
	push, err := w.backend.Grant(t.Context(), header("Authorization", "Bearer "+acsToken), w.space.AccessBody(anna, standin.Grant{Group: "hot-desk"}))
	if err != nil || len(push.Records) != 0 || len(push.Refs) != 1 || push.Refs[0].Kind != "coworker" {
		t.Errorf("%+v, %v", push, err)
	}
}
