package pgsql

import (
	"pigsty/internal/diag"
	"pigsty/internal/model"
	"pigsty/internal/patroni"
)

// Warnings tells of wishes that the members' systems cannot fulfil, each where the inventory has
// it.
func Warnings(d *model.Deployment) diag.List {
	var list diag.List
	for _, c := range d.Pg {
		warnPaused(c, &list)
		warnInterfaces(d, c, &list)
		warnOldPatroni(c, &list)
		warnUpstream(c, &list)
		refuseQuorum(c, &list)
		warnExtensions(c, &list)
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

// refuseQuorum refuses quorum commit where a member's Patroni is older than 4: it would take the
// word for asynchronous replication.
func refuseQuorum(c *model.PgCluster, list *diag.List) {
	if c.Synchronous().Mode != model.SyncQuorum {
		return
	}
	value := c.Primary().Node.Vars["pg_sync_mode"]
	for _, i := range c.Instances {
		if patroniBefore(i.Node, 4, 0, 0) {
			problem := list.Errorf(value.Pos, "pg_sync_mode quorum needs Patroni 4, and that of %s (%s) is older", i.Name, i.Node.Addr)
			problem.Hint = "use pg_sync_mode: sync, or Debian 13"
			value.Explain(problem)
		}
	}
}

// warnOldPatroni tells of members whose Patroni writes the leader key over a successor's: it makes a
// new lease when its own has run out, and the key with it, whoever has it by then. Patroni 3.0.3
// looks first (pull request 2689 of patroni/patroni).
func warnOldPatroni(c *model.PgCluster, list *diag.List) {
	if len(c.Instances) < 2 {
		return
	}
	for _, i := range c.Instances {
		if !patroniBefore(i.Node, 3, 0, 3) {
			continue
		}
		value := i.Node.Vars["pg_cluster"]
		problem := list.Warnf(value.Pos, "Patroni of %s is older than 3.0.3: a leader that was cut off may take the leader key back from its successor, and what was written meanwhile be lost", i.Name)
		problem.Hint = "put clusters with replicas on Debian 13, or install a later Patroni from another package source"
		value.Explain(problem)
		return
	}
}

// patroniBefore says whether the node's Patroni is older than a version; one that does not run yet
// will be that of the release.
func patroniBefore(n *model.Node, version ...int) bool {
	if !n.Known {
		return false
	}
	text := ""
	if n.Facts.Patroni != nil {
		text = n.Facts.Patroni.Version
	}
	if text == "" && n.Facts.OS == "debian" {
		text = releasePatroni[n.Facts.Release]
	}
	return patroni.Before(text, version...)
}

// releasePatroni are the versions that Debian's releases bring.
var releasePatroni = map[int]string{12: "3.0.2", 13: "4.0.7"}

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
