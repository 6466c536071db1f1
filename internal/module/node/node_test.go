package node_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pigsty/internal/diag"
	"pigsty/internal/distro"
	"pigsty/internal/engine"
	"pigsty/internal/fact"
	"pigsty/internal/golden"
	"pigsty/internal/model"
	"pigsty/internal/model/modeltest"
	"pigsty/internal/module/node"
	"pigsty/internal/param"
)

// vm is a bare Debian 13 machine.
var vm = fact.Node{
	Hostname: "debian", OS: "debian", Release: 13, Codename: "trixie", Arch: "amd64",
	CPUs: 4, Memory: 8<<30 - 123<<20, Disk: 64 << 30, Timezone: "Etc/UTC",
}

// with is a machine that differs from vm.
func with(change func(*fact.Node)) fact.Node {
	n := vm
	change(&n)
	return n
}

var (
	container = with(func(n *fact.Node) { n.Container = true })
	bookworm  = with(func(n *fact.Node) { n.Release, n.Codename, n.Memory = 12, "bookworm", 2<<30 })
)

// cases are the inventories in testdata and what machines they are for; nodes that are not
// named are vm.
var cases = map[string]map[string]fact.Node{
	"bare":    {"10.10.10.11": container},
	"v15":     {},
	"tuned":   {"10.10.10.12": bookworm},
	"choices": {"10.10.10.11": bookworm, "10.10.10.12": {}},
}

// deployment reads a case.
func deployment(t testing.TB, name string) *model.Deployment {
	t.Helper()
	d := modeltest.Read(t, filepath.Join("testdata", name+".yml"), "")
	facts := maps.Clone(cases[name])
	for _, n := range d.Nodes {
		if _, given := facts[n.Addr]; !given {
			facts[n.Addr] = vm
		}
	}
	d.Observe(facts)
	return d
}

func TestCompile(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			steps := node.Compile(deployment(t, name))
			if _, err := engine.NewGraph(steps); err != nil {
				t.Error(err)
			}
			golden.Compare(t, filepath.Join("testdata", name+".txt"), golden.Steps(steps))
		})
	}
}

func TestCompileGivesTheSameTwice(t *testing.T) {
	for name := range cases {
		first, second := golden.Steps(node.Compile(deployment(t, name))), golden.Steps(node.Compile(deployment(t, name)))
		if first != second {
			t.Errorf("%s: two compiles differ", name)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		var b strings.Builder
		for _, w := range node.Warnings(deployment(t, name)) {
			b.WriteString(w.String() + "\n")
			if w.Severity != diag.Warning {
				t.Errorf("%s: not a warning: %s", name, w)
			}
			if w.Pos.Line > 0 && w.Source == "" {
				t.Errorf("%s: no source line: %s", name, w)
			}
		}
		golden.Compare(t, filepath.Join("testdata", name+".warnings.txt"), b.String())
	}
}

// Nothing that is wanted by default may be missing from the tables of package names.
func TestDefaultsAreMapped(t *testing.T) {
	machine, _ := param.Decode[param.Node](nil)
	database, _ := param.Decode[param.Pgsql](nil)
	wanted := slices.Concat(machine.NodePackagesDefault, machine.NodePackages, machine.NodePackagesMeta,
		database.PgPackages, database.PgExtensions)
	for _, release := range []int{12, 13} {
		if _, unmapped := distro.Packages(release, wanted, 0); len(unmapped) > 0 {
			t.Errorf("Debian %d: %q", release, unmapped)
		}
	}
}
