package main

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"memberradius/dictionary"
	"memberradius/radiusd"

	"github.com/sirupsen/logrus"
)

// serverConfig is [server].
type serverConfig struct {
	Listen       []radiusd.Listen // the ports of all sites; those of a site's own are added by readSites
	Data         string
	RejectDelay  time.Duration
	Dictionaries []string
	Journal      int
}

// The most that a reject may be held back: NASes resend after 2 to 5 s, and
// draft-ietf-radext-deprecating-radius sees 1 to 10 s.
const maxRejectDelay = 10 * time.Second

func (c *config) readServer(t *table) {
	c.Server = serverConfig{
		Data:        t.filePath("data", "data"),
		RejectDelay: t.duration("reject_delay", time.Second, 0),
		Journal:     t.number("journal", 0, 1, 10_000_000),
	}
	c.readListens(t, "auth", "0.0.0.0:1812", radiusd.Listen{Role: radiusd.Auth})
	c.readListens(t, "acct", "0.0.0.0:1813", radiusd.Listen{Role: radiusd.Acct})
	if c.Server.RejectDelay > maxRejectDelay {
		t.wrong("reject_delay", fmt.Sprintf("reject_delay is %s", c.Server.RejectDelay), `at most 10s make sense: access points resend and give up; "1s" is good`)
	}
	c.Dictionary = dictionary.Builtin()
	for i, path := range t.texts("dictionary") {
		path = t.r.abs(path)
		d, err := c.Dictionary.With(path)
		if err != nil {
			t.wrong(fmt.Sprintf("dictionary[%d]", i), err.Error(), "put it right there: the format is FreeRADIUS's, and $INCLUDE is relative to the file that says it")
			continue
		}
		c.Dictionary = d
		c.Server.Dictionaries = append(c.Server.Dictionaries, path)
	}
	t.end()
}

// readListens adds the addresses of key, or fallback where the key is not there.
func (c *config) readListens(t *table, key, fallback string, l radiusd.Listen) {
	list := t.texts(key)
	if list == nil && fallback != "" {
		list = []string{fallback}
	}
	for i, s := range list {
		path := fmt.Sprintf("%s[%d]", key, i)
		addr, err := netip.ParseAddrPort(s)
		if err != nil {
			t.wrong(path, fmt.Sprintf("%s: %q is no address with a port", key, s), listenRemedy(s))
			continue
		}
		l.Address = addr
		c.Server.Listen = append(c.Server.Listen, l)
		c.listenPaths = append(c.listenPaths, join(t.path, path))
	}
}

func listenRemedy(s string) string {
	if port, ok := strings.CutPrefix(s, ":"); ok {
		return fmt.Sprintf("write \"0.0.0.0:%s\" for IPv4 and \"[::]:%s\" for IPv6", port, port)
	}
	return `write it as "192.0.2.1:1812" or "[2001:db8::1]:1812"; "0.0.0.0:1812" is every address of this machine`
}

// crossListens refuses an address that is to be served twice.
func (c *config) crossListens(r *reader) {
	seen := map[netip.AddrPort]int{}
	auth := false
	for i, l := range c.Server.Listen {
		auth = auth || l.Role == radiusd.Auth
		first, twice := seen[l.Address]
		if twice && l.Address.Port() != 0 {
			r.add(wrong, c.listenPaths[i], fmt.Sprintf("%s is listed already, on line %d", l.Address, r.lines.line(c.listenPaths[first])),
				"each port has one use: one for auth, another for acct, another for each site")
			continue
		}
		seen[l.Address] = i
	}
	if !auth {
		r.add(wrong, "server.auth", "there is no address to listen on for authentication", `write auth = ["0.0.0.0:1812"] below [server]`)
	}
}

// logConfig is [log].
type logConfig struct {
	Level  logrus.Level
	Format string
}

func (c *config) readLog(t *table) {
	word := t.word("level", "info", []string{"debug", "info", "warn", "error"})
	lvl, err := logrus.ParseLevel(word)
	if err != nil {
		lvl = logrus.InfoLevel
	}
	c.Log = logConfig{Level: lvl, Format: t.word("format", "text", []string{"text", "json"})}
	t.end()
}

// httpConfig is [http].
type httpConfig struct {
	Listen           string
	Public           []string
	PublicURL        string
	Certificate, Key string
	TrustedProxies   []netip.Prefix
}

func (c *config) readHTTP(t *table) {
	h := httpConfig{
		Listen:      t.text("listen", "127.0.0.1:8080"),
		Public:      t.texts("public"),
		PublicURL:   t.text("public_url", ""),
		Certificate: t.filePath("certificate", ""),
		Key:         t.filePath("key", ""),
	}
	if h.Listen != "" {
		t.httpAddress("listen", h.Listen)
	}
	for i, s := range h.Public {
		t.httpAddress(fmt.Sprintf("public[%d]", i), s)
	}
	if (h.Certificate == "") != (h.Key == "") {
		t.wrong("certificate", "certificate and key belong together", "set both, or neither")
	}
	if u, err := url.Parse(h.PublicURL); h.PublicURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		t.wrong("public_url", "public_url is no address of a web site", `write it as "https://wifi.example.com"`)
	}
	for i, s := range t.texts("trusted_proxies") {
		p, err := parsePrefix(s)
		if err != nil {
			t.wrong(fmt.Sprintf("trusted_proxies[%d]", i), fmt.Sprintf("trusted_proxies: %q is neither address nor prefix", s), `write it as "192.0.2.10" or "192.0.2.0/24"`)
			continue
		}
		h.TrustedProxies = append(h.TrustedProxies, p.Masked())
	}
	c.HTTP = h
	t.end()
}

func (t *table) httpAddress(key, s string) {
	if _, err := netip.ParseAddrPort(s); err != nil {
		t.wrong(key, fmt.Sprintf("%q is no address with a port", s), `write it as "127.0.0.1:8080" or "[::1]:8080"`)
	}
}
