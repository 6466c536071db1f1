package model

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pigsty/internal/inventory"
)

// Failover is how a cluster's members decide who leads, in Patroni's terms.
type Failover struct {
	MaximumLag      int64 // bytes a replica may lack and still be promoted
	StartTimeout    int   // seconds a crashed primary has to come back before a replica takes over
	StopTimeout     int   // seconds a primary has to stop under synchronous mode
	SynchronousMode bool
}

// Failover follows from the tuning template.
func (c *PgCluster) Failover() Failover { return characters[c.size().character].failover }

// Checksums tells whether data pages carry checksums: as pg_checksum says, and always where the
// template is there for durability, as in v1.5.
func (c *PgCluster) Checksums() bool { return c.Param.PgChecksum || c.size().character == "crit" }

// size is what the cluster's template takes of a machine.
func (c *PgCluster) size() size { return sizes[templateName(c.Param.PgConf)] }

// templateName is pg_conf without the suffix that v1.5 gives it.
func templateName(conf string) string { return strings.TrimSuffix(conf, ".yml") }

// ClusterSettings are the PostgreSQL parameters that all members share: those of the template,
// under those of pg_parameters where it is set for the cluster. None depends on a machine, so
// they are the same whatever nodes could be asked.
func (c *PgCluster) ClusterSettings() map[string]string {
	s, version := c.size(), c.Primary().Version()
	out := maps.Clone(commonSettings)
	maps.Copy(out, characters[s.character].settings)
	connections := s.connections
	if c.Param.PgMaxConn != 0 {
		connections = c.Param.PgMaxConn
	}
	out["max_connections"] = strconv.Itoa(connections)
	out["max_worker_processes"] = strconv.Itoa(s.workers)
	out["max_locks_per_transaction"] = strconv.Itoa(s.locks)
	out["password_encryption"] = c.Param.PgPwdEnc
	out["shared_preload_libraries"] = c.preload()
	libraries := c.PreloadLibraries()
	for library, settings := range librarySettings {
		if slices.Contains(libraries, library) {
			maps.Copy(out, settings)
			maps.Copy(out, characters[s.character].libraries[library])
		}
	}
	maps.Copy(out, c.extensionSettings())
	maps.DeleteFunc(out, func(name, _ string) bool { return version < since[name] })
	maps.Copy(out, c.sharedParameters())
	return out
}

// sharedParameters are the pg_parameters that hold for the whole cluster: those of any member
// that has not got its own.
func (c *PgCluster) sharedParameters() map[string]string {
	for _, i := range c.Instances {
		if !i.ownParameters() {
			return i.Param.PgParameters
		}
	}
	return nil
}

// ownParameters tells whether pg_parameters was set for this very instance.
func (i *PgInstance) ownParameters() bool {
	v, given := i.Node.Vars["pg_parameters"]
	return given && v.Level == inventory.LevelHost
}

// NodeSettings are the PostgreSQL parameters that this instance has for itself: what follows
// from its machine, and pg_parameters where it is set for the instance. A parameter that
// pg_parameters sets for the cluster is left to the cluster.
func (i *PgInstance) NodeSettings() map[string]string {
	out := i.machineSettings()
	for name := range i.Cluster.sharedParameters() {
		delete(out, name)
	}
	if i.ownParameters() {
		maps.Copy(out, i.Param.PgParameters)
	}
	return out
}

// mega and giga are PostgreSQL's MB and GB, which are powers of two.
const (
	mega = int64(1) << 20
	giga = int64(1) << 30
)

func megabytes(n int64) string { return fmt.Sprintf("%dMB", n/mega) }
