package module_test

import (
	"slices"
	"strings"
	"testing"

	"pigsty/internal/engine"
	"pigsty/internal/fact"
	"pigsty/internal/model"
	"pigsty/internal/model/modeltest"
	"pigsty/internal/module"
	"pigsty/internal/resource"
)

const cluster = `
all:
  children:
    pg-test:
      hosts:
        10.10.10.11: { pg_seq: 1, pg_role: primary }
        10.10.10.12: { pg_seq: 2, pg_role: replica }
        10.10.10.13: { pg_seq: 3, pg_role: replica }
      vars: { pg_cluster: pg-test }
  vars:
    dcs_servers: { etcd-1: 10.10.10.11, etcd-2: 10.10.10.12, etcd-3: 10.10.10.13 }
`

// deployment is a cluster of three with etcd on the same nodes, never deployed before.
func deployment(t *testing.T) *model.Deployment {
	t.Helper()
	return read(t, cluster)
}

// read is the deployment of an inventory, on machines that were never deployed before.
func read(t *testing.T, text string) *model.Deployment {
	t.Helper()
	d, _ := modeltest.Text(t, text)
	modeltest.Debian13(d)
	return d
}

// Each module may only wait for steps that are listed, and together they must have an order.
func TestModulesFitTogether(t *testing.T) {
	steps := module.Compile(deployment(t))
	if _, err := engine.NewGraph(steps); err != nil {
		t.Fatal(err)
	}
	names := module.Names()
	for _, s := range steps {
		if !slices.Contains(names, s.Module) {
			t.Errorf("a step says it is of module %q, which is not in the order", s.Module)
		}
	}
}

// On each node the modules' steps come in the modules' order.
func TestStepsFollowTheOrder(t *testing.T) {
	last := map[string]int{}
	for _, s := range module.Compile(deployment(t)) {
		place := slices.Index(module.Names(), s.Module)
		if place < last[s.Node] {
			t.Errorf("%s: a step of %s comes after one of %s", s.Node, s.Module, module.Names()[last[s.Node]])
		}
		last[s.Node] = place
	}
}

// Modules are observed side by side, so what one has changed may not matter to another's units.
func TestModulesNotifyTheirOwn(t *testing.T) {
	owner := map[string]string{}
	for _, s := range module.Compile(deployment(t)) {
		units := []string{}
		if u, is := s.Resource.(*resource.Unit); is {
			units = append(units, u.Unit)
		}
		for _, n := range s.Notify {
			units = append(units, n.Unit)
		}
		for _, unit := range units {
			if other, known := owner[unit]; known && other != s.Module {
				t.Errorf("%s is of both %s and %s", unit, other, s.Module)
			}
			owner[unit] = s.Module
		}
	}
	if len(owner) < 8 {
		t.Errorf("only %d units were seen: %v", len(owner), owner)
	}
}

// What a module warns of has to be told: a cluster whose members are too old for what is wanted is
// refused before anything is done.
func TestModulesAreHeard(t *testing.T) {
	d := deployment(t)
	c := d.Pg[0]
	c.Param.PgSyncMode = model.SyncQuorum
	for _, i := range c.Instances {
		i.Node.Facts.Patroni = &fact.Patroni{Version: "3.3.0"}
	}
	if err := module.Warnings(d).Err(); err == nil || !strings.Contains(err.Error(), "pg_sync_mode quorum needs Patroni 4") {
		t.Errorf("not refused: %v", err)
	}
}
