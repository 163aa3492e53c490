package rest

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/backends/outward"
	"memberradius/member"

	"github.com/BurntSushi/toml"
)

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	good := func() Config { return Config{URL: "https://api.example.com/wifi", Token: "x"} }
	tests := []struct {
		name   string
		change func(*Config)
		key    string // empty: no error
	}{
		{"good", func(*Config) {}, ""},
		{"no url", func(c *Config) { c.URL = "" }, "url"},
		{"no scheme", func(c *Config) { c.URL = "api.example.com/wifi" }, "url"},
		{"ftp", func(c *Config) { c.URL = "ftp://api.example.com/" }, "url"},
		{"placeholder", func(c *Config) { c.URL = "https://api.example.com/{space_id}" }, "url"},
		{"password in it", func(c *Config) { c.URL = "https://a:b@api.example.com/" }, "url"},
		{"fragment", func(c *Config) { c.URL = "https://api.example.com/#x" }, "url"},
		{"http", func(c *Config) { c.URL = "http://api.example.com/" }, "url"},
		{"http and insecure", func(c *Config) { c.URL, c.Insecure = "http://api.example.com/", true }, ""},
		{"http to localhost", func(c *Config) { c.URL = "http://LocalHost:8080/" }, ""},
		{"http to 127/8", func(c *Config) { c.URL = "http://127.8.8.8/" }, ""},
		{"http to ::1", func(c *Config) { c.URL = "http://[::1]:80/" }, ""},
		{"http to a private address", func(c *Config) { c.URL = "http://192.168.1.1/" }, "url"},
		{"https to a private address", func(c *Config) { c.URL = "https://192.168.1.1/" }, ""},
		{"link-local", func(c *Config) { c.URL = "https://169.254.169.254/" }, "url"},
		{"link-local in IPv6", func(c *Config) { c.URL = "https://[fe80::1%25eth0]/" }, "url"},
		{"metadata in IPv6", func(c *Config) { c.URL = "https://[fd00:ec2::254]/" }, "url"},
		{"link-local, mapped", func(c *Config) { c.URL = "https://[::ffff:169.254.169.254]/" }, "url"},
		{"unspecified", func(c *Config) { c.URL, c.Insecure = "http://0.0.0.0/", true }, "url"},
		{"no token", func(c *Config) { c.Token = "" }, "token"},
		{"token with a line break", func(c *Config) { c.Token = "a\nX: y" }, "token"},
		{"mschap", func(c *Config) { c.MSCHAP = "hash" }, "mschap"},
		{"mschap raw", func(c *Config) { c.MSCHAP = "raw" }, ""},
		{"zone", func(c *Config) { c.Zone = "Mars/Olympus" }, "zone"},
		{"deny_on 200", func(c *Config) { c.DenyOn = []int{200} }, "deny_on"},
		{"deny_on 429", func(c *Config) { c.DenyOn = []int{429} }, "deny_on"},
		{"unknown_on 500", func(c *Config) { c.UnknownOn = []int{500} }, "unknown_on"},
		{"both", func(c *Config) { c.DenyOn, c.UnknownOn = []int{404}, []int{404} }, "unknown_on"},
		{"deny_on beside the default", func(c *Config) { c.DenyOn = []int{401, 403} }, ""},
		{"negative timeout", func(c *Config) { c.Timeout = -1 }, "timeout"},
	}
	for _, tt := range tests {
		c := good()
		tt.change(&c)
		_, err := c.Open(backends.Deps{Name: "club"})
		var e *backends.KeyError
		switch {
		case tt.key == "" && err != nil, tt.key != "" && (!errors.As(err, &e) || e.Key != tt.key):
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestConfigDecodes(t *testing.T) {
	t.Parallel()
	var c Config
	md, err := toml.Decode("url = \"https://a.example\"\ntoken = \"x\"\ntimeout = \"2s\"\nin_flight = 5\ndeny_on = [401]\nunknown_on = []\nmschap = \"raw\"\nzone = \"UTC\"\nprivate = true\ninsecure = true\n", &c)
	if err != nil || len(md.Undecoded()) != 0 || c.Timeout != 2*time.Second || c.UnknownOn == nil || c.Token != "x" {
		t.Errorf("%v, %v left, %+v", err, md.Undecoded(), c)
	}
}

// TestGuardStandsInTheWay of a real connection: no octet reaches the server.
func TestGuardStandsInTheWay(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server was reached") }))
	t.Cleanup(s.Close)
	other := dial(t, s.URL, nil, backends.Deps{})
	g := outward.Guard{} // what a name gets whose answer is a loopback address
	dialerOf(other, g)
	_, err := other.Ask(t.Context(), pap("user1", "hello"))
	if backends.ClassOf(err) != backends.Unreachable || !errors.Is(err, outward.ErrAddress) {
		t.Errorf("Ask = %v", err)
	}
}

func TestCheckFindings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		h     http.HandlerFunc
		wrong bool
		want  string // empty: no finding
	}{
		{"refuses", says(422, "application/json", `{"errors":["no"]}`), false, ""},
		{"does not know", says(404, "application/json", `{"errors":["no"]}`), false, ""},
		{"404 page", says(404, "text/html", "<html>"), false, "without JSON"},
		{"lets everybody in", says(200, "application/json", "{}"), true, "lets in a login that does not exist"},
		{"token", says(401, "", ""), true, "refuses our token"},
		{"login page", says(200, "text/html", "<html>"), true, "not application/json"},
		{"redirect", says(301, "", ""), true, "HTTP 301"},
		{"throttled", says(429, "", ""), false, "HTTP 429"},
		{"broken", says(500, "", ""), true, "HTTP 500"},
	}
	for _, tt := range tests {
		r := serve(t, tt.h, nil, backends.Deps{})
		found := r.Check(t.Context())
		switch {
		case tt.want == "":
			if len(found) != 0 {
				t.Errorf("%s: %v", tt.name, found)
			}
		case len(found) != 1 || found[0].Wrong != tt.wrong || !strings.Contains(found[0].What, tt.want) || found[0].Remedy == "":
			t.Errorf("%s: %+v", tt.name, found)
		}
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if found := dial(t, gone.URL, nil, backends.Deps{}).Check(t.Context()); len(found) != 1 || !found[0].Wrong {
		t.Errorf("nobody listens: %v", found)
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                    "plain",
		" \n first\r\nsecond":      "first",
		"a\x00b\x1b[31mc\u202ed":   "ab[31mcd",
		"\u0085x\u2028y":           "xy",
		strings.Repeat("é", 200):   strings.Repeat("é", 126),
		strings.Repeat("a", 10000): strings.Repeat("a", 253),
		"\n\r":                     "",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%.20q = %q", in, got)
		}
	}
}

func TestWebAddress(t *testing.T) {
	t.Parallel()
	for in, ok := range map[string]bool{
		"https://a.example/x?y": true, "http://a.example": true, "javascript:alert(1)": false, "//a.example": false,
		"https://a.example/ x": false, "https://a.example/\nX": false, "": false, "https://a.example/" + strings.Repeat("x", 300): false,
	} {
		if got := webAddress(in); (got == in) != (ok || in == "") || got != "" && got != in {
			t.Errorf("%q = %q", in, got)
		}
	}
}

func BenchmarkAsk(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"attributes":[{"name":"Tunnel-Private-Group-Id","value":"101","op":":="}]}`)
	}))
	defer s.Close()
	be, err := Config{URL: s.URL, Token: "x"}.Open(backends.Deps{Name: "club"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ans, err := be.Ask(b.Context(), pap("user1", "hello")); err != nil || ans.Verdict != member.Allow {
			b.Fatal(ans.Verdict, err)
		}
	}
}
