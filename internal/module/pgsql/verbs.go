package pgsql

import (
	"fmt"
	"slices"

	"pigsty/internal/model"
	"pigsty/internal/operation"
	"pigsty/internal/resource"
)

// Verbs are what a DBA does to a cluster that runs, in the order in which help lists them.
var Verbs = []operation.Verb{
	switchover, failover, promote, restart, reload, reinit, pause, resume, configure,
	applyUser, applyDatabase, applyRules, applyServices,
	installExtension, createExtensionVerb,
	removeCluster, removeInstance, removeDatabase, removeUser,
}

// operate is the steps of a verb that is one resource on the node from where the cluster is
// operated: the leader's, or that of any other member whose Patroni answers.
func operate(kind func(m *member) resource.Resource) operation.Steps {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		answers := func(i *model.PgInstance) bool { return i.Node.Known && i.Node.Facts.Patroni != nil }
		i := c.Leader()
		if !answers(i) {
			n := slices.IndexFunc(c.Instances, answers)
			if n < 0 {
				return nil, fmt.Errorf("no Patroni of cluster %s answers: see pigsty status, and journalctl -u %s on its nodes", c.Name, patroniUnit)
			}
			i = c.Instances[n]
		}
		m := &member{d: d, c: c, i: i, p: i.Param}
		m.add(kind(m)).Aides = m.aides()
		return m.steps, nil
	}
}

// membersOf is the instance of that name alone; nil, which stands for all, when it is the
// cluster's name.
func membersOf(c *model.PgCluster, name string) []string {
	if name == c.Name {
		return nil
	}
	return []string{name}
}
