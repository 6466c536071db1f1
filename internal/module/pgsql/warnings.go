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
		warnPoolAsks(d, c, &list)
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

// warnPoolAsks tells of members whose pgBouncer is too old to ask for users.
func warnPoolAsks(d *model.Deployment, c *model.PgCluster, list *diag.List) {
	for _, i := range c.Instances {
		m := &member{d: d, c: c, i: i, p: i.Param}
		if c.Param.PgbouncerAuthQuery && i.Node.Known && m.release() < authDbname {
			value := c.Primary().Node.Vars["pgbouncer_auth_query"]
			problem := list.Warnf(value.Pos, "pgBouncer of %s keeps its list of users: that of Debian %d cannot ask for them", i.Name, m.release())
			problem.Hint = "let users through it by pgbouncer: true in pg_users"
			value.Explain(problem)
		}
	}
}
