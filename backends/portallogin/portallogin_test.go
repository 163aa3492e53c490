package portallogin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"

	"github.com/BurntSushi/toml"
)

// TestRequest: the request is octet for octet what the API's makers describe.
func TestRequest(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	b := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- fmt.Sprint(r.Method, " ", r.URL.Path, " ", r.Header.Get("Authorization"), " ", r.Header.Get("Content-Type"), " ", r.Header.Get("Accept-Encoding"), " ", r.Header.Get("Idempotency-Key"), " ", string(body))
		says(201, "application/json; charset=utf-8", `{"page_id":12345,"uid":"room_401"}`)(w, r)
	}), backends.Deps{})
	page, err := b.Post(t.Context(), whole())
	if err != nil || page != 12345 {
		t.Errorf("page %d, %v", page, err)
	}
	const want = `POST /api/v1/portal_login/ Bearer ` + token + ` application/json  0199-7 {"data":"{\"uid\":\"room_401\",\"ap_mac\":\"aa:bb:cc:dd:ee:ff\",\"mac\":\"11:22:33:44:55:66\",\"ip\":\"192.168.1.100\",` +
		`\"original_url\":\"https://www.example.com/?a=1&b=<2>\",\"controller_address\":\"192.168.1.1\",\"session_timeout\":7200,\"idle_timeout\":2}"}`
	if is := <-got; is != want {
		t.Errorf("the request is\n%s\nnot\n%s", is, want)
	}
	l := whole()
	l.ID, l.OriginalURL, l.Controller, l.Session, l.Idle = "", "", netip.Addr{}, 0, -time.Second
	if _, err := b.Post(t.Context(), l); err != nil {
		t.Error(err)
	}
	if is := <-got; !strings.HasSuffix(is, `  {"data":"{\"uid\":\"room_401\",\"ap_mac\":\"aa:bb:cc:dd:ee:ff\",\"mac\":\"11:22:33:44:55:66\",\"ip\":\"192.168.1.100\"}"}`) {
		t.Errorf("the shortest is\n%s", is)
	}
}

func TestPost(t *testing.T) {
	t.Parallel()
	g := &gate{}
	var told []backends.Finding
	b := serve(t, g, backends.Deps{Tell: func(f backends.Finding) { told = append(told, f) }})
	for want := range int64(2) { // the same again is taken again
		if page, err := b.Post(t.Context(), whole()); err != nil || page != 12345+want {
			t.Errorf("page %d, %v", page, err)
		}
	}
	if len(g.taken) != 2 || g.keys[0] != "0199-7" || g.keys[1] != g.keys[0] || g.taken[0]["session_timeout"] != 7200.0 {
		t.Errorf("taken %v by %v", g.taken, g.keys)
	}
	g.blocked = "11:22:33:44:55:66"
	_, err := b.Post(t.Context(), whole())
	if !errors.Is(err, ErrRefused) || !strings.HasSuffix(err.Error(), "HTTP 422: the login is refused: Device  blocked") {
		t.Errorf("a blocked device: %v", err)
	}
	g.blocked, g.broken = "", true
	if _, err := b.Post(t.Context(), whole()); errors.Is(err, ErrRefused) || backends.ClassOf(err) != backends.Faulty {
		t.Errorf("a fault of its own: %v", err)
	}
	if len(told) != 0 {
		t.Errorf("the operator hears %v", told)
	}
}

// TestAnswers: what each answer means for whoever would send it again.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const js, page = "application/json", `{"page_id":7}`
	tests := []struct {
		name, contentType, body string
		code                    int
		class                   backends.Class
		refused                 bool
	}{
		{"a page of a proxy", "text/html", "<html>", 201, backends.BadAnswer, false},
		{"JSON that is called a text", "text/plain", page, 201, backends.BadAnswer, false},
		{"200", js, page, 200, backends.BadAnswer, false},
		{"202", js, page, 202, backends.BadAnswer, false},
		{"204", "", "", 204, backends.BadAnswer, false},
		{"no page", js, `{}`, 201, backends.BadAnswer, false},
		{"a page of zero", js, `{"page_id":0}`, 201, backends.BadAnswer, false},
		{"a page as text", js, `{"page_id":"7"}`, 201, backends.BadAnswer, false},
		{"no JSON", js, `page 7`, 201, backends.BadAnswer, false},
		{"a list", js, `[7]`, 201, backends.BadAnswer, false},
		{"too long", js, page + strings.Repeat(" ", maxBody), 201, backends.BadAnswer, false},
		{"400", js, `{"detail":"ip: wrong"}`, 400, backends.Broken, true},
		{"400 without a word", "", "", 400, backends.Broken, true},
		{"422 as a page", "text/html", "<html>{}", 422, backends.Broken, true},
		{"401", js, `{}`, 401, backends.TokenRefused, false},
		{"403", js, `{}`, 403, backends.TokenRefused, false},
		{"404", js, `{}`, 404, backends.BadAnswer, false},
		{"409", js, `{}`, 409, backends.BadAnswer, false},
		{"408", js, `{}`, 408, backends.Faulty, false},
		{"429", js, `{}`, 429, backends.Throttled, false},
		{"500", js, page, 500, backends.Faulty, false},
		{"503", "", "", 503, backends.Faulty, false},
	}
	for _, tt := range tests {
		var told atomic.Int32
		b := serve(t, says(tt.code, tt.contentType, tt.body), backends.Deps{Tell: func(backends.Finding) { told.Add(1) }})
		_, err := b.Post(t.Context(), whole())
		_, _ = b.Post(t.Context(), whole())
		var e *backends.Error
		if !errors.As(err, &e) || e.Class != tt.class || errors.Is(err, ErrRefused) != tt.refused || !strings.Contains(err.Error(), fmt.Sprint("HTTP ", tt.code)) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if want := tt.class == backends.TokenRefused; (told.Load() == 1) != want || told.Load() > 1 {
			t.Errorf("%s: the operator heard %d times", tt.name, told.Load())
		}
		if s := fmt.Sprintf("%v %+v %#v", err, err, e.Err); strings.Contains(s, "canary") || strings.Contains(s, "room_401") {
			t.Errorf("%s: the error holds %s", tt.name, s)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	b := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(http.StatusTooManyRequests)
	}), backends.Deps{})
	_, err := b.Post(t.Context(), whole())
	var e *backends.Error
	if !errors.As(err, &e) || e.After != 17*time.Second {
		t.Errorf("%v", err)
	}
}

// TestRedirectIsNotFollowed, since the token would go along.
func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		b := serve(t, http.RedirectHandler(other.URL, code), backends.Deps{})
		if _, err := b.Post(t.Context(), whole()); backends.ClassOf(err) != backends.BadAnswer || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "redirect") {
			t.Errorf("%d: %v", code, err)
		}
	}
	if elsewhere.Load() > 0 {
		t.Error("the other host was asked")
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	hanging, release := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(hanging)
		<-release
	}))
	defer s.Close()
	defer close(release)
	b := open(t, s.URL, nil, backends.Deps{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-hanging; cancel() }()
	if _, err := b.Post(ctx, whole()); backends.ClassOf(err) != backends.Timeout {
		t.Errorf("of a system that hangs: %v", err)
	}
	short := open(t, s.URL, func(c *Config) { c.URL, c.Timeout = "http://127.0.0.1:1", time.Second }, backends.Deps{})
	if _, err := short.Post(t.Context(), whole()); backends.ClassOf(err) != backends.Unreachable {
		t.Errorf("of one that is not there: %v", err)
	}
}

// TestLoginsThatCanNotBeSent are refused without a call.
func TestLoginsThatCanNotBeSent(t *testing.T) {
	t.Parallel()
	g := &gate{}
	b := serve(t, g, backends.Deps{})
	for lack, change := range map[string]func(*Login){
		"uid": func(l *Login) { l.UID = "" }, "ap_mac": func(l *Login) { l.APMAC = "" }, "mac": func(l *Login) { l.MAC = "" },
		"ip": func(l *Login) { l.IP = netip.Addr{} }, "uid, ip": func(l *Login) { l.UID, l.IP = "", netip.Addr{} },
	} {
		l := whole()
		change(l)
		if _, err := b.Post(t.Context(), l); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "it has no "+lack+",") {
			t.Errorf("without %s: %v", lack, err)
		}
	}
	if len(g.taken) > 0 {
		t.Error("it was sent")
	}
}

// TestKnowsNobody: in a chain it stands in nobody's way, whatever she proves
// herself by, and asks nobody.
func TestKnowsNobody(t *testing.T) {
	t.Parallel()
	b := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }), backends.Deps{})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for kind := range member.ProofKind(20) {
		a := &member.Attempt{Login: "anna@example.com", Proof: member.Proof{Kind: kind, Password: "correct horse"}}
		out := member.Answer{}
		if b.Known(a, &out) != backends.Absent || !reflect.DeepEqual(out, member.Answer{}) {
			t.Errorf("Known of %s: %+v", kind, out)
		}
		for _, ctx := range []context.Context{t.Context(), ended} {
			if ans, err := b.Ask(ctx, a); !errors.Is(err, member.ErrUnknown) || !reflect.DeepEqual(ans, member.Answer{}) {
				t.Errorf("Ask of %s: %+v, %v", kind, ans, err)
			}
		}
	}
}

// TestKnownAllocatesNothing is not parallel: it counts allocations.
func TestKnownAllocatesNothing(t *testing.T) {
	b := open(t, "https://gate.example.com", nil, backends.Deps{})
	a, out := &member.Attempt{}, &member.Answer{}
	if n := testing.AllocsPerRun(100, func() { b.Known(a, out) }); n != 0 {
		t.Errorf("Known allocates %v times", n)
	}
}

func TestServes(t *testing.T) {
	t.Parallel()
	all := open(t, "https://gate.example.com", nil, backends.Deps{})
	one := open(t, "https://gate.example.com", func(c *Config) { c.Site = "lisbon" }, backends.Deps{})
	if !all.Serves("lisbon") || !all.Serves("") || !one.Serves("lisbon") || one.Serves("porto") || one.Serves("") {
		t.Error("it serves other sites than it should")
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for url, target := range map[string]string{
		"https://gate.example.com/api/v1": "https://gate.example.com/api/v1/portal_login/", "https://gate.example.com/api/v1/": "https://gate.example.com/api/v1/portal_login/",
		"https://gate.example.com": "https://gate.example.com/portal_login/", "http://127.0.0.1:8080/api/v1": "http://127.0.0.1:8080/api/v1/portal_login/",
	} {
		b := open(t, url, nil, backends.Deps{})
		if is := b.line.Head.URL; is.Scheme+"://"+is.Host+is.RequestURI() != target {
			t.Errorf("%s leads to %s", url, is)
		}
	}
	for _, tt := range []struct {
		config    Config
		key, says string
	}{
		{Config{Token: token}, "url", "is missing"},
		{Config{URL: "https://", Token: token}, "url", "is no address"},
		{Config{URL: "http://gate.example.com/api/v1", Token: token}, "url", "is http"},
		{Config{URL: "https://gate.example.com/api/v1?a=b", Token: token}, "url", `holds a "?"`},
		{Config{URL: "https://gate.example.com/api/v1/portal_login/", Token: token}, "url", "leave it out"},
		{Config{URL: "https://gate.example.com/api/v1/portal_login", Token: token}, "url", "leave it out"},
		{Config{URL: "https://169.254.169.254/", Token: token}, "url", "credentials"},
		{Config{URL: "https://gate.example.com"}, "token", "is missing"},
		{Config{URL: "https://gate.example.com", Token: "a b"}, "token", "blank"},
		{Config{URL: "https://gate.example.com", Token: token, Timeout: 3}, "timeout", "too short"},
		{Config{URL: "https://gate.example.com", Token: token, Timeout: -time.Second}, "timeout", "too short"},
	} {
		_, err := tt.config.Open(backends.Deps{Name: "gate"})
		var ke *backends.KeyError
		if !errors.As(err, &ke) || ke.Key != tt.key || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%+v: %v", tt.config, err)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	g := &gate{}
	if found := serve(t, g, backends.Deps{}).Check(t.Context()); found != nil || len(g.taken) > 0 {
		t.Errorf("a system in order: %+v, taken %v", found, g.taken)
	}
	g.broken = true
	for want, b := range map[string]*Backend{
		"own log":           serve(t, g, backends.Deps{}),
		"put a valid token": open(t, httpGate(t), func(c *Config) { c.Token = "another" }, backends.Deps{}),
		"where the API begins": open(t, httpGate(t), func(c *Config) {
			c.URL = strings.TrimSuffix(c.URL, "v1")
		}, backends.Deps{}),
		"what answers there":   serve(t, says(201, "application/json", `{"page_id":1}`), backends.Deps{}),
		"higher limit":         serve(t, says(429, "", ""), backends.Deps{}),
		"does not speak TLS":   open(t, httpGate(t), func(c *Config) { c.URL = strings.Replace(c.URL, "http:", "https:", 1) }, backends.Deps{}),
		"whether a firewall":   open(t, "http://127.0.0.1:1", nil, backends.Deps{}),
		"signed by a CA":       open(t, tlsGate(t), nil, backends.Deps{}),
		"HTTP 200: not a stat": serve(t, says(200, "text/html", "<html>"), backends.Deps{}),
	} {
		found := b.Check(t.Context())
		if len(found) != 1 || found[0].What == "" || found[0].Remedy == "" || !strings.Contains(found[0].What+" "+found[0].Remedy, want) {
			t.Errorf("want %q, found %+v", want, found)
		}
		if s := fmt.Sprint(found); strings.Contains(s, "canary") {
			t.Errorf("the finding holds the token: %s", s)
		}
	}
}

func httpGate(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(&gate{})
	t.Cleanup(s.Close)
	return s.URL + "/api/v1"
}

func tlsGate(t *testing.T) string {
	t.Helper()
	s := httptest.NewUnstartedServer(&gate{})
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL + "/api/v1"
}

// TestReadme: what an operator copies is taken, and what is shown is what is sent.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string) string {
		m := regexp.MustCompile("(?s)```" + kind + "\n(.*?)```").FindSubmatch(readme)
		if m == nil {
			t.Fatalf("README.md has no block of %s", kind)
		}
		return string(m[1])
	}
	var file struct{ Backend []toml.Primitive }
	md, err := toml.Decode(block("toml"), &file)
	if err != nil || len(file.Backend) != 1 {
		t.Fatalf("%d backends, %v", len(file.Backend), err)
	}
	var c Config
	if err := md.PrimitiveDecode(file.Backend[0], &c); err != nil || c.Site != "lisbon" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := c.Open(backends.Deps{Name: "gate"}); err != nil {
		t.Error(err)
	}
	l := whole()
	l.UID, l.OriginalURL, l.Controller, l.Idle = "anna@example.com", "", netip.Addr{}, 0
	var shown, sent map[string]string
	if err := errors.Join(json.Unmarshal([]byte(block("json")), &shown), json.Unmarshal(encode(l), &sent)); err != nil || shown["data"] != sent["data"] {
		t.Errorf("README.md shows %v, sent is %v (%v)", shown, sent, err)
	}
}

func FuzzAnswer_NoPanic(f *testing.F) {
	f.Add([]byte(`{"page_id":12345}`))
	f.Add([]byte(`{"page_id":-1}`))
	f.Add([]byte(`{"page_id":9007199254740993,"page_id":1}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if page, err := decodeAnswer(body); (err == nil) != (page > 0) {
			t.Errorf("%q: page %d, %v", body, page, err)
		}
	})
}

// FuzzLogin_RoundTrip: whatever is logged in, the string inside the body holds it.
func FuzzLogin_RoundTrip(f *testing.F) {
	f.Add("room_401", "https://www.example.com/?a=1&b=<2>", int64(7200))
	f.Add("a\"\\\x00\u2028", "", int64(-1))
	f.Fuzz(func(t *testing.T, uid, url string, n int64) {
		l := whole()
		l.UID, l.OriginalURL, l.Session = strings.ToValidUTF8(uid, "?"), strings.ToValidUTF8(url, "?"), time.Duration(n%(1<<32))*time.Second
		var outer map[string]string
		var in data
		if err := json.Unmarshal(encode(l), &outer); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(outer["data"]), &in); err != nil {
			t.Fatal(err)
		}
		if in.UID != l.UID || in.OriginalURL != l.OriginalURL || in.SessionTimeout != max(n%(1<<32), 0) {
			t.Errorf("%+v becomes %+v", l, in)
		}
	})
}
