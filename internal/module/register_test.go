package module_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pigsty/internal/engine"
	"pigsty/internal/fact"
	"pigsty/internal/module"
	"pigsty/internal/resource"
)

const meta = "10.10.10.10"

// watched is the cluster with a node that watches it, and a virtual address.
var watched = strings.NewReplacer(
	"  children:\n", "  children:\n    meta: { hosts: { "+meta+": { meta_node: true, nodename: meta } } }\n",
	"pg_cluster: pg-test", "pg_cluster: pg-test, vip_mode: l2, vip_address: 10.10.10.3",
).Replace(cluster)

// A run that is limited to a node, any of its cluster, registers it with the nodes that watch, and
// whatever it shares with others: the virtual address, and what the portal has to read anew.
func TestLimitedRunRegisters(t *testing.T) {
	graph, err := engine.NewGraph(module.CompileWhole(read(t, watched)))
	if err != nil {
		t.Fatal(err)
	}
	some := graph.Select([]string{"10.10.10.12"}, nil)
	var got []string
	for _, s := range some.Steps(meta) {
		got = append(got, resource.ID(s.Resource))
	}
	want := []string{
		"file:/etc/prometheus/targets/nodes/10.10.10.12.yml",
		"file:/etc/prometheus/targets/infra/etcd-2.yml", "file:/etc/prometheus/targets/probe/etcd-2.etcd.yml",
		"file:/etc/prometheus/targets/pgsql/pg-test-2.yml", "file:/etc/prometheus/targets/probe/pg-test-2.pgsql.yml",
		"file:/etc/prometheus/targets/probe/pg-test.yml",
		"file:/etc/nginx/conf.d/haproxy/pg-test-2.conf", "unit_reload:nginx.service.pg-test",
		"file:/etc/prometheus/targets/nodes/10.10.10.12.promtail.yml",
	}
	if !slices.Equal(got, want) {
		t.Errorf("on %s: %q", meta, got)
	}
	if steps := some.Steps("10.10.10.11"); len(steps) != 1 || steps[0].Resource.Kind() != "etcd_access" {
		t.Errorf("the store's accounts, of which a new cluster needs one: %v", steps)
	}
	if some.Concerns(meta) {
		t.Error("the run keeps others from the node that watches")
	}
}

// A sweep keeps everything that is registered, also of nodes that cannot be asked, and knows every
// folder of it.
func TestSweepKeepsWhatIsRegistered(t *testing.T) {
	d := read(t, watched)
	d.Node("10.10.10.13").Known, d.Node("10.10.10.13").Facts, d.Node("10.10.10.13").Name = false, fact.Node{}, ""
	registered := module.Compile(d)
	swept := map[string]*resource.Sweep{}
	for _, s := range module.CompileWhole(d)[len(registered):] {
		if r, ok := s.Resource.(*resource.Sweep); ok {
			swept[r.Path] = r
		}
	}
	keeps := func(path string) bool {
		dir, name := filepath.Dir(path), filepath.Base(path)
		s := swept[dir]
		if s == nil {
			t.Errorf("nobody sweeps %s", dir)
			return true
		}
		return slices.Contains(s.Keep, name) || slices.ContainsFunc(s.KeepAbout, func(start string) bool { return strings.HasPrefix(name, start) })
	}
	for _, s := range registered {
		if f, ok := s.Resource.(*resource.File); ok && s.Branch == "register" && keeps(f.Path) == f.Absent {
			t.Errorf("%s is kept: %v", f.Path, !f.Absent)
		}
	}
	for path, want := range map[string]bool{
		"/etc/prometheus/targets/nodes/10.10.10.13.yml":  true, // it cannot be asked
		"/etc/prometheus/targets/nodes/10.10.10.14.yml":  false,
		"/etc/prometheus/targets/pgsql/pg-gone-1.yml":    false,
		"/etc/prometheus/targets/probe/pg-gone.yml":      false,
		"/etc/nginx/conf.d/haproxy/pg-gone-1.conf":       false,
		"/etc/prometheus/targets/redis/redis-test-1.yml": false,
	} {
		if keeps(path) != want {
			t.Errorf("%s is kept: %v", path, !want)
		}
	}
}
