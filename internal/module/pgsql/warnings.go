package pgsql

import (
	"fmt"
	"slices"

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
		warnOldPatroni(c, &list)
		warnExtensions(c, &list)
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

// warnOldPatroni tells of members whose Patroni writes the leader key over a successor's: it makes a
// new lease when its own has run out, and the key with it, whoever has it by then. Patroni 3.0.3
// looks first (pull request 2689 of patroni/patroni).
func warnOldPatroni(c *model.PgCluster, list *diag.List) {
	if len(c.Instances) < 2 {
		return
	}
	for _, i := range c.Instances {
		if !overwritesLeader(i.Node) {
			continue
		}
		value := i.Node.Vars["pg_cluster"]
		problem := list.Warnf(value.Pos, "Patroni of %s is older than 3.0.3: a leader that was cut off may take the leader key back from its successor, and what was written meanwhile be lost", i.Name)
		problem.Hint = "put clusters with replicas on Debian 13, or install a later Patroni from another package source"
		value.Explain(problem)
		return
	}
}

// overwritesLeader says whether the node's Patroni is older than 3.0.3; one that does not run yet
// will be that of the release.
func overwritesLeader(n *model.Node) bool {
	if !n.Known {
		return false
	}
	if n.Facts.Patroni == nil || n.Facts.Patroni.Version == "" {
		return n.Facts.OS == "debian" && n.Facts.Release == 12
	}
	var major, minor, patch int
	// A version of fewer numbers, or with a suffix, leaves the rest at zero.
	_, _ = fmt.Sscanf(n.Facts.Patroni.Version, "%d.%d.%d", &major, &minor, &patch)
	return slices.Compare([]int{major, minor, patch}, []int{3, 0, 3}) < 0
}
