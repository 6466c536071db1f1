package layout_test

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const maxLines = 600

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	said := make(map[string]bool)
	for _, s := range sources(t) {
		said[s.pkg()] = said[s.pkg()] || s.ast.Doc != nil
	}
	for pkg, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}

func TestExportedNamesAreExplained(t *testing.T) {
	all := sources(t)
	promised := interfaceMethods(all)
	for _, s := range all {
		if s.test() {
			continue
		}
		// A package below another one has what that one's interfaces ask for.
		asked := slices.Concat(promised[s.pkg()], promised[path.Dir(s.pkg())])
		for _, decl := range s.ast.Decls {
			for _, name := range unexplained(decl, asked) {
				t.Errorf("%s:%d: exported %s has no comment", s.path, s.line(decl), name)
			}
		}
	}
}

// interfaceMethods gives, for each package, the methods that its interfaces ask for and explain
// in one place for all who have them.
func interfaceMethods(all []source) map[string][]string {
	out := make(map[string][]string)
	for _, s := range all {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			i, ok := n.(*ast.InterfaceType)
			if !ok {
				return true
			}
			for _, m := range i.Methods.List {
				if m.Doc != nil && len(m.Names) == 1 {
					out[s.pkg()] = append(out[s.pkg()], m.Names[0].Name)
				}
			}
			return true
		})
	}
	return out
}

// standard are methods that the standard library's interfaces ask for.
var standard = []string{"Error", "Unwrap", "String", "Len", "Less", "Swap"}

// unexplained gives the exported names of a declaration without a comment; a group's own counts
// for all in it.
func unexplained(decl ast.Decl, promised []string) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		asked := d.Recv != nil && slices.Contains(slices.Concat(standard, promised), d.Name.Name)
		if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) && !asked {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var out []string
		for _, spec := range d.Specs {
			if d.Doc == nil && d.Tok != token.IMPORT {
				out = append(out, unexplainedSpec(spec)...)
			}
		}
		return out
	}
	return nil
}

func unexplainedSpec(spec ast.Spec) []string {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Doc == nil && s.Comment == nil && s.Name.IsExported() {
			return []string{s.Name.Name}
		}
	case *ast.ValueSpec:
		if s.Doc == nil && s.Comment == nil && s.Names[0].IsExported() && s.Type == nil {
			return []string{s.Names[0].Name}
		}
	}
	return nil
}

// exportedReceiver tells whether a function can be reached from other packages.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	kind := d.Recv.List[0].Type
	if star, ok := kind.(*ast.StarExpr); ok {
		kind = star.X
	}
	if generic, ok := kind.(*ast.IndexExpr); ok {
		kind = generic.X
	}
	name, ok := kind.(*ast.Ident)
	return ok && name.IsExported()
}

// Names that say nothing of what is inside.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "misc"}

func TestNamesSayWhatIsInside(t *testing.T) {
	words := regexp.MustCompile(`[/_.-]`)
	for _, name := range files(t) {
		if strings.Contains(name, "/templates/") {
			continue // named after its target on the node
		}
		for _, word := range words.Split(strings.ToLower(name), -1) {
			if strings.HasPrefix(name, "internal/") && slices.Contains(emptyNames, word) {
				t.Errorf("%s: name what it is about instead of %q", name, word)
			}
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	for _, s := range sources(t) {
		lines := s.fset.File(s.ast.Pos()).LineCount()
		if !s.test() && lines > maxLines {
			t.Errorf("%s has %d lines, more than %d: it holds more than one thing", s.path, lines, maxLines)
		}
	}
}

func TestNoTestIsSkipped(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test() {
			continue
		}
		s.calls(func(receiver, name string, at ast.Node) {
			if slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, name) || receiver+"."+name == "testing.Short" {
				t.Errorf("%s:%d: %s.%s: a test runs or is not there", s.path, s.line(at), receiver, name)
			}
		})
	}
}

func TestNothingIsLeftForLater(t *testing.T) {
	later := regexp.MustCompile(`\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b`)
	for _, s := range sources(t) {
		if s.pkg() == path.Join("test", "layout") {
			continue
		}
		for _, group := range s.ast.Comments {
			if m := later.FindString(group.Text()); m != "" {
				t.Errorf("%s:%d: %s: do it or file an issue", s.path, s.line(group), m)
			}
		}
	}
}
