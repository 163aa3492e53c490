package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"memberradius/dictionary"
	"memberradius/member"

	"github.com/BurntSushi/toml"
)

// A config is a configuration file, read and checked. One file a section:
// config_server.go, config_client.go, config_site.go, config_plan.go,
// config_backend.go and config_eap.go.
type config struct {
	// File is its path, Dir the folder that relative paths start from.
	File, Dir  string
	Server     serverConfig
	Log        logConfig
	HTTP       httpConfig
	Clients    []clientConfig
	Sites      []siteConfig
	Plans      []planConfig
	Backends   []backendConfig
	EAP        eapConfig
	Mail       mailConfig
	Sessions   sessionConfig
	Portals    []portalConfig
	Dictionary *dictionary.Dictionary

	lines       outline  // of the file
	listenPaths []string // where each of Server.Listen stands in it
}

// configPaths is where a configuration is looked for when nobody says where.
func configPaths() []string { return []string{"config.toml", "/etc/memberradius/config.toml"} }

// findConfig returns path, or the first of configPaths that is there.
func findConfig(path string) (string, error) {
	if path != "" {
		return path, nil
	}
	for _, p := range configPaths() {
		if _, err := os.Stat(p); !errors.Is(err, os.ErrNotExist) {
			return p, nil
		}
	}
	return "", fmt.Errorf("no configuration: neither %s is there; copy config.toml.example to config.toml, or say where it is with --config PATH",
		strings.Join(configPaths(), " nor "))
}

// maxConfig bounds the file: thousands of clients and plans fit.
const maxConfig = 16 << 20

// loadConfig reads the file at path. The findings say everything that is wrong
// with it; where one of them is an error the config must not be used. The
// error is for a file that can't be read at all.
func loadConfig(path string) (*config, findings, error) {
	path, err := findConfig(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	if info.Size() > maxConfig {
		return nil, nil, fmt.Errorf("configuration %s: %d bytes are more than the %d that are read", path, info.Size(), maxConfig)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	c, found := readConfig(path, dir, string(text))
	return c, found, nil
}

// wholeConfig is loadConfig for verbs that change something, or ask others: half
// a configuration may name another data directory, and somebody be added there.
func (p *program) wholeConfig() (*config, error) {
	c, found, err := loadConfig(p.Config)
	if err != nil {
		return nil, err
	}
	if found.bad() {
		found.print(p.stderr)
		return nil, errFindings
	}
	return c, nil
}

// readConfig reads the text of a configuration file.
func readConfig(file, dir, text string) (*config, findings) {
	r := &reader{file: file, dir: dir}
	var m map[string]any
	if _, err := toml.Decode(text, &m); err != nil {
		r.found = append(r.found, syntaxFinding(file, err))
		return nil, r.found
	}
	r.lines = outlineOf(text)
	c := &config{File: file, Dir: dir, lines: r.lines}
	root := r.table("", "", m)
	c.readServer(root.child("server"))
	c.readLog(root.child("log"))
	c.readHTTP(root.child("http"))
	c.readBackends(root.children("backend"), text)
	c.readPlans(root.children("plan"))
	c.readSites(root.children("site"))
	c.readClients(root.children("client"))
	c.readEAP(root.child("eap"))
	c.readSessions(root.child("sessions"))
	c.cross(r)
	c.crossEAP(r)
	c.readMail(root.child("mail"), root.has("mail"))
	c.readPortals(root.children("portal"))
	root.end()
	r.found.sort()
	return c, r.found
}

// syntaxFinding says where TOML's own rules are broken. What the decoder
// quotes may be a secret without its quotation marks, so it is left out.
func syntaxFinding(file string, err error) finding {
	f := finding{File: file, Level: wrong, What: "this is not TOML", Remedy: "text stands in quotation marks; compare the line with config.toml.example"}
	var pe toml.ParseError
	if errors.As(err, &pe) {
		what, _, _ := strings.Cut(pe.Message, " but found ")
		what, _, _ = strings.Cut(what, ": \"")
		f.Line, f.What = pe.Position.Line, "this is not TOML: "+strings.TrimPrefix(what, "toml: ")
	}
	return f
}

// cross checks what one table says of another.
func (c *config) cross(r *reader) {
	c.crossListens(r)
	for i := range c.Sites {
		c.crossSite(r, &c.Sites[i], fmt.Sprintf("site[%d]", i))
	}
	c.defaultSite(r)
	for i := range c.Backends {
		b := &c.Backends[i]
		if b.Sync.Site != "" && !c.hasSite(b.Sync.Site) {
			r.add(wrong, fmt.Sprintf("backend[%d].site", i), fmt.Sprintf("backend %q: site %q is unknown", b.Name, b.Sync.Site), "use the name of a [[site]]")
		}
		asked := slices.ContainsFunc(c.Sites, func(s siteConfig) bool {
			return slices.Contains(s.Ask, b.Name) || slices.Contains(s.Gates, b.Name)
		})
		if !asked && b.Name != "" && !kinds()[b.Kind].told {
			r.add(warn, fmt.Sprintf("backend[%d]", i), fmt.Sprintf("backend %q is asked by no site", b.Name),
				"name it in the ask or gates of a [[site]], or take it out")
		}
	}
}

// defaultSite gives a configuration without [[site]] its one site, and clients
// without a site the first.
func (c *config) defaultSite(r *reader) {
	if len(c.Sites) == 0 {
		main := siteConfig{Name: "main"}
		for _, b := range c.Backends {
			main.Ask = append(main.Ask, b.Name)
		}
		c.Sites = []siteConfig{main}
	}
	for i := range c.Clients {
		cl := &c.Clients[i]
		if cl.Site == "" {
			cl.Site = c.Sites[0].Name
		}
		if !slices.ContainsFunc(c.Sites, func(s siteConfig) bool { return s.Name == cl.Site }) {
			r.add(wrong, fmt.Sprintf("client[%d].site", i), fmt.Sprintf("client %q: site %q is unknown", cl.Name, cl.Site),
				"use the name of a [[site]]: "+strings.Join(names(c.Sites, func(s siteConfig) string { return s.Name }), ", "))
		}
	}
	c.crossPrefixes(r)
	if len(c.Backends) == 0 {
		r.add(warn, "", "there is no [[backend]]: nobody is let in", `add one, as [[backend]] name = "members" kind = "file" path = "members.toml"`)
	}
	if len(c.Clients) == 0 {
		r.add(warn, "", "there is no [[client]]: every access point is ignored", "add one for each access point or controller")
	}
}

// names lists what f says of each element.
func names[T any](list []T, f func(T) string) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = f(e)
	}
	return out
}

// uniqueName reads the name of a table and refuses one that stands already in seen.
func (t *table) uniqueName(seen map[string]bool) string {
	name := t.text("name", "")
	switch {
	case name == "":
		t.wrong("name", "there is no name", `give it one, as name = "lobby"`)
	case len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		t.wrong("name", "the name is longer than 64 octets or holds control characters", "choose a plain one: log and metrics show it")
	case seen[member.FoldString(name)]:
		t.wrong("name", "the name is taken already", "give each its own")
	}
	seen[member.FoldString(name)] = true
	return name
}

// filePath reads a path, relative to the configuration file.
func (t *table) filePath(key, fallback string) string {
	p := t.text(key, fallback)
	if p != "" && !filepath.IsAbs(p) {
		p = filepath.Join(t.r.dir, p)
	}
	return p
}

// parsePrefix reads an address or a prefix.
func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q has a zone", s)
		}
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	return netip.ParsePrefix(s)
}
