package model

import (
	"slices"
	"strconv"
	"strings"

	"pigsty/internal/inventory"
	"pigsty/internal/param"
)

// addClusters groups the nodes that carry a PostgreSQL instance by pg_cluster.
func (b *builder) addClusters() {
	byName := map[string]*PgCluster{}
	for _, n := range b.d.Nodes {
		if !b.hasInstance(n) {
			continue
		}
		p := decode[param.Pgsql](b, n.Vars)
		i := &PgInstance{Node: n, Seq: p.PgSeq, Role: p.PgRole, Param: p, Name: p.PgCluster + "-" + strconv.Itoa(p.PgSeq)}
		c := byName[p.PgCluster]
		if c == nil {
			c = &PgCluster{Name: p.PgCluster, Etcd: b.d.Etcd}
			byName[p.PgCluster] = c
			b.d.Pg = append(b.d.Pg, c)
		}
		i.Cluster, n.Pg = c, i
		c.Instances = append(c.Instances, i)
	}
	b.d.Pg = slices.DeleteFunc(b.d.Pg, func(c *PgCluster) bool { return !b.complete(c) })
}

// hasInstance tells whether a node is to run PostgreSQL, and reports half an identity. Nodes of
// Greenplum clusters and of remote instances that are only watched carry other identities.
func (b *builder) hasInstance(n *Node) bool {
	given := func(name string) bool { _, ok := n.Vars[name]; return ok }
	if given("gp_role") || given("pg_instances") {
		return false
	}
	identity := []string{"pg_cluster", "pg_seq", "pg_role"}
	missing := slices.DeleteFunc(slices.Clone(identity), given)
	if len(missing) == len(identity) {
		return false
	}
	if len(missing) == 0 {
		return true
	}
	d := b.problems.Errorf(n.Pos, "node %s lacks %s", n.Addr, strings.Join(missing, " and "))
	d.Hint = "an instance needs pg_cluster (for the group), pg_seq and pg_role (for each host)"
	return false
}

// complete checks a cluster's members against each other and fills in what follows from them.
func (b *builder) complete(c *PgCluster) bool {
	slices.SortFunc(c.Instances, bySeq)
	for k, i := range c.Instances {
		if k > 0 && i.Seq == c.Instances[k-1].Seq {
			b.problems.Errorf(at(i.Node, "pg_seq"), "pg_seq %d of cluster %s is used by %s and %s", i.Seq, c.Name, c.Instances[k-1].Node.Addr, i.Node.Addr).
				Hint = "give each member a number of its own"
		}
	}
	if !b.checkPrimary(c) {
		return false
	}
	c.Param = c.Primary().Param
	for _, i := range c.Instances {
		i.identify()
	}
	if !b.checkDCS(c) {
		return false
	}
	b.checkMode(c)
	b.checkCascades(c)
	b.checkSynchronous(c)
	b.checkPoolLogin(c)
	b.addServices(c)
	b.warnCluster(c)
	return true
}

// checkMode refuses patroni_mode remove. v1.5 stops Patroni for good once the cluster is up and
// leaves a bare server under systemd: nobody replaces a primary that fails, the services' health
// checks and the virtual address have nobody to ask, and replicas follow an address that is fixed.
func (b *builder) checkMode(c *PgCluster) {
	if c.Param.PatroniMode != "remove" {
		return
	}
	b.problems.Errorf(at(c.Primary().Node, "patroni_mode"), "cluster %s has patroni_mode remove, which is refused: without Patroni no replica takes over, and services lead nowhere", c.Name).
		Hint = "use patroni_mode: pause to keep Patroni from doing anything by itself"
}

// checkPoolLogin refuses a user by the name of the login that pgBouncer asks as.
func (b *builder) checkPoolLogin(c *PgCluster) {
	if !c.Param.PgbouncerAuthQuery {
		return
	}
	for variable, list := range map[string][]param.User{"pg_users": c.Param.PgUsers, "pg_default_roles": c.Param.PgDefaultRoles} {
		if slices.ContainsFunc(list, func(u param.User) bool { return u.Name == PoolLogin }) {
			b.problems.Errorf(at(c.Primary().Node, variable), "%s of cluster %s has user %s, whose name pgbouncer_auth_query needs for itself", variable, c.Name, PoolLogin).
				Hint = "give the user another name"
		}
	}
}

func (b *builder) checkPrimary(c *PgCluster) bool {
	primary := c.Primary()
	if primary == nil {
		first := c.Instances[0]
		b.problems.Errorf(at(first.Node, "pg_role"), "cluster %s has no primary", c.Name).
			Hint = "give exactly one member pg_role: primary"
		return false
	}
	for _, i := range c.Instances {
		if i.Role == RolePrimary && i != primary {
			b.problems.Errorf(at(i.Node, "pg_role"), "cluster %s has two primaries, %s and %s", c.Name, primary.Node.Addr, i.Node.Addr).
				Hint = "make one of them a replica"
		}
	}
	return true
}

// checkDCS tells whether the cluster's DCS can be set up. A file that asks for consul loads, as
// every v1.5 file does, but its cluster is left alone: moving it to another DCS unasked could
// not be taken back.
func (b *builder) checkDCS(c *PgCluster) bool {
	node := c.Primary().Node
	if c.Param.PgDcsType == "consul" {
		b.problems.Warnf(at(node, "pg_dcs_type"), "cluster %s is left out: it keeps its state in consul, which this version cannot set up yet", c.Name).
			Hint = "use pg_dcs_type: etcd"
		return false
	}
	if c.Etcd == nil && b.fragment() {
		b.problems.Warnf(at(node, "pg_cluster"), "cluster %s is left out: this file is a fragment that says nothing of etcd", c.Name).
			Hint = "put it under all.children of a whole inventory"
		return false
	}
	if c.Etcd == nil {
		b.problems.Errorf(at(node, "pg_cluster"), "cluster %s needs etcd, and dcs_servers lists no server", c.Name).
			Hint = "set dcs_servers under all.vars, such as {etcd-1: 10.10.10.10}, and leave etcd_enabled on"
		return false
	}
	return true
}

// fragment is true of a file that holds groups alone, to be pasted into an inventory.
func (b *builder) fragment() bool {
	for _, v := range b.inv.Global() {
		if v.Level == inventory.LevelAll {
			return false
		}
	}
	return true
}

// ExportsPool tells whether metrics of the instance's pool are exported.
func (i *PgInstance) ExportsPool() bool {
	return i.Param.PgbouncerExporterEnabled && i.Param.PgbouncerEnabled
}

// Exports tells whether metrics of the instance or of its pool are.
func (i *PgInstance) Exports() bool { return i.Param.PgExporterEnabled || i.ExportsPool() }

// builtinCollectors are the names of v1.5's files, and what our exporter calls what they held.
var builtinCollectors = map[string]string{"pg_exporter.yml": "", "pg_exporter_basic.yml": "basic", "pg_exporter_fast.yml": "fast"}

// CollectorPreset is the choice among the shipped collectors that pg_exporter_config names; empty for
// all of them.
func (i *PgInstance) CollectorPreset() string { return builtinCollectors[i.Param.PgExporterConfig] }

// Collectors is the user's own file of collectors, if pg_exporter_config names one.
func (i *PgInstance) Collectors() (path string, own bool) {
	path = i.Param.PgExporterConfig
	_, shipped := builtinCollectors[path]
	return path, i.Exports() && path != "" && !shipped
}
