package pgsql_test

import (
	"path/filepath"
	"slices"
	"testing"

	"pigsty/internal/diag"
	"pigsty/internal/engine"
	"pigsty/internal/fact"
	"pigsty/internal/golden"
	"pigsty/internal/model"
	"pigsty/internal/model/modeltest"
	"pigsty/internal/module/pgsql"
	"pigsty/internal/resource"
	"pigsty/internal/resource/etcd"
)

// machine is a Debian 13 node of 4 processors, 8 GB and 64 GB of disk.
func machine(addr string) fact.Node {
	return fact.Node{
		OS: "debian", Release: 13, Codename: "trixie", Arch: "amd64",
		CPUs: 4, Memory: 8 << 30, Disk: 64 << 30,
		Addresses: []fact.Address{{Interface: "lo", Prefix: "127.0.0.1/8"}, {Interface: "host0", Prefix: addr + "/24"}},
	}
}

// cases are the inventories in testdata and what is special about their machines.
var cases = map[string]func(addr string, n *fact.Node){
	"single": nil,
	"trio":   nil,
	"running": func(addr string, n *fact.Node) {
		n.PgData = true
		n.Patroni = &fact.Patroni{Role: "replica", State: "running", Timeline: 2, Leader: "pg-test-2"}
		if addr == "10.10.10.12" {
			n.Patroni.Role = "primary"
		}
	},
	"choices": func(_ string, n *fact.Node) { n.Release, n.Codename = 12, "bookworm" },
	"standby": nil,
	"off":     nil,
	"topology": func(addr string, n *fact.Node) {
		if addr == "10.10.10.14" {
			n.PgData, n.Patroni = true, &fact.Patroni{Role: "standby_leader", State: "running", Timeline: 1, Leader: "pg-late-1"}
		}
	},
	"asks": func(addr string, n *fact.Node) {
		n.PgData = true
		n.Patroni = &fact.Patroni{Role: "replica", State: "running", Timeline: 1, Leader: "pg-test-1"}
		if addr == "10.10.10.11" {
			n.Patroni.Role = "primary"
		}
	},
}

// deployment reads a case. Every generated secret says "sentinel" and has what is hard to quote.
func deployment(t testing.TB, name string) *model.Deployment {
	t.Helper()
	d := modeltest.Read(t, filepath.Join("testdata", name+".yml"), `"\$'`)
	facts := map[string]fact.Node{}
	for _, n := range d.Nodes {
		f := machine(n.Addr)
		if change := cases[name]; change != nil {
			change(n.Addr, &f)
		}
		facts[n.Addr] = f
	}
	d.Observe(facts)
	d.Files = map[string]string{"hidden.sql": "CREATE TABLE found (by text);\n"}
	return d
}

// others stand in for the step of another module that pgsql waits for.
func others(d *model.Deployment) []resource.Step {
	return []resource.Step{{Node: d.Etcd.Keeper().Addr, Module: "etcd", Resource: &etcd.Access{Store: d.Etcd.Name}}}
}

func TestCompile(t *testing.T) {
	for name := range cases {
		t.Run(name, func(t *testing.T) {
			d := deployment(t, name)
			steps := pgsql.Compile(d)
			if _, err := engine.NewGraph(append(others(d), steps...)); err != nil {
				t.Error(err)
			}
			golden.Compare(t, filepath.Join("testdata", name+".txt"), golden.Steps(steps))
			if again := golden.Steps(pgsql.Compile(deployment(t, name))); again != golden.Steps(steps) {
				t.Error("a second compile gives something else")
			}
		})
	}
}

// Warnings are of what the inventory alone cannot tell.
func TestWarnings(t *testing.T) {
	for title, c := range map[string]struct {
		inventory string
		change    func(n *fact.Node)
		want      string
	}{
		"nothing":                {"trio", func(*fact.Node) {}, ""},
		"no interface":           {"trio", func(n *fact.Node) { n.Addresses = n.Addresses[:1] }, "pg-test-1 has no interface with the address 10.10.10.11, so the virtual address cannot be put on it"},
		"paused, and new":        {"choices", func(n *fact.Node) { n.Release, n.PgData = 13, n.Addresses[1].Prefix != "10.10.10.12/24" }, "pg-crit-2 is new, and cluster pg-crit, which is paused, copies no data for it"},
		"old Patroni":            {"trio", func(n *fact.Node) { n.Patroni = &fact.Patroni{Version: "3.0.2"} }, "Patroni of pg-test-1 is older than 3.0.3: a leader that was cut off may take the leader key back from its successor, and what was written meanwhile be lost"},
		"later Patroni":          {"trio", func(n *fact.Node) { n.Release, n.Patroni = 12, &fact.Patroni{Version: "4.0.5"} }, ""},
		"old release":            {"trio", func(n *fact.Node) { n.Release = 12 }, "Patroni of pg-test-1 is older than 3.0.3: a leader that was cut off may take the leader key back from its successor, and what was written meanwhile be lost"},
		"quorum and old Patroni": {"topology", func(n *fact.Node) { n.Patroni = &fact.Patroni{Version: "3.3.0"} }, "pg_sync_mode quorum needs Patroni 4, and that of pg-main-1 (10.10.10.11) is older"},
		"promoted":               {"standby", func(n *fact.Node) { n.Patroni = &fact.Patroni{Role: "primary"} }, "cluster pg-late takes writes, and pg_upstream makes no standby cluster of it"},
		"follows unasked":        {"trio", func(n *fact.Node) { n.Patroni = &fact.Patroni{Role: "standby_leader"} }, "cluster pg-test follows another server, and its primary has no pg_upstream"},
		"old pgBouncer":          {"asks", func(n *fact.Node) { n.Release = 12 }, "pgBouncer of pg-test-1 keeps its list of users: that of Debian 12 cannot ask for them"},
	} {
		d := deployment(t, c.inventory)
		for _, n := range d.Nodes {
			f := machine(n.Addr)
			c.change(&f)
			n.Facts = f
		}
		list := pgsql.Warnings(d)
		told := slices.ContainsFunc(list, func(p diag.Diagnostic) bool { return p.Summary == c.want && p.Pos.Line > 0 })
		if c.want == "" && len(list) > 0 || c.want != "" && !told {
			t.Errorf("%s: %v", title, list)
		}
	}
}
