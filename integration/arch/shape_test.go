package arch

import (
	"go/ast"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// Every package says once what it models, what it does not and who uses it.
func TestPackageComments(t *testing.T) {
	comments := map[string]int{}
	for _, s := range load(t) {
		if s.test {
			if s.file.Doc != nil && strings.HasPrefix(s.file.Doc.Text(), "Package ") {
				t.Errorf("%s: the package comment belongs into a file that is no test", s.name)
			}
			continue
		}
		n := comments[s.dir]
		if s.file.Doc != nil {
			n++
		}
		comments[s.dir] = n
	}
	for dir, n := range comments {
		if n != 1 {
			t.Errorf("%s: %d package comments, want 1", dir, n)
		}
	}
}

// variables are the package-level variables that are no error sentinels, each
// with the reason why it is no hidden state. They are never assigned to.
var variables = map[string]string{
	"cmd/rexd.version": "set by the linker",
}

// Nothing runs before main, and no package keeps state of its own: cmd/rexd
// composes, so that two servers in one test do not meet.
func TestNoHiddenState(t *testing.T) {
	used := map[string]bool{}
	for _, s := range load(t) {
		if s.test {
			continue
		}
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					t.Errorf("%s: init function", s.position(d.Pos()))
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					checkVariables(t, s, d, used)
				}
			}
		}
	}
	for name := range variables {
		if !used[name] {
			t.Errorf("variables names %s, which does not exist", name)
		}
	}
}

func checkVariables(t *testing.T, s *source, decl *ast.GenDecl, used map[string]bool) {
	t.Helper()
	for _, spec := range decl.Specs {
		v := spec.(*ast.ValueSpec)
		for i, name := range v.Names {
			full := s.dir + "." + name.Name
			used[full] = true
			if name.Name == "_" || isSentinel(v, i) || isEmbedded(decl, v) {
				continue
			}
			if _, ok := variables[full]; !ok {
				t.Errorf("%s: package variable %s: pass it in, make it a function, or state here why it is no state", s.position(name.Pos()), full)
			}
		}
	}
}

// isSentinel reports whether the ith name of v is an error to be compared with:
// made once by a call, or another name of such a one.
func isSentinel(v *ast.ValueSpec, i int) bool {
	name := v.Names[i].Name
	if i >= len(v.Values) || !strings.HasPrefix(name, "err") && !strings.HasPrefix(name, "Err") {
		return false
	}
	switch v.Values[i].(type) {
	case *ast.CallExpr, *ast.SelectorExpr:
		return true
	}
	return false
}

func isEmbedded(decl *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{decl.Doc, v.Doc} {
		if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }) {
			return true
		}
	}
	return false
}

// Package variables that stand as tables stay what their declaration says.
func TestTablesAreConstant(t *testing.T) {
	for _, s := range load(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			assign, ok := n.(*ast.AssignStmt)
			if !ok || assign.Tok == token.DEFINE {
				return true
			}
			for _, lhs := range assign.Lhs {
				if name := rootName(lhs); name != nil && isPackageVariable(s.dir, name.Name) {
					t.Errorf("%s: %s is assigned to", s.position(lhs.Pos()), name.Name)
				}
			}
			return true
		})
	}
}

func isPackageVariable(dir, name string) bool {
	_, ok := variables[dir+"."+name]
	return ok
}

// rootName returns x of x, x.f, x[i] and *x.
func rootName(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// Exported names say what they promise. Of methods of one name in one file the
// first speaks for all; error texts and the like speak for themselves.
func TestExportsAreDocumented(t *testing.T) {
	for _, s := range load(t) {
		if s.test {
			continue
		}
		said := map[string]bool{"Error": true, "String": true, "Unwrap": true}
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && !(d.Recv != nil && said[d.Name.Name]) {
					t.Errorf("%s: %s has no comment", s.position(d.Pos()), d.Name.Name)
				}
				said[d.Name.Name] = said[d.Name.Name] || d.Doc != nil
			case *ast.GenDecl:
				checkDocumented(t, s, d)
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	name := rootName(d.Recv.List[0].Type)
	return name != nil && name.IsExported()
}

func checkDocumented(t *testing.T, s *source, d *ast.GenDecl) {
	t.Helper()
	for _, spec := range d.Specs {
		switch x := spec.(type) {
		case *ast.TypeSpec:
			if x.Name.IsExported() && d.Doc == nil && x.Doc == nil {
				t.Errorf("%s: type %s has no comment", s.position(x.Pos()), x.Name.Name)
			}
		case *ast.ValueSpec:
			if x.Names[0].IsExported() && d.Doc == nil && x.Doc == nil && x.Comment == nil {
				t.Errorf("%s: %s has no comment", s.position(x.Pos()), x.Names[0].Name)
			}
		}
	}
}

// A function that does not fit on a page or two is more than one thing.
const maxFunctionLines = 100

func TestFunctionsAreShort(t *testing.T) {
	for _, s := range load(t) {
		for _, decl := range s.file.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok || d.Body == nil {
				continue
			}
			lines := s.fset.Position(d.Body.End()).Line - s.fset.Position(d.Pos()).Line + 1
			if lines > maxFunctionLines && !isTable(d) {
				t.Errorf("%s: %s has %d lines", s.position(d.Pos()), d.Name.Name, lines)
			}
		}
	}
}

// isTable reports whether most of the function is one literal.
func isTable(d *ast.FuncDecl) bool {
	table := false
	ast.Inspect(d.Body, func(n ast.Node) bool {
		if lit, ok := n.(*ast.CompositeLit); ok {
			table = table || 2*(lit.End()-lit.Pos()) > d.Body.End()-d.Body.Pos()
		}
		return !table
	})
	return table
}

// A test that sleeps is slow where it passes and fails where it is slow.
func TestNoSleepInTests(t *testing.T) {
	for _, s := range load(t) {
		if !s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" {
					t.Errorf("%s: time.Sleep", s.position(sel.Pos()))
				}
			}
			return true
		})
	}
}

// rootNames is what may stand in the module's root directory.
var rootNames = []string{
	".ci", ".git", ".gitignore", "LICENSE", "Makefile", "README.md", "go.mod", "go.sum",
	"client", "cmd", "depscan", "integration", "localserver", "toolchains", "wrapper",
	".cache", "bin", // made by the Makefile, ignored by git
}

func TestRoot(t *testing.T) {
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(rootNames, e.Name()) {
			t.Errorf("%s does not belong into the root directory", e.Name())
		}
	}
}
