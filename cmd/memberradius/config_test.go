package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"memberradius/member"
	"memberradius/radiusd"
)

// good is a configuration that a test adds a fault to. Its [[client]] is last,
// so that a key can be added to it.
const good = `[[backend]]
name = "staff"
kind = "file"
path = "members.toml"
[[plan]]
name = "desk"
match = ["Hot Desk"]
[[client]]
name = "lobby"
address = "192.0.2.1"
secret = "long enough to be good"
`

// setup writes files, and returns the folder.
func setup(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestConfigFindings(t *testing.T) {
	t.Parallel()
	dir := setup(t, map[string]string{"empty.secret": "\n", "good.secret": "a secret from a file\n"})
	loose := filepath.Join(dir, "loose.secret")
	if err := os.WriteFile(loose, []byte("a secret from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(loose, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		text  string // after good, whose last line is 11
		level level
		line  int
		what  string
	}{
		{"unknown key", "vlna = 7", wrong, 12, `client "lobby": unknown key "vlna"`},
		{"unknown key in the second of two", "[[client]]\nname = \"x\"\naddress = \"192.0.2.2\"\nsecret = \"long enough to be good\"\nspeed = 1", wrong, 16, `client "x": unknown key "speed"`},
		{"unknown table", "[radius]\nx = 1", wrong, 12, `unknown key "radius"`},
		{"unknown key in a table", "[server]\nport = 1", wrong, 13, `[server]: unknown key "port"`},
		{"wrong type", "vendor = 7", wrong, 12, `vendor is a whole number, and text is needed`},
		{"wrong list", "methods = \"pap\"", wrong, 12, "methods is text, and a list of texts is needed"},
		{"no TOML", "vlan = = 1", wrong, 12, "this is not TOML"},
		{"unknown vendor", `vendor = "acme"`, wrong, 12, `vendor "acme" is unknown`},
		{"unknown method", `methods = ["pap", "ntlm"]`, wrong, 12, `method "ntlm" is unknown`},
		{"no methods", `methods = []`, warn, 12, "every request of this client is refused"},
		{"unknown site", `site = "rome"`, wrong, 12, `client "lobby": site "rome" is unknown`},
		{"no Message-Authenticator", "require_message_authenticator = false", warn, 12, "CVE-2024-3596"},
		{"bad coa", `coa = "192.0.2.1"`, wrong, 12, "coa: "},
		{"bad VLAN", `vlan = 4095`, wrong, 12, "VLAN 4095"},
		{"taken name", "[[client]]\nname = \"LOBBY\"\naddress = \"192.0.2.2\"\nsecret = \"long enough to be good\"", wrong, 13, "the name is taken already"},
		{"no name", "[[client]]\naddress = \"192.0.2.2\"\nsecret = \"long enough to be good\"", wrong, 12, "client 2: there is no name"},
		{"taken address", "[[client]]\nname = \"b\"\naddress = \"192.0.2.1/32\"\nsecret = \"long enough to be good\"", wrong, 14, `192.0.2.1/32 is client "lobby" already`},
		{"no address", "[[client]]\nname = \"b\"\nsecret = \"long enough to be good\"", wrong, 12, "there is no address"},
		{"bad address", "[[client]]\nname = \"b\"\naddress = \"ap.example.com\"\nsecret = \"long enough to be good\"", wrong, 14, "neither address nor prefix"},
		{"host bits", "[[client]]\nname = \"b\"\naddress = \"192.0.3.7/24\"\nsecret = \"long enough to be good\"", warn, 14, "bits behind its prefix"},
		{"no secret", "[[client]]\nname = \"b\"\naddress = \"192.0.2.2\"", wrong, 12, "there is no secret"},
		{"empty secret", "[[client]]\nname = \"b\"\naddress = \"192.0.2.2\"\nsecret = \"\"", wrong, 15, "secret is empty"},
		{"empty secret file", "[[client]]\nname = \"b\"\naddress = \"192.0.2.2\"\nsecret = \"file:empty.secret\"", wrong, 15, "secret is empty"},
		{"no secret file", "[[client]]\nname = \"b\"\naddress = \"192.0.2.2\"\nsecret = \"file:none.secret\"", wrong, 15, "none.secret: no such file"},
		{"loose secret file", "[[client]]\nname = \"b\"\naddress = \"192.0.2.2\"\nsecret = \"file:loose.secret\"", warn, 15, "others on this machine may read its file"},
		{"no environment", "[[client]]\nname = \"b\"\naddress = \"192.0.2.2\"\nsecret = \"env:MEMBERRADIUS_TEST_UNSET\"", wrong, 15, "the environment has no MEMBERRADIUS_TEST_UNSET"},
		{"short secret", "[[client]]\nname = \"b\"\naddress = \"192.0.2.2\"\nsecret = \"x1y2z3x1y2z3\"", warn, 15, "no more than 12 characters"},
		{"known secret", "[[client]]\nname = \"b\"\naddress = \"192.0.2.2\"\nsecret = \"Testing123\"", warn, 15, "everybody knows it"},
		// P14
		{"interim below 60 s", "[[plan]]\nname = \"p\"\ninterim = \"59s\"", wrong, 14, "interim is 59s"},
		{"interim below 600 s", "[[plan]]\nname = \"p\"\ninterim = \"5m\"", warn, 14, "interim is 5m0s"},
		{"duration without a unit", "[[plan]]\nname = \"p\"\nsession = \"12\"", wrong, 14, `session "12" is no duration`},
		{"duration as a number", "[[plan]]\nname = \"p\"\nsession = 12", wrong, 14, "a duration with its unit is needed"},
		{"negative duration", "[[plan]]\nname = \"p\"\nidle = \"-1s\"", wrong, 14, "is no duration"},
		{"bad rate", "[[plan]]\nname = \"p\"\ndown = \"fast\"", wrong, 14, `rate "fast"`},
		{"bad hours", "[[plan]]\nname = \"p\"\nhours = \"Mon-Fri 8-20\"", wrong, 14, "hours"},
		{"bad quota", "[[plan]]\nname = \"p\"\nquotas = [\"5G\"]", wrong, 14, "quota"},
		{"sessions kept for an hour", "[sessions]\nkeep = \"1h\"", wrong, 13, "keep"},
		{"two plans match", "[[plan]]\nname = \"p\"\nmatch = [\"x\", \"hot desk\"]", wrong, 14, `"hot desk" belongs to plan "desk" already`},
		{"unknown attribute", "[[plan]]\nname = \"p\"\nattributes = [{ name = \"Filter-Idd\", value = \"x\" }]", wrong, 14, `attribute "Filter-Idd" is unknown`},
		{"value of the wrong type", "[[plan]]\nname = \"p\"\nattributes = [{ name = \"Idle-Timeout\", value = \"soon\" }]", wrong, 14, "Idle-Timeout"},
		{"unknown operator", "[[plan]]\nname = \"p\"\nattributes = [{ name = \"Filter-Id\", value = \"x\", op = \"==\" }]", wrong, 14, "op is unknown"},
		{"unknown kind", "[[backend]]\nname = \"b\"\nkind = \"ldap\"", wrong, 14, `kind "ldap" is unknown`},
		{"site of a synced kind", "[[backend]]\nname = \"b\"\nkind = \"webhook\"\nsite = \"x\"", wrong, 15, `site "x" is unknown`},
		{"sync that never comes", "[[backend]]\nname = \"b\"\nkind = \"webhook\"\nsync = \"0\"", wrong, 15, "sync is 0"},
		{"shrink", "[[backend]]\nname = \"b\"\nkind = \"webhook\"\nshrink = 101", wrong, 15, "shrink is 101"},
		{"key of another kind", "[[backend]]\nname = \"b\"\nkind = \"rest\"\nurl = \"https://api.example.com\"\ntoken = \"t\"\n[[backend]]\nname = \"c\"\nkind = \"file\"\npath = \"m.toml\"\nurl = \"x\"", wrong, 21, `backend "c": unknown key "url"`},
		{"type of a kind's key", "[[backend]]\nname = \"b\"\nkind = \"rest\"\nurl = 7\ntoken = \"t\"", wrong, 15, "url is a whole number, and text is needed"},
		{"timeout without a unit", "[[backend]]\nname = \"b\"\nkind = \"rest\"\nurl = \"https://api.example.com\"\ntoken = \"t\"\ntimeout = 3", wrong, 17, "timeout"},
		{"nobody asks it", "[[backend]]\nname = \"b\"\nkind = \"file\"\npath = \"b.toml\"\n[[site]]\nname = \"s\"\nask = [\"staff\"]", warn, 12, `backend "b" is asked by no site`},
		{"unknown backend", "[[site]]\nname = \"s\"\nask = [\"staff\", \"stuff\"]", wrong, 14, `backend "stuff" is unknown`},
		{"backend twice", "[[site]]\nname = \"s\"\nask = [\"staff\", \"staff\"]", wrong, 14, `backend "staff" stands twice`},
		{"unknown gate", "[[site]]\nname = \"s\"\ngates = [\"gate\"]", wrong, 14, `gates: backend "gate" is unknown`},
		{"unknown default plan", "[[site]]\nname = \"s\"\ndefault_plan = \"none\"", wrong, 14, `default_plan "none" is unknown`},
		{"unknown zone", "[[site]]\nname = \"s\"\nzone = \"Europe/Atlantis\"", wrong, 14, `zone "Europe/Atlantis" is unknown`},
		{"port without an address", "[server]\nauth = [\":1812\"]", wrong, 13, `":1812" is no address with a port`},
		{"port taken", "[server]\nauth = [\"127.0.0.1:1812\"]\nacct = [\"127.0.0.1:1812\"]", wrong, 14, "127.0.0.1:1812 is listed already, on line 13"},
		{"nothing to listen on", "[server]\nauth = []", wrong, 13, "no address to listen on"},
		{"reject delay", "[server]\nreject_delay = \"1m\"", wrong, 13, "reject_delay is 1m0s"},
		{"journal", "[server]\njournal = 0", wrong, 13, "journal is 0"},
		{"no dictionary", "[server]\ndictionary = [\"none.dictionary\"]", wrong, 13, "none.dictionary"},
		{"log level", "[log]\nlevel = \"loud\"", wrong, 13, `level "loud" is unknown`},
		{"http address", "[http]\nlisten = \"localhost\"", wrong, 13, `"localhost" is no address with a port`},
		{"certificate without key", "[http]\ncertificate = \"x.pem\"", wrong, 13, "certificate and key belong together"},
		{"public_url", "[http]\npublic_url = \"wifi\"", wrong, 13, "public_url is no address of a web site"},
		{"trusted_proxies", "[http]\ntrusted_proxies = [\"proxy\"]", wrong, 13, "neither address nor prefix"},
		{"mail server", "[mail]\nsmtp = \"x\"\nfrom = \"wifi@example.com\"", wrong, 13, "it is no address of a mail server"},
		{"no mail server", "[mail]\nfrom = \"wifi@example.com\"", wrong, 12, "there is no smtp"},
		{"no sender", "[mail]\nsmtp = \"smtps://mail.example.com\"", wrong, 12, "from"},
		{"letter that is not there", "[mail]\nsmtp = \"smtps://mail.example.com\"\nfrom = \"wifi@example.com\"\ntemplate = \"none.txt\"", wrong, 15, "none.txt"},
		{"ssid", "[[site]]\nname = \"s\"\nssid = \"123456789012345678901234567890123\"", wrong, 14, "ssid has 33 octets"},
		{"a table that is a value", "[[site]]\nname = \"s\"\n[server.auth]\nx = 1", wrong, 14, "auth is a table"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, found := readConfig("config.toml", dir, good+tt.text+"\n")
			for _, f := range found {
				if f.Line == tt.line && f.Level == tt.level && strings.Contains(f.What, tt.what) {
					if f.Remedy == "" || f.File != "config.toml" {
						t.Errorf("without remedy or file: %v", f)
					}
					if found.bad() != (tt.level == wrong) {
						t.Errorf("besides it: %v", found)
					}
					return
				}
			}
			t.Errorf("no %s on line %d with %q, but: %v", tt.level, tt.line, tt.what, found)
		})
	}
}

func TestConfigSaysEverything(t *testing.T) {
	t.Parallel()
	_, found := readConfig("config.toml", t.TempDir(), good+"vendor = \"acme\"\nvlan = 0\n[log]\nlevel = 7\n[[plan]]\ninterim = \"1s\"\n")
	if len(found) != 6 {
		t.Errorf("%d findings, want 6: %v", len(found), found)
	}
	for i := 1; i < len(found); i++ {
		if found[i].Line < found[i-1].Line {
			t.Errorf("not in the order of the file: %v", found)
		}
	}
}

func TestConfigIsRead(t *testing.T) {
	t.Setenv("MEMBERRADIUS_TEST_SECRET", "from the environment\n")
	dir := setup(t, map[string]string{"lobby.secret": "from the file\r\n"})
	c, found := readConfig("config.toml", dir, `
[server]
auth = ["127.0.0.1:1812", "[::1]:1812"]
data = "/var/lib/memberradius"
reject_delay = "0s"
[[backend]]
name = "club"
kind = "rest"
url = "https://api.example.com"
token = "env:MEMBERRADIUS_TEST_SECRET"
timeout = "2s"
fresh = "0s"
[[backend]]
name = "members"
kind = "local"
[[plan]]
name = "desk"
vlan = 101
down = "50M"
attributes = [{ name = "Idle-Timeout", value = 60, op = "=" }]
[[site]]
name = "berlin"
gates = ["members"]
zone = "Europe/Berlin"
default_plan = "Desk"
auth = ["127.0.0.1:11812"]
[[site]]
name = "rome"
auth = ["127.0.0.1:11813"]
[[client]]
name = "lobby"
address = "0.0.0.0/0"
secret = "file:lobby.secret"
[[client]]
name = "roof"
address = "0.0.0.0/0"
secret = "env:MEMBERRADIUS_TEST_SECRET"
site = "rome"
require_message_authenticator = true
`)
	if found.bad() {
		t.Fatal(found)
	}
	if len(c.Server.Listen) != 5 || c.Server.Listen[3].Site != "berlin" || c.Server.Listen[2].Role != radiusd.Acct || c.Server.RejectDelay != 0 {
		t.Errorf("[server]: %+v", c.Server)
	}
	if got := fmt.Sprint(c.Sites[0].Ask, c.Sites[0].Gates, c.Sites[1].Ask); got != "[club] [members] [club members]" {
		t.Errorf("sites ask %s", got)
	}
	if a, b := string(c.Clients[0].Secret), string(c.Clients[1].Secret); a != "from the file" || b != "from the environment" {
		t.Errorf("secrets are %q and %q", a, b)
	}
	if c.Clients[0].Site != "berlin" || c.Clients[0].Methods != nil || c.Clients[0].TolerateNoMessageAuthenticator {
		t.Errorf("client: %+v", c.Clients[0])
	}
	p := c.Plans[0]
	if p.VLAN != "101" || p.Down.Bits != 50e6 || p.Attributes[0] != (member.Attribute{Name: "Idle-Timeout", Value: "60", Op: member.OpFill}) {
		t.Errorf("plan: %+v", p)
	}
	if b := c.Backends[0]; b.Fresh != 0 || b.Grace != defaultGrace || b.InFlight != 1024 {
		t.Errorf("backend: %+v", b)
	}
}

func TestSyntaxErrorsHoldNoSecret(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"secret = hunter2canary", "secret = truecanary", "secret = \"canary", "secret = 'canary\n'", "secret = 12canary", "canary = = 1\ncanary"} {
		_, found := readConfig("config.toml", t.TempDir(), good+"[[client]]\n"+line+"\n")
		if !found.bad() {
			t.Errorf("%q was taken", line)
		}
		if text := found[0].String(); strings.Contains(text, "canary") {
			t.Errorf("%q: %s", line, text)
		}
	}
}

func TestFindConfig(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if _, err := findConfig(""); err == nil || !strings.Contains(err.Error(), "config.toml") {
		t.Errorf("without any: %v", err)
	}
	if err := os.WriteFile("config.toml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if path, err := findConfig(""); err != nil || path != "config.toml" {
		t.Errorf("found %q, %v", path, err)
	}
}

func TestOneSlip(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{{"vlan", "vlna", true}, {"vlan", "VLAN", true}, {"vlan", "vlans", true}, {"vlan", "vian", true}, {"vlan", "clan5", false}, {"idle", "valid", false}, {"url", "uro", true}} {
		if got := oneSlip(tt.a, tt.b); got != tt.want {
			t.Errorf("oneSlip(%s, %s) = %v", tt.a, tt.b, got)
		}
	}
}
