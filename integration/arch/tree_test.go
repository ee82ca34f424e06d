package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

const module = "github.com/rexwrap/rexwrap/"

// A source is one parsed Go file.
type source struct {
	name string // slash-separated, below the module's root
	dir  string // of name
	test bool
	file *ast.File
	fset *token.FileSet
}

func (s *source) position(p token.Pos) string { return s.fset.Position(p).String() }

// load parses every Go file of the module itself rather than asking the go
// command, so that files for other systems are checked too and so that the test
// cache, which cannot see what a child process reads, stays honest.
func load(t *testing.T) []*source {
	t.Helper()
	root := os.DirFS("../..")
	var all []*source
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || len(d.Name()) > 1 && d.Name()[0] == '.') {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, &source{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), f, fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no Go files found")
	}
	return all
}
