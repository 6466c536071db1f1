package pgsql

import (
	"fmt"
	"slices"

	"pigsty/internal/model"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// operate lists one resource on the node from where the cluster is operated: the leader's, or that
// of any other member whose Patroni answers.
func operate(d *model.Deployment, c *model.PgCluster, kind func(m *member) resource.Resource) ([]resource.Step, error) {
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
	m.add(kind(m))
	return m.steps, nil
}

// membersOf is the instance of that name alone; nil, which stands for all, when it is the
// cluster's name.
func membersOf(c *model.PgCluster, name string) []string {
	if name == c.Name {
		return nil
	}
	return []string{name}
}

// Switchover lists what hands the cluster's leadership to the named member, or to the fittest when
// the name is empty.
func Switchover(d *model.Deployment, c *model.PgCluster, to string) ([]resource.Step, error) {
	return operate(d, c, func(m *member) resource.Resource {
		return &postgres.Switchover{Cluster: c.Name, API: m.api(), To: to}
	})
}

// Failover lists what makes a member the leader when there is none to hand over.
func Failover(d *model.Deployment, c *model.PgCluster, to string) ([]resource.Step, error) {
	return operate(d, c, func(m *member) resource.Resource {
		return &postgres.Failover{Cluster: c.Name, API: m.api(), To: to}
	})
}

// Restart lists what restarts the cluster or the instance of that name; of pending, only members
// that a setting waits for; by switchover, with a replica taking over before the leader restarts.
func Restart(d *model.Deployment, c *model.PgCluster, name string, pending, bySwitchover bool) ([]resource.Step, error) {
	return operate(d, c, func(m *member) resource.Resource {
		r := &postgres.Restart{Cluster: c.Name, API: m.api(), Members: membersOf(c, name), Pending: pending}
		if bySwitchover {
			r.Method = postgres.RestartBySwitchover
		}
		return r
	})
}

// Reload lists what makes the cluster or the instance of that name read its settings again.
func Reload(d *model.Deployment, c *model.PgCluster, name string) ([]resource.Step, error) {
	return operate(d, c, func(m *member) resource.Resource {
		return &postgres.Reload{Cluster: c.Name, API: m.api(), Members: membersOf(c, name)}
	})
}

// Reinit lists what has a replica copy its data anew.
func Reinit(d *model.Deployment, c *model.PgCluster, instance string) ([]resource.Step, error) {
	return operate(d, c, func(m *member) resource.Resource {
		return &postgres.Reinit{Cluster: c.Name, API: m.api(), Member: instance}
	})
}

// Configure lists what changes keys of the cluster's dynamic configuration; null removes one.
func Configure(d *model.Deployment, c *model.PgCluster, keys map[string]any) ([]resource.Step, error) {
	return operate(d, c, func(m *member) resource.Resource {
		return &postgres.PatroniConfig{Cluster: c.Name, Part: "keys", API: m.api(), Conn: m.conn(), Desired: keys, ByHand: true}
	})
}

// Pause lists what puts the cluster into maintenance mode, in which nobody fails over, or ends it.
func Pause(d *model.Deployment, c *model.PgCluster, on bool) ([]resource.Step, error) {
	return operate(d, c, func(m *member) resource.Resource {
		var pause any // null removes the key
		if on {
			pause = true
		}
		return &postgres.PatroniConfig{
			Cluster: c.Name, Part: "pause", API: m.api(), Conn: m.conn(), Desired: map[string]any{"pause": pause}, Paused: true,
		}
	})
}
