package etcd_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pigsty/internal/engine"
	"pigsty/internal/fact"
	"pigsty/internal/golden"
	"pigsty/internal/model"
	"pigsty/internal/model/modeltest"
	"pigsty/internal/module/etcd"
	"pigsty/internal/resource"
)

// cases are the inventories in testdata and the facts of their nodes: true for one with data,
// false for one without, and none for one that could not be reached.
var cases = map[string]map[string]bool{
	"one":         {"10.10.10.10": false},
	"three":       {"10.10.10.10": false, "10.10.10.11": false, "10.10.10.12": false, "10.10.10.13": false},
	"running":     {"10.10.10.10": false, "10.10.10.11": true, "10.10.10.12": true, "10.10.10.13": true},
	"leaving":     {"10.10.10.10": true, "10.10.10.11": true, "10.10.10.12": true, "10.10.10.13": true},
	"joining":     {"10.10.10.10": false, "10.10.10.11": true, "10.10.10.12": false, "10.10.10.13": false},
	"unreachable": {"10.10.10.10": false, "10.10.10.12": true, "10.10.10.13": true},
}

func deployment(t *testing.T, name string) *model.Deployment {
	t.Helper()
	d := modeltest.Read(t, filepath.Join("testdata", name+".yml"), "")
	facts := map[string]fact.Node{}
	for addr, data := range cases[name] {
		facts[addr] = fact.Node{OS: "debian", Release: 13, Arch: "amd64", EtcdData: data}
	}
	d.Observe(facts)
	return d
}

func TestCompile(t *testing.T) {
	for name := range cases {
		t.Run(name, func(t *testing.T) {
			steps := etcd.Compile(deployment(t, name))
			if _, err := engine.NewGraph(steps); err != nil {
				t.Fatal(err)
			}
			got := golden.Steps(steps)
			if strings.Contains(got, "sentinel") {
				t.Error("a secret shows")
			}
			golden.Compare(t, filepath.Join("testdata", name+".steps"), got)
		})
	}
}

func TestNothingWithoutServers(t *testing.T) {
	if steps := etcd.Compile(&model.Deployment{}); steps != nil {
		t.Errorf("lists %d steps", len(steps))
	}
}

// The files of a member must not change once it runs, or a second apply would restart it.
func TestRunningMembersKeepTheirFiles(t *testing.T) {
	before, after := filesOf(t, "three"), filesOf(t, "running")
	for path, content := range after {
		if before[path] != content {
			t.Errorf("%s differs once the cluster runs", path)
		}
	}
}

func filesOf(t *testing.T, name string) map[string]string {
	files := map[string]string{}
	for _, s := range etcd.Compile(deployment(t, name)) {
		if f, ok := s.Resource.(*resource.File); ok {
			files[s.Node+f.Path] = f.Content
		}
	}
	return files
}

// waits tells whether a step waits for another, in any number of steps.
func waits(steps []resource.Step, from, to resource.Ref) bool {
	for i, s := range steps {
		if s.Ref() != from {
			continue
		}
		for k, earlier := range steps {
			if (k < i && earlier.Node == s.Node) || slices.Contains(s.After, earlier.Ref()) {
				if earlier.Ref() == to || waits(steps, earlier.Ref(), to) {
					return true
				}
			}
		}
	}
	return false
}

// At any time at most one running member restarts; founders start together.
func TestOneRestartAtATime(t *testing.T) {
	unit := func(addr string) resource.Ref { return resource.Ref{Node: addr, ID: "unit:etcd.service"} }
	healthy := resource.Ref{Node: "10.10.10.11", ID: "etcd_member:etcd-1"}
	if steps := etcd.Compile(deployment(t, "running")); !waits(steps, unit("10.10.10.12"), healthy) {
		t.Error("a running member does not wait for the one before it")
	}
	if steps := etcd.Compile(deployment(t, "three")); waits(steps, unit("10.10.10.12"), healthy) {
		t.Error("a founder waits for another, which waits for a majority")
	}
}
