package main

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"memberradius/backends"
	"memberradius/member"

	"github.com/BurntSushi/toml"
)

// backendConfig is a [[backend]]: the keys that every kind has, and the kind's own.
type backendConfig struct {
	Name, Kind string
	// URL is where the system is, for kinds that have one: the kind's own Config reads it too.
	URL string
	// Fresh, Grace and InFlight belong to the layers over a kind that is asked
	// live; members in memory need none of them.
	Fresh, Grace time.Duration
	InFlight     int
	// Sync belongs to kinds whose members are kept in the store.
	Sync   syncConfig
	opener opener
}

// syncConfig is how the members of a synced system are kept.
type syncConfig struct {
	// Every is how often changes are read.
	Every time.Duration
	// Provision adds who is new, Deprovision ends who is gone.
	Provision, Deprovision bool
	// Shrink is the share of members, of 1, that may go in one run.
	Shrink float64
	// Keep is how long the password of who is gone is kept.
	Keep time.Duration
	// Site is the [[site]] whose name and SSID letters speak of; empty: the first that asks.
	Site string
}

// What a live backend gets where its table does not say.
const (
	defaultFresh = 5 * time.Minute
	defaultGrace = 24 * time.Hour
)

// What a synced backend gets where its table does not say. leastEvery keeps a
// typing error from asking a system all the time.
const (
	defaultEvery  = 15 * time.Minute
	leastEvery    = time.Minute
	defaultShrink = 30 // percent
	defaultKeep   = 90 * 24 * time.Hour
)

func (c *config) readBackends(tables []*table, text string) {
	var doc struct {
		Backend []toml.Primitive `toml:"backend"`
	}
	md, err := toml.Decode(text, &doc)
	if err != nil || len(doc.Backend) != len(tables) {
		return // children has said what is wrong
	}
	seen, known := map[string]bool{}, kinds()
	for i, t := range tables {
		b := backendConfig{Name: t.uniqueName(seen), Kind: t.text("kind", "")}
		k, ok := known[b.Kind]
		if !ok {
			t.unknownKind(b.Kind, slices.Sorted(maps.Keys(known)))
			c.Backends = append(c.Backends, b)
			continue
		}
		if k.live {
			t.liveKeys(&b)
		}
		if k.synced {
			t.syncKeys(&b.Sync)
		}
		b.URL, _ = t.m["url"].(string) // the kind says what is wrong with it
		b.opener = k.config()
		if err := md.PrimitiveDecode(doc.Backend[i], b.opener); err != nil {
			t.decodeFinding(err)
		}
		t.kindKeys(b.opener)
		t.end()
		c.Backends = append(c.Backends, b)
	}
}

func (t *table) unknownKind(kind string, known []string) {
	remedy := "use one of " + strings.Join(known, ", ")
	switch {
	case kind == "":
		t.wrong("kind", "there is no kind", remedy)
	default:
		t.wrong("kind", fmt.Sprintf("kind %q is unknown", kind), remedy)
	}
}

// liveKeys reads what the layers need. timeout is the kind's own to keep; a
// whole number would be read as nanoseconds there, so that it is refused here.
func (t *table) liveKeys(b *backendConfig) {
	timeout := t.duration("timeout", time.Second, 10*time.Millisecond)
	if timeout == 0 {
		t.wrong("timeout", "timeout is 0", `a system that never answers would hold requests for ever; write "3s"`)
	}
	b.Fresh = t.duration("fresh", defaultFresh, 0)
	b.Grace = t.duration("grace", defaultGrace, 0)
	b.InFlight = t.number("in_flight", backends.DefaultInFlight, 1, 65536)
}

// syncKeys reads how the members are kept.
func (t *table) syncKeys(s *syncConfig) {
	*s = syncConfig{
		Every:       t.duration("sync", defaultEvery, leastEvery),
		Provision:   t.flag("provision"),
		Deprovision: t.flag("deprovision"),
		Shrink:      float64(t.number("shrink", defaultShrink, 0, 100)) / 100,
		Keep:        t.duration("keep", defaultKeep, time.Hour),
		Site:        t.text("site", ""),
	}
	if s.Every == 0 {
		t.wrong("sync", "sync is 0", `changes would never be read; write "15m"`)
	}
}

// lastKey finds the key in an error of the decoder, whose own line is that of
// the last [[backend]] that has it.
var lastKey = regexp.MustCompile(`\(last key "backend\.([^"]*)"\): (.*)`)

// decodeFinding says which key of a kind has a value that can't be taken.
func (t *table) decodeFinding(err error) {
	key, what := "", err.Error()
	var pe toml.ParseError
	if m := lastKey.FindStringSubmatch(err.Error()); m != nil {
		key, what = m[1], m[2]
	}
	if errors.As(err, &pe) {
		what = pe.Message
	}
	if _, want, ok := strings.Cut(what, "; destination has type "); ok {
		t.wrong(key, fmt.Sprintf("%s is %s, and %s is needed", key, kindOf(t.m[key]), plainType(want)), "compare it with config.toml.example")
		return
	}
	t.wrong(key, key+": "+what, "compare it with config.toml.example")
}

// plainType says in plain words what the decoder calls a type.
func plainType(name string) string {
	switch name {
	case "string":
		return "text"
	case "integer":
		return "a whole number"
	case "boolean":
		return "true or false"
	case "slice":
		return "a list"
	}
	return name
}

// kindKeys tells t which keys the kind reads, and puts in place what its
// secrets point to.
func (t *table) kindKeys(o opener) {
	v := reflect.ValueOf(o).Elem()
	for i := range v.NumField() {
		key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("toml"), ",")
		if key == "" || key == "-" {
			continue
		}
		t.known[key] = true
		if s, ok := v.Field(i).Addr().Interface().(*member.Secret); ok && t.has(key) {
			*s = t.resolve(key, string(*s))
		}
	}
}
