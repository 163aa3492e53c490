package nexudus

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/backends/conformance"
	"memberradius/internal/nexudustest/standin"
	"memberradius/member"
)

// zero keeps nothing, so that each ask is a call.
func zero() *time.Duration { return new(time.Duration) }

// liveWorld has members whose own passwords are asked about.
func liveWorld(t *testing.T, way string) *world {
	w := newWorld(t, func(_ *standin.Server, c *Config) { c.Secret, c.Live, c.Fresh, c.Grace = "live", way, zero(), zero() })
	w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com", Password: "annas-own"}, "Hot Desk")
	w.space.Join(standin.Coworker{Name: "Gone", Email: "gone@example.com", Password: "gones-own", Suspended: true}, "Hot Desk")
	w.full()
	_ = w.space.Asked()
	return w
}

func TestConformanceLive(t *testing.T) {
	for _, way := range []string{"token", "checkin"} {
		conformance.Run(t, func(t *testing.T) conformance.Subject {
			w := liveWorld(t, way)
			return conformance.Subject{
				Backend: w.backend, Login: "anna@example.com", Password: "annas-own", Unknown: "nobody@example.com",
				Secrets: []member.Secret{member.Secret(w.space.Password)},
			}
		})
	}
}

func TestConformanceKept(t *testing.T) {
	conformance.Run(t, func(t *testing.T) conformance.Subject {
		w := newWorld(t, func(_ *standin.Server, c *Config) { c.Secret = "pincode" })
		w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com", Pincode: "471147114711"}, "Hot Desk")
		w.space.Join(standin.Coworker{Name: "Gone", Email: "gone@example.com", Pincode: "081508150815", Suspended: true}, "Hot Desk")
		w.full()
		return conformance.Subject{
			Backend: w.backend, Login: "anna@example.com", Password: "471147114711", Unknown: "nobody@example.com",
			Disabled: "gone@example.com", DisabledPassword: "081508150815",
		}
	})
}

// TestBeforeTheFirstSync nobody is unknown: the system could not say.
func TestBeforeTheFirstSync(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := pap("anna@example.com", "x")
	if _, err := w.backend.Ask(t.Context(), a); backends.ClassOf(err) != backends.NotReady {
		t.Errorf("Ask: %v", err)
	}
	var out member.Answer
	if got := w.backend.Known(a, &out); got != backends.Unsure {
		t.Errorf("Known: %v", got)
	}
	w.full()
	if got := w.backend.Known(a, &out); got != backends.Absent {
		t.Errorf("Known after a sync of an empty space: %v", got)
	}
}

func TestOwnPassword(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"token", "checkin"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w := liveWorld(t, way)
			ask := func(a *member.Attempt) (member.Answer, error) {
				t.Helper()
				return w.backend.Ask(t.Context(), a)
			}
			ans, err := ask(pap("ANNA@example.com", "annas-own"))
			if err != nil || ans.Verdict != member.Allow || !ans.Proved || ans.Member.Name != "Anna" || len(ans.Member.Plans) != 1 {
				t.Errorf("her own: %s, %v, %+v", ans.Verdict, err, ans.Member)
			}
			left := time.Until(ans.Member.ValidUntil)
			if way == "checkin" && (left < 5*time.Hour || left > 7*time.Hour) || way == "token" && !ans.Member.ValidUntil.IsZero() {
				t.Errorf("it lasts until %s", ans.Member.ValidUntil)
			}
			wrongs := map[string]member.Reason{"token": member.ReasonWrongProof, "checkin": member.ReasonRefused}
			if ans, err = ask(pap("anna@example.com", "x")); err != nil || ans.Verdict != member.Deny || ans.Proved || ans.Reason != wrongs[way] {
				t.Errorf("a wrong one: %s, %s, %v", ans.Verdict, ans.Reason, err)
			}
			calls := len(w.space.Asked())
			if calls != 2 {
				t.Errorf("%d calls for two asks", calls)
			}
			for name, a := range map[string]*member.Attempt{
				"suspended": pap("gone@example.com", "gones-own"), "unknown": pap("nobody@example.com", "x"), "empty": pap("anna@example.com", ""),
				"mschap": {Login: "anna@example.com", Proof: member.Proof{Kind: member.MSCHAPv2}},
				"gate":   {Login: "anna@example.com", Proof: member.Proof{Kind: member.Proved}},
			} {
				_, _ = ask(a)
				if asked := w.space.Asked(); len(asked) != 0 {
					t.Errorf("%s: Nexudus was asked: %v", name, asked)
				}
			}
			if in := w.space.Open(); in != 0 {
				t.Errorf("%d check-ins were made, which may cost passes", in)
			}
		})
	}
}

// TestOwnPasswordCouldNotSay: no fault of Nexudus refuses a member.
func TestOwnPasswordCouldNotSay(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"token", "checkin"} {
		for name, fault := range map[string]standin.Fault{
			"500": standin.Status(500), "403": standin.Status(403), "404": standin.Status(404), "cloudfront": standin.CloudFront(), "cut": standin.Cut(),
			"half": standin.Half(), "page": standin.Body("text/html", "<html>"), "empty": standin.Body("application/json", "{}"),
			"throttled": standin.Throttle(409, 5), "unsupported": standin.Body("application/json", `{"error":"unsupported_grant_type"}`),
			"failed inside": standin.NotSuccessful(),
		} {
			w := liveWorld(t, way)
			w.space.Fail("/portal", 0, fault)
			ans, err := w.backend.Ask(t.Context(), pap("anna@example.com", "annas-own"))
			if err == nil || ans.Verdict != member.Unanswered {
				t.Errorf("%s, %s: %s, %v", way, name, ans.Verdict, err)
			}
			if err != nil && strings.Contains(err.Error(), "annas-own") {
				t.Errorf("%s, %s: her password stands in the error", way, name)
			}
			w.space.Mend()
		}
	}
}

// TestEndedMembershipBeatsTheCache: Nexudus is asked about a password once, and who
// is a member is judged each time.
func TestEndedMembershipBeatsTheCache(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *standin.Server, c *Config) { c.Secret = "live" })
	_, of := w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com", Password: "annas-own"}, "Hot Desk")
	w.full()
	_ = w.space.Asked()
	for range 5 {
		if ans, err := w.backend.Ask(t.Context(), pap("anna@example.com", "annas-own")); err != nil || ans.Verdict != member.Allow {
			t.Fatalf("%s, %v", ans.Verdict, err)
		}
	}
	if asked := w.space.Asked(); len(asked) != 1 {
		t.Errorf("%d calls for five logins", len(asked))
	}
	w.space.Cancel(of)
	w.changes()
	if ans, err := w.backend.Ask(t.Context(), pap("anna@example.com", "annas-own")); err == nil {
		t.Errorf("her contract has ended: %s", ans.Verdict)
	}
}

// TestHookSignature: made by Nexudus' own way, over what is no ASCII too.
func TestHookSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	sign := func(body string) string { return w.space.Sign([]byte(body)) }
	for _, tt := range []struct {
		name, body, signature string
		want                  error
	}{
		{"ASCII", `[{"CoworkerId":7}]`, sign(`[{"CoworkerId":7}]`), nil},
		{"lower case", `[{"CoworkerId":7}]`, strings.ToLower(sign(`[{"CoworkerId":7}]`)), nil},
		{"José", `[{"CoworkerId":7,"Name":"José"}]`, sign(`[{"CoworkerId":7,"Name":"José"}]`), nil},
		{"a pair, as one", `[{"CoworkerId":7,"Name":"😀"}]`, sign(`[{"CoworkerId":7,"Name":"😀"}]`), nil},
		{"a pair of UTF-16", `[{"CoworkerId":7,"Name":"😀"}]`, sign(`[{"CoworkerId":7,"Name":"??"}]`), nil},
		{"another body", `[{"CoworkerId":8}]`, sign(`[{"CoworkerId":7}]`), backends.ErrUnsigned},
		{"none", `[{"CoworkerId":7}]`, "", backends.ErrUnsigned},
		{"cut", `[{"CoworkerId":7}]`, sign(`[{"CoworkerId":7}]`)[:63], backends.ErrUnsigned},
	} {
		push, err := w.backend.Notify(t.Context(), header("X-Nexudus-Hook-Signature", tt.signature), []byte(tt.body))
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if err == nil && (len(push.Records) != 0 || len(push.Refs) != 1 || push.Refs[0] != backends.Ref{Kind: "coworker", ID: "7"}) {
			t.Errorf("%s: %+v", tt.name, push)
		}
	}
	deaf := newWorld(t, func(_ *standin.Server, c *Config) { c.WebhookSecret, c.ACSToken = "", "" })
	if _, err := deaf.backend.Notify(t.Context(), header("X-Nexudus-Hook-Signature", sign("[]")), []byte("[]")); !errors.Is(err, backends.ErrDeaf) {
		t.Errorf("without a secret: %v", err)
	}
}

// TestHookIsAHint: whatever it holds, it says at most whom to read again.
func TestHookIsAHint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	many := "[" + strings.Repeat(`{"CoworkerId":1},`, 30) + `{"CoworkerId":1}]`
	for body, want := range map[string]string{
		`[{"Id":5,"CoworkerId":7,"Active":true}]`:              "coworker 7",
		`[{"id":5,"coworkerId":"7"}]`:                          "coworker 7",
		`{"Coworker":{"Id":7}}`:                                "coworker 7",
		`[{"Id":7,"CoworkerType":1,"Email":"a@b.c"}]`:          "coworker 7",
		`[{"Id":7,"Name":"Acme","TunnelPrivateGroupId":"5"}]`:  "changes ",
		`[{"CoworkerId":7},{"CoworkerId":8},{"CoworkerId":7}]`: "coworker 7, coworker 8",
		`[]`: "changes ", `[1,null,"x"]`: "changes ", many: "changes ",
		`[{"CoworkerId":"../../x"}]`: "changes ", `[{"CoworkerId":[1,2]}]`: "changes ",
	} {
		push, err := w.backend.Notify(t.Context(), header("X-Nexudus-Hook-Signature", w.space.Sign([]byte(body))), []byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		var got []string
		for _, r := range push.Refs {
			got = append(got, r.Kind+" "+r.ID)
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%.60s: %s, want %s", body, text, want)
		}
	}
	for _, body := range []string{"", "null", "7", `"x"`, "{", "[{]"} {
		if _, err := w.backend.Notify(t.Context(), header("X-Nexudus-Hook-Signature", w.space.Sign([]byte(body))), []byte(body)); backends.ClassOf(err) != backends.BadAnswer {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestRecordsOfAContract(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	anna, of := w.space.Join(standin.Coworker{Name: "Anna", Email: "anna@example.com"}, "Hot Desk")
	w.full()
	body := w.space.HookBody(of)
	push, err := w.backend.Notify(t.Context(), header("X-Nexudus-Hook-Signature", w.space.Sign(body)), body)
	if err != nil || len(push.Refs) != 1 || push.Refs[0].ID != fmt.Sprint(anna) {
		t.Fatalf("%+v, %v", push, err)
	}
	w.space.Cancel(of)
	if err := w.sync(backends.Query{Refs: push.Refs}); err != nil || w.logins() != "" {
		t.Errorf("%v, members are %s", err, w.logins())
	}
}
