package house

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

// TestNoMutableGlobals: state that belongs to nobody makes two servers in one
// program disturb each other, and tests too.
func TestNoMutableGlobals(t *testing.T) {
	t.Parallel()
	h := typed(t)
	for _, f := range h.tree.shipped() {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, target := range n.Lhs {
						h.checkTarget(t, target)
					}
				}
			case *ast.IncDecStmt:
				h.checkTarget(t, n.X)
			}
			return true
		})
		for _, d := range f.syntax.Decls {
			h.checkGlobal(t, d)
		}
	}
}

// checkTarget fails where what is assigned to is, or lies in, a variable of a package.
func (h *house) checkTarget(t *testing.T, target ast.Expr) {
	at := target
	for {
		switch x := target.(type) {
		case *ast.IndexExpr:
			target = x.X
		case *ast.SelectorExpr:
			target = x.X
		case *ast.ParenExpr:
			target = x.X
		case *ast.StarExpr:
			target = x.X
		case *ast.Ident:
			v, ok := h.info.Uses[x].(*types.Var)
			if ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
				t.Errorf("%s: %s changes a variable of the package: make it a field of what owns it", h.tree.at(at), types.ExprString(at))
			}
			return
		default:
			return
		}
	}
}

// checkGlobal fails for variables of a package whose type is made to change.
func (h *house) checkGlobal(t *testing.T, d ast.Decl) {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.VAR {
		return
	}
	for _, s := range g.Specs {
		v, ok := s.(*ast.ValueSpec)
		if !ok || v.Type == nil {
			continue
		}
		typ := types.ExprString(v.Type)
		if strings.HasPrefix(typ, "sync.") || strings.HasPrefix(typ, "atomic.") || strings.HasPrefix(typ, "*sync.") {
			t.Errorf("%s: a %s of the package is state that belongs to nobody: make it a field", h.tree.at(v), typ)
		}
	}
}
