package controller

import (
	"context"

	"pigsty/internal/health"
	"pigsty/internal/model"
)

// Topology is who replicates from whom, as the servers themselves say.
type Topology struct {
	// Roots are the instances that nobody of this deployment feeds, each with all that follow it.
	Roots    []*Place      `json:"roots"`
	Clusters []SyncCluster `json:"clusters"`
	// Problems are sentences about what is not as it should be.
	Problems []string `json:"problems,omitempty"`
}

// SyncCluster is how a cluster's replicas confirm writes.
type SyncCluster struct {
	Name string `json:"name"`
	Mode string `json:"mode"` // async, sync, quorum: as the inventory says
	// Names is the leader's synchronous_standby_names: what holds right now.
	Names  string `json:"names"`
	Shard  string `json:"shard,omitempty"`
	Index  int    `json:"shard_index,omitempty"`
	Source string `json:"source,omitempty"` // the cluster, or the address, that the inventory has it follow
}

// Place is an instance in the tree.
type Place struct {
	Instance string `json:"instance"`
	Cluster  string `json:"cluster"`
	Addr     string `json:"addr"`
	Role     string `json:"role"`  // primary, standby leader, replica, unknown
	State    string `json:"state"` // running, streaming, catchup …, not streaming, down, unreachable
	Timeline int    `json:"timeline,omitempty"`
	// Upstream is who feeds it: an instance, or an address that is none of this deployment's; empty
	// when nobody does. Declared is who should, where that differs.
	Upstream string `json:"upstream,omitempty"`
	Declared string `json:"declared_upstream,omitempty"`
	// Behind is how much of its upstream's WAL it has not replayed, in bytes; Lag how long replay
	// took of late, in seconds. Nil where nobody knows.
	Behind       *int64         `json:"behind,omitempty"`
	Lag          *float64       `json:"lag,omitempty"`
	Sync         string         `json:"sync,omitempty"`  // sync, quorum, potential, async
	Delay        int64          `json:"delay,omitempty"` // how far it stays behind on purpose, in milliseconds
	ReplayPaused bool           `json:"replay_paused,omitempty"`
	Tags         map[string]any `json:"tags,omitempty"`
	Error        string         `json:"error,omitempty"` // why it could not be asked
	Followers    []*Place       `json:"followers,omitempty"`
}

// Topology asks the nodes of the named clusters, and of those they follow or that follow them; of
// all when there is no name.
func (s *Site) Topology(ctx context.Context, names []string, dial Dialer) (*Topology, error) {
	clusters, err := s.clusters(names)
	if err != nil {
		return nil, err
	}
	clusters = s.connected(clusters)
	var nodes []*model.Node
	for _, c := range clusters {
		nodes = append(nodes, members(c)...)
	}
	fleet := s.Connect(ctx, nodes, dial)
	defer fleet.Leave()
	answers := fleet.health(ctx, nodes, replicationQuery)
	return buildTopology(clusters, answers, fleet.Lost), nil
}

// connected adds the clusters that the given ones follow or that follow them, however far.
func (s *Site) connected(some []*model.PgCluster) []*model.PgCluster {
	belongs := map[*model.PgCluster]bool{}
	for _, c := range some {
		belongs[c] = true
	}
	for grown := true; grown; {
		grown = false
		for _, c := range s.Deployment.Pg {
			if c.Upstream == nil || c.Upstream.Cluster == nil || belongs[c] == belongs[c.Upstream.Cluster] {
				continue
			}
			belongs[c], belongs[c.Upstream.Cluster], grown = true, true, true
		}
	}
	var all []*model.PgCluster
	for _, c := range s.Deployment.Pg {
		if belongs[c] {
			all = append(all, c)
		}
	}
	return all
}

// replicationQuery is what a node is asked about its instance's place among others.
func replicationQuery(n *model.Node) health.Query {
	p := n.Pg.Param
	q := health.Query{
		Units: []string{"patroni.service"}, DataDir: n.Param.NodeDataDir, PatroniPort: p.PatroniPort, Config: true,
		Server: &health.Server{Socket: p.PgLocalhost, Port: p.PgPort, User: p.PgDbsu},
	}
	if n.Pg.Cluster.Param.VipMode != "none" {
		q.VIP = n.Pg.Cluster.Param.VipAddress
	}
	return q
}
