package controller

import (
	"context"
	"maps"
	"sync"
	"time"

	"pigsty/internal/agent"
	"pigsty/internal/health"
	"pigsty/internal/model"
)

const (
	// monitorPause is the time between two questions to a node.
	monitorPause = time.Second
	// monitorPatience is how long a node may take to answer before it counts as lost, and how long
	// a new connection to it may take.
	monitorPatience = 3 * time.Second
)

// Monitor asks the nodes of a cluster and of its DCS again and again how they are, each for itself,
// so that one that does not answer holds up nobody.
type Monitor struct {
	site    *Site
	cluster *model.PgCluster
	nodes   []*model.Node
	dial    Dialer

	mu      sync.Mutex
	answers map[string]monitored
}

// monitored is what became of the last question to a node.
type monitored struct {
	asked  time.Time
	health *health.Node
	err    error
}

// Monitor prepares to watch the cluster of that name.
func (s *Site) Monitor(cluster string, dial Dialer) (*Monitor, error) {
	c, err := s.cluster(cluster)
	if err != nil {
		return nil, err
	}
	m := &Monitor{site: s, cluster: c, dial: dial, answers: map[string]monitored{}}
	for _, n := range s.Deployment.Nodes {
		if n.Etcd != nil || n.Pg != nil && n.Pg.Cluster == c {
			m.nodes = append(m.nodes, n)
		}
	}
	return m, nil
}

// Run asks until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	var group sync.WaitGroup
	for _, n := range m.nodes {
		group.Go(func() { m.follow(ctx, n) })
	}
	group.Wait()
}

// follow asks one node, and connects anew after an error.
func (m *Monitor) follow(ctx context.Context, n *model.Node) {
	var session *agent.Session
	for ctx.Err() == nil {
		asked := time.Now()
		answer, err := m.ask(ctx, n, &session)
		if err != nil {
			if session != nil {
				_ = session.Leave() // it has ended, or hangs
				session = nil
			}
			answer = nil
		}
		m.mu.Lock()
		m.answers[n.Addr] = monitored{asked, answer, err}
		m.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(monitorPause):
		}
	}
	if session != nil {
		_ = session.Leave()
	}
}

func (m *Monitor) ask(ctx context.Context, n *model.Node, session **agent.Session) (*health.Node, error) {
	ctx, cancel := context.WithTimeout(ctx, monitorPatience)
	defer cancel()
	if *session == nil {
		s, _, err := m.site.connect(ctx, n, m.dial)
		if err != nil {
			return nil, err
		}
		*session = s
	}
	answer, err := (*session).Health(ctx, healthQuery(n))
	return &answer, err
}

// Status is what the nodes have said last. It is nil until each has answered, or failed to, a
// question that was asked after the given time.
func (m *Monitor) Status(since time.Time) *Status {
	m.mu.Lock()
	known := maps.Clone(m.answers)
	m.mu.Unlock()
	status := &Status{}
	answers := map[string]*health.Node{}
	for _, n := range m.nodes {
		k := known[n.Addr]
		if !k.asked.After(since) {
			return nil
		}
		if k.health != nil {
			answers[n.Addr] = k.health
		}
		status.Nodes = append(status.Nodes, nodeStatus(n, answers[n.Addr], k.err))
	}
	status.Etcd = m.site.etcdStatus(answers)
	status.Clusters = []ClusterStatus{clusterStatus(m.cluster, answers)}
	return status
}
