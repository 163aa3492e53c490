package house

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms is the table of docs/architecture.md: which of our folders the code of
// a folder may import. The longest folder that holds a package counts. Tests
// may import more.
var rooms = []struct {
	folder string
	may    []string
	why    string
}{
	{"member", nil, "member is a leaf: every seam speaks it"},
	{"mschap", []string{"mschap"}, "mschap is arithmetic over arrays"},
	{"dictionary", nil, "dictionary is a leaf: names and octets"},
	{"pki", nil, "pki is a leaf: certificates and files"},
	{"eap", []string{"eap", "member", "mschap"}, "EAP must not see RADIUS"},
	{"backends", []string{"backends", "member"}, "a member system knows only members; cmd hands it what it needs of the store"},
	{"provision", []string{"provision", "backends", "member", "store"}, "provision does to the store what a member system says"},
	{"store", []string{"store", "member"}, "the store keeps members and knows nobody who reads them"},
	{"radiusd", []string{"radiusd", "member", "mschap", "eap", "dictionary"}, "the spine declares what it needs, cmd hands it in"},
	{"onboard", []string{"onboard", "member"}, "onboard knows members only"},
	{"web", []string{"web", "onboard", "member"}, "web declares what it needs, cmd hands it in"},
	{"cmd", []string{"cmd", "backends", "dictionary", "eap", "member", "mschap", "onboard", "pki", "provision", "radiusd", "store", "web"}, "cmd wires everything; what is internal is for tests and measurements"},
	{"internal", []string{"backends", "dictionary", "eap", "internal", "member", "mschap", "onboard", "radiusd", "store", "web"}, "nobody imports cmd"},
}

// outside says which libraries may be reached from where. A library that no row
// names may be imported by any package whose folder is in no only-row.
var outside = []struct {
	library string
	from    []string
	why     string
}{
	{"github.com/sirupsen/logrus", []string{"cmd", "internal", "radiusd"}, "packages return errors; the worker of radiusd and cmd log"},
	{"layeh.com/radius", []string{"cmd", "dictionary", "internal", "radiusd"}, "layeh serves the edges of RADIUS; members and member systems know no packet"},
	{"github.com/BurntSushi/toml", []string{"backends", "cmd", "internal"}, "configuration is decoded by cmd, and a kind's own keys by the kind"},
	{"github.com/alecthomas/kong", []string{"cmd"}, "verbs and flags are cmd's"},
	{"modernc.org/sqlite", []string{"store"}, "only the store knows which database it is"},
	{"github.com/pressly/goose", []string{"store"}, "only the store migrates"},
	{"github.com/maypok86/otter", []string{"backends"}, "the cache is a layer of backends"},
	{"github.com/sony/gobreaker", []string{"backends"}, "the breaker is a layer of backends"},
	{"github.com/wneessen/go-mail", []string{"onboard"}, "one package sends letters"},
	{"github.com/boombuler/barcode", []string{"onboard"}, "one package draws codes"},
	{"software.sslmate.com/src/go-pkcs12", []string{"cmd", "pki"}, "PKCS#12 is how members get certificates, and test reads one"},
	{"github.com/rogpeppe/go-internal", nil, "testscript is for tests"},
}

// leaves may import these libraries and no others: all that they reach.
var leaves = map[string][]string{
	"member": {"golang.org/x/text"}, // NFC: docs/decisions/0003
	"pki":    {"golang.org/x/crypto", "software.sslmate.com/src/go-pkcs12"},
	"mschap": {"golang.org/x/sys"}, // which instructions the CPU has: docs/decisions/0010
}

func TestImports(t *testing.T) {
	t.Parallel()
	tr := load(t)
	for _, f := range tr.shipped() {
		for _, spec := range f.syntax.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			if why := forbidden(f.dir, name); why != "" {
				t.Errorf("%s: %s may not import %s: %s. Declare an interface there and let cmd hand the value in, or change the table in docs/architecture.md and here with a decision record", tr.at(spec), f.dir, name, why)
			}
		}
	}
}

// forbidden returns why the package in dir may not import name; "" where it may.
func forbidden(dir, name string) string {
	if ours, ok := strings.CutPrefix(name, module+"/"); ok {
		for _, room := range rooms {
			if !under(dir, room.folder) {
				continue
			}
			if slices.ContainsFunc(room.may, func(m string) bool { return under(ours, m) }) {
				return ""
			}
			return room.why
		}
		return "its folder has no row in the table of imports"
	}
	if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") {
		return "" // the standard library
	}
	for leaf, libraries := range leaves {
		if under(dir, leaf) && !slices.ContainsFunc(libraries, func(l string) bool { return under(name, l) }) {
			return "this leaf takes the standard library and " + strings.Join(libraries, ", ")
		}
	}
	for _, row := range outside {
		if under(name, row.library) && !slices.ContainsFunc(row.from, func(folder string) bool { return under(dir, folder) }) {
			return row.why
		}
	}
	return ""
}

// TestReach follows imports from package to package: what a leaf must not
// import it must not reach through a neighbour either.
func TestReach(t *testing.T) {
	t.Parallel()
	tr := load(t)
	imports := map[string]map[string]bool{}
	for _, f := range tr.shipped() {
		if imports[f.dir] == nil {
			imports[f.dir] = map[string]bool{}
		}
		for _, spec := range f.syntax.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			imports[f.dir][name] = true
		}
	}
	unreachable := []struct{ folder, what, why string }{
		{"member", "github.com/sirupsen/logrus", "the nouns cannot log"},
		{"member", "layeh.com/radius", "the nouns know no packet"},
		{"mschap", "github.com/sirupsen/logrus", "the arithmetic cannot log"},
		{"mschap", "layeh.com/radius", "layeh is its oracle in tests, never a part"},
		{"eap", "github.com/sirupsen/logrus", "EAP methods do not log"},
		{"eap", "layeh.com/radius", "EAP must not see RADIUS"},
		{"backends", "layeh.com/radius", "a member system knows no packet"},
		{"backends", "modernc.org/sqlite", "a member system is handed a Directory, never a database"},
		{"radiusd", "modernc.org/sqlite", "the spine runs without a database"},
		{"store", "layeh.com/radius", "what is kept knows no packet"},
	}
	for dir := range imports {
		for _, u := range unreachable {
			if !under(dir, u.folder) {
				continue
			}
			if way := wayTo(imports, dir, u.what, map[string]bool{}); way != nil {
				t.Errorf("%s reaches %s: %s. The way is %s", dir, u.what, u.why, strings.Join(way, " -> "))
			}
		}
	}
}

// wayTo returns the chain of packages from dir to a library, nil where there is none.
func wayTo(imports map[string]map[string]bool, dir, library string, seen map[string]bool) []string {
	if seen[dir] {
		return nil
	}
	seen[dir] = true
	for name := range imports[dir] {
		if under(name, library) {
			return []string{dir, name}
		}
		if ours, ok := strings.CutPrefix(name, module+"/"); ok {
			if way := wayTo(imports, ours, library, seen); way != nil {
				return append([]string{dir}, way...)
			}
		}
	}
	return nil
}

// TestImportTable: docs/architecture.md shows the table that TestImports holds.
func TestImportTable(t *testing.T) {
	t.Parallel()
	text := load(t).text["docs/architecture.md"]
	_, section, _ := strings.Cut(text, "## Who may import whom")
	section, _, _ = strings.Cut(section, "\n## ")
	name := regexp.MustCompile("`([a-z]+)`")
	shown := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|([^|]*)\\|").FindAllStringSubmatch(section, -1) {
		var may []string
		for _, n := range name.FindAllStringSubmatch(m[2], -1) {
			may = append(may, n[1])
		}
		slices.Sort(may)
		shown[m[1]] = strings.Join(may, ", ")
	}
	for _, room := range rooms {
		may := strings.Join(slices.Sorted(slices.Values(room.may)), ", ")
		if got, ok := shown[room.folder]; !ok || got != may {
			t.Errorf("docs/architecture.md lets `%s` import %q, this test %q: make them say the same", room.folder, got, may)
		}
		delete(shown, room.folder)
	}
	for folder := range shown {
		t.Errorf("docs/architecture.md has a row for `%s`, this test has none", folder)
	}
}

func TestImportRulesHold(t *testing.T) {
	t.Parallel()
	allowed := [][2]string{
		{"radiusd", module + "/radiusd/policy"}, {"cmd/memberradius", module + "/store"},
		{"member", "golang.org/x/text/unicode/norm"}, {"store", "modernc.org/sqlite"}, {"web", "net/http"},
	}
	for _, c := range allowed {
		if why := forbidden(c[0], c[1]); why != "" {
			t.Errorf("%s may not import %s: %s", c[0], c[1], why)
		}
	}
	refused := [][2]string{
		{"radiusd", module + "/backends"}, {"backends/rest", module + "/store"}, {"member", module + "/mschap"},
		{"member", "github.com/sirupsen/logrus"}, {"mschap", "layeh.com/radius"}, {"web", module + "/radiusd"},
		{"store", module + "/cmd/memberradius"}, {"tools", module + "/member"}, {"backends/file", "modernc.org/sqlite"},
	}
	for _, c := range refused {
		if forbidden(c[0], c[1]) == "" {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
	imports := map[string]map[string]bool{"a": {module + "/b": true}, "b": {"x.org/y/z": true, module + "/a": true}}
	if way := wayTo(imports, "a", "x.org/y", map[string]bool{}); len(way) != 3 {
		t.Errorf("the way from a over b to x.org/y is %v", way)
	}
}
