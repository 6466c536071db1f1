package layout_test

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// mayImport is the river: what each package under internal may import of its neighbours. Data
// flows from inventory to engine and on to the nodes; an import against the stream is a mistake
// in the design, not a missing entry here. "module/*" stands for each module by itself.
var mayImport = map[string][]string{
	// Below everything: know nothing of each other.
	"deb":       {},
	"diag":      {},
	"distro":    {},
	"election":  {},
	"haproxy":   {},
	"hba":       {},
	"ledger":    {},
	"localfile": {},
	"openpgp":   {},
	"patroni":   {},
	"manual":    {},
	"pguser":    {},
	"render":    {},
	"aptrepo":   {"deb", "openpgp"},
	"fact":      {"patroni"},
	"health":    {"patroni"},
	"pki":       {"localfile"},
	"secret":    {"localfile"},

	// The exporter of PostgreSQL and pgBouncer: what runs on nodes as pg_exporter.
	"exporter/collector":  {"diag"},
	"exporter/collectors": {"exporter/collector"},
	"exporter/series":     {},
	"exporter/server":     {"exporter/collector", "exporter/series"},

	// Pure: from YAML to resources.
	"inventory":       {"diag"},
	"param":           {"diag", "inventory", "pguser"},
	"model":           {"diag", "distro", "fact", "inventory", "param", "secret"},
	"model/modeltest": {"diag", "fact", "inventory", "model", "param", "secret"},
	"operation":       {"model", "resource"},
	"register":        {"model", "pki", "resource"},
	"module/*":        {"aptrepo", "diag", "distro", "fact", "haproxy", "model", "operation", "param", "patroni", "pguser", "pki", "register", "render", "resource", "resource/etcd", "resource/fault", "resource/postgres", "resource/repository", "secret"},
	"module":          {"aptrepo", "diag", "fact", "model", "module/*", "operation", "param", "register", "resource", "resource/fault", "resource/repository"},

	// Carrying it out.
	"resource":            {"deb", "diag", "fact", "pki"},
	"resource/etcd":       {"resource"},
	"resource/fault":      {"resource", "resource/postgres"},
	"resource/postgres":   {"fact", "haproxy", "health", "patroni", "pguser", "resource"},
	"resource/repository": {"aptrepo", "deb", "fact", "resource"},
	"engine":              {"fact", "resource"},
	"inspect":             {"haproxy", "hba", "resource", "resource/postgres"},
	"agent":               {"fact", "health", "inspect", "manual", "openpgp", "pki", "resource", "resource/etcd", "resource/fault", "resource/postgres", "resource/repository"},
	"remote":              {"agent"},

	// Putting it together.
	"controller": {"agent", "aptrepo", "diag", "distro", "election", "engine", "fact", "haproxy", "hba", "health", "inspect", "inventory", "model", "module", "openpgp", "operation", "param", "pki", "remote", "resource", "resource/postgres", "resource/repository", "secret"},
	"view":       {"aptrepo", "controller", "diag", "distro", "drill", "election", "engine", "fact", "hba", "health", "inspect", "model", "operation", "resource", "resource/fault"},
	"sandbox":    {},
	"configure":  {"fact"},
	"exporter":   {"exporter/collector", "exporter/collectors", "exporter/series", "exporter/server"},
	"drill":      {"controller", "engine", "health", "ledger", "model", "module", "operation", "param", "resource", "resource/fault"},
	"cli":        {"agent", "aptrepo", "configure", "controller", "diag", "drill", "election", "engine", "exporter", "fact", "inventory", "model", "module", "operation", "param", "resource", "resource/fault", "sandbox", "secret", "view"},

	// For tests and measurements: nothing that ships imports them.
	"golden":            {"diag", "resource"},
	"distro/catalogue":  {"distro", "sandbox"},
	"resource/simulate": {"fact", "resource"},
}

func TestImportsRunOneWay(t *testing.T) {
	strangers := make(map[string]bool)
	for _, s := range sources(t) {
		importer, internal := strings.CutPrefix(s.pkg(), "internal/")
		if s.test() || !internal || strangers[importer] {
			continue
		}
		allowed, known := mayImport[row(importer)]
		if strangers[importer] = !known; !known {
			t.Errorf("internal/%s is not in the table of test/layout/layering_test.go: add it, with the packages it may import", importer)
			continue
		}
		for _, name := range s.imports() {
			imported, ours := strings.CutPrefix(name, module+"/internal/")
			if ours && !mayUse(importer, imported, allowed) {
				t.Errorf("%s imports internal/%s, which %s may not: see test/layout/layering_test.go", s.path, imported, importer)
			}
		}
	}
}

func mayUse(importer, imported string, allowed []string) bool {
	if row(importer) == "module/*" && room(importer) == room(imported) {
		return true // a module's own sub-package
	}
	return slices.Contains(allowed, row(imported))
}

// row is the line of the table that speaks for a package.
func row(pkg string) string {
	if strings.HasPrefix(pkg, "module/") {
		return "module/*"
	}
	return pkg
}

// room is the module that a package belongs to: module/pgsql for module/pgsql/hba.
func room(pkg string) string {
	parts := strings.SplitN(pkg, "/", 3)
	return path.Join(parts[:min(2, len(parts))]...)
}

func TestTableHasNoCircle(t *testing.T) {
	var visit func(pkg string, way []string)
	visit = func(pkg string, way []string) {
		if slices.Contains(way, pkg) {
			t.Fatalf("circle: %s", strings.Join(append(way, pkg), " -> "))
		}
		for _, next := range mayImport[pkg] {
			if _, ok := mayImport[next]; !ok {
				t.Errorf("%s may import %s, which is not in the table", pkg, next)
			}
			visit(next, append(slices.Clone(way), pkg))
		}
	}
	for pkg := range mayImport {
		visit(pkg, nil)
	}
}

func TestMainOnlyStartsTheCommands(t *testing.T) {
	for _, s := range sources(t) {
		for _, name := range s.imports() {
			if strings.HasPrefix(s.path, "cmd/") && strings.HasPrefix(name, module+"/") && name != module+"/internal/cli" {
				t.Errorf("%s imports %s: a command belongs in internal/cli", s.path, name)
			}
		}
	}
}

// The stages that compile must give the same bytes for the same inventory: they may not look
// around. Inventory alone reads files.
func TestCompilingIsPure(t *testing.T) {
	looksAround := []string{"os", "os/exec", "net/http", "crypto/rand", "math/rand", "math/rand/v2", "syscall"}
	for _, s := range sources(t) {
		if s.test() || !slices.Contains([]string{"param", "model", "module", "module/*", "render"}, row(strings.TrimPrefix(s.pkg(), "internal/"))) {
			continue
		}
		for _, name := range s.imports() {
			if slices.Contains(looksAround, name) {
				t.Errorf("%s imports %s, but compiling is pure", s.path, name)
			}
		}
		s.calls(func(receiver, name string, at ast.Node) {
			if receiver == "time" && (name == "Now" || name == "Since" || name == "Until") {
				t.Errorf("%s:%d: time.%s, but compiling has no clock", s.path, s.line(at), name)
			}
		})
	}
}
