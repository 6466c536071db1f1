package module

import (
	"time"

	"pigsty/internal/model"
	"pigsty/internal/module/pgsql"
	"pigsty/internal/resource"
	"pigsty/internal/resource/fault"
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

// Failover makes the named member the leader of a cluster that has none to hand over.
func Failover(to string) Operation {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		return pgsql.Failover(d, c, to)
	}
}

// Restart restarts the cluster or the instance of that name: of pending, only members that a
// setting waits for; by switchover, with a replica taking over before the leader restarts.
func Restart(name string, pending, bySwitchover bool) Operation {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		return pgsql.Restart(d, c, name, pending, bySwitchover)
	}
}

// Reload makes the cluster or the instance of that name read its settings again.
func Reload(name string) Operation {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		return pgsql.Reload(d, c, name)
	}
}

// Reinit has a replica throw its data away and copy them anew.
func Reinit(instance string) Operation {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		return pgsql.Reinit(d, c, instance)
	}
}

// Configure changes keys of a cluster's dynamic configuration, nested as in Patroni's
// documentation; null removes one.
func Configure(keys map[string]any) Operation {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		return pgsql.Configure(d, c, keys)
	}
}

// Pause puts a cluster into maintenance mode, in which nobody fails over, or ends that.
func Pause(on bool) Operation {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) { return pgsql.Pause(d, c, on) }
}

// RemoveInstance takes a replica out of its cluster and sets its data aside.
func RemoveInstance(name string) Operation {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		return pgsql.Remove(d, c, name)
	}
}

// Faults are what Fault can do to a cluster, the gentle ones first.
func Faults() []fault.Fault { return fault.All() }

// Fault breaks a cluster in the named way, and refuses one that is not healthy. One that lasts ends
// by itself after the given time; 0 = its own default. Its steps go to nodes of etcd, too.
func Fault(name string, lasts time.Duration) Operation {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		return pgsql.Fault(d, c, name, lasts, false)
	}
}

// PowerCutOutside is for a leader's machine whose power somebody else cuts, as that of a container:
// its plan tells what it costs and refuses as that of the fault does, and it must not be applied.
func PowerCutOutside() Operation {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		return pgsql.Fault(d, c, fault.PowerCut, 0, true)
	}
}

// EndFaults ends faults before their time. Its steps go to nodes of etcd, too.
func EndFaults() Operation { return pgsql.EndFaults }
