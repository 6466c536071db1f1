package module

import (
	"pigsty/internal/model"
	"pigsty/internal/module/pgsql"
	"pigsty/internal/resource"
)

// Operation lists the steps by which something is done to a cluster that runs. It is called when
// the cluster's nodes have been asked, so it knows who leads; its error refuses the operation.
type Operation func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error)

// Switchover hands a cluster's leadership to the named member, or to the fittest when the name is
// empty.
func Switchover(to string) Operation {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		return pgsql.Switchover(d, c, to)
	}
}
