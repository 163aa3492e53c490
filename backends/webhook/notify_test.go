package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"
)

// The vector of Standard Webhooks' own libraries.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

var (
	vectorTime = time.Unix(1614265330, 0)
	noon       = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
)

// secrets are valid and of nobody.
var secrets = [...]member.Secret{
	member.Secret(secretPrefix + base64.StdEncoding.EncodeToString([]byte("canary-of-24-octets-0001"))),
	member.Secret(secretPrefix + base64.StdEncoding.EncodeToString([]byte("canary-of-25-octets-00002"))),
}

type nobody struct{}

func (nobody) Lookup(string) (*member.Record, bool) { return nil, false }
func (nobody) Expect([]string)                      {}

// open opens the backend with a clock that stands at noon.
func open(t *testing.T, c Config, d backends.Deps) *Backend {
	t.Helper()
	if c.WebhookSecret == "" {
		c.WebhookSecret = secrets[0]
	}
	if d.Directory == nil {
		d.Directory = nobody{}
	}
	if d.Now == nil {
		d.Now = func() time.Time { return noon }
	}
	d.Name = "club"
	b, err := c.Open(d)
	if err != nil {
		t.Fatal(err)
	}
	return b.(*Backend)
}

// signed returns the headers of a push.
func signed(t *testing.T, secret member.Secret, at time.Time, body string) http.Header {
	t.Helper()
	h, err := Sign(secret, "msg_1", at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// signedAs returns the headers of a push with this id.
func signedAs(t *testing.T, id, body string) http.Header {
	t.Helper()
	h, err := Sign(secrets[0], id, noon, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestVector(t *testing.T) {
	t.Parallel()
	h, err := Sign(vectorSecret, vectorID, vectorTime, []byte(vectorBody))
	if err != nil || h.Get("webhook-signature") != vectorSignature || h.Get("webhook-timestamp") != "1614265330" || h.Get("webhook-id") != vectorID {
		t.Fatalf("%v, %v", h, err)
	}
	keys, err := parseSecrets(vectorSecret)
	if err != nil {
		t.Fatal(err)
	}
	s, ok := readStamp(h)
	if !ok || !s.signed(keys, []byte(vectorBody)) {
		t.Error("the vector is not taken")
	}
}

const good = `{"type":"member.updated","timestamp":"2026-01-31T11:59:00Z","data":{"login":"anna@example.com"}}`

// TestUnsigned: what is not signed as it should be is refused without a word.
func TestUnsigned(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(h http.Header){
		"no id":                   func(h http.Header) { h.Del("webhook-id") },
		"no timestamp":            func(h http.Header) { h.Del("webhook-timestamp") },
		"no signature":            func(h http.Header) { h.Del("webhook-signature") },
		"an empty signature":      func(h http.Header) { h.Set("webhook-signature", "") },
		"another id":              func(h http.Header) { h.Set("webhook-id", "msg_2") },
		"another time":            func(h http.Header) { h.Set("webhook-timestamp", strconv.FormatInt(noon.Unix()+1, 10)) },
		"a time with a sign":      func(h http.Header) { h.Set("webhook-timestamp", "+"+h.Get("webhook-timestamp")) },
		"two ids":                 func(h http.Header) { h.Add("webhook-id", "msg_1") },
		"two timestamps":          func(h http.Header) { h.Add("webhook-timestamp", h.Get("webhook-timestamp")) },
		"two signatures' headers": func(h http.Header) { h.Add("webhook-signature", h.Get("webhook-signature")) },
		"an id with a full stop, signed": func(h http.Header) {
			for name, values := range signedAs(t, "msg.1", good) {
				h[name] = values
			}
		},
		"an id with a full stop": func(h http.Header) { h.Set("webhook-id", "msg.1") },
		"another scheme":         func(h http.Header) { h.Set("webhook-signature", "v1a"+h.Get("webhook-signature")[2:]) },
		"no scheme":              func(h http.Header) { h.Set("webhook-signature", h.Get("webhook-signature")[3:]) },
		"a part of it":           func(h http.Header) { h.Set("webhook-signature", h.Get("webhook-signature")[:20]) },
		"hexadecimal":            func(h http.Header) { h.Set("webhook-signature", "v1,"+strings.Repeat("ab", 32)) },
		"another secret": func(h http.Header) {
			h.Set("webhook-signature", signed(t, secrets[1], noon, good).Get("webhook-signature"))
		},
		"nothing, signed": func(h http.Header) { h.Set("webhook-signature", "v1,") },
		"a signature after too many": func(h http.Header) {
			h.Set("webhook-signature", strings.Repeat("v1,"+base64.StdEncoding.EncodeToString(make([]byte, 32))+" ", maxSignatures)+h.Get("webhook-signature"))
		},
	} {
		var told []backends.Finding
		b := open(t, Config{}, backends.Deps{Tell: func(f backends.Finding) { told = append(told, f) }})
		h := signed(t, secrets[0], noon, good)
		change(h)
		for range 3 {
			if p, err := b.Notify(t.Context(), h, []byte(good)); !errors.Is(err, backends.ErrUnsigned) || p != nil {
				t.Errorf("%s: %+v, %v", name, p, err)
			}
		}
		if len(told) != 1 || !strings.Contains(told[0].What, "not signed") {
			t.Errorf("%s: told %v", name, told)
		}
	}
	b := open(t, Config{}, backends.Deps{})
	if _, err := b.Notify(t.Context(), signed(t, secrets[0], noon, good), []byte(good+" ")); !errors.Is(err, backends.ErrUnsigned) {
		t.Errorf("another body: %v", err)
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	both := open(t, Config{WebhookSecret: secrets[0] + "\n" + secrets[1] + "\n"}, backends.Deps{})
	one := open(t, Config{WebhookSecret: secrets[1]}, backends.Deps{})
	for _, secret := range []member.Secret{secrets[0], secrets[1], secrets[0] + " " + secrets[1]} {
		h := signed(t, secret, noon, good)
		h.Set("webhook-signature", "v1a,x v1,x v2,"+base64.StdEncoding.EncodeToString(make([]byte, 32))+" "+h.Get("webhook-signature"))
		p, err := both.Notify(t.Context(), h, []byte(good))
		if err != nil || p.ID != "msg_1" || len(p.Records) != 1 {
			t.Errorf("one of two secrets: %+v, %v", p, err)
		}
		_, err = one.Notify(t.Context(), h, []byte(good))
		if (err == nil) != strings.Contains(string(secret), string(secrets[1])) {
			t.Errorf("one secret: %v", err)
		}
	}
	if found := both.Check(t.Context()); len(found) != 1 || found[0].Wrong || !strings.Contains(found[0].Remedy, "remove the old one") {
		t.Errorf("two secrets: %v", found)
	}
	if found := one.Check(t.Context()); len(found) != 0 {
		t.Errorf("one secret: %v", found)
	}
}

// TestClocks: a push is taken for five minutes before and after it was sent.
func TestClocks(t *testing.T) {
	t.Parallel()
	for off, taken := range map[time.Duration]bool{
		0: true, 5 * time.Minute: true, -5 * time.Minute: true, 5*time.Minute + time.Second: false, -5*time.Minute - time.Second: false,
		24 * time.Hour: false, -24 * 365 * 25 * time.Hour: false,
	} {
		var told []backends.Finding
		b := open(t, Config{}, backends.Deps{Tell: func(f backends.Finding) { told = append(told, f) }})
		_, err := b.Notify(t.Context(), signed(t, secrets[0], noon.Add(off), good), []byte(good))
		switch {
		case taken && (err != nil || len(told) != 0):
			t.Errorf("%s: %v, %v", off, err, told)
		case !taken && (!errors.Is(err, backends.ErrUnsigned) || len(told) != 1 || !strings.Contains(told[0].What, "clock") || !strings.Contains(told[0].Remedy, "NTP")):
			t.Errorf("%s: %v, %v", off, err, told)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, secret, from, key string }{
		{"none", "", "", "webhook_secret"},
		{"blanks", " \n", "", "webhook_secret"},
		{"no prefix", "canary", "", "webhook_secret"},
		{"no base64", "whsec_canary%%", "", "webhook_secret"},
		{"too short", "whsec_" + base64.StdEncoding.EncodeToString([]byte("canary-of-23-octets-001")), "", "webhook_secret"},
		{"the second one", string(secrets[0]) + " canary", "", "webhook_secret"},
		{"too many", strings.Repeat(string(secrets[0])+" ", 9), "", "webhook_secret"},
		{"from nowhere", string(secrets[0]), "pincode", "secret"},
	} {
		_, err := Config{WebhookSecret: member.Secret(tt.secret), Secret: tt.from}.Open(backends.Deps{Name: "club", Directory: nobody{}})
		var k *backends.KeyError
		if !errors.As(err, &k) || k.Key != tt.key || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := (Config{WebhookSecret: secrets[0]}).Open(backends.Deps{Name: "club"}); err == nil || !strings.Contains(err.Error(), "webhook") || !strings.Contains(err.Error(), "[server] data") {
		t.Errorf("without a store: %v", err)
	}
	for from, want := range map[string]backends.Secrecy{"": backends.Generated, "generate": backends.Generated, "given": backends.Brought} {
		if got := open(t, Config{Secret: from}, backends.Deps{}).Secrecy(); got != want {
			t.Errorf("secret = %q: %d", from, got)
		}
	}
	if _, err := Sign("canary", "x", noon, nil); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("Sign with what is no secret: %v", err)
	}
}

// TestAsOf: the push says when its event happened, not when it was sent, to the
// fraction of a second: two events of one second have an order.
func TestAsOf(t *testing.T) {
	t.Parallel()
	b := open(t, Config{}, backends.Deps{})
	for at, want := range map[string]time.Time{
		"2026-01-31T11:59:00.25+01:00": time.Date(2026, 1, 31, 10, 59, 0, 25e7, time.UTC),
		"2026-01-03T00:00:00Z":         time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC),
	} {
		body := strings.Replace(good, "2026-01-31T11:59:00Z", at, 1)
		p, err := b.Notify(t.Context(), signed(t, secrets[0], noon, body), []byte(body))
		if err != nil || !p.AsOf.Equal(want) {
			t.Errorf("%s: %+v, %v", at, p, err)
		}
	}
}

// TestUnusable: what is signed and wrong is said in words, with the push's id,
// and is an error of the class that says so.
func TestUnusable(t *testing.T) {
	t.Parallel()
	b := open(t, Config{}, backends.Deps{})
	long := `{"type":"member.updated","x":"` + strings.Repeat("x", maxBody) + `"}`
	for body, want := range map[string]string{"{": "JSON", long: "256 KiB", `{"type":"member.gone"}`: "member.ended"} {
		p, err := b.Notify(t.Context(), signed(t, secrets[0], noon, body), []byte(body))
		var e *backends.Error
		if !errors.As(err, &e) || e.Class != backends.BadAnswer || e.Backend != "club" || p != nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "msg_1") {
			t.Errorf("%.20s: %+v, %v", body, p, err)
		}
	}
}

func FuzzSignature_NoPanic(f *testing.F) {
	keys, err := parseSecrets(vectorSecret)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(vectorID, "1614265330", vectorSignature)
	f.Add("", "-1", "v1,")
	f.Add("a.b", "99999999999999999999", "v1,\xff v1 v1,,v1,AAAA")
	f.Fuzz(func(t *testing.T, id, timestamp, signature string) {
		s, ok := readStamp(http.Header{headerID: {id}, headerTimestamp: {timestamp}, headerSignature: {signature}})
		if ok && (s.id != id || !validID(id) || s.timestamp != timestamp || len(s.signatures) > maxSignatures) {
			t.Errorf("%q, %q, %q is read as %+v", id, timestamp, signature, s)
		}
		if ok && s.signed(keys, []byte("a body that nobody signed")) {
			t.Error("taken for signed")
		}
		if _, err := parseSecrets(member.Secret(signature)); err != nil && signature != "" && len(signature) > 8 && strings.Contains(err.Error(), signature) {
			t.Errorf("an error quotes the secret: %v", err)
		}
	})
}

// FuzzSignature_RoundTrip: what Sign signs is taken, and one octet more is not.
func FuzzSignature_RoundTrip(f *testing.F) {
	f.Add([]byte("canary-of-24-octets-0001"), "msg_1", int64(1614265330), []byte(vectorBody))
	f.Add(make([]byte, 24), "x", int64(0), []byte{})
	f.Fuzz(func(t *testing.T, secret []byte, id string, at int64, body []byte) {
		if len(secret) < minSecret || !validID(id) || at < 0 || at >= 1<<36 {
			t.Skip()
		}
		text := member.Secret(secretPrefix + base64.StdEncoding.EncodeToString(secret))
		h, err := Sign(text, id, time.Unix(at, 0), body)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := parseSecrets(text)
		if err != nil {
			t.Fatal(err)
		}
		s, ok := readStamp(h)
		if !ok || s.id != id || s.sent.Unix() != at || !s.signed(keys, body) {
			t.Errorf("%v is read as %s", h, fmt.Sprint(s.sent, s.id))
		}
		if s.signed(keys, append(body, 0)) {
			t.Error("another body is taken")
		}
	})
}
