package coworks_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/backends/conformance"
	"memberradius/backends/coworks"
	"memberradius/internal/coworkstest/standin"
	"memberradius/member"
)

const (
	key      = "canary-key-4711"
	weak     = "canary-key-0815"
	password = "correct-horse"
)

// space is a stand-in with one member of each state.
func space(change func(*standin.Config)) *standin.Server {
	c := standin.Config{
		Token: key, Weak: weak, SpaceID: "1234",
		Members: []standin.Member{
			{Login: "ada@example.com", Password: password, Name: "Ada", State: standin.Active, VLAN: "101"},
			{Login: "ian@example.com", Password: password, State: standin.Inactive},
			{Login: "sue@example.com", Password: password, State: standin.Suspended},
			{Login: "eve@example.com", Password: password, State: standin.Active, Until: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)},
		},
	}
	if change != nil {
		change(&c)
	}
	return standin.New(c)
}

// open serves h and opens the backend for it.
func open(t *testing.T, h http.Handler, change func(*coworks.Config), d backends.Deps) *coworks.Backend {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c := coworks.Config{URL: s.URL + standin.Path, SpaceID: "1234", Token: key}
	if change != nil {
		change(&c)
	}
	d.Name = "coworks"
	b, err := c.Open(d)
	if err != nil {
		t.Fatal(err)
	}
	opened := b.(*coworks.Backend)
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

func pap(login string, password member.Secret) *member.Attempt {
	return &member.Attempt{Login: login, Port: 1812, Proof: member.Proof{Kind: member.Password, Password: password}}
}

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) conformance.Subject {
		s := space(func(c *standin.Config) { c.TellsUnknown = true })
		breaks := func(f standin.Fault) func(*testing.T) func() {
			return func(*testing.T) func() {
				s.Break(f)
				return func() { s.Break(standin.None) }
			}
		}
		return conformance.Subject{
			Backend: open(t, s, nil, backends.Deps{}),
			Login:   "ada@example.com", Password: password, Unknown: "nobody@example.com",
			Disabled: "eve@example.com", DisabledPassword: password, Secrets: []member.Secret{key},
			Break: breaks("503"), Stall: breaks(standin.Slow),
		}
	})
}

// TestAnswers: what Coworks says of a member is what she hears.
func TestAnswers(t *testing.T) {
	t.Parallel()
	b := open(t, space(nil), nil, backends.Deps{})
	for _, tt := range []struct {
		login    string
		password member.Secret
		verdict  member.Verdict
		message  string
	}{
		{"ada@example.com", password, member.Allow, ""},
		{"ada@example.com", "wrong", member.Deny, "Email/login or password incorrect."},
		{"nobody@example.com", password, member.Deny, "Email/login or password incorrect."},
		{"ian@example.com", password, member.Deny, "The membership is inactive."},
		{"sue@example.com", password, member.Deny, "The membership is suspended."},
		{"eve@example.com", password, member.Deny, ""},
	} {
		ans, err := b.Ask(t.Context(), pap(tt.login, tt.password))
		if err != nil || ans.Verdict != tt.verdict || ans.Message != tt.message || ans.Source != "coworks" {
			t.Errorf("%s: %s, %q, %v", tt.login, ans.Verdict, ans.Message, err)
		}
	}
	ans, err := b.Ask(t.Context(), pap("ada@example.com", password))
	if err != nil || len(ans.Attributes) != 1 || ans.Attributes[0].Value != "101" || !ans.Proved {
		t.Errorf("Ada's VLAN: %v, %v", ans.Attributes, err)
	}
}

// TestCouldNotSay: what goes wrong is never a refusal.
func TestCouldNotSay(t *testing.T) {
	t.Parallel()
	b := open(t, space(nil), func(c *coworks.Config) { c.Timeout = 200 * time.Millisecond }, backends.Deps{})
	for fault, class := range map[string]backends.Class{
		"503": backends.Faulty, "429": backends.Throttled, "401": backends.TokenRefused, "403": backends.TokenRefused,
		"html": backends.BadAnswer, "cut": backends.Unreachable, "slow": backends.Timeout,
	} {
		ans, err := b.Ask(t.Context(), pap(fault+"@fault.invalid", password))
		if err == nil || backends.ClassOf(err) != class || ans.Verdict != member.Unanswered {
			t.Errorf("%s: %s, %v, want %s", fault, ans.Verdict, err, class)
		}
	}
}

// TestMSCHAP: Coworks is not asked what it can't check, and the operator hears
// why once, not once a login.
func TestMSCHAP(t *testing.T) {
	t.Parallel()
	var told []backends.Finding
	s := space(nil)
	b := open(t, s, nil, backends.Deps{Tell: func(f backends.Finding) { told = append(told, f) }})
	for _, kind := range []member.ProofKind{member.MSCHAPv2, member.MSCHAPv1, member.MSCHAPv2, member.CHAP} {
		a := pap("ada@example.com", "")
		a.Proof.Kind = kind
		if ans, err := b.Ask(t.Context(), a); err != nil || ans.Verdict != member.Deny || ans.Reason != member.ReasonNoCredential || ans.Proved {
			t.Errorf("%s: %s, %s, %v", kind, ans.Verdict, ans.Reason, err)
		}
	}
	if n := s.Calls(); n != 0 {
		t.Errorf("Coworks was asked %d times", n)
	}
	if len(told) != 1 || told[0].Wrong || !strings.Contains(told[0].What, "PEAP") || !strings.Contains(told[0].Remedy, "TTLS with PAP") {
		t.Errorf("told %v", told)
	}
}

// TestGate: a login that is proved already is asked about without a password.
func TestGate(t *testing.T) {
	t.Parallel()
	gate := func(login string) *member.Attempt {
		return &member.Attempt{Login: login, Port: 1812, Proof: member.Proof{Kind: member.Proved}}
	}
	answers := open(t, space(func(c *standin.Config) { c.LoginOnly = true }), nil, backends.Deps{})
	for login, want := range map[string]member.Verdict{"ada@example.com": member.Allow, "sue@example.com": member.Deny} {
		if ans, err := answers.Ask(t.Context(), gate(login)); err != nil || ans.Verdict != want || ans.Proved {
			t.Errorf("%s: %s, proved %v, %v", login, ans.Verdict, ans.Proved, err)
		}
	}
	refuses := open(t, space(nil), nil, backends.Deps{})
	if ans, err := refuses.Ask(t.Context(), gate("ada@example.com")); err != nil || ans.Verdict != member.Deny {
		t.Errorf("a Coworks that wants a password: %s, %v", ans.Verdict, err)
	}
}

// TestKeyRefusedIsLoud once, in Coworks' words, and without the key.
func TestKeyRefusedIsLoud(t *testing.T) {
	t.Parallel()
	var told []backends.Finding
	b := open(t, space(nil), func(c *coworks.Config) { c.Token = "canary-old" }, backends.Deps{Tell: func(f backends.Finding) { told = append(told, f) }})
	for range 3 {
		if _, err := b.Ask(t.Context(), pap("ada@example.com", password)); backends.ClassOf(err) != backends.TokenRefused {
			t.Errorf("a key that is refused: %v", err)
		}
	}
	if len(told) != 1 || !told[0].Wrong || !strings.Contains(told[0].What, "HTTP 401") || !strings.Contains(told[0].Remedy, "Settings > Integrations") ||
		strings.Contains(told[0].What+told[0].Remedy, "canary") {
		t.Errorf("told %v", told)
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, key string
		change    func(*coworks.Config)
	}{
		{"no url", "url", func(c *coworks.Config) { c.URL = "" }},
		{"no placeholder", "url", func(c *coworks.Config) { c.URL = "https://api.example.com/v1/spaces/1234/wifi-login" }},
		{"another placeholder", "url", func(c *coworks.Config) { c.URL += "/{campus}" }},
		{"http", "url", func(c *coworks.Config) { c.URL = "http://api.example.com/{space_id}" }},
		{"no space", "space_id", func(c *coworks.Config) { c.SpaceID = "" }},
		{"an address as space", "space_id", func(c *coworks.Config) { c.SpaceID = "https://app.example.com/1234" }},
		{"a space that climbs", "space_id", func(c *coworks.Config) { c.SpaceID = ".." }},
		{"a space that asks", "space_id", func(c *coworks.Config) { c.SpaceID = "1?x=" }},
		{"a long space", "space_id", func(c *coworks.Config) { c.SpaceID = strings.Repeat("1", 129) }},
		{"no key", "token", func(c *coworks.Config) { c.Token = "" }},
		{"a key with a line break", "token", func(c *coworks.Config) { c.Token = "canary\nx" }},
		{"a status twice", "unknown_on", func(c *coworks.Config) { c.DenyOn, c.UnknownOn = []int{404}, []int{404} }},
		{"a zone", "zone", func(c *coworks.Config) { c.Zone = "Berlin" }},
	} {
		c := coworks.Config{URL: "https://api.example.com/v1/spaces/{space_id}/wifi-login", SpaceID: "1234", Token: "x"}
		if _, err := c.Open(backends.Deps{Name: "coworks"}); err != nil {
			t.Fatal(err)
		}
		tt.change(&c)
		_, err := c.Open(backends.Deps{Name: "coworks"})
		var k *backends.KeyError
		if !errors.As(err, &k) || k.Key != tt.key || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
