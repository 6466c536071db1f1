package pgsql

import (
	"fmt"
	"slices"

	"pigsty/internal/model"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// Switchover lists what hands the cluster's leadership to the named member, or to the fittest when
// the name is empty.
func Switchover(d *model.Deployment, c *model.PgCluster, to string) ([]resource.Step, error) {
	m, err := speaker(d, c)
	if err != nil {
		return nil, err
	}
	m.add(&postgres.Switchover{Cluster: c.Name, API: m.api(), To: to})
	return m.steps, nil
}

// speaker is the member on whose node an operation on the cluster is carried out: the leader, or
// any other whose Patroni answers.
func speaker(d *model.Deployment, c *model.PgCluster) (*member, error) {
	answers := func(i *model.PgInstance) bool { return i.Node.Known && i.Node.Facts.Patroni != nil }
	i := c.Leader()
	if !answers(i) {
		n := slices.IndexFunc(c.Instances, answers)
		if n < 0 {
			return nil, fmt.Errorf("no Patroni of cluster %s answers: see pigsty status, and journalctl -u %s on its nodes", c.Name, patroniUnit)
		}
		i = c.Instances[n]
	}
	return &member{d: d, c: c, i: i, p: i.Param}, nil
}
