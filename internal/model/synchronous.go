package model

// The ways in which replicas confirm writes (pg_sync_mode).
const (
	SyncOff    = "async"  // they do not
	SyncOn     = "sync"   // chosen standbys do, and one of them takes over
	SyncQuorum = "quorum" // as many as are wanted do, whichever they are; from Patroni 4 on
)

// Synchronous is which of a cluster's replicas confirm a write before the client is told.
type Synchronous struct {
	Mode string // SyncOff, SyncOn or SyncQuorum
	// Strict makes writes wait while no replica is there to confirm them; else the cluster goes on
	// with what it has.
	Strict bool
	Count  int // how many replicas confirm, at most
}

// Synchronous follows from pg_sync_mode, or else from the tuning template.
func (c *PgCluster) Synchronous() Synchronous {
	s := Synchronous{Mode: c.Param.PgSyncMode, Strict: c.Param.PgSyncStrict, Count: c.Param.PgSyncCount}
	if s.Mode == "" {
		s.Mode = SyncOff
		if c.Failover().SynchronousMode {
			s.Mode = SyncOn
		}
	}
	return s
}

// On tells whether replicas confirm writes.
func (s Synchronous) On() bool { return s.Mode != SyncOff }

// checkSynchronous tells of wishes that replication cannot fulfil.
func (b *builder) checkSynchronous(c *PgCluster) {
	s, node := c.Synchronous(), c.Primary().Node
	standbys := 0
	for _, i := range c.Instances {
		// Patroni takes no standby that copies from another one.
		direct := i.Cascade() == nil || i.Cascade() == c.Primary()
		if i.Role != RolePrimary && !i.Delayed() && direct {
			standbys++
		}
	}
	switch {
	case !s.On() && s.Strict:
		b.problems.Warnf(at(node, "pg_sync_strict"), "pg_sync_strict does nothing: replication of cluster %s is asynchronous", c.Name).
			Hint = "set pg_sync_mode to sync or quorum, or pg_conf to crit.yml"
	case !s.On() && s.Count > 1:
		b.problems.Warnf(at(node, "pg_sync_count"), "pg_sync_count does nothing: replication of cluster %s is asynchronous", c.Name).
			Hint = "set pg_sync_mode to sync or quorum, or pg_conf to crit.yml"
	case s.On() && s.Strict && standbys == 0:
		b.problems.Errorf(at(node, "pg_sync_strict"), "cluster %s would take no write: none of its members can confirm one, and pg_sync_strict makes writes wait for that", c.Name).
			Hint = "add a replica, or remove pg_sync_strict"
	case s.On() && s.Count > max(standbys, 1):
		b.problems.Warnf(at(node, "pg_sync_count"), "pg_sync_count is %d, and cluster %s has no more than %d that can confirm writes", s.Count, c.Name, standbys).
			Hint = "replicas that are delayed, or copy from another replica, confirm none"
	}
}
