// Package layout_test keeps the house in order: which package may import which, and what every
// file must be like. It reads the source and builds nothing.
package layout_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "../.." // of the repository, from this package
	module = "pigsty"
)

// source is one Go file of ours.
type source struct {
	path string // from the root, with slashes: internal/pki/pki.go
	ast  *ast.File
	fset *token.FileSet
}

func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// pkg is the package's folder: internal/pki.
func (s source) pkg() string { return path.Dir(s.path) }

func (s source) line(n ast.Node) int { return s.fset.Position(n.Pos()).Line }

// imports are the paths the file imports.
func (s source) imports() []string {
	var out []string
	for _, i := range s.ast.Imports {
		out = append(out, strings.Trim(i.Path.Value, `"`))
	}
	return out
}

// calls are the package functions and methods the file calls, such as time.Now or t.Log.
func (s source) calls(visit func(receiver, name string, at ast.Node)) {
	ast.Inspect(s.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			if on, ok := sel.X.(*ast.Ident); ok {
				visit(on.Name, sel.Sel.Name, call)
			}
		}
		return true
	})
}

// notOurs are folders with files that are fetched, built or made to be wrong.
var notOurs = []string{"node_modules", "testdata", "bin", "dist"}

// files gives the path of every file of ours, from the root.
func files(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains(notOurs, d.Name())) {
			return fs.SkipDir
		}
		if rel, err := filepath.Rel(root, name); err == nil && !d.IsDir() {
			out = append(out, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sources parses every Go file of ours.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	fset := token.NewFileSet()
	for _, name := range files(t) {
		if path.Ext(name) != ".go" {
			continue
		}
		parsed, err := parser.ParseFile(fset, filepath.Join(root, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, source{path: name, ast: parsed, fset: fset})
	}
	if len(out) == 0 {
		t.Fatal("found no Go file")
	}
	return out
}
