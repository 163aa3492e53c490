package house

import (
	"go/ast"
	"go/format"
	"path"
	"regexp"
	"strings"
	"testing"
)

// The sizes that a reader can still hold in mind.
const (
	maxFileLines     = 400
	maxFunctionLines = 50
	maxMethods       = 3
	maxParameters    = 4
)

// long is how a file or a function that exceeds them says why.
const long = "Long because "

func TestSizes(t *testing.T) {
	t.Parallel()
	tr := load(t)
	for _, f := range tr.gofiles {
		text := tr.text[f.path]
		if n := strings.Count(text, "\n"); n > maxFileLines && !f.generated && !strings.HasPrefix(text, "// "+long) {
			t.Errorf("%s has %d lines, at most %d: split it by station or noun, or begin its first line with %q", f.path, n, maxFileLines, "// "+long+"...")
		}
	}
	for _, f := range tr.shipped() {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				tr.checkFunction(t, f, n)
			case *ast.TypeSpec:
				i, ok := n.Type.(*ast.InterfaceType)
				if ok && i.Methods.NumFields() > maxMethods && !saysWhy(n.Doc) {
					t.Errorf("%s: interface %s has %d methods, at most %d: declare what the caller needs, where the caller is", tr.at(n), n.Name.Name, i.Methods.NumFields(), maxMethods)
				}
			}
			return true
		})
	}
}

func (t *tree) checkFunction(tt *testing.T, f *goFile, fn *ast.FuncDecl) {
	name := fn.Name.Name
	if fn.Body != nil {
		n := t.fset.Position(fn.Body.End()).Line - t.fset.Position(fn.Body.Pos()).Line - 1
		if n > maxFunctionLines && !saysWhy(fn.Doc) && !t.firstLineSaysWhy(f, fn) {
			tt.Errorf("%s: %s has %d lines, at most %d: name its steps as functions, or say why it is long in its comment: %q", t.at(fn), name, n, maxFunctionLines, long+"...")
		}
	}
	if n := parameters(fn); n > maxParameters && !saysWhy(fn.Doc) {
		tt.Errorf("%s: %s has %d parameters, at most %d: give it a struct", t.at(fn), name, n, maxParameters)
	}
	if name == "init" && fn.Recv == nil {
		tt.Errorf("%s: init() runs unseen: build the value where it is used and hand it in", t.at(fn))
	}
	if fn.Recv != nil && len(fn.Recv.List[0].Names) == 1 {
		if r := fn.Recv.List[0].Names[0].Name; len(r) > 2 {
			tt.Errorf("%s: receiver %s of %s: one or two letters", t.at(fn), r, name)
		}
	}
}

// parameters counts what a caller must put in the right order; a context, which comes
// first everywhere, is none of it.
func parameters(fn *ast.FuncDecl) int {
	n := fn.Type.Params.NumFields()
	if n > 0 && isSelector(fn.Type.Params.List[0].Type, "context", "Context") {
		n--
	}
	return n
}

// saysWhy finds the reason for a length in a doc comment.
func saysWhy(doc *ast.CommentGroup) bool {
	return doc != nil && strings.Contains(strings.ToLower(doc.Text()), strings.ToLower(long))
}

// firstLineSaysWhy finds it in the comment that opens the body.
func (t *tree) firstLineSaysWhy(f *goFile, fn *ast.FuncDecl) bool {
	open := t.fset.Position(fn.Body.Pos()).Line
	for _, c := range f.syntax.Comments {
		if line := t.fset.Position(c.Pos()).Line; line == open || line == open+1 {
			return saysWhy(c)
		}
	}
	return false
}

func TestFormat(t *testing.T) {
	t.Parallel()
	tr := load(t)
	for _, f := range tr.gofiles {
		formatted, err := format.Source([]byte(tr.text[f.path]))
		if err != nil || string(formatted) != tr.text[f.path] {
			t.Errorf("%s is not as gofmt writes it: run gofmt -w %s", f.path, f.path)
		}
	}
}

func TestPackageComments(t *testing.T) {
	t.Parallel()
	tr := load(t)
	comments, packages := map[string][]string{}, map[string]string{}
	for _, f := range tr.gofiles {
		if f.test && strings.HasSuffix(f.syntax.Name.Name, "_test") {
			continue
		}
		packages[f.dir] = f.syntax.Name.Name
		if f.syntax.Doc != nil {
			comments[f.dir] = append(comments[f.dir], f.path)
		}
	}
	for dir, name := range packages {
		switch n := len(comments[dir]); {
		case n == 0:
			t.Errorf("%s: package %s has no package comment: say in doc.go what it owns and what it does not", dir, name)
		case n > 1:
			t.Errorf("%s: package %s has %d package comments, one is enough: %s", dir, name, n, strings.Join(comments[dir], ", "))
		}
		if base := path.Base(dir); name != "main" && name != base {
			t.Errorf("%s holds package %s: folder and package have one name", dir, name)
		}
	}
}

// vague are package names that say nothing of what is inside.
var vague = regexp.MustCompile(`(^|/)(utils?|common|helpers?|managers?|misc|types|shared|base)(/|$)`)

func TestPackageNames(t *testing.T) {
	t.Parallel()
	for _, f := range load(t).gofiles {
		if vague.MatchString(f.dir) {
			t.Errorf("%s: the folder's name says nothing: name the noun that it owns", f.path)
		}
	}
}

func TestExportedHaveComments(t *testing.T) {
	t.Parallel()
	tr := load(t)
	for _, f := range tr.shipped() {
		if f.syntax.Name.Name == "main" {
			continue
		}
		for _, d := range f.syntax.Decls {
			for _, n := range bare(d) {
				t.Errorf("%s: exported %s has no comment: say what it means, its sizes and units, its errors and its source", tr.at(d), n)
			}
		}
	}
}

// bare returns the exported names of a declaration that no comment explains. A
// comment over a group of constants or variables explains them all.
func bare(d ast.Decl) []string {
	var names []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}
