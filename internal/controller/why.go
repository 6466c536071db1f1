package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"pigsty/internal/election"
	"pigsty/internal/health"
	"pigsty/internal/model"
)

// Why asks the nodes of the named clusters, or of all, and of etcd, and says for each cluster who
// would be promoted if its leader went now. A name may be that of an instance: its cluster is meant.
func (s *Site) Why(ctx context.Context, names []string, dial Dialer) ([]election.Report, error) {
	clusters, err := s.clusters(names)
	if err != nil {
		return nil, err
	}
	nodes := s.voting(clusters)
	fleet := s.Connect(ctx, nodes, dial)
	defer fleet.Leave()
	answers := fleet.health(ctx, nodes, electionQuery)
	store := storeOf(s.etcdStatus(answers))
	var reports []election.Report
	for _, c := range clusters {
		reports = append(reports, election.Judge(electionFacts(c, store, answers, fleet.Lost)))
	}
	return reports, nil
}

// voting are the nodes of clusters, and those of etcd.
func (s *Site) voting(clusters []*model.PgCluster) []*model.Node {
	wanted := map[*model.Node]bool{}
	for _, c := range clusters {
		for _, i := range c.Instances {
			wanted[i.Node] = true
		}
	}
	var nodes []*model.Node
	for _, n := range s.Deployment.Nodes {
		if wanted[n] || n.Etcd != nil {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

func electionQuery(n *model.Node) health.Query {
	q := health.Query{DataDir: n.Param.NodeDataDir}
	if n.Pg != nil {
		q = replicationQuery(n)
	}
	if n.Etcd != nil {
		q.EtcdMetrics = fmt.Sprintf("http://127.0.0.1:%d", model.EtcdMetricsPort)
	}
	return q
}

func storeOf(members []EtcdStatus) election.Store {
	store := election.Store{Members: len(members)}
	for _, m := range members {
		if m.State == "leader" || m.State == "follower" {
			store.Healthy++
		}
	}
	return store
}

// sharedConfig is what of the dynamic configuration an election depends on. Its defaults are
// Patroni's.
type sharedConfig struct {
	Pause            bool            `json:"pause"`
	TTL              int             `json:"ttl"`
	LoopWait         int             `json:"loop_wait"`
	StartTimeout     *int            `json:"primary_start_timeout"`
	MaximumLag       int64           `json:"maximum_lag_on_failover"`
	SynchronousMode  any             `json:"synchronous_mode"`
	SynchronousCount int             `json:"synchronous_node_count"`
	CheckTimeline    bool            `json:"check_timeline"`
	Failsafe         bool            `json:"failsafe_mode"`
	Standby          json.RawMessage `json:"standby_cluster"`
}

func (c sharedConfig) mode() string {
	switch {
	case c.standby():
		return election.Async // Patroni confirms nothing in a cluster that follows another
	case c.SynchronousMode == "quorum":
		return election.Quorum
	case c.SynchronousMode == true:
		return election.Sync
	}
	return election.Async
}

func (c sharedConfig) standby() bool { return len(c.Standby) > 0 && string(c.Standby) != "null" }

func electionFacts(c *model.PgCluster, store election.Store, answers map[string]*health.Node, lost map[string]error) election.Facts {
	// What nobody tells is as the inventory wants it.
	timing := c.Timing()
	config := sharedConfig{
		TTL: timing.TTL, LoopWait: timing.LoopWait, StartTimeout: &timing.StartTimeout,
		MaximumLag: 1 << 20, SynchronousCount: 1, SynchronousMode: c.Synchronous().On(),
	}
	if mode := c.Synchronous().Mode; mode == model.SyncQuorum {
		config.SynchronousMode = mode
	}
	known := map[string]health.Member{}
	for _, i := range c.Instances {
		answer := answers[i.Node.Addr]
		if answer == nil || answer.Members == nil {
			continue
		}
		for _, m := range answer.Members {
			known[m.Name] = m
		}
		// A configuration that cannot be read keeps the inventory's figures.
		if answer.Config != nil && json.Unmarshal(answer.Config, &config) == nil {
			break
		}
	}
	timing.TTL, timing.LoopWait = config.TTL, config.LoopWait
	best, worst := timing.Outage()
	f := election.Facts{
		Cluster: c.Name, Paused: config.Pause, Standby: config.standby(),
		Mode: config.mode(), Count: config.SynchronousCount,
		MaximumLag: config.MaximumLag, CheckTimeline: config.CheckTimeline, Failsafe: config.Failsafe,
		Best: best, Worst: worst, StartTimeout: time.Duration(*config.StartTimeout) * time.Second, Store: store,
	}
	for _, i := range c.Instances {
		m := electionMember(i, known, answers[i.Node.Addr], lost[i.Node.Addr])
		f.Members = append(f.Members, m)
		f.Timeline = max(f.Timeline, m.Timeline)
		if member := known[i.Name]; member.Leads() {
			f.Leader, f.Position = i.Name, m.Position
		}
	}
	if f.Position == 0 {
		f.Position = lastSeen(f.Members, known)
	}
	return f
}

// lastSeen is what the leader had when it last told the store, which members' lag is measured from.
func lastSeen(members []election.Member, known map[string]health.Member) int64 {
	var position int64
	for _, m := range members {
		if lag := known[m.Name].Lag; m.Position > 0 && lag >= 0 {
			position = max(position, m.Position+lag)
		}
	}
	return position
}

func electionMember(i *model.PgInstance, known map[string]health.Member, answer *health.Node, lost error) election.Member {
	listed, isListed := known[i.Name]
	m := election.Member{
		Name: i.Name, Known: isListed, State: listed.State, Timeline: listed.Timeline, Delay: i.Delay(),
		Confirms:   listed.Role == "sync_standby" || listed.Role == "quorum_standby",
		NoFailover: listed.Tags["nofailover"] == true, Priority: 1,
	}
	if text, given := listed.Tags["failover_priority"]; given {
		if priority, err := strconv.Atoi(fmt.Sprint(text)); err == nil {
			m.Priority, m.NoFailover = priority, m.NoFailover || priority <= 0
		}
	}
	switch {
	case answer == nil:
		m.Lost = "no answer"
		if lost != nil {
			m.Lost = lost.Error()
		}
	case answer.Own != nil:
		m.Answers, m.State, m.Position = true, answer.Own.State, answer.Own.Position
		if answer.Own.Timeline != 0 {
			m.Timeline = answer.Own.Timeline
		}
	}
	// PostgreSQL itself is asked later than Patroni's last look at it.
	if answer != nil && answer.Replication != nil {
		m.Position, m.Timeline = answer.Replication.Position, answer.Replication.Timeline
	}
	return m
}
