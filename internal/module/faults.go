package module

import (
	"time"

	"pigsty/internal/model"
	"pigsty/internal/module/pgsql"
	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/fault"
)

// Faults are what Fault can do to a cluster, the gentle ones first.
func Faults() []fault.Fault { return fault.All() }

// Fault breaks a cluster in the named way, and refuses one that is not healthy. One that lasts ends
// by itself after the given time; 0 = its own default. Its steps go to nodes of etcd, too.
func Fault(name string, lasts time.Duration) operation.Steps {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		return pgsql.Fault(d, c, name, lasts, false)
	}
}

// PowerCutOutside is for a leader's machine whose power somebody else cuts, as that of a container:
// its plan tells what it costs and refuses as that of the fault does, and it must not be applied.
func PowerCutOutside() operation.Steps {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		return pgsql.Fault(d, c, fault.PowerCut, 0, true)
	}
}

// EndFaults ends faults before their time. Its steps go to nodes of etcd, too.
func EndFaults() operation.Steps { return pgsql.EndFaults }
