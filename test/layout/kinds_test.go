package layout_test

import (
	"go/ast"
	"path"
	"slices"
	"testing"
)

const (
	resourcePkg = "internal/resource"
	agentPkg    = "internal/agent"
)

// A module can list whatever has the methods of a resource; the agent on the node can rebuild
// only what is registered, by a package that the agent imports itself. A test that compiled and
// decoded would import both sides, and so hide what the agent lacks; this one reads the source.
func TestAgentKnowsEveryKind(t *testing.T) {
	all := sources(t)
	var agentImports []string
	registered := make(map[string]bool)
	for _, s := range all {
		if s.test() {
			continue
		}
		if s.pkg() == agentPkg {
			agentImports = append(agentImports, s.imports()...)
		}
		for _, name := range registrations(s) {
			registered[s.pkg()+"."+name] = true
		}
	}
	found := 0
	for _, s := range all {
		for _, name := range kindsOf(s) {
			found++
			if !registered[s.pkg()+"."+name] {
				t.Errorf("%s: kind %s is not registered: see resource.Register", s.path, name)
			}
			if !slices.Contains(agentImports, path.Join(module, s.pkg())) {
				t.Errorf("%s: kind %s is not known to the agent: add its package to internal/agent/kinds.go", s.path, name)
			}
		}
	}
	if found == 0 || found != len(registered) {
		t.Errorf("found %d kinds, and %d registered", found, len(registered))
	}
}

// kindsOf are the types of the file that say what kind of resource they are.
func kindsOf(s source) []string {
	var out []string
	for _, decl := range s.ast.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || s.test() || f.Recv == nil || f.Name.Name != "Kind" || f.Type.Params.NumFields() > 0 {
			continue
		}
		if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
			out = append(out, star.X.(*ast.Ident).Name)
		}
	}
	return out
}

// registrations are the types that the file registers: Register(func() Resource { return &T{} }).
func registrations(s source) []string {
	var out []string
	ast.Inspect(s.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || !isRegister(s, call.Fun) || len(call.Args) != 1 {
			return true
		}
		ast.Inspect(call.Args[0], func(n ast.Node) bool {
			if made, ok := n.(*ast.CompositeLit); ok {
				if name, ok := made.Type.(*ast.Ident); ok {
					out = append(out, name.Name)
				}
			}
			return true
		})
		return false
	})
	return out
}

func isRegister(s source, fun ast.Expr) bool {
	if name, ok := fun.(*ast.Ident); ok {
		return s.pkg() == resourcePkg && name.Name == "Register"
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Register" {
		return false
	}
	from, ok := sel.X.(*ast.Ident)
	return ok && from.Name == path.Base(resourcePkg)
}
