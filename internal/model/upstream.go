package model

import "slices"

// Upstream is what a standby cluster follows.
type Upstream struct {
	// Hosts are the addresses of its servers, in the order in which they are tried. WAL is the same
	// wherever it comes from, so a failover or a lost server there needs nobody's hand here.
	Hosts []string
	Port  int
	// Cluster is the cluster of this deployment that they are members of; nil when they are not of
	// this deployment.
	Cluster *PgCluster
}

// addUpstreams finds what each standby cluster follows.
func (b *builder) addUpstreams() {
	for _, c := range b.d.Pg {
		c.Upstream = b.upstream(c)
	}
	for _, c := range b.d.Pg {
		if c.Upstream != nil && c.Upstream.Cluster != nil {
			b.checkUpstream(c, c.Upstream.Cluster)
		}
	}
}

// upstream is nil for a cluster that takes writes itself. The address of another cluster's member
// comes first, and that cluster's other members behind it; the virtual address stands for itself.
func (b *builder) upstream(c *PgCluster) *Upstream {
	addr := c.Param.PgUpstream
	if addr == "" || slices.ContainsFunc(c.Instances, func(i *PgInstance) bool { return i.Node.Addr == addr }) {
		return nil
	}
	for _, source := range b.d.Pg {
		if source == c {
			continue
		}
		u := &Upstream{Hosts: []string{addr}, Port: source.Param.PgPort, Cluster: source}
		if source.Param.VipMode != "none" && source.Param.VipAddress == addr {
			return u
		}
		for _, i := range source.Instances {
			if i.Node.Addr == addr {
				u.Hosts = append(u.Hosts, source.others(i)...)
				return u
			}
		}
	}
	return &Upstream{Hosts: []string{addr}, Port: c.Param.PgPort}
}

// others are the addresses of the members beside one, but for those that stay behind.
func (c *PgCluster) others(one *PgInstance) []string {
	var hosts []string
	for _, i := range c.Instances {
		if i != one && !i.Delayed() {
			hosts = append(hosts, i.Node.Addr)
		}
	}
	return hosts
}

// checkUpstream refuses what could never replicate.
func (b *builder) checkUpstream(c, source *PgCluster) {
	pos := at(c.Primary().Node, "pg_upstream")
	p, s := c.Param, source.Param
	if p.PgReplicationUsername != s.PgReplicationUsername || p.PgReplicationPassword != s.PgReplicationPassword {
		b.problems.Errorf(pos, "cluster %s follows cluster %s, and they differ in the user or the password of replication", c.Name, source.Name).
			Hint = "set pg_replication_username and pg_replication_password for both, under all.vars"
	}
	if p.PgVersion != 0 && s.PgVersion != 0 && p.PgVersion != s.PgVersion {
		b.problems.Errorf(pos, "cluster %s with pg_version %d cannot follow cluster %s with pg_version %d", c.Name, p.PgVersion, source.Name, s.PgVersion).
			Hint = "replication goes between servers of one major version alone"
	}
	for up := source; up != nil && up.Upstream != nil; up = up.Upstream.Cluster {
		if up == c || up.Upstream.Cluster == up {
			b.problems.Errorf(pos, "cluster %s follows cluster %s, which follows it in turn: nobody takes writes", c.Name, source.Name).
				Hint = "remove pg_upstream from the one that takes writes"
			return
		}
		if up.Upstream.Cluster == source {
			return // a circle that this cluster is not part of
		}
	}
}

// Cascade is the member that a replica is to copy from in place of the leader; nil when there is
// none.
func (i *PgInstance) Cascade() *PgInstance {
	if i.Role == RolePrimary || i.Param.PgUpstream == "" {
		return nil
	}
	for _, o := range i.Cluster.Instances {
		if o != i && o.Node.Addr == i.Param.PgUpstream {
			return o
		}
	}
	return nil
}

// checkCascades refuses replicas that copy from each other in a circle, which nothing enters.
func (b *builder) checkCascades(c *PgCluster) {
	for _, i := range c.Instances {
		seen := []*PgInstance{i}
		for up := i.Cascade(); up != nil; up = up.Cascade() {
			if up == i && i == slices.MinFunc(seen, bySeq) {
				b.problems.Errorf(at(i.Node, "pg_upstream"), "%s copies from %s, which copies from it in turn", i.Name, i.Cascade().Name).
					Hint = "remove pg_upstream from one of them: it copies from the leader then"
			}
			if slices.Contains(seen, up) {
				break
			}
			seen = append(seen, up)
		}
	}
}

// Delay is how far the instance stays behind on purpose, as pg_delay says; empty when it does not.
// A delayed standby cluster delays all its members: one of them receives what the others replay.
func (i *PgInstance) Delay() string {
	delay := i.Param.PgDelay
	if c := i.Cluster; zeroDelay(delay) && c.Param.PgUpstream != "" {
		delay = c.Param.PgDelay
	}
	if zeroDelay(delay) || i.Role == RolePrimary && i.Cluster.Param.PgUpstream == "" {
		return ""
	}
	return delay
}

// zeroDelay is true of an interval of nothing, in any unit.
func zeroDelay(interval string) bool {
	for _, r := range interval {
		if r >= '1' && r <= '9' {
			return false
		}
	}
	return true
}

// Delayed tells whether the instance stays behind the rest of its cluster: then it must neither
// take over nor serve reads, and nobody is to copy from it.
func (i *PgInstance) Delayed() bool {
	if i.Role == RolePrimary {
		return false
	}
	return i.Role == RoleDelayed || i.Delay() != "" && i.Delay() != i.Cluster.Primary().Delay()
}

// FollowsNow tells whether the cluster follows another one and so takes no writes: as its leader
// says, or the inventory while nobody leads it. A standby cluster that was promoted, and one that
// still follows though pg_upstream is gone from the inventory, are what they are.
func (c *PgCluster) FollowsNow() bool {
	if p := c.Leader().Node.Facts.Patroni; p != nil && p.Role == "standby_leader" {
		return true
	} else if p != nil && p.Role == "primary" {
		return false
	}
	return c.Upstream != nil
}
