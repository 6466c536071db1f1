package pgsql

import (
	"pigsty/internal/diag"
	"pigsty/internal/model"
)

// Warnings tells of wishes that the members' systems cannot fulfil, each where the inventory has
// it.
func Warnings(d *model.Deployment) diag.List {
	var list diag.List
	for _, c := range d.Pg {
		warnPaused(c, &list)
		warnInterfaces(d, c, &list)
		warnUpstream(c, &list)
		refuseQuorum(c, &list)
	}
	return list
}

// warnPaused tells of members that a cluster in maintenance mode will not copy its data to.
func warnPaused(c *model.PgCluster, list *diag.List) {
	if c.Param.PatroniMode != "pause" || !c.Bootstrapped() {
		return
	}
	for _, i := range c.Instances {
		if i.Node.Known && !i.Node.Facts.PgData {
			value := c.Primary().Node.Vars["patroni_mode"]
			problem := list.Warnf(value.Pos, "%s is new, and cluster %s, which is paused, copies no data for it", i.Name, c.Name)
			problem.Hint = "set patroni_mode to default and run pg resume on a member; pause again when the new member is there"
			value.Explain(problem)
		}
	}
}

// warnInterfaces tells of members on which nobody knows where to put the cluster's address.
func warnInterfaces(d *model.Deployment, c *model.PgCluster, list *diag.List) {
	for _, i := range c.Instances {
		m := &member{d: d, c: c, i: i, p: i.Param}
		if !c.HasVIP() || !i.Node.Known || m.vipInterface() != "" {
			continue
		}
		value := c.Primary().Node.Vars["vip_mode"]
		problem := list.Warnf(value.Pos, "%s has no interface with the address %s, so the virtual address cannot be put on it", i.Name, i.Node.Addr)
		problem.Hint = "set vip_interface for it"
		value.Explain(problem)
	}
}

// warnUpstream tells of a cluster that follows nobody although the inventory says so, and of one
// that follows although it does not: what takes writes is never changed by an apply.
func warnUpstream(c *model.PgCluster, list *diag.List) {
	leader := c.Leader().Node
	if leader.Facts.Patroni == nil {
		return
	}
	value, given := c.Primary().Node.Vars["pg_upstream"]
	switch {
	case given && c.Upstream != nil && leader.Facts.Patroni.Role == "primary":
		problem := list.Warnf(value.Pos, "cluster %s takes writes, and pg_upstream makes no standby cluster of it", c.Name)
		problem.Hint = "remove pg_upstream once the cluster was promoted"
		value.Explain(problem)
	case c.Upstream == nil && leader.Facts.Patroni.Role == "standby_leader":
		list.Warnf(c.Primary().Node.Pos, "cluster %s follows another server, and its primary has no pg_upstream", c.Name).
			Hint = "pigsty pg promote " + c.Name + " makes it take writes of its own"
	}
}

// refuseQuorum refuses quorum commit where a member's Patroni would take it for asynchronous
// replication.
func refuseQuorum(c *model.PgCluster, list *diag.List) {
	value := c.Primary().Node.Vars["pg_sync_mode"]
	for _, i := range c.TooOldForQuorum() {
		problem := list.Errorf(value.Pos, "pg_sync_mode quorum needs Patroni 4, and %s (%s) has Debian %d, whose Patroni is older", i.Name, i.Node.Addr, i.Node.Facts.Release)
		problem.Hint = "use pg_sync_mode: sync, or Debian 13"
		value.Explain(problem)
	}
}
