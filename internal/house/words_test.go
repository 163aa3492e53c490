package house

import (
	"go/ast"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

var (
	// todo finds the word in a comment, in any file; naked is one without an issue.
	todo  = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)
	dated = regexp.MustCompile(`\b(TODO|FIXME|XXX)\(#\d+\)`)
	// machine are paths and hosts of the machines that the project is built on:
	// they mean nothing to whoever reads it elsewhere. Split, so that this file
	// does not find itself.
	machine = regexp.MustCompile(`(^|[^\w.])/(wo` + `rk|fa` + `rm)/|/tmp/ba` + `sh|bash_` + `jobs|proxy\.gol` + `ang\.org|registry\.np` + `mjs|deb\.deb` + `ian\.org`)
)

func TestWords(t *testing.T) {
	t.Parallel()
	tr := load(t)
	for _, name := range tr.files {
		text := tr.text[name]
		if !utf8.ValidString(text) || name == "go.sum" || path.Base(name) == "words_test.go" {
			continue
		}
		for i, line := range strings.Split(text, "\n") {
			where := name + ":" + strconv.Itoa(i+1)
			if todo.MatchString(line) && !dated.MatchString(line) {
				t.Errorf("%s: an open end without an issue: finish it, or file it and write TODO(#issue)", where)
			}
			if m := machine.FindString(line); m != "" {
				t.Errorf("%s: %q names the machine it was written on or a registry's host: say it in a way that holds everywhere", where, m)
			}
		}
	}
}

// TestNoSleepInTests: a test that sleeps is slow when it passes and flaky when
// it does not. In a bubble of testing/synctest the clock is not the world's.
func TestNoSleepInTests(t *testing.T) {
	t.Parallel()
	tr := load(t)
	for _, f := range tr.gofiles {
		if !f.test || isImport(f, "synctest") {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if isSelector(n, "time", "Sleep") {
				t.Errorf("%s: time.Sleep in a test: inject the clock, wait on a channel, or use testing/synctest", tr.at(n))
			}
			return true
		})
	}
}

// TestNoEarlyCompare is rule X2 of docs/protocol.md: what proves something is
// compared in constant time, or the time tells how much of a guess was right.
func TestNoEarlyCompare(t *testing.T) {
	t.Parallel()
	tr := load(t)
	for _, f := range tr.running() {
		if !under(f.dir, "radiusd") && !under(f.dir, "mschap") && !under(f.dir, "backends") && !under(f.dir, "member") {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			for _, c := range [][2]string{{"bytes", "Equal"}, {"bytes", "Compare"}, {"bytes", "HasPrefix"}, {"slices", "Equal"}, {"reflect", "DeepEqual"}, {"strings", "Compare"}} {
				if isSelector(n, c[0], c[1]) {
					t.Errorf("%s: %s.%s stops at the first difference: use crypto/subtle.ConstantTimeCompare or hmac.Equal (rule X2)", tr.at(n), c[0], c[1])
				}
			}
			return true
		})
	}
}

// TestNoGlobalLogger: a package-level logger can be neither tested nor silenced.
func TestNoGlobalLogger(t *testing.T) {
	t.Parallel()
	tr := load(t)
	global := regexp.MustCompile(`^(Trace|Debug|Info|Print|Warn|Warning|Error|Fatal|Panic)(f|ln)?$|^With|^StandardLogger$`)
	for _, f := range tr.shipped() {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := s.X.(*ast.Ident)
			if ok && (x.Name == "logrus" || x.Name == "log") && isImport(f, x.Name) && global.MatchString(s.Sel.Name) {
				t.Errorf("%s: %s.%s is the global logger: take the one that cmd hands in", tr.at(n), x.Name, s.Sel.Name)
			}
			return true
		})
	}
}

// isImport says whether name is an import of the file.
func isImport(f *goFile, name string) bool {
	for _, spec := range f.syntax.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		if spec.Name != nil && spec.Name.Name == name || spec.Name == nil && path.Base(p) == name {
			return true
		}
	}
	return false
}

// isSelector says whether n is pkg.name.
func isSelector(n ast.Node, pkg, name string) bool {
	s, ok := n.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}
