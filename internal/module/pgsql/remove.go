package pgsql

import (
	"fmt"

	"pigsty/internal/model"
	"pigsty/internal/resource"
)

// Remove lists what takes an instance off its node: what clients reach it by goes first, then
// Patroni, who tells the cluster; the data is set aside and the packages stay.
func Remove(d *model.Deployment, i *model.PgInstance) []resource.Step {
	m := &member{d: d, c: i.Cluster, i: i, p: i.Param}
	for _, unit := range []string{model.VIPManagerUnit, model.KeepalivedUnit, haproxyUnit, pgbouncerUnit, patroniUnit} {
		m.add(&resource.Unit{Unit: unit, Stopped: true, Disabled: true})
	}
	m.add(&resource.SetAside{Path: fmt.Sprintf("%s/postgres/%s-%d", m.p.PgFsMain, m.c.Name, i.Version())})
	m.add(&resource.Link{Path: "/pg", Absent: true})
	return m.steps
}
