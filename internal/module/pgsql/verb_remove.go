package pgsql

import (
	"fmt"
	"slices"

	"pigsty/internal/model"
	"pigsty/internal/operation"
	"pigsty/internal/resource"
)

var removeInstance = operation.Verb{
	Parent: "remove",
	Usage:  "instance NAME",
	Short:  "Take a replica out of its cluster",
	Long: `Stop and disable a replica's services and set its data directory aside, on the same disk under
its name with the time added. The primary is refused, and so is an instance that pg_safeguard
protects. Afterwards take the host out of the inventory and apply, so that services forget it.

Exit code 0: done. 2: with --plan, there is something to do. 1: refused or failed.`,
	Example: `  pigsty remove instance pg-test-4 --plan -e pg_safeguard=false
  pigsty remove instance pg-test-4 -e pg_safeguard=false --yes-destroy pg-test-4`,
	Destroys: true,
	Prepare: operation.Plain(func(name string) operation.Steps {
		return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) { return remove(d, c, name) }
	}),
}

// remove lists what takes an instance off its node: what clients reach it by goes first, then
// Patroni, who tells the cluster; the data is set aside and the packages stay. The instance that
// leads is refused, and one that pg_safeguard protects.
func remove(d *model.Deployment, c *model.PgCluster, name string) ([]resource.Step, error) {
	n := slices.IndexFunc(c.Instances, func(i *model.PgInstance) bool { return i.Name == name })
	if n < 0 {
		return nil, fmt.Errorf("%s is a cluster: name one of its instances", name)
	}
	i := c.Instances[n]
	switch {
	case i.Param.PgSafeguard:
		return nil, fmt.Errorf("%s is protected by pg_safeguard; to remove it all the same, say -e pg_safeguard=false", name)
	case i.Node.Known && c.Leader() == i:
		return nil, fmt.Errorf("%s is the primary of %s: switch over first (pigsty pg switchover %s), then remove it", name, c.Name, c.Name)
	}
	m := &member{d: d, c: c, i: i, p: i.Param}
	for _, unit := range []string{model.VIPManagerUnit, model.KeepalivedUnit, haproxyUnit, pgbouncerUnit, patroniUnit} {
		m.add(&resource.Unit{Unit: unit, Stopped: true, Disabled: true})
	}
	m.add(&resource.SetAside{Path: fmt.Sprintf("%s/postgres/%s-%d", m.p.PgFsMain, m.c.Name, i.Version())})
	m.add(&resource.Link{Path: "/pg", Absent: true})
	return m.steps, nil
}
