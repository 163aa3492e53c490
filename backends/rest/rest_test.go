package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/backends/conformance"
	"memberradius/member"
)

const token = "canary-token-4711"

// serve starts a member system and opens the backend for it.
func serve(t *testing.T, h http.HandlerFunc, change func(*Config), d backends.Deps) *REST {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return dial(t, s.URL+"/wifi", change, d)
}

func dial(t *testing.T, url string, change func(*Config), d backends.Deps) *REST {
	t.Helper()
	c := Config{URL: url, Token: token}
	if change != nil {
		change(&c)
	}
	if d.Name == "" {
		d.Name = "club"
	}
	b, err := c.Open(d)
	if err != nil {
		t.Fatal(err)
	}
	r := b.(*REST)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// says answers every request the same.
func says(code int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func pap(login string, password member.Secret) *member.Attempt {
	return &member.Attempt{Login: login, Port: 11812, Proof: member.Proof{Kind: member.Password, Password: password}}
}

func mschapv2() *member.Attempt {
	a := &member.Attempt{Login: "user1", Port: 1812, Proof: member.Proof{Kind: member.MSCHAPv2}}
	m := &a.Proof.MSCHAP
	for i := range m.Challenge {
		m.Challenge[i] = byte(0xa0 + i)
	}
	for i := range m.Response {
		m.Response[i] = byte(i)
	}
	copy(m.ChallengeHash[:], []byte{0xd0, 0x2e, 0x43, 0x86, 0xbc, 0xe9, 0x12, 0x26})
	copy(m.NTResponse[:], m.Response[26:])
	return a
}

// system is a member system that can break, hang, and knows two members.
type system struct {
	broken, stalled atomic.Bool
	mu              sync.Mutex
	release         chan struct{}
}

func (s *system) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ Login, Password string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if s.stalled.Load() {
		s.mu.Lock()
		release := s.release
		s.mu.Unlock()
		<-release
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case s.broken.Load():
		w.WriteHeader(http.StatusBadGateway)
	case r.Header.Get("Authorization") != "Bearer "+token:
		w.WriteHeader(http.StatusUnauthorized)
	case member.FoldString(in.Login) != "ada@example.com" && member.FoldString(in.Login) != "eve@example.com":
		w.WriteHeader(http.StatusNotFound)
	case in.Password != "correct horse":
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"errors":["Email/login or password incorrect."]}`)
	case strings.EqualFold(in.Login, "eve@example.com"):
		_, _ = io.WriteString(w, `{"valid_until":"2017/01/10 01:59:59 +0000"}`)
	default:
		_, _ = io.WriteString(w, `{"membership":{"name":"Ada","id":7},"attributes":[{"name":"Filter-Id","value":"basic"}]}`)
	}
}

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) conformance.Subject {
		s := &system{}
		r := serve(t, s.ServeHTTP, nil, backends.Deps{})
		return conformance.Subject{
			Backend: r, Login: "ada@example.com", Password: "correct horse", Unknown: "nobody@example.com",
			Disabled: "eve@example.com", DisabledPassword: "correct horse", Secrets: []member.Secret{token},
			Break: func(*testing.T) func() {
				s.broken.Store(true)
				return func() { s.broken.Store(false) }
			},
			Stall: func(*testing.T) func() {
				s.mu.Lock()
				s.release = make(chan struct{})
				s.mu.Unlock()
				s.stalled.Store(true)
				return func() { s.stalled.Store(false); close(s.release) }
			},
		}
	})
}

// TestRequest sends every kind of proof and compares the request with the contract.
func TestRequest(t *testing.T) {
	t.Parallel()
	hash, raw := mschapv2(), mschapv2()
	v1 := mschapv2()
	v1.Proof.Kind = member.MSCHAPv1
	gate := pap("user1", "")
	gate.Proof = member.Proof{Kind: member.Proved}
	const response = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031"
	tests := []struct {
		name string
		mode string
		a    *member.Attempt
		want string
	}{
		{"PAP", "", pap("user1", "hello"), `{"login":"user1","password":"hello","auth_port":"11812"}`},
		{"escapes", "", pap("ü\"\\\n", "\x00<é&"), "{\"login\":\"ü\\\"\\\\\\n\",\"password\":\"\\u0000<é&\",\"auth_port\":\"11812\"}"},
		{"MS-CHAPv2", "", hash, `{"login":"user1","auth_port":"1812","mschap_challenge":"d02e4386bce91226","mschap_response":"` + response[52:] + `"}`},
		{"MS-CHAPv2 raw", "raw", raw, `{"login":"user1","auth_port":"1812","mschap_challenge":"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf","mschap_response":"` + response + `"}`},
		{"MS-CHAPv1 raw", "raw", v1, `{"login":"user1","auth_port":"1812","mschap_challenge":"a0a1a2a3a4a5a6a7","mschap_response":"` + response + `"}`},
		{"gate", "", gate, `{"login":"user1","auth_port":"11812"}`},
	}
	for _, tt := range tests {
		got := make(chan string, 1)
		r := serve(t, func(w http.ResponseWriter, req *http.Request) {
			b, _ := io.ReadAll(req.Body)
			got <- fmt.Sprint(req.Method, " ", req.URL.Path, " ", req.Header.Get("Authorization"), " ", req.Header.Get("Content-Type"), " ", req.Header.Get("Accept-Encoding"), " ", string(b))
			w.WriteHeader(http.StatusNotFound)
		}, func(c *Config) { c.MSCHAP = tt.mode }, backends.Deps{})
		_, err := r.Ask(t.Context(), tt.a)
		if want := "POST /wifi Bearer " + token + " application/json  " + tt.want + "\n"; <-got != want || !errors.Is(err, member.ErrUnknown) {
			t.Errorf("%s: the request is not\n%s\n(%v)", tt.name, want, err)
		}
	}
}

// TestSeedResponse reads the contract's own sample.
func TestSeedResponse(t *testing.T) {
	t.Parallel()
	now := time.Date(2017, 1, 9, 12, 0, 0, 0, time.UTC)
	const sample = `{
  "return_url": "https://www.google.com",
  "valid_until": "2017/01/10 01:59:59 +0000",
  "valid_from": "2017/01/09 02:03:52 +0000",
  "nt_key": "abcd12345",
  "membership_id": "123456",
  "membership": { "name": "John Sample", "id": "12345678" },
  "id": "123456789abcdef",
  "attributes": [
    { "name": "Tunnel-Private-Group-Id", "value": "101", "op": ":=" },
    { "name": "Acct-Interim-Interval", "value": 300 },
    { "name": "Filter-Id", "value": "x", "op": "+=" },
    { "name": "Class", "value": "y", "op": "=" }
  ]
}`
	r := serve(t, says(200, "application/json; charset=utf-8", sample), nil, backends.Deps{Now: func() time.Time { return now }})
	ans, err := r.Ask(t.Context(), pap("user1", "hello"))
	if err != nil {
		t.Fatal(err)
	}
	want := member.Answer{
		Verdict: member.Allow, Proved: true, Source: "club", Status: http.StatusOK, ReturnURL: "https://www.google.com",
		Member: member.Member{
			Backend: "club", Login: "user1", ID: "123456789abcdef", MembershipID: "123456", Name: "John Sample",
			ValidFrom: ans.Member.ValidFrom, ValidUntil: ans.Member.ValidUntil,
		},
		Attributes: []member.Attribute{
			{Name: "Tunnel-Private-Group-Id", Value: "101"}, {Name: "Acct-Interim-Interval", Value: "300"},
			{Name: "Filter-Id", Value: "x", Op: member.OpAdd}, {Name: "Class", Value: "y", Op: member.OpFill},
		},
	}
	if !reflect.DeepEqual(ans, want) {
		t.Errorf("the answer is\n%+v, want\n%+v", ans, want)
	}
	if !ans.Member.ValidUntil.Equal(time.Date(2017, 1, 10, 1, 59, 59, 0, time.UTC)) || !ans.Member.ValidFrom.Equal(time.Date(2017, 1, 9, 2, 3, 52, 0, time.UTC)) {
		t.Errorf("valid from %s until %s", ans.Member.ValidFrom, ans.Member.ValidUntil)
	}
	if _, err := r.Ask(t.Context(), mschapv2()); backends.ClassOf(err) != backends.BadAnswer {
		t.Errorf("MS-CHAPv2 with the sample's nt_key: %v", err)
	}
	now = now.AddDate(0, 0, 1)
	if ans, err := r.Ask(t.Context(), pap("user1", "hello")); err != nil || ans.Verdict != member.Deny || ans.Reason != member.ReasonExpired || !ans.Proved {
		t.Errorf("after valid_until: %s, %s, %v", ans.Verdict, ans.Reason, err)
	}
	now = now.AddDate(0, 0, -2)
	if ans, err := r.Ask(t.Context(), pap("user1", "hello")); err != nil || ans.Verdict != member.Deny || ans.Reason != member.ReasonNotYetValid || !ans.Proved {
		t.Errorf("before valid_from: %s, %s, %v", ans.Verdict, ans.Reason, err)
	}
}

func TestNTKey(t *testing.T) {
	t.Parallel()
	const hex = "41c00c584bd2d91c4017a2a12fa59f3f"
	want := member.Hash{0x41, 0xc0, 0x0c, 0x58, 0x4b, 0xd2, 0xd9, 0x1c, 0x40, 0x17, 0xa2, 0xa1, 0x2f, 0xa5, 0x9f, 0x3f}
	for body, class := range map[string]int{
		`{"nt_key":"` + hex + `"}`:                  -1,
		`{"nt_key":"` + strings.ToUpper(hex) + `"}`: -1,
		`{"nt_key":"NT_KEY: ` + hex + `"}`:          -1,
		`{}`:                                        int(backends.NoNTKey),
		`{"nt_key":null}`:                           int(backends.NoNTKey),
		`{"nt_key":41}`:                             int(backends.NoNTKey),
		`{"nt_key":"` + hex[:31] + `"}`:             int(backends.BadAnswer),
		`{"nt_key":"` + hex + `00"}`:                int(backends.BadAnswer),
		`{"nt_key":"` + hex[:31] + `g"}`:            int(backends.BadAnswer),
		`{"nt_key":"NT_KEY` + hex[:26] + `"}`:       int(backends.BadAnswer),
	} {
		r := serve(t, says(200, "application/json", body), nil, backends.Deps{})
		ans, err := r.Ask(t.Context(), mschapv2())
		switch {
		case class >= 0:
			if err == nil || int(backends.ClassOf(err)) != class || ans.Verdict != member.Unanswered || strings.Contains(err.Error(), hex[:26]) {
				t.Errorf("%s: %s, %v", body, ans.Verdict, err)
			}
		case err != nil || ans.NTKey == nil || *ans.NTKey != want || !ans.Proved || ans.Verdict != member.Allow:
			t.Errorf("%s: %s, %v", body, ans.Verdict, err)
		}
		if ans, err := r.Ask(t.Context(), pap("user1", "hello")); err != nil || ans.NTKey != nil || ans.Verdict != member.Allow {
			t.Errorf("%s: PAP: %s, %v", body, ans.Verdict, err)
		}
	}
}

// TestStatuses: which status is which of the three answers.
func TestStatuses(t *testing.T) {
	t.Parallel()
	const denied = `{"errors":["Pay first.\nsecond line","more"]}`
	tests := []struct {
		name    string
		code    int
		ctype   string
		body    string
		deny    []int
		unknown []int
		verdict member.Verdict
		class   int // -1: no error, -2: member.ErrUnknown
	}{
		{"200", 200, "application/json", `{}`, nil, nil, member.Allow, -1},
		{"201", 201, "Application/JSON;charset=UTF-8", `{"attributes":null}`, nil, nil, member.Allow, -1},
		{"204", 204, "", ``, nil, nil, 0, int(backends.BadAnswer)},
		{"200 HTML", 200, "text/html", `{}`, nil, nil, 0, int(backends.BadAnswer)},
		{"200 without a type", 200, "", `{}`, nil, nil, 0, int(backends.BadAnswer)},
		{"200 with errors", 200, "application/json", denied, nil, nil, 0, int(backends.BadAnswer)},
		{"302", 302, "application/json", `{}`, nil, nil, 0, int(backends.BadAnswer)},
		{"422", 422, "application/json", denied, nil, nil, member.Deny, -1},
		{"400", 400, "application/json", denied, nil, nil, member.Deny, -1},
		{"422 without a message", 422, "application/json", `{"errors":[]}`, nil, nil, member.Deny, -1},
		{"422 HTML", 422, "text/html", denied, nil, nil, 0, int(backends.BadAnswer)},
		{"422 without errors", 422, "application/json", `{"message":"x"}`, nil, nil, 0, int(backends.BadAnswer)},
		{"422 errors of a wrong type", 422, "application/json", `{"errors":"x"}`, nil, nil, 0, int(backends.BadAnswer)},
		{"400 of a gateway, in deny_on", 400, "text/html", `no`, []int{400}, nil, member.Deny, -1},
		{"401", 401, "application/json", denied, nil, nil, 0, int(backends.TokenRefused)},
		{"403", 403, "application/json", denied, nil, nil, 0, int(backends.TokenRefused)},
		{"401 in deny_on", 401, "application/json", denied, []int{401}, nil, member.Deny, -1},
		{"404", 404, "text/html", `<html>`, nil, nil, 0, -2},
		{"410", 410, "", ``, nil, nil, 0, -2},
		{"410 not in unknown_on", 410, "application/json", denied, nil, []int{404}, member.Deny, -1},
		{"404 in deny_on", 404, "application/json", denied, []int{404}, []int{}, member.Deny, -1},
		{"408", 408, "application/json", denied, nil, nil, 0, int(backends.Faulty)},
		{"429", 429, "application/json", denied, nil, nil, 0, int(backends.Throttled)},
		{"500", 500, "application/json", denied, nil, nil, 0, int(backends.Faulty)},
		{"503", 503, "application/json", `{}`, nil, nil, 0, int(backends.Faulty)},
	}
	for _, tt := range tests {
		r := serve(t, says(tt.code, tt.ctype, tt.body), func(c *Config) { c.DenyOn, c.UnknownOn = tt.deny, tt.unknown }, backends.Deps{})
		ans, err := r.Ask(t.Context(), pap("user1", "hello"))
		switch {
		case ans.Verdict != tt.verdict, tt.class == -1 && err != nil, tt.class == -2 && !errors.Is(err, member.ErrUnknown),
			tt.class >= 0 && (err == nil || errors.Is(err, member.ErrUnknown) || int(backends.ClassOf(err)) != tt.class):
			t.Errorf("%s: %s, %v", tt.name, ans.Verdict, err)
		case tt.verdict == member.Deny && (ans.Proved || ans.Reason != member.ReasonRefused || strings.Contains(tt.body, "Pay") && ans.Message != "Pay first."):
			t.Errorf("%s: reason %s, message %q", tt.name, ans.Reason, ans.Message)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{"7": 7 * time.Second, "Thu, 01 Jan 2026 00:01:00 GMT": time.Minute, "-1": 0, "soon": 0, "": 0} {
		r := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", v)
			w.WriteHeader(http.StatusTooManyRequests)
		}, nil, backends.Deps{Now: func() time.Time { return now }})
		_, err := r.Ask(t.Context(), pap("user1", "hello"))
		var e *backends.Error
		if !errors.As(err, &e) || e.After != want {
			t.Errorf("Retry-After %q: %v", v, err)
		}
	}
}

// TestTokenRefusedIsLoud once, not once a login.
func TestTokenRefusedIsLoud(t *testing.T) {
	t.Parallel()
	var told []backends.Finding
	r := serve(t, says(401, "", ""), nil, backends.Deps{Tell: func(f backends.Finding) { told = append(told, f) }})
	for range 5 {
		_, _ = r.Ask(t.Context(), pap("user1", "hello"))
	}
	if len(told) != 1 || !told[0].Wrong || !strings.Contains(told[0].What, "club") || !strings.Contains(told[0].Remedy, "token") || strings.Contains(told[0].What, token) {
		t.Errorf("told %v", told)
	}
}

func TestOddProofsAreNotAsked(t *testing.T) {
	t.Parallel()
	r := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the system was asked") }, nil, backends.Deps{})
	for _, kind := range []member.ProofKind{member.NoProof, member.CHAP, member.MAC, member.Password} {
		a := pap("user1", "")
		a.Proof.Kind = kind
		if ans, err := r.Ask(t.Context(), a); err != nil || ans.Verdict != member.Deny || ans.Proved {
			t.Errorf("%s: %s, %v", kind, ans.Verdict, err)
		}
	}
}
