package nexudus

import (
	"errors"
	"strings"
	"testing"
	"time"

	"memberradius/backends"
	"memberradius/member"

	"github.com/BurntSushi/toml"
)

func good() Config {
	return Config{Username: "api@example.com", Password: "canary-password", Space: "yourspace"}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	negative := -time.Second
	for key, change := range map[string]func(*Config){
		"url":                 func(c *Config) { c.URL = "http://spaces.nexudus.com" },
		"url ":                func(c *Config) { c.URL = "https://user:canary-password@spaces.nexudus.com" },
		"url  ":               func(c *Config) { c.URL = "https://169.254.169.254" },
		"member_url":          func(c *Config) { c.MemberURL = "ftp://x" },
		"space":               func(c *Config) { c.Space = "https://yourspace.spaces.nexudus.com" },
		"space ":              func(c *Config) { c.Space, c.Secret = "", "live" },
		"username":            func(c *Config) { c.Username, c.Password = "", "" },
		"username ":           func(c *Config) { c.Username, c.Password, c.ACSToken, c.CheckinRequired = "", "", "x", true },
		"password":            func(c *Config) { c.Password = "" },
		"password ":           func(c *Config) { c.Username = "" },
		"auth":                func(c *Config) { c.Auth = "oauth" },
		"login":               func(c *Config) { c.Login = "custom31" },
		"login ":              func(c *Config) { c.Login = "custom01" },
		"login  ":             func(c *Config) { c.Username, c.Password, c.ACSToken, c.Login = "", "", "x", "custom1" },
		"secret":              func(c *Config) { c.Secret = "password" },
		"secret ":             func(c *Config) { c.Login, c.Secret = "custom2", "custom2" },
		"secret  ":            func(c *Config) { c.Username, c.Password, c.ACSToken, c.Secret = "", "", "x", "custom1" },
		"write_back":          func(c *Config) { c.WriteBack = "email" },
		"write_back ":         func(c *Config) { c.Login, c.WriteBack = "custom2", "custom2" },
		"write_back  ":        func(c *Config) { c.Secret, c.WriteBack = "pincode", "custom2" },
		"live":                func(c *Config) { c.Live = "yes" },
		"timeout":             func(c *Config) { c.Timeout = 5 },
		"requests_per_minute": func(c *Config) { c.Requests = -1 },
		"client_id":           func(c *Config) { c.ClientID = "a\r\nb" },
		"fresh":               func(c *Config) { c.Fresh = &negative },
		"grace":               func(c *Config) { c.Grace = &negative },
		"in_flight":           func(c *Config) { c.InFlight = -1 },
	} {
		c := good()
		change(&c)
		_, err := c.Open(backends.Deps{Name: "nexudus", Directory: &directory{}})
		var k *backends.KeyError
		if !errors.As(err, &k) || k.Key != strings.TrimSpace(key) {
			t.Errorf("%s: %v", key, err)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the password stands in %v", key, err)
		}
	}
	if _, err := good().Open(backends.Deps{Name: "nexudus"}); err == nil {
		t.Error("opened without a store")
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"least": func(*Config) {}, "basic": func(c *Config) { c.Auth = "basic" }, "live": func(c *Config) { c.Secret = "live" },
		"custom": func(c *Config) { c.Login, c.Secret = "custom1", "custom30" }, "written back": func(c *Config) { c.WriteBack = "custom5" },
		"no space": func(c *Config) { c.Space = "" },
	} {
		c := good()
		change(&c)
		b, err := c.Open(backends.Deps{Name: "nexudus", Directory: &directory{}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := b.(*Synced)
		if want := map[string]backends.Secrecy{"live": backends.Asked, "custom": backends.Brought}; s.Secrecy() != want[name] && s.Secrecy() != backends.Generated {
			t.Errorf("%s: secrecy %d", name, s.Secrecy())
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name != "no space" && s.members.String() != "https://yourspace.spaces.nexudus.com" {
			t.Errorf("%s: members at %s", name, s.members)
		}
	}
}

// TestDecodes the table as cmd does.
func TestDecodes(t *testing.T) {
	t.Parallel()
	var c Config
	md, err := toml.Decode(`
url = "https://spaces.nexudus.com"
space = "yourspace"
member_url = "https://members.example.com"
username = "api@example.com"
password = "x"
auth = "basic"
client_id = "second-node"
login = "custom1"
secret = "generate"
webhook_secret = "y"
acs_token = "z"
checkin_required = true
write_back = "custom5"
live = "checkin"
timeout = "10s"
requests_per_minute = 600
fresh = "0s"
grace = "1h"
in_flight = 64
private = true
insecure = false
`, &c)
	if err != nil || len(md.Undecoded()) != 0 {
		t.Fatalf("%v, left %v", err, md.Undecoded())
	}
	if c.Timeout != 10*time.Second || c.Fresh == nil || *c.Fresh != 0 || *c.Grace != time.Hour || c.Requests != 600 || c.ACSToken != member.Secret("z") {
		t.Errorf("%+v", c)
	}
}
