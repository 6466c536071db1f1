// Package model turns merged variables and facts into what is wanted: nodes, the etcd cluster,
// PostgreSQL clusters with their instances and services, validated and checked against each
// other. Everything downstream reads only these types.
package model

import (
	"cmp"
	"slices"

	"pigsty/internal/diag"
	"pigsty/internal/distro"
	"pigsty/internal/fact"
	"pigsty/internal/inventory"
	"pigsty/internal/param"
)

// Deployment is everything the inventory wants. Its slices are in inventory order, members of a
// cluster in pg_seq order.
type Deployment struct {
	Nodes []*Node
	Metas []*Meta      // the infrastructure nodes
	Infra param.Infra  // the infrastructure's parameters as its first node has them, or all.vars without one
	Etcd  *EtcdCluster // nil when no cluster keeps its state in etcd and nobody lists servers
	Pg    []*PgCluster
	// Repository is the local package repository; nil when no infrastructure node runs nginx.
	Repository *Repository

	// CA is the authority's certificate in PEM: every node trusts it.
	CA string
	// RepositoryKey is the public key, in ASCII armor, that the local repository is signed with.
	RepositoryKey string
	// AptSources are where nodes of further releases take packages from, one node's for each, by the
	// codename of the release.
	AptSources map[string]fact.AptSources
	// AdminKeys are the public SSH keys of whoever runs pigsty, for node_admin_pk_current.
	AdminKeys []string
	// Switchover is asked for where a primary has to restart; else it restarts in place.
	Switchover bool
	// Files are those that the inventory names, by the path that it gives; see NamedFiles.
	Files map[string]string
	// Derive makes a secret that is the same in every compile, from the deployment's seed.
	Derive func(purpose ...string) []byte
}

// Node is one machine.
type Node struct {
	Addr    string // the inventory's host key; also the address that peers connect to
	Name    string // nodename: hostname and identity in metrics
	Cluster string // node_cluster
	Pos     diag.Pos
	Vars    inventory.Vars

	Connect param.Connect
	Param   param.Node
	Dcs     param.Dcs

	// Facts are what the node says of itself; zero when Known is false, because the node could
	// not be asked.
	Facts fact.Node
	Known bool

	Pg   *PgInstance // the PostgreSQL instance that runs here; nil when none
	Etcd *EtcdMember // the etcd member that runs here; nil when none
	Meta *Meta       // the platform's own services that run here; nil when none
}

// Identity is what monitoring calls the node: nodename, else what the machine calls itself, else its
// address.
func (n *Node) Identity() string { return cmp.Or(n.Name, n.Facts.Hostname, n.Addr) }

// EtcdMetricsPort is where a member serves health and metrics in plain HTTP, on the loopback
// address only.
const EtcdMetricsPort = 2381

// EtcdCluster is the DCS.
type EtcdCluster struct {
	Name    string // dcs_name, the initial cluster token
	Members []*EtcdMember
	Param   param.Dcs
}

// EtcdMember is one etcd server. Node is nil for a server that the inventory does not manage.
type EtcdMember struct {
	Cluster *EtcdCluster
	Name    string
	Addr    string
	Node    *Node
}

// Endpoints are the client addresses of all members, such as "10.10.10.10:2379".
func (c *EtcdCluster) Endpoints() []string {
	var all []string
	for _, m := range c.Members {
		all = append(all, m.Addr+":2379")
	}
	return all
}

// Bootstrapped is true when some member has been running before, so that new members join it
// instead of founding a cluster of their own.
func (c *EtcdCluster) Bootstrapped() bool {
	for _, m := range c.Members {
		if m.Node != nil && m.Node.Facts.EtcdData {
			return true
		}
	}
	return false
}

// Roles of an instance as the inventory declares them (pg_role).
const (
	RolePrimary = "primary"
	RoleReplica = "replica"
	RoleOffline = "offline"
	RoleDelayed = "delayed"
)

// PgCluster is one PostgreSQL cluster: a primary and its replicas under one name.
type PgCluster struct {
	Name      string
	Instances []*PgInstance // by pg_seq
	// Param are the parameters as the declared primary sees them: the cluster's own.
	Param    param.Pgsql
	Services []*Service
	Etcd     *EtcdCluster
	// First is the instance that starts alone and leads when none runs, where that is known: nil
	// leaves it to pg_role in a new cluster, and to Patroni in one that exists.
	First *PgInstance
	// Upstream is what a standby cluster follows; nil for a cluster that takes writes itself.
	Upstream *Upstream
}

// PgInstance is one PostgreSQL server.
type PgInstance struct {
	Cluster *PgCluster
	Node    *Node
	Name    string // <pg_cluster>-<pg_seq>
	Seq     int
	Role    string // as declared; a failover does not change it
	Param   param.Pgsql
}

// Primary is the declared primary; checks have made sure that there is one.
func (c *PgCluster) Primary() *PgInstance {
	for _, i := range c.Instances {
		if i.Role == RolePrimary {
			return i
		}
	}
	return nil
}

// Leader is the instance that is writable now, or First or the declared primary when nobody says
// so: before the first start, or when no member can be asked.
func (c *PgCluster) Leader() *PgInstance {
	for _, i := range c.Instances {
		if p := i.Node.Facts.Patroni; p != nil && (p.Role == "primary" || p.Role == "master" || p.Role == "standby_leader") {
			return i
		}
	}
	if c.First != nil {
		return c.First
	}
	return c.Primary()
}

// Bootstrapped is true when some member has a data directory: the cluster exists.
func (c *PgCluster) Bootstrapped() bool {
	for _, i := range c.Instances {
		if i.Node.Facts.PgData {
			return true
		}
	}
	return false
}

// Version is the PostgreSQL major version: pg_version, or the one that the node's distribution
// packages when pg_version is 0.
func (i *PgInstance) Version() int {
	if v := i.Cluster.Param.PgVersion; v != 0 {
		return v
	}
	return distro.Postgres(i.Node.Facts.Release)
}

// Service is a port on every member that leads to the right members.
type Service struct {
	Name    string // the full name, <pg_cluster>-<service>
	Bind    string // "*", or an address
	Port    int
	Target  int // port on the members
	Check   ServiceCheck
	Servers []ServiceServer
	Param   param.Service
}

// ServiceCheck is the HTTP request that says whether a member serves.
type ServiceCheck struct {
	Port int
	Path string
	Code int
}

// ServiceServer is one member behind a service; Backup members serve when no other is healthy. One
// that Leads serves only while it is the cluster's leader, whatever the service's check says.
type ServiceServer struct {
	Instance *PgInstance
	Weight   int
	Backup   bool
	Leads    bool
}

// PoolLogin is the login that pgBouncer asks PostgreSQL as, with pgbouncer_auth_query, and nobody
// uses for anything else.
const PoolLogin = "dbuser_pgbouncer"

// HasVIP is true when a virtual address follows the cluster's leader. With vip_mode l4 a balancer
// of somebody else has it, and without Patroni nobody says who leads.
func (c *PgCluster) HasVIP() bool { return c.Param.VipMode == "l2" && c.Param.PatroniEnabled }

// Units that hold the virtual address on the leader's node, one of them in a cluster.
const (
	VIPManagerUnit = "vip-manager.service"
	KeepalivedUnit = "pigsty-vip.service" // keepalived, with files of ours
)

// VIPUnit is the unit that all members use: vip-manager, or keepalived where a member has Debian
// 12, whose vip-manager 1.0.2 speaks etcd's second API while Patroni writes with the third.
func (c *PgCluster) VIPUnit() string {
	if c.oldVIPManager() {
		return KeepalivedUnit
	}
	return VIPManagerUnit
}

func (c *PgCluster) oldVIPManager() bool {
	for _, i := range c.Instances {
		if i.Node.Facts.Release == 12 {
			return true
		}
	}
	return false
}

// HasAny is true when one of the hosts runs an instance of the cluster.
func (c *PgCluster) HasAny(hosts []string) bool {
	for _, i := range c.Instances {
		if slices.Contains(hosts, i.Node.Addr) {
			return true
		}
	}
	return false
}
