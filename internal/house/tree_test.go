package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// root is where the module begins, seen from this package.
const root = "../.."

// module is the path under which our packages import each other.
const module = "memberradius"

// A tree is the project as it lies on the disk, less what .gitignore leaves out.
type tree struct {
	fset *token.FileSet
	// files are all paths, from the root, with slashes.
	files   []string
	gofiles []*goFile
	text    map[string]string
}

// A goFile is one file of Go.
type goFile struct {
	path, dir string
	test      bool
	generated bool
	// forTests is a file of a package that tests import, such as a conformance suite.
	forTests bool
	syntax   *ast.File
}

var readTree = sync.OnceValues(func() (*tree, error) {
	t := &tree{fset: token.NewFileSet(), text: map[string]string{}}
	ignore, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		return nil, err
	}
	patterns := strings.Fields(string(ignore))
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		rel = filepath.ToSlash(rel)
		switch {
		case rel == ".":
			return nil
		case rel == ".git" || ignored(patterns, rel, d.IsDir()):
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		return t.add(rel)
	})
	return t, err
})

// ignored knows the three forms that our .gitignore uses: /anchored, folder/ and *.pattern.
func ignored(patterns []string, rel string, dir bool) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		onlyDir := strings.HasSuffix(p, "/")
		p = strings.TrimSuffix(p, "/")
		subject := path.Base(rel)
		if strings.HasPrefix(p, "/") {
			p, subject = p[1:], rel
		}
		match, _ := path.Match(p, subject)
		return match && (dir || !onlyDir)
	})
}

func (t *tree) add(rel string) error {
	b, err := os.ReadFile(filepath.Join(root, rel))
	if err != nil {
		return err
	}
	t.files = append(t.files, rel)
	t.text[rel] = string(b)
	if path.Ext(rel) != ".go" {
		return nil
	}
	syntax, err := parser.ParseFile(t.fset, rel, b, parser.ParseComments)
	if err != nil {
		return err
	}
	t.gofiles = append(t.gofiles, &goFile{
		path: rel, dir: path.Dir(rel), syntax: syntax,
		test:      strings.HasSuffix(rel, "_test.go"),
		generated: ast.IsGenerated(syntax),
		forTests:  slices.ContainsFunc(syntax.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"testing"` }),
	})
	return nil
}

// load returns the tree; it is read once.
func load(t *testing.T) *tree {
	t.Helper()
	tr, err := readTree()
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// at returns where a node stands, as file:line.
func (t *tree) at(n ast.Node) string {
	p := t.fset.Position(n.Pos())
	return p.Filename + ":" + strconv.Itoa(p.Line)
}

// shipped are the files of Go that are neither tests nor generated.
func (t *tree) shipped() []*goFile {
	return slices.DeleteFunc(slices.Clone(t.gofiles), func(f *goFile) bool { return f.test || f.generated })
}

// running are the shipped files whose code runs in a server.
func (t *tree) running() []*goFile {
	return slices.DeleteFunc(t.shipped(), func(f *goFile) bool { return f.forTests })
}

// under says whether dir is folder or lies in it.
func under(dir, folder string) bool {
	return dir == folder || strings.HasPrefix(dir, folder+"/")
}
