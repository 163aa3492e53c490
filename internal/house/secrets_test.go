package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A house is our packages with their types. Libraries are left empty: our own
// types are what the rules ask for, and the libraries' source need not be there.
type house struct {
	tree   *tree
	byDir  map[string][]*ast.File
	done   map[string]*types.Package
	info   *types.Info
	config types.Config
}

func newHouse(t *tree) *house {
	h := &house{
		tree: t, byDir: map[string][]*ast.File{}, done: map[string]*types.Package{},
		info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}},
	}
	for _, f := range t.shipped() {
		h.byDir[f.dir] = append(h.byDir[f.dir], f.syntax)
	}
	// What a library's empty package can't resolve is no concern here.
	h.config = types.Config{Importer: h, Error: func(error) {}, FakeImportC: true}
	return h
}

// Import implements types.Importer.
func (h *house) Import(name string) (*types.Package, error) {
	if p := h.done[name]; p != nil {
		return p, nil
	}
	dir, ours := strings.CutPrefix(name, module+"/")
	files := h.byDir[dir]
	empty := types.NewPackage(name, path.Base(name))
	empty.MarkComplete()
	h.done[name] = empty // for a circle of imports too: TestImports reports it
	if !ours || len(files) == 0 {
		return empty, nil
	}
	p, _ := h.config.Check(name, h.tree.fset, files, h.info)
	h.done[name] = p
	return p, nil
}

// readHouse checks every package's types once.
var readHouse = sync.OnceValues(func() (*house, error) {
	t, err := readTree()
	if err != nil {
		return nil, err
	}
	h := newHouse(t)
	for dir := range h.byDir {
		if _, err := h.Import(module + "/" + dir); err != nil {
			return nil, err
		}
	}
	return h, nil
})

// typed returns the house; it is read once.
func typed(t *testing.T) *house {
	t.Helper()
	h, err := readHouse()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// speaks are the calls whose arguments end in a log, an error or on a screen.
var speaks = regexp.MustCompile(`^(WithFields?|WithError|(Trace|Debug|Info|Print|Warn|Warning|Error|Fatal|Panic)(f|ln)?|Errorf|Fprintf?|Fprintln|Sprintf?|Sprintln)$`)

// secretTypes print [redacted] by themselves; turned into anything else they don't.
var secretTypes = map[string]bool{
	module + "/member.Secret": true, module + "/member.Hash": true, module + "/backends.Key": true,
}

// leaks calls found for every argument of a log call, an error or a print that
// takes a secret out of its type, and for every raw array of octets there.
func (h *house) leaks(root ast.Node, found func(n ast.Node, what string)) {
	ast.Inspect(root, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !speaks.MatchString(sel.Sel.Name) && !isSelector(sel, "errors", "New") {
			return true
		}
		for _, arg := range call.Args {
			ast.Inspect(arg, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if len(n.Args) == 1 && h.info.Types[n.Fun].IsType() && h.secret(n.Args[0]) {
						found(n, "a secret is turned into "+types.ExprString(n.Fun))
					}
				case *ast.SliceExpr:
					if h.secret(n.X) || h.octets(n.X) {
						found(n, "the octets of "+types.ExprString(n.X))
					}
				}
				return true
			})
			if h.octets(arg) {
				found(arg, "the octets of "+types.ExprString(arg))
			}
		}
		return true
	})
}

// secret says whether the expression has one of the secret types.
func (h *house) secret(e ast.Expr) bool {
	t := h.info.TypeOf(e)
	if t == nil {
		return false
	}
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	return secretTypes[t.String()]
}

// octets says whether the expression is a bare array of eight octets or more:
// challenges, responses, hashes and authenticators are; texts, salts and MAC
// addresses are not.
func (h *house) octets(e ast.Expr) bool {
	t := h.info.TypeOf(e)
	if t == nil {
		return false
	}
	a, ok := t.(*types.Array)
	return ok && a.Len() >= 8 && types.Identical(a.Elem(), types.Typ[types.Byte])
}

func TestNoSecretIsSpoken(t *testing.T) {
	t.Parallel()
	h := typed(t)
	for _, f := range h.tree.running() {
		h.leaks(f.syntax, func(n ast.Node, what string) {
			t.Errorf("%s: %s goes to a log, an error or a screen: leave it out, or pass the member.Secret itself, which prints [redacted]", h.tree.at(n), what)
		})
	}
}

// TestSecretsAreCompared: == on a secret stops at the first difference (rule X2).
func TestSecretsAreCompared(t *testing.T) {
	t.Parallel()
	h := typed(t)
	for _, f := range h.tree.running() {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			b, ok := n.(*ast.BinaryExpr)
			if ok && (b.Op == token.EQL || b.Op == token.NEQ) && (h.timed(b.X, b.Y) || h.timed(b.Y, b.X)) {
				t.Errorf("%s: %s compares a secret until the first difference: use crypto/subtle (rule X2)", h.tree.at(n), types.ExprString(b))
			}
			return true
		})
	}
}

// timed says whether secret is one and is compared with more than nothing.
func (h *house) timed(secret, other ast.Expr) bool {
	if _, pointer := h.info.TypeOf(secret).(*types.Pointer); pointer {
		return false
	}
	return (h.secret(secret) || h.octets(secret)) && !h.nothing(secret) && !h.nothing(other)
}

// nothing says whether e is a constant or an empty value: to compare a secret
// with it tells only whether there is one.
func (h *house) nothing(e ast.Expr) bool {
	literal, ok := ast.Unparen(e).(*ast.CompositeLit)
	return ok && len(literal.Elts) == 0 || h.info.Types[e].Value != nil
}

func TestSecretRulesHold(t *testing.T) {
	t.Parallel()
	const source = `package p
import ("fmt"; "log"; "memberradius/member")
func f(s member.Secret, c [8]byte, l *log.Logger) error {
	l.Printf("%s", s)              // redacted by its type
	l.Printf("%s", string(s))
	l.Printf("%x", c)
	l.Printf("%x", c[:4])
	return fmt.Errorf("%q", []byte(s))
}`
	tr := load(t)
	h := newHouse(tr)
	file, err := parser.ParseFile(tr.fset, "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	h.byDir["p"] = []*ast.File{file}
	if _, err := h.Import(module + "/p"); err != nil {
		t.Fatal(err)
	}
	lines := ""
	h.leaks(file, func(n ast.Node, _ string) { lines += strconv.Itoa(tr.fset.Position(n.Pos()).Line) + " " })
	if lines != "5 6 7 8 " {
		t.Errorf("leaks found in lines %s, want 5 6 7 8", lines)
	}
}
